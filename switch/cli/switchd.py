"""`switchd`: runs the daemon in the foreground."""

from __future__ import annotations

import argparse
from pathlib import Path

from switch.cli.apply import STATE_TEXT
from switch.cli.command import FILE, Subparsers

_TEXT = """
The switch runs in the foreground until SIGTERM or Ctrl-C, and then leaves nothing behind. When packets flow
it writes "READY" to the --ready-fd, tells systemd (NOTIFY_SOCKET), and logs it.
"""


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verb."""
    parser = commands.add_parser(
        "switchd",
        help="run a switch, in the foreground",
        description="Run a switch, in the foreground.",
        epilog=_TEXT + STATE_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--name", help="the switch's name; default: the file's")
    config = parser.add_argument("--config", metavar="FILE", help="the desired state to start with")
    config.complete = FILE
    # Not --socket again: argparse would overwrite the one given before the verb.
    path = parser.add_argument("--socket", dest="listen", metavar="PATH", help="default: RUNDIR/NAME.sock")
    path.complete = FILE
    parser.add_argument("--ready-fd", type=int, metavar="N", help="descriptor that gets READY")
    parser.set_defaults(run=run_switchd, json=False)


def run_switchd(options: argparse.Namespace) -> int:
    """Reads the desired state and runs the daemon; its exit code. Raises ControlError for a bad file."""
    from switch.control import config
    from switch.control.errors import ControlError
    from switch.control.rundir import default_socket

    if options.config is not None:
        desired = config.load_file(Path(options.config), options.name)
    elif options.name is not None:
        desired = config.parse({"name": options.name})
    else:
        raise ControlError("--name", "missing: neither a name nor a file", "--name s1, or --config FILE")
    path = options.listen or options.socket
    socket = Path(path) if path else default_socket(desired.name)

    from switch.control import daemon  # After the checks: it loads the compiled switch.

    return daemon.run(daemon.Options(desired, socket, options.ready_fd))
