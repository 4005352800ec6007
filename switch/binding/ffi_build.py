"""Builds the extension `_ringside_switch` into build/<variant>/: cffi emits the wrapper, the C compiler
does the rest.

    python -m switch.binding.ffi_build [--variant release|sanitize] [--cc CC] [--jobs N]

cffi reads switch/api/switch_api.h as it stands. Objects are compiled side by side and kept; a file is
compiled again
when it, a header that it includes, or the flags changed. The compiler's own words are shown when it refuses.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cffi

ROOT = Path(__file__).resolve().parents[2]
SWITCH = ROOT / "switch"
API_HEADER = SWITCH / "api" / "switch_api.h"
MODULE = "_ringside_switch"
ROOMS = ("datapath", "ofproto", "api")

WARNINGS = ("-Wall", "-Wextra", "-Werror")
# Keys are written as fields and read as words, and the other way: see flow_words().
COMMON = ("-std=gnu11", "-g", "-fPIC", "-pthread", "-fno-strict-aliasing")
VARIANTS = {
    "release": ("-O2",),
    "sanitize": (
        "-O1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
    ),
}


class BuildError(Exception):
    """The compiler or the linker refused. The text holds the command and everything that it said."""


@dataclass(frozen=True)
class Toolchain:
    """The compiler and the flags of one variant."""

    cc: tuple[str, ...]
    variant: str

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags that every object of the variant is compiled with."""
        return (*COMMON, *VARIANTS[self.variant], f"-I{SWITCH}")

    @property
    def key(self) -> str:
        """Short name of compiler and flags: objects made by others are not reused."""
        return hashlib.sha256(" ".join((*self.cc, *self.flags)).encode()).hexdigest()[:12]


def c_sources() -> list[Path]:
    """All C files of the switch, in a fixed order."""
    return sorted(path for room in ROOMS for path in (SWITCH / room).rglob("*.c"))


def cdef_text(header: str) -> str:
    """A header as cffi wants it: without include guard, includes and conditionals; number macros stay."""
    kept = []
    for line in header.splitlines():
        if re.match(r"\s*#\s*(ifndef|ifdef|if|else|elif|endif|include|pragma)\b", line):
            continue
        if re.match(r"\s*#\s*define\s+\w+\s*$", line):  # The include guard.
            continue
        kept.append(line)
    return "\n".join(kept)


def run(command: Sequence[str]) -> None:
    """Runs a compiler command; BuildError with its output when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{done.stderr or done.stdout}\n(status {done.returncode}) {shlex.join(command)}")
    if done.stderr:
        print(done.stderr, file=sys.stderr, end="")


def is_fresh(obj: Path) -> bool:
    """True if the object is newer than everything that its dependency file names."""
    deps = obj.with_suffix(".d")
    if not obj.exists() or not deps.exists():
        return False
    made = obj.stat().st_mtime_ns
    names = deps.read_text().replace("\\\n", " ").split(":", 1)[1].split()
    return all(Path(name).exists() and Path(name).stat().st_mtime_ns < made for name in names)


def compile_one(tools: Toolchain, source: Path, obj: Path, extra: Sequence[str]) -> Path:
    """Compiles one C file unless its object is fresh; returns the object."""
    if is_fresh(obj):
        return obj
    obj.parent.mkdir(parents=True, exist_ok=True)
    part = obj.with_name(f"{obj.stem}.{os.getpid()}.tmp.o")
    depfile = obj.with_suffix(".d")
    run([*tools.cc, *tools.flags, *extra, "-MMD", "-MF", str(depfile), "-c", str(source), "-o", str(part)])
    part.replace(obj)
    return obj


def compile_all(tools: Toolchain, out: Path, jobs: int) -> list[Path]:
    """Compiles the switch's C files, `jobs` at a time; all refusals are shown together."""
    objects = out / "objects" / tools.key

    def one(source: Path) -> Path:
        name = source.relative_to(SWITCH).with_suffix(".o")
        return compile_one(tools, source, objects / name, WARNINGS)

    failures: list[str] = []
    made: list[Path] = []
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for future in [pool.submit(one, source) for source in c_sources()]:
            try:
                made.append(future.result())
            except BuildError as error:
                failures.append(str(error))
    if failures:
        raise BuildError("\n".join(failures))
    return made


def emit_wrapper(directory: Path) -> Path:
    """Lets cffi write the wrapper's C file; returns its path."""
    ffi = cffi.FFI()
    ffi.cdef(cdef_text(API_HEADER.read_text()))
    ffi.set_source(MODULE, '#include "api/switch_api.h"')
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{MODULE}.c"
    with contextlib.redirect_stdout(io.StringIO()):  # It tells what it does there.
        ffi.emit_c_code(str(path))
    return path


def build(variant: str = "release", cc: str | None = None, jobs: int | None = None) -> Path:
    """Builds the extension of one variant and returns its path.

    Raises BuildError with the compiler's output.
    """
    tools = Toolchain(tuple(shlex.split(cc or os.environ.get("CC", "gcc"))), variant)
    out = ROOT / "build" / variant
    out.mkdir(parents=True, exist_ok=True)
    objects = compile_all(tools, out, jobs or os.cpu_count() or 1)
    directory = out / "objects" / tools.key
    wrapper = emit_wrapper(directory)
    python = [f"-I{sysconfig.get_path('include')}", "-w"]  # Not our code: no -Werror.
    objects.append(compile_one(tools, wrapper, wrapper.with_suffix(".o"), python))
    target = out / f"{MODULE}.abi3.so"
    part = out / f"{MODULE}.{os.getpid()}.tmp.so"
    run([*tools.cc, *tools.flags, "-shared", *map(str, objects), "-o", str(part)])
    part.replace(target)  # A running switch keeps the file that it has open.
    return target


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: 0, or 1 with the compiler's words on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m switch.binding.ffi_build",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--variant", choices=sorted(VARIANTS), default="release")
    parser.add_argument("--cc", help="C compiler (default: $CC, else gcc)")
    parser.add_argument("--jobs", type=int, help="compilers at a time (default: number of cores)")
    args = parser.parse_args(argv)
    try:
        path = build(args.variant, args.cc, args.jobs)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
