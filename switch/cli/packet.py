"""`packet out|in`: packets that a controller sends and gets."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from switch.cli.command import Subparsers, add_command, add_group, connect
from switch.cli.output import print_json

_OUT_TEXT = """
  ringside packet out --in-port h1 'resubmit(,0)' 0200000000020200000000010800…
"""
_PAUSE = 0.1  # Seconds between two looks at an empty queue.


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verbs."""
    verbs = add_group(commands, "packet", "packets from and to a controller's place")
    out = add_command(verbs, "out", packet_out, "run actions on a frame", epilog=_OUT_TEXT)
    out.add_argument("actions", help="as in a rule, e.g. output:h2")
    out.add_argument("hex", help="the frame, in hexadecimal")
    out.add_argument(
        "--in-port", default="CONTROLLER", help="where it is to have come in; default CONTROLLER"
    )
    shown = add_command(verbs, "in", packet_in, "show the packets that the rules sent to the controller")
    shown.add_argument("--watch", action="store_true", help="go on until Ctrl-C")


def packet_out(options: argparse.Namespace) -> int:
    """Sends a frame through actions."""
    with connect(options) as client:
        args = {"actions": options.actions, "hex": options.hex, "in_port": options.in_port}
        answer = client.call("packet.out", args)
    if options.json:
        print_json(answer)
    return 0


def packet_in(options: argparse.Namespace) -> int:
    """Prints the packets that wait for a controller; each is shown once."""
    with connect(options) as client:
        while True:
            packets = client.call("packet.in", {})["packets"]
            for each in packets:
                print(json.dumps(each) if options.json else _line(each))
            sys.stdout.flush()
            if not packets:
                if not options.watch:
                    return 0
                time.sleep(_PAUSE)


def _line(packet: dict[str, Any]) -> str:
    words = [
        f"table={packet['table']}",
        f"reason={packet['reason']}",
        f"in_port={packet['in_port']}",
        f"cookie={packet['cookie']:#x}",
        f"len={packet['total_len']}",
    ]
    if packet["metadata"]:
        words.append(packet["metadata"])
    if packet["userdata"]:
        words.append(f"userdata={packet['userdata']}")
    return f"{','.join(words)} {packet['hex']}"
