"""Compiles the BPF programs: `python -m xdp.loader.compile [NAME…]` -> build/bpf/NAME.bpf.o.

A program is compiled again when its command line, or the content of its source or of any header it
includes, has changed; clang itself lists the headers. Times of files do not count, because a checkout
changes them at will.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xdp.loader import paths
from xdp.loader.errors import BuildError

FLAGS = ("-target", "bpf", "-O2", "-g", "-Wall", "-Wextra", "-Werror")
SUFFIX = ".bpf.c"


@dataclass(frozen=True)
class Compiled:
    """A program's object. `fresh` tells that it was compiled now, not found up to date."""

    name: str
    path: Path
    fresh: bool


def find_clang() -> str:
    """Path of clang: $CLANG, else `clang`, else the newest `clang-N` in PATH.

    Raises:
        BuildError: there is none.
    """
    wanted = os.environ.get("CLANG")
    if wanted:
        found = shutil.which(wanted)
        if not found:
            raise BuildError("CLANG", f"{wanted!r} is not an executable", hint="unset CLANG, or correct it")
        return found
    for name in ("clang", *(f"clang-{version}" for version in range(30, 10, -1))):
        found = shutil.which(name)
        if found:
            return found
    raise BuildError("clang", "not found in PATH", hint="apt-get install clang, or set CLANG to its path")


def system_include_flags(clang: str) -> list[str]:
    """Flags that give `-target bpf` the host's kernel headers.

    For the target bpf, clang leaves out the host's architecture folder (/usr/include/x86_64-linux-gnu on
    Debian), where asm/types.h lives; so the host's own search list is asked for and handed on.
    """
    result = subprocess.run(
        [clang, "-v", "-E", "-x", "c", "-"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    listed = re.search(r"#include <\.\.\.> search starts here:\n(.*?)End of search list", result.stderr, re.S)
    folders = listed.group(1).split("\n") if listed else []
    return [word for folder in folders if folder.strip() for word in ("-idirafter", folder.strip())]


def section_names(elf: bytes) -> list[str]:
    """Names of the sections of a little- or big-endian 64-bit ELF file; empty when it is none."""
    if len(elf) < 64 or elf[:5] != b"\x7fELF\x02":
        return []
    order = "<" if elf[5] == 1 else ">"
    (table,) = struct.unpack_from(f"{order}Q", elf, 40)
    size, count, names_index = struct.unpack_from(f"{order}HHH", elf, 58)
    (names_at,) = struct.unpack_from(f"{order}Q", elf, table + names_index * size + 24)
    starts = (struct.unpack_from(f"{order}I", elf, table + i * size)[0] for i in range(count))
    return [elf[names_at + s : elf.index(b"\0", names_at + s)].decode() for s in starts]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _up_to_date(target: Path, stamp: Path, command: Sequence[str]) -> bool:
    if not target.exists() or not stamp.exists():
        return False
    try:
        seen = json.loads(stamp.read_text())
        inputs: dict[str, str] = seen["inputs"]
    except (ValueError, KeyError):
        return False
    return bool(seen.get("command") == list(command)) and all(
        _digest(Path(p)) == d for p, d in inputs.items()
    )


def _dependencies(listing: str) -> list[Path]:
    r"""The files of a make rule as clang -MD writes it: `target: a b \<newline> c`, spaces as `\ `."""
    files = listing.split(":", 1)[1].replace("\\\n", " ")
    return [Path(word.replace("\\ ", " ")) for word in re.findall(r"(?:\\ |\S)+", files)]


def _check_btf(source: Path, target: Path) -> None:
    names = section_names(target.read_bytes())
    if ".BTF" not in names:
        raise BuildError(
            str(source),
            f"compiled, but without BTF (sections: {' '.join(filter(None, names)) or 'none'})",
            hint="use a clang of 10 or later, without -g0 and not stripped",
        )


def compile_program(source: Path, *, output: Path | None = None, include: Path = paths.INCLUDE) -> Compiled:
    """Compiles one `*.bpf.c`, if needed, into `output` (default build/bpf/NAME.bpf.o).

    Raises:
        BuildError: no clang; clang refused the source (with its words); the result has no BTF.
    """
    name = source.name.removesuffix(SUFFIX)
    target = output or paths.bpf_object_path(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    clang = find_clang()
    command = [clang, *FLAGS, f"-I{include}", *system_include_flags(clang), "-c", str(source)]
    stamp = target.with_suffix(".stamp")
    if _up_to_date(target, stamp, command):
        return Compiled(name, target, fresh=False)

    # Two builds may run at once: each writes files of its own and puts them in place in one step.
    made, listing = (target.with_suffix(f".{os.getpid()}.{end}") for end in ("new", "d"))
    result = subprocess.run(
        [*command, "-o", str(made), "-MD", "-MF", str(listing)], capture_output=True, text=True, check=False
    )
    if result.returncode:
        said = result.stderr.strip() or f"exit code {result.returncode}"
        raise BuildError(str(source), "clang refused it", hint="command: " + " ".join(command), details=said)
    _check_btf(source, made)
    inputs = {str(path): _digest(path) for path in _dependencies(listing.read_text())}
    made.replace(target)
    stamp.write_text(json.dumps({"command": command, "inputs": inputs}, indent=1))
    listing.unlink()
    return Compiled(name, target, fresh=True)


def compile_all(names: Sequence[str] = ()) -> list[Compiled]:
    """Compiles the programs `names` of xdp/progs, or all of them.

    Raises:
        BuildError: as `compile_program`, or there is no program of that name.
    """
    known = {path.name.removesuffix(SUFFIX): path for path in sorted(paths.PROGRAMS.glob(f"*{SUFFIX}"))}
    for name in names:
        if name not in known:
            raise BuildError(name, "no such program in xdp/progs", hint="there are: " + ", ".join(known))
    return [compile_program(known[name]) for name in (names or known)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Exit code 1, with the error on stderr, when something does not compile."""
    parser = argparse.ArgumentParser(
        prog="python -m xdp.loader.compile", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="programs of xdp/progs (default: all)")
    options = parser.parse_args(arguments)
    try:
        for done in compile_all(options.names):
            print(f"{done.path.relative_to(paths.ROOT)}  {'compiled' if done.fresh else 'up to date'}")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
