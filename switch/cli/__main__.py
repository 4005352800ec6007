"""`ringside`: the parser is put together from the command modules; what a verb needs is imported when it
runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from switch.cli import apply, capture, flow, megaflow, openflow, packet, port, show, stats, switchd, trace
from switch.cli.client import NoDaemon
from switch.cli.command import Subparsers
from switch.cli.output import print_error
from switch.control.errors import ControlError

EXIT_REFUSED, EXIT_USAGE, EXIT_NO_DAEMON = 1, 2, 3

_MODULES = (show, port, flow, openflow, megaflow, packet, stats, trace, capture, apply, switchd)
_TEXT = """
The daemon is found by --socket, else -s, else RINGSIDE_SOCKET, else it is the only one that runs (a lab's
switches count: "pair/s1", or "s1" where that is clear). Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no
daemon found.
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="ringside",
        description="Look into and steer a ringside switch.",
        epilog=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-s", "--switch", metavar="NAME", help="the switch, by name")
    parser.add_argument("--socket", metavar="PATH", help="the switch, by its socket")
    commands = parser.add_subparsers(metavar="VERB", required=True)
    for module in _MODULES:
        module.add_commands(commands)
    _add_completion(commands, parser)
    return parser


def _add_completion(commands: Subparsers, parser: argparse.ArgumentParser) -> None:
    def run(options: argparse.Namespace) -> int:
        import shtab

        print(shtab.complete(parser, shell=options.shell))
        return 0

    text = "Print a completion script: ringside completion bash > /etc/bash_completion.d/ringside"
    help_text = "print a script for shell completion"
    completion = commands.add_parser("completion", help=help_text, description=text)
    completion.add_argument("shell", choices=("bash", "zsh"))
    completion.set_defaults(run=run)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except NoDaemon as error:
        print_error(error)
        return EXIT_NO_DAEMON
    except ControlError as error:
        print_error(error)
        return EXIT_REFUSED
    except BrokenPipeError:  # `ringside … | head`: the reader has seen enough.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
