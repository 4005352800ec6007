"""BPF maps from Python: get, update, delete and iterate, with per-CPU values summed.

A key or value is given as an integer (packed in the machine's byte order, as the program sees it) or
as bytes of exactly the map's size. A socket or device map takes the file descriptor or the interface
index as its integer.
"""

from __future__ import annotations

import enum
import errno
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from xdp.loader.errors import MapError, general_hint
from xdp.loader.ffi import ffi, lib, text


class MapKind(enum.Enum):
    """The kinds that the loader reads and writes; the values are the kernel's numbers."""

    HASH = lib.BPF_MAP_TYPE_HASH
    ARRAY = lib.BPF_MAP_TYPE_ARRAY
    PERCPU_HASH = lib.BPF_MAP_TYPE_PERCPU_HASH
    PERCPU_ARRAY = lib.BPF_MAP_TYPE_PERCPU_ARRAY
    LRU_HASH = lib.BPF_MAP_TYPE_LRU_HASH
    DEVMAP = lib.BPF_MAP_TYPE_DEVMAP
    XSKMAP = lib.BPF_MAP_TYPE_XSKMAP
    DEVMAP_HASH = lib.BPF_MAP_TYPE_DEVMAP_HASH
    OTHER = -1

    @property
    def per_cpu(self) -> bool:
        """Whether each CPU has its own copy of every value."""
        return self in (MapKind.PERCPU_HASH, MapKind.PERCPU_ARRAY)


@dataclass(frozen=True)
class MapInfo:
    """What the kernel says of a map. Sizes in bytes; `value_size` is that of one CPU's copy."""

    id: int
    name: str
    kind: MapKind
    key_size: int
    value_size: int
    max_entries: int


Create = Literal["any", "new", "existing"]
_CREATE: dict[Create, int] = {"any": lib.BPF_ANY, "new": lib.BPF_NOEXIST, "existing": lib.BPF_EXIST}

_HINTS = {
    errno.E2BIG: "the key is beyond the map's last entry, or the map is full",
    errno.ENOENT: "there is no such entry",
    errno.EEXIST: "the entry is there already",
    errno.EBADF: "the descriptor is not open, or not what this map holds",
    errno.EOPNOTSUPP: "an AF_XDP socket goes in after it got its rx ring; socket maps cannot be read",
    errno.ENODEV: "there is no such device in this namespace",
    errno.EBUSY: "the entry is in use",
}


def map_info(fd: int) -> MapInfo:
    """Asks the kernel about the map behind `fd`.

    Raises:
        MapError: `fd` is no map, or may not be asked about.
    """
    info = ffi.new("struct bpf_map_info *")
    size = ffi.new("uint32_t *", ffi.sizeof("struct bpf_map_info"))
    error = -lib.bpf_obj_get_info_by_fd(fd, info, size)
    if error:
        raise MapError(f"descriptor {fd}", "is no readable map", hint=general_hint(error), errno=error)
    known = {kind.value for kind in MapKind}
    kind = MapKind(info.type) if info.type in known else MapKind.OTHER
    return MapInfo(info.id, text(info.name), kind, info.key_size, info.value_size, info.max_entries)


