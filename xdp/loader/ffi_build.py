"""Builds the extension that joins Python to libbpf: `python -m xdp.loader.ffi_build [--variant V]`.

cffi writes the wrapper's C text; we call the compiler ourselves, because our own C is held to
-Werror and the generated text is not, and because the variants differ only in flags. The result
uses Python's stable ABI, so one file serves every Python from 3.11 on.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cffi

from xdp.loader import paths
from xdp.loader.errors import BuildError

PREAMBLE = """
#include <stddef.h>
#include <stdint.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "shim.h"
#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif
"""

COMMON = ["-std=gnu11", "-g", "-fPIC", "-Wall", "-Wextra"]
FLAGS: dict[str, list[str]] = {
    "release": ["-O2"],
    "sanitize": [
        "-O1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
    ],
}


def _run(command: Sequence[str], what: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        said = result.stderr.strip() or f"exit code {result.returncode}"
        raise BuildError(what, f"{command[0]} refused it", hint="command: " + " ".join(command), details=said)
    return result.stdout


def _compiler() -> str:
    wanted = os.environ.get("CC", "cc")
    found = shutil.which(wanted)
    if not found:
        raise BuildError("CC", f"no C compiler: {wanted!r} is not in PATH", hint="apt-get install gcc")
    return found


def _python_include() -> str:
    include = sysconfig.get_path("include")
    if not (Path(include) / "Python.h").exists():
        raise BuildError(
            "Python.h",
            f"not found in {include}",
            hint="install Python's headers: apt-get install python3-dev",
        )
    return include


def libbpf_flags() -> tuple[list[str], list[str]]:
    """Compile and link flags for libbpf, from pkg-config where it is there.

    Raises:
        BuildError: pkg-config knows libbpf, but one older than 1.1.
    """
    tool = shutil.which("pkg-config")
    if not tool or subprocess.run([tool, "--exists", "libbpf"], check=False).returncode:
        return [], ["-lbpf"]
    version = _run([tool, "--modversion", "libbpf"], "libbpf").strip()
    if tuple(int(part) for part in version.split(".")[:2]) < (1, 1):
        raise BuildError(
            "libbpf", f"version {version} found, 1.1 or later needed", hint="install a newer libbpf-dev"
        )
    compile_flags = _run([tool, "--cflags", "libbpf"], "libbpf").split()
    return compile_flags, _run([tool, "--libs", "libbpf"], "libbpf").split()


def _wrapper_source(folder: Path) -> Path:
    builder = cffi.FFI()
    builder.cdef((paths.LOADER / "libbpf.cdef.h").read_text())
    builder.set_source(paths.EXTENSION, PREAMBLE)
    wrapper = folder / f"{paths.EXTENSION}.c"
    with contextlib.redirect_stdout(sys.stderr):  # it says what it does; our stdout is the result's path
        builder.emit_c_code(str(wrapper))
    return wrapper


def build(variant: paths.Variant = "release") -> Path:
    """Builds the extension of `variant` and returns its path.

    The new file replaces the old one in one step, so a process that runs with the old one is not
    disturbed.

    Raises:
        BuildError: a compiler or header is missing, or the compiler refused; it carries its words.
    """
    compiler = _compiler()
    compile_flags, link_flags = libbpf_flags()
    flags = [*COMMON, *FLAGS[variant], f"-I{paths.LOADER}", *compile_flags]
    python_include = _python_include()
    target = paths.extension_path(variant)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        wrapper = _wrapper_source(folder)
        shim, glue, linked = folder / "shim.o", folder / "glue.o", folder / target.name
        _run(
            [compiler, *flags, "-Werror", "-c", str(paths.LOADER / "shim.c"), "-o", str(shim)],
            "xdp/loader/shim.c",
        )
        # Generated text: its style is cffi's affair.
        quiet = ["-Wno-unused-parameter", "-Wno-missing-field-initializers", f"-isystem{python_include}"]
        _run(
            [compiler, *flags, *quiet, "-DPy_LIMITED_API=0x030b0000", "-c", str(wrapper), "-o", str(glue)],
            "cffi",
        )
        _run(
            [compiler, *FLAGS[variant], "-shared", str(glue), str(shim), "-o", str(linked), *link_flags],
            "libbpf",
        )
        linked.replace(target)
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Exit code 1, with the compiler's words on stderr, when the build fails."""
    parser = argparse.ArgumentParser(
        prog="python -m xdp.loader.ffi_build", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--variant", choices=sorted(FLAGS), default="release")
    options = parser.parse_args(arguments)
    try:
        print(build(options.variant))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
