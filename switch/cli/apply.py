"""`apply FILE`: makes the switch what the file says, and tells each operation."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from switch.cli.command import FILE, Subparsers, add_command, call
from switch.cli.output import print_json
from switch.control.config import load_text
from switch.control.errors import ControlError

STATE_TEXT = """
The file is the whole desired state, in YAML or JSON; what it does not name is removed:

  name: s1
  poll: {mode: adaptive, spin_us: 100, cpu: null}    # adaptive | busy
  ports:
    - {name: h1, type: afxdp, device: h1, ofport: 1, mode: auto, queues: all, checksum: auto}
    - {name: h2, vlan: {access: 10}}                 # or {trunk: [10, 20], native: 10}
    - {name: s1, type: internal}                     # types: afxdp tap internal dummy
  flows: ["priority=0,actions=NORMAL"]               # absent: that one rule
"""


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verb."""
    text = "make the switch what a file says; ports that stay the same are not disturbed"
    parser = add_command(commands, "apply", run_apply, text, epilog=STATE_TEXT)
    file = parser.add_argument("file", help="the desired state; - is standard input")
    file.complete = FILE  # type: ignore[attr-defined]


def run_apply(options: argparse.Namespace) -> int:
    """Prints every operation; 1 if one failed."""
    answer = call(options, "apply", load_text(read(options.file), options.file))
    if options.json:
        print_json(answer)
    else:
        for operation in answer["operations"]:
            print_operation(operation)
        if not answer["operations"]:
            print("nothing to do")
    return 0 if answer["ok"] else 1


def read(file: str) -> str:
    """The text of the file. Raises ControlError."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ControlError(file, str(error), "a file that can be read, in UTF-8") from None


def print_operation(operation: dict[str, Any]) -> None:
    """One line; a failure with its way out."""
    mark = "ok    " if operation["ok"] else "failed"
    print(f"{mark} {operation['op']:<12} {operation['port'] or '-':<15} {operation['message']}")
    hint = operation.get("error", {}).get("hint")
    if hint:
        print(f"{'':36}way out: {hint}")
