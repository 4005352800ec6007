"""`trace`: what would happen to a packet, step by step."""

from __future__ import annotations

import argparse
from typing import Any

from switch.cli.command import Subparsers, add_command, call
from switch.cli.output import print_json
from switch.control.errors import ControlError

_TEXT = """
  ringside trace 'in_port=h1,tcp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_dst=10.0.0.2,tp_dst=80'
  ringside trace 'in_port=1,ip' 'output:2,resubmit(,1)'       other actions instead of the tables
  ringside trace --ct-next trk,est 'in_port=1,tcp'            the state that connection tracking is to find
  ringside trace --port h1 --hex 0200000000020200000000010800…

Nothing is learned, counted or sent. The text is that of ovs-appctl ofproto/trace.
"""


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verb."""
    trace = add_command(commands, "trace", run_trace, "tell what would happen to a packet", epilog=_TEXT)
    trace.add_argument("flow", nargs="?", help="the packet, as ovs-ofctl fields")
    trace.add_argument("actions", nargs="?", help="actions to run instead of the tables")
    trace.add_argument("--hex", metavar="BYTES", help="the packet, as a whole frame in hexadecimal")
    trace.add_argument("--port", help="with --hex: the port that it comes in on")
    trace.add_argument(
        "--ct-next",
        action="append",
        default=[],
        metavar="STATE",
        help="ct_state of the next pass, e.g. trk,new",
    )
    trace.add_argument("--names", action="store_true", help="ports by name")


def run_trace(options: argparse.Namespace) -> int:
    """Prints the explanation."""
    if (options.flow is None) == (options.hex is None):
        raise ControlError("trace", "give a flow or --hex, one of them", "see ringside trace --help")
    if options.hex is not None and options.port is None:
        raise ControlError("--port", "missing: a frame comes in somewhere", "--port NAME")
    args: dict[str, Any] = (
        {"flow": options.flow} if options.hex is None else {"hex": options.hex, "port": options.port}
    )
    args |= {"ct_next": options.ct_next, "names": options.names}
    if options.actions is not None:
        args["actions"] = options.actions
    answer = call(options, "trace", args)
    if options.json:
        print_json(answer)
    else:
        print(answer["text"].rstrip("\n"))
    return 0