class Map:
    """One map. The descriptor belongs to whoever gave it: an object's maps live as long as the object."""

    def __init__(self, fd: int, info: MapInfo) -> None:
        self._fd = fd
        self.info = info
        cpus = lib.libbpf_num_possible_cpus() if info.kind.per_cpu else 1
        # The kernel pads each CPU's copy to 8 bytes.
        self._stride = (info.value_size + 7) // 8 * 8 if info.kind.per_cpu else info.value_size
        self._value_length = self._stride * cpus

    @property
    def name(self) -> str:
        """The map's name (the kernel keeps 15 characters)."""
        return self.info.name

    @property
    def fd(self) -> int:
        """The descriptor, close-on-exec.

        Raises:
            MapError: the object it belongs to is closed.
        """
        if self._fd < 0:
            raise MapError(
                f"map {self.name}", "its object is closed", hint="keep the object open while using it"
            )
        return self._fd

    def forget(self) -> None:
        """Called by the owner when the descriptor is about to be closed; afterwards all use is an error."""
        self._fd = -1

    def get(self, key: int | bytes) -> bytes | None:
        """The value under `key`; None where a hash has no such entry.

        Raises:
            MapError: key of a wrong size or out of range, a per-CPU map (see `get_per_cpu`), a socket map.
        """
        if self.info.kind.per_cpu:
            raise self._misuse("holds one value per CPU", "use get_per_cpu() or counters()")
        return self._lookup(key)

    def get_per_cpu(self, key: int | bytes) -> list[bytes] | None:
        """Each possible CPU's value under `key`, in CPU order. Raises as `get`."""
        if not self.info.kind.per_cpu:
            raise self._misuse("holds one value for all CPUs", "use get()")
        raw = self._lookup(key)
        if raw is None:
            return None
        size = self.info.value_size
        return [raw[at : at + size] for at in range(0, len(raw), self._stride)]

    def counters(self, key: int | bytes) -> tuple[int, ...]:
        """The value under `key` read as 64-bit counters, summed over the CPUs where each has its own.

        A hash without the entry gives zeros, as a counter does that was never touched.

        Raises:
            MapError: as `get`, or the value is not made of 64-bit words.
        """
        words, rest = divmod(self.info.value_size, 8)
        if rest:
            raise self._misuse(
                f"has values of {self.info.value_size} bytes", "counters are multiples of 8 bytes"
            )
        copies: list[bytes] = []
        if self.info.kind.per_cpu:
            copies = self.get_per_cpu(key) or []
        elif (single := self.get(key)) is not None:
            copies = [single]
        rows = [struct.unpack(f"={words}Q", copy) for copy in copies]
        return tuple(sum(row[i] for row in rows) for i in range(words))

    def update(self, key: int | bytes, value: int | bytes, *, create: Create = "any") -> None:
        """Writes `value` under `key`; in a per-CPU map, to every CPU's copy.

        Args:
            key: entry; for a socket map the receive queue.
            value: content; for a socket map the socket's descriptor, for a device map an interface index.
            create: "new" refuses an entry that is there, "existing" one that is not.

        Raises:
            MapError: wrong sizes, key out of range, map full, descriptor of a wrong kind.
        """
        packed = self._pack(value, self.info.value_size, "value")
        if self.info.kind.per_cpu:
            packed = packed.ljust(self._stride, b"\0") * (self._value_length // self._stride)
        error = -lib.bpf_map_update_elem(self.fd, self._key(key), packed, _CREATE[create])
        if error:
            raise self._refused("update", key, error)

    def delete(self, key: int | bytes) -> bool:
        """Removes the entry; False when there was none. Arrays cannot forget an entry.

        Raises:
            MapError: wrong key, or a map of a kind that does not delete.
        """
        error = -lib.bpf_map_delete_elem(self.fd, self._key(key))
        if error and error != errno.ENOENT:
            raise self._refused("delete", key, error)
        return not error

    def keys(self) -> Iterator[bytes]:
        """All keys. Entries that come or go meanwhile may be missed or, in a hash, seen twice."""
        key: Any = ffi.NULL
        while True:
            following = ffi.new("char[]", self.info.key_size)
            error = -lib.bpf_map_get_next_key(self.fd, key, following)
            if error == errno.ENOENT:
                return
            if error:
                raise self._refused("iterate", b"", error)
            yield cast(bytes, ffi.buffer(following)[:])
            key = following

    def _lookup(self, key: int | bytes) -> bytes | None:
        value = ffi.new("char[]", self._value_length)
        error = -lib.bpf_map_lookup_elem(self.fd, self._key(key), value)
        if error == errno.ENOENT and not self._indexed:
            return None
        if error:
            raise self._refused("get", key, error)
        return cast(bytes, ffi.buffer(value)[:])

    @property
    def _indexed(self) -> bool:
        return self.info.kind in (MapKind.ARRAY, MapKind.PERCPU_ARRAY)

    def _key(self, key: int | bytes) -> bytes:
        return self._pack(key, self.info.key_size, "key")

    def _pack(self, value: int | bytes, size: int, what: str) -> bytes:
        if isinstance(value, int):
            try:
                return value.to_bytes(size, sys.byteorder)
            except OverflowError:
                raise self._misuse(f"takes a {what} of {size} bytes, not {value}", "give 0 or more") from None
        if len(value) != size:
            raise self._misuse(
                f"takes a {what} of {size} bytes, not {len(value)}", "give exactly that many bytes"
            )
        return bytes(value)

    def _misuse(self, found: str, hint: str) -> MapError:
        return MapError(f"map {self.name}", found, hint=hint)

    def _refused(self, operation: str, key: int | bytes, error: int) -> MapError:
        shown = key if isinstance(key, int) else key.hex() or "all"
        size = f"{self.info.kind.name.lower()} of {self.info.max_entries}"
        hint = _HINTS.get(error) or general_hint(error)
        return MapError(
            f"map {self.name}", f"{operation} of key {shown} refused ({size})", hint=hint, errno=error
        )


def from_fd(fd: int) -> Map:
    """A map from a descriptor that another process handed over; closing it stays the caller's duty.

    To hand one to a child: `subprocess.Popen(..., pass_fds=[xsks.fd])`, and in the child `from_fd(number)`.
    Over a UNIX socket: `socket.send_fds`.

    Raises:
        MapError: `fd` is no map.
    """
    return Map(fd, map_info(fd))
