"""The checks behind `./invoke check`: each is one command; all are run, failing ones show their output."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# Where our C is. BPF programs are compiled by their own command, for their own target.
C_ROOMS = ("switch", "xdp", "lab", "tests")
WARNINGS = ("-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror")
INCLUDES = ("-Iswitch", "-Ixdp/loader", "-Itests/c/support")


LINES_SHOWN = 40  # of a failing check's output


@dataclass(frozen=True)
class Check:
    """One check: what it is called and the command, run from the root."""

    name: str
    command: tuple[str, ...]


def c_files(root: Path, suffixes: tuple[str, ...] = (".c", ".h")) -> list[str]:
    """Our C files, relative to the root, in a fixed order; *.cdef.h, written for cffi alone, is not C."""
    found = (path for room in C_ROOMS for path in (root / room).rglob("*") if path.suffix in suffixes)
    return sorted(str(path.relative_to(root)) for path in found if not path.name.endswith(".cdef.h"))


def all_checks(root: Path) -> list[Check]:
    """What `check` consists of, the quick ones first."""
    python = sys.executable
    sources = [path for path in c_files(root, (".c",)) if not path.endswith(".bpf.c")]
    rooms = ("tests/unit/test_layering.py", "tests/unit/test_source_limits.py")
    checks = [
        Check("ruff format", (python, "-m", "ruff", "format", "--check", ".")),
        Check("ruff", (python, "-m", "ruff", "check", ".")),
        Check("clang-format", ("clang-format", "--dry-run", "-Werror", *c_files(root))),
        Check("rooms and sizes", (python, "-m", "pytest", "-q", *rooms)),
    ]
    for compiler in ("gcc", "clang"):
        checks.append(Check(f"{compiler} -Wall -Wextra", (compiler, *WARNINGS, *INCLUDES, *sources)))
    checks.append(Check("clang -target bpf", (python, "-m", "xdp.loader.compile")))
    checks.append(Check("mypy --strict", (python, "-m", "mypy")))
    return checks


def run_all(root: Path) -> int:
    """Runs every check; prints a line for each and the output of those that fail. Returns how many failed."""
    failed = 0
    for check in all_checks(root):
        start = time.monotonic()
        result = subprocess.run(
            check.command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        seconds = time.monotonic() - start
        print(f"{check.name:22} {'FAILED' if result.returncode else 'ok':7}{seconds:5.1f} s", flush=True)
        if result.returncode:
            failed += 1
            lines = result.stdout.rstrip().splitlines()
            print("\n".join(f"  {line}" for line in lines[:LINES_SHOWN]), flush=True)
            if len(lines) > LINES_SHOWN:
                print(f"  … and {len(lines) - LINES_SHOWN} lines more", flush=True)
    return failed
