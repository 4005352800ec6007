"""Ports: what one is asked to be, what it has become, and the handle to it."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

from switch.binding.errors import SwitchError, check, new_error, text
from switch.binding.ffi import ffi, lib
from switch.binding.handle import Handle

MAX_QUEUES = 64
MAX_OFPORT = 1023
NAME_MAX = 15  # Bytes, as of a network device's name.


class PortType(IntEnum):
    """Port classes."""

    AFXDP = 0
    TAP = 1
    INTERNAL = 2
    DUMMY = 3


class BindMode(IntEnum):
    """How an AF_XDP socket may be bound: AUTO tries zero copy first."""

    AUTO = 0
    ZERO_COPY = 1
    COPY = 2


class CsumPolicy(IntEnum):
    """COMPLETE: packets carry finished L4 checksums. SOFTWARE: unfinished ones are completed by the
    switch.
    """

    COMPLETE = 0
    SOFTWARE = 1


class OfpConfig(IntFlag):
    """OpenFlow's port configuration."""

    PORT_DOWN = 1
    NO_RECV = 4
    NO_FLOOD = 16
    NO_FWD = 32
    NO_PACKET_IN = 64


class VlanMode(IntEnum):
    """TRUNK: tagged in and out. ACCESS: one VLAN, untagged. NATIVE: a trunk with a VLAN for untagged
    packets.
    """

    TRUNK = 0
    ACCESS = 1
    NATIVE = 2


@dataclass(frozen=True)
class VlanConfig:
    """VLANs of a port. `tag`: ACCESS and NATIVE only. `trunks`: VLANs that are carried, empty = all."""

    mode: VlanMode = VlanMode.TRUNK
    tag: int = 0
    trunks: frozenset[int] = frozenset()


@dataclass(frozen=True)
class PortConfig:
    """What a port is asked to be. ofport 0 = the first free one; ring_size 0 = 2048; mtu in bytes of L3
    payload.
    """

    name: str
    type: PortType
    device: str = ""
    ifindex: int = 0
    ofport: int = 0
    queues: tuple[int, ...] = (0,)
    bind_mode: BindMode = BindMode.AUTO
    force_generic: bool = False
    csum: CsumPolicy = CsumPolicy.COMPLETE
    mtu: int = 1500
    ring_size: int = 0
    vlan: VlanConfig = field(default_factory=VlanConfig)


@dataclass(frozen=True)
class PortInfo:
    """What a port has become. `xsk_fds` belong to the switch: valid while the port is open, never closed
    by others.
    """

    name: str
    type: PortType
    ofport: int
    device: str
    queues: tuple[int, ...]
    xsk_fds: tuple[int, ...]
    zero_copy: bool
    zero_copy_errno: int
    umem_shared: bool
    bind_wait_ms: int
    csum: CsumPolicy
    mtu: int
    up: bool
    vlan: VlanConfig


def encode_name(name: str, what: str) -> bytes:
    """A name as C wants it. SwitchError names the field when it is too long or holds a NUL."""
    raw = name.encode()
    if len(raw) > NAME_MAX or b"\0" in raw:
        raise SwitchError(what, f"{name!r} has {len(raw)} bytes", f"at most {NAME_MAX} bytes, no NUL")
    return raw


