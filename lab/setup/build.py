"""Compiles what must be compiled, and only when its inputs changed.

Each product has a stamp in build/stamps: the hash of its inputs' names and contents, of the compiler and of
the command. A product whose stamp and outputs are there is left alone. One builder works at a time (a lock
that the kernel drops with its holder); a stamp is written after its product, so an interrupted build is
done again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
VARIANTS = ("release", "sanitize")


class BuildError(RuntimeError):
    """A product could not be made: names it, the command, and where its messages are."""


@dataclass(frozen=True)
class Product:
    """Something made by one command from files of this tree."""

    name: str
    inputs: tuple[str, ...]  # patterns below the root
    outputs: tuple[str, ...]  # patterns below build/; each must match once it is made
    command: tuple[str, ...]  # words after the Python interpreter
    compiler: str

    def input_files(self, root: Path) -> list[Path]:
        """All files that the patterns name, in a fixed order."""
        return sorted({path for pattern in self.inputs for path in root.glob(pattern) if path.is_file()})

    def fingerprint(self, root: Path) -> str:
        """A hash of everything that the product depends on."""
        digest = hashlib.sha256(repr((self.command, _identity(self.compiler))).encode())
        for path in self.input_files(root):
            digest.update(f"\0{path.relative_to(root)}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def is_current(self, root: Path, build: Path) -> bool:
        """Whether the stamp fits the inputs and every output is there."""
        stamp = build / "stamps" / self.name
        try:
            fits = stamp.read_text() == self.fingerprint(root)
        except OSError:
            return False
        return fits and all(any(build.glob(pattern)) for pattern in self.outputs)


def _identity(compiler: str) -> str:
    """Which compiler this is: its path, size and time, which an upgrade changes. No process is started."""
    path = shutil.which(compiler)
    if path is None:
        return f"{compiler}: none"
    real = Path(path).resolve()
    status = real.stat()
    return f"{real} {status.st_size} {status.st_mtime_ns}"


def products(variants: Iterable[str] = ("release",)) -> tuple[Product, ...]:
    """What the given variants consist of: the switch, the BPF loader, and the BPF programs that all share."""
    programs = sorted(path.name.removesuffix(".c") for path in (ROOT / "xdp/progs").glob("*.bpf.c"))
    made = [
        Product(
            name="bpf",
            inputs=("xdp/progs/*.[ch]", "xdp/include/*.h", "xdp/loader/compile.py"),
            outputs=tuple(f"bpf/{name}.o" for name in programs),
            command=("-m", "xdp.loader.compile"),
            compiler="clang",
        )
    ]
    for variant in variants:
        made.append(
            Product(
                name=f"switch-{variant}",
                inputs=(
                    *(f"switch/{room}/**/*.[ch]" for room in ("datapath", "ofproto", "api")),
                    "switch/binding/ffi_build.py",
                ),
                outputs=(f"{variant}/_ringside_switch*.so",),
                command=("-m", "switch.binding.ffi_build", "--variant", variant),
                compiler="gcc",
            )
        )
        made.append(
            Product(
                name=f"loader-{variant}",
                inputs=("xdp/loader/*.[ch]", "xdp/loader/ffi_build.py", "xdp/loader/paths.py"),
                outputs=(f"{variant}/_ringside_bpf*.so",),
                command=("-m", "xdp.loader.ffi_build", "--variant", variant),
                compiler="gcc",
            )
        )
    return tuple(made)


@contextmanager
def _lock(build: Path) -> Iterator[None]:
    """Holds build/.build.lock; waits for another builder."""
    try:
        build.mkdir(exist_ok=True)
        handle = (build / ".build.lock").open("a")
    except PermissionError as error:
        raise BuildError(
            f"{error.filename} cannot be written and something must be built; run as the folder's owner"
        ) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _make(product: Product) -> None:
    print(f"ringside: building {product.name}", file=sys.stderr, flush=True)
    command = [sys.executable, *product.command]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("LD_PRELOAD", None)  # a compiler does not run under the sanitizer of what it compiles
    log = BUILD / "logs" / f"{product.name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as out:
        code = subprocess.run(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT).returncode
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise BuildError(
            f'{tail}\nringside: {product.name}: "python {" ".join(product.command)}" ended with code {code}; '
            f"all of its messages are in {log.relative_to(ROOT)}"
        )


def ensure(variants: Iterable[str] = ("release",)) -> list[str]:
    """Makes what is not current; returns the names of what was made. Raises BuildError."""
    wanted = products(variants)
    if all(product.is_current(ROOT, BUILD) for product in wanted):
        return []
    made = []
    with _lock(BUILD):
        for product in wanted:
            if product.is_current(ROOT, BUILD):  # another builder was faster
                continue
            fingerprint = product.fingerprint(ROOT)  # before: an edit during the build must not be missed
            _make(product)
            stamp = BUILD / "stamps" / product.name
            stamp.parent.mkdir(exist_ok=True)
            stamp.write_text(fingerprint)
            made.append(product.name)
    return made
