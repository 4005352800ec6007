"""BPF object files: open, load into the kernel, hand out programs and maps, close.

    with object.open(paths.bpf_object_path("redirect_xsk")) as obj:
        obj.load()
        link = attach.attach_xdp(obj.program("rs_redirect_xsk").fd, ifindex)
        obj.map("rs_xsks").update(queue, socket_fd)

Closing the object closes its descriptors. What the kernel still needs (a program that a link holds, a
map that the program holds) lives on without them.
"""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from xdp.loader.errors import ObjectError, VerifierError, general_hint
from xdp.loader.ffi import ffi, lib, text
from xdp.loader.maps import Map, map_info
from xdp.loader.verifier_log import find_refusal

# From here on the numbers are libbpf's own, which its words explain better.
_LIBBPF_ERRNO = 4000


@dataclass(frozen=True)
class Program:
    """A loaded program. `fd` is close-on-exec and the object's: it ends with the object."""

    name: str
    fd: int


@dataclass
class _Said:
    """What libbpf said during a call; filled when the call is over."""

    text: str = ""


@contextmanager
def _captured() -> Iterator[_Said]:
    said = _Said()
    lib.bpf_log_start()
    try:
        yield said
    finally:
        words = lib.bpf_log_stop()
        said.text = text(words)
        lib.bpf_log_free(words)


def raise_memlock_limit() -> bool:
    """Lifts this process's limit of locked memory, as kernels before 5.11 charge BPF memory to it.

    Returns whether the limit is off now. Never an error: newer kernels charge the cgroup instead, and
    where the limit does bind, the load that fails of it says so.
    """
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    if resource.getrlimit(resource.RLIMIT_MEMLOCK) == unlimited:
        return True
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, unlimited)
    except (ValueError, PermissionError):  # without CAP_SYS_RESOURCE the hard limit is a wall
        _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
        return bool(hard == resource.RLIM_INFINITY)
    return True


class BpfObject:
    """An opened object file. A context manager; `close()` may be called twice."""

    def __init__(self, path: Path, pointer: Any) -> None:
        self.path = path
        self.log = ""
        self._pointer = pointer
        self._loaded = False
        self._maps: dict[str, Map] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def programs(self) -> tuple[str, ...]:
        """Names of the programs in the file."""
        return tuple(text(lib.bpf_program__name(each)) for each in self._each_program())

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps in the file."""
        return tuple(text(lib.bpf_map__name(each)) for each in self._each_map())

    def load(self) -> Self:
        """Creates the maps and loads the programs. What libbpf said meanwhile is in `log`.

        Raises:
            VerifierError: the kernel refused a program; shows the lines that matter.
            ObjectError: anything else: no permission, no memory, loaded or closed already.
        """
        pointer = self._open_pointer()
        if self._loaded:
            raise ObjectError(str(self.path), "is loaded already", hint="open it again for a second copy")
        raise_memlock_limit()
        with _captured() as said:
            error = -lib.bpf_object__load(pointer)
        self.log = said.text
        if error:
            raise self._load_error(error)
        self._loaded = True
        for each in self._each_map():
            fd = lib.bpf_map__fd(each)
            self._maps[text(lib.bpf_map__name(each))] = Map(fd, map_info(fd))
        return self

    def program(self, name: str) -> Program:
        """The loaded program `name`.

        Raises:
            ObjectError: no such program (it lists those there are), or not loaded.
        """
        self._need_loaded()
        for each in self._each_program():
            if text(lib.bpf_program__name(each)) == name:
                return Program(name, lib.bpf_program__fd(each))
        raise ObjectError(
            str(self.path),
            f"has no program {name!r}",
            hint="there are: " + (", ".join(self.programs) or "none"),
        )

    def map(self, name: str) -> Map:
        """The map `name`; usable until the object is closed.

        Raises:
            ObjectError: no such map (it lists those there are), or not loaded.
        """
        self._need_loaded()
        if name not in self._maps:
            raise ObjectError(
                str(self.path), f"has no map {name!r}", hint="there are: " + (", ".join(self._maps) or "none")
            )
        return self._maps[name]

    def close(self) -> None:
        """Closes the descriptors of all programs and maps. Links stay: they have their own."""
        for each in self._maps.values():
            each.forget()
        if self._pointer is not None:
            lib.bpf_object__close(self._pointer)
            self._pointer = None

    def _open_pointer(self) -> Any:
        if self._pointer is None:
            raise ObjectError(str(self.path), "is closed", hint="open it again")
        return self._pointer

    def _need_loaded(self) -> None:
        self._open_pointer()
        if not self._loaded:
            raise ObjectError(str(self.path), "is not loaded", hint="call load() first")

    def _each_program(self) -> Iterator[Any]:
        each = ffi.NULL
        while (each := lib.bpf_object__next_program(self._open_pointer(), each)) != ffi.NULL:
            yield each

    def _each_map(self) -> Iterator[Any]:
        each = ffi.NULL
        while (each := lib.bpf_object__next_map(self._open_pointer(), each)) != ffi.NULL:
            yield each

    def _load_error(self, error: int) -> ObjectError | VerifierError:
        refusal = find_refusal(self.log)
        # Without the right to load anything the kernel has no opinion on this program.
        if refusal is None or (error == errno.EPERM and not refusal.log):
            hint = general_hint(error) or "`./invoke doctor` tells what this kernel has"
            words = self.log.strip()
            return ObjectError(str(self.path), "cannot be loaded", hint=hint, errno=error, details=words)
        return VerifierError(
            f"program {refusal.program} ({self.path.name})",
            f"refused by the kernel's verifier: {refusal.complaint}",
            hint="the last source line above is what it minds; the whole log is in this error's .log",
            errno=error,
            details=refusal.excerpt,
            log=refusal.log,
        )


def open(path: str | PathLike[str]) -> BpfObject:  # noqa: A001 - object.open(path) reads as what it does
    """Opens an object file; nothing reaches the kernel before `load()`.

    Raises:
        ObjectError: the file is missing, or is no BPF object.
    """
    where = Path(fspath(path))
    if not where.exists():
        raise ObjectError(str(where), "is missing", hint="build it: ./invoke build", errno=errno.ENOENT)
    with _captured() as said:
        pointer = lib.bpf_object__open_file(fspath(where).encode(), ffi.NULL)
        error = ffi.errno
    if pointer == ffi.NULL:
        raise ObjectError(
            str(where),
            "cannot be opened as a BPF object",
            hint="build it again: ./invoke build",
            errno=error if error < _LIBBPF_ERRNO else 0,
            details=said.text.strip(),
        )
    opened = BpfObject(where, pointer)
    opened.log = said.text
    return opened