def _fits(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        raise SwitchError(what, f"{value} found", f"a number from {low} to {high}")
    return value


def encode_vlan(vlan: VlanConfig, out: Any) -> None:
    """Fills a struct rs_vlan_config."""
    out.mode = int(vlan.mode)
    out.tag = _fits(vlan.tag, 0, 4095, "vlan")
    for vid in vlan.trunks:
        _fits(vid, 0, 4095, "vlan.trunk")
        out.trunks[vid // 8] |= 1 << (vid % 8)


def decode_vlan(raw: Any) -> VlanConfig:
    """A struct rs_vlan_config as value."""
    bitmap = bytes(ffi.buffer(raw.trunks))
    trunks = (
        frozenset(v for v in range(4096) if bitmap[v // 8] >> (v % 8) & 1) if any(bitmap) else frozenset()
    )
    return VlanConfig(VlanMode(raw.mode), raw.tag, trunks)


def encode_config(config: PortConfig) -> Any:
    """A struct rs_port_config; SwitchError names what does not fit into its field."""
    raw = ffi.new("struct rs_port_config *")
    raw.name = encode_name(config.name, "name")
    raw.device = encode_name(config.device, "device")
    raw.type = int(config.type)
    raw.ifindex = _fits(config.ifindex, 0, 2**31 - 1, "ifindex")
    raw.ofport = _fits(config.ofport, 0, MAX_OFPORT, "ofport")
    raw.n_queues = _fits(len(config.queues), 1, MAX_QUEUES, "queues")
    for i, queue in enumerate(config.queues):
        raw.queues[i] = _fits(queue, 0, 65535, f"queues[{i}]")
    raw.bind_mode = int(config.bind_mode)
    raw.force_generic = config.force_generic
    raw.csum = int(config.csum)
    raw.mtu = _fits(config.mtu, 68, 65535, "mtu")
    raw.ring_size = _fits(config.ring_size, 0, 2**31, "ring_size")
    encode_vlan(config.vlan, raw.vlan)
    return raw


def decode_info(raw: Any) -> PortInfo:
    """A struct rs_port_info as value."""
    used = range(raw.n_queues)
    return PortInfo(
        name=text(raw.name),
        type=PortType(raw.type),
        ofport=raw.ofport,
        device=text(raw.device),
        queues=tuple(raw.queues[i] for i in used),
        xsk_fds=tuple(raw.xsk_fds[i] for i in used if raw.xsk_fds[i] >= 0),
        zero_copy=raw.zero_copy,
        zero_copy_errno=raw.zero_copy_errno,
        umem_shared=raw.umem_shared,
        bind_wait_ms=raw.bind_wait_ms,
        csum=CsumPolicy(raw.csum),
        mtu=raw.mtu,
        up=raw.up,
        vlan=decode_vlan(raw.vlan),
    )


class Port:
    """A port of a switch. Made by Switch.open_port(); the switch closes it at the latest when it is
    closed itself.
    """

    def __init__(self, handle: Handle, ofport: int, name: str) -> None:
        self._handle = handle
        self.ofport = ofport
        self.name = name

    def __repr__(self) -> str:
        return f"Port({self.name!r}, ofport={self.ofport})"

    def info(self) -> PortInfo:
        """What the port is now."""
        raw, err = ffi.new("struct rs_port_info *"), new_error()
        check(lib.rs_port_info(self._handle.raw, self.ofport, raw, err), err, self.name)
        return decode_info(raw)

    # What a change of a port makes untrue is gone from the datapath when these return.

    def start(self) -> None:
        """Lets the port receive and send: from now on the PMD polls it."""
        err = new_error()
        check(lib.rs_port_start(self._handle.raw, self.ofport, err), err, self.name)
        lib.rs_sync(self._handle.raw)

    def close(self) -> None:
        """Stops and closes the port; the others go on undisturbed."""
        err = new_error()
        check(lib.rs_port_close(self._handle.raw, self.ofport, err), err, self.name)
        lib.rs_sync(self._handle.raw)

    def set_up(self, up: bool) -> None:
        """Tells the switch that the link is up or down: packets for a port that is down are dropped
        (tx_down).
        """
        err = new_error()
        check(lib.rs_port_set_up(self._handle.raw, self.ofport, up, err), err, self.name)
        lib.rs_sync(self._handle.raw)

    def set_vlan(self, vlan: VlanConfig) -> None:
        """Changes the VLANs of the port."""
        raw, err = ffi.new("struct rs_vlan_config *"), new_error()
        encode_vlan(vlan, raw)
        check(lib.rs_port_set_vlan(self._handle.raw, self.ofport, raw, err), err, self.name)
        lib.rs_sync(self._handle.raw)

    def set_ofp_config(self, config: OfpConfig) -> None:
        """Sets OpenFlow's port configuration."""
        err = new_error()
        check(lib.rs_port_set_ofp_config(self._handle.raw, self.ofport, int(config), err), err, self.name)
        lib.rs_sync(self._handle.raw)

    def set_csum(self, policy: CsumPolicy) -> None:
        """Changes the checksum policy of the port."""
        err = new_error()
        check(lib.rs_port_set_csum(self._handle.raw, self.ofport, int(policy), err), err, self.name)

    def inject(self, frame: bytes) -> None:
        """Dummy ports: lets a frame come in. SwitchError ENOBUFS when the port's queue is full."""
        check(lib.rs_dummy_inject(self._handle.raw, self.ofport, frame, len(frame)), field=self.name)

    def take(self) -> bytes | None:
        """Dummy ports: the oldest frame that was sent there, None if there is none."""
        buffer = ffi.new("uint8_t[]", 65536)
        length = lib.rs_dummy_take(self._handle.raw, self.ofport, buffer, len(buffer))
        if length == -errno.EAGAIN:
            return None
        check(length, field=self.name)
        return bytes(ffi.buffer(buffer, length))

    def take_all(self) -> list[bytes]:
        """Dummy ports: all frames that were sent there, oldest first."""
        return list(_until_none(self))


def _until_none(port: Port) -> Iterable[bytes]:
    while (frame := port.take()) is not None:
        yield frame
