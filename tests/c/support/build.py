"""Builds `_ringside_test`, the extension that opens the switch's C internals to the tests.

    python -m tests.c.support.build [--variant release|sanitize]

Every `NAME.cdef.h` here tells cffi what `NAME.h` declares; every `*.c` here is compiled and linked with all
C files of the switch, whose objects are those of the ordinary build. So a test sees exactly what runs in
the switch.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shlex
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import cffi

from switch.binding.ffi_build import (
    ROOT,
    VARIANTS,
    WARNINGS,
    BuildError,
    Toolchain,
    cdef_text,
    compile_all,
    compile_one,
    run,
)

SUPPORT = Path(__file__).resolve().parent
MODULE = "_ringside_test"


def extension_path(variant: str) -> Path:
    """Where the extension of a variant lies."""
    return ROOT / "build" / variant / f"{MODULE}.abi3.so"


def emit_wrapper(directory: Path) -> Path:
    """Lets cffi write the wrapper's C file; returns its path."""
    cdefs = sorted(SUPPORT.glob("*.cdef.h"))
    headers = [path.name.removesuffix(".cdef.h") + ".h" for path in cdefs]
    builder = cffi.FFI()
    for path in cdefs:
        builder.cdef(cdef_text(path.read_text()))
    builder.set_source(MODULE, "".join(f'#include "{name}"\n' for name in headers))
    directory.mkdir(parents=True, exist_ok=True)
    wrapper = directory / f"{MODULE}.c"
    with contextlib.redirect_stdout(sys.stderr):  # It says what it does.
        builder.emit_c_code(str(wrapper))
    return wrapper


def build(variant: str = "release") -> Path:
    """Builds the extension of one variant, as far as that is needed, and returns its path.

    Two test runs may build at once: the second waits for the first.

    Raises:
        BuildError: with the compiler's output.
    """
    tools = Toolchain(tuple(shlex.split(os.environ.get("CC", "gcc"))), variant)
    target = extension_path(variant)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f"{MODULE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        objects = compile_all(tools, target.parent, os.cpu_count() or 1)
        directory = target.parent / "objects" / f"{tools.key}-test"
        include = [f"-I{SUPPORT}"]
        for source in sorted(SUPPORT.glob("*.c")):
            obj = directory / source.with_suffix(".o").name
            objects.append(compile_one(tools, source, obj, [*WARNINGS, *include]))
        wrapper = emit_wrapper(directory)
        # The wrapper is cffi's text, not ours: no warnings.
        python = [f"-I{sysconfig.get_path('include')}", "-w", *include]
        objects.append(compile_one(tools, wrapper, wrapper.with_suffix(".o"), python))
        if not target.exists() or any(o.stat().st_mtime_ns > target.stat().st_mtime_ns for o in objects):
            part = target.with_suffix(f".{os.getpid()}.tmp")
            run([*tools.cc, *tools.flags, "-shared", *map(str, objects), "-o", str(part)])
            part.replace(target)
    return target


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: 0, or 1 with the compiler's words on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tests.c.support.build")
    parser.add_argument("--variant", choices=sorted(VARIANTS), default="release")
    args = parser.parse_args(argv)
    try:
        print(build(args.variant).relative_to(ROOT))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
