"""Builds the helper executables: `python -m lab.traffic.build` -> build/bin/plain_forwarder.

One C file makes one executable. It is compiled again when the command or the file's content has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lab.errors import CommandError, LabError, Problem

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "lab" / "traffic"
BIN = ROOT / "build" / "bin"
FLAGS = ("-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror")
PROGRAMS = ("plain_forwarder",)


def compiler() -> str:
    """Path of $CC or cc. Raises CommandError if there is none."""
    wanted = os.environ.get("CC", "cc")
    found = shutil.which(wanted)
    if found is None:
        raise CommandError(Problem("CC", f"{wanted!r} is not in PATH", "./invoke doctor names the package"))
    return found


def build(name: str) -> tuple[Path, bool]:
    """Makes the executable `name`, if it is not up to date; returns its path and whether it was compiled now.

    Raises CommandError with the compiler's words when it refuses the source.
    """
    source, target = SOURCES / f"{name}.c", BIN / name
    command = [compiler(), *FLAGS, str(source)]
    stamp = target.with_suffix(".stamp")
    wanted = hashlib.sha256(repr(command).encode() + source.read_bytes()).hexdigest()
    if target.exists() and stamp.exists() and stamp.read_text() == wanted:
        return target, False
    BIN.mkdir(parents=True, exist_ok=True)
    made = target.with_suffix(".new")
    done = subprocess.run([*command, "-o", str(made)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(Problem(str(source), f"the compiler refused it:\n{done.stderr.strip()}"))
    made.replace(target)
    stamp.write_text(wanted)
    return target, True


def main() -> int:
    """Command line. Exit code 1, with the error on stderr, when something does not compile."""
    try:
        for name in PROGRAMS:
            path, fresh = build(name)
            print(f"{path.relative_to(ROOT)}  {'compiled' if fresh else 'up to date'}")
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
