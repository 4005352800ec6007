"""The flow key in Python: from the C extractor, and from a slow twin that is obviously right."""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass, field, replace
from typing import Any

from tests.c.support.native import ffi, lib

CFI = 0x1000
NONE = 0xFFFF  # RS_OFS_NONE


@dataclass(frozen=True)
class Key:
    """struct flow, numbers in host order."""

    in_port: int = 1
    dl_dst: bytes = bytes(6)
    dl_src: bytes = bytes(6)
    dl_type: int = 0
    vlans: tuple[tuple[int, int], ...] = ((0, 0), (0, 0))  # (tpid, tci), outermost first
    nw_proto: int = 0
    nw_tos: int = 0
    nw_frag: int = 0
    nw_src: bytes = bytes(16)
    nw_dst: bytes = bytes(16)
    tp_src: int = 0
    tp_dst: int = 0


@dataclass(frozen=True)
class Offsets:
    l3: int = NONE
    l4: int = NONE
    proto: int = 0


@dataclass(frozen=True)
class Extracted:
    """What the extractor says of a frame. reason 0xff = it has a key."""

    reason: int
    key: Key
    offsets: Offsets = field(default_factory=Offsets)


def swap16(value: int) -> int:
    """Network order to host order, or back."""
    return int.from_bytes(value.to_bytes(2, sys.byteorder), "big")


def from_c(raw: Any) -> Key:
    return Key(
        in_port=raw.in_port,
        dl_dst=bytes(raw.dl_dst),
        dl_src=bytes(raw.dl_src),
        dl_type=swap16(raw.dl_type),
        vlans=tuple((swap16(v.tpid), swap16(v.tci)) for v in raw.vlans),
        nw_proto=raw.nw_proto,
        nw_tos=raw.nw_tos,
        nw_frag=raw.nw_frag,
        nw_src=bytes(raw.nw_src),
        nw_dst=bytes(raw.nw_dst),
        tp_src=swap16(raw.tp_src),
        tp_dst=swap16(raw.tp_dst),
    )


def to_c(key: Key) -> Any:
    raw = ffi.new("struct flow *")
    raw.in_port, raw.dl_type = key.in_port, swap16(key.dl_type)
    for name in ("dl_dst", "dl_src", "nw_src", "nw_dst"):
        setattr(raw, name, getattr(key, name))
    for i, (tpid, tci) in enumerate(key.vlans):
        raw.vlans[i].tpid, raw.vlans[i].tci = swap16(tpid), swap16(tci)
    raw.nw_proto, raw.nw_tos, raw.nw_frag = key.nw_proto, key.nw_tos, key.nw_frag
    raw.tp_src, raw.tp_dst = swap16(key.tp_src), swap16(key.tp_dst)
    return raw


def extract(frame: bytes, in_port: int = 1) -> Extracted:
    """Runs the C extractor."""
    flow, offsets = ffi.new("struct flow *"), ffi.new("struct flow_offsets *")
    reason = lib.flow_test_extract(frame, len(frame), in_port, flow, offsets)
    return Extracted(reason, from_c(flow), Offsets(offsets.l3_ofs, offsets.l4_ofs, offsets.l4_proto))


# ---- the twin ---------------------------------------------------------------------------------

L4_LENGTHS = {6: 20, 17: 8, 132: 12, 1: 8, 2: 8, 58: 8}  # Over either IP.
EXTENSIONS = {0, 43, 60, 51, 44}


def _u16(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])


def twin(frame: bytes, in_port: int = 1) -> Key:
    """The key of a frame of 14 bytes or more, slice by slice."""
    key = Key(in_port=in_port, dl_dst=frame[0:6], dl_src=frame[6:12])
    at = 12
    vlans: list[tuple[int, int]] = []
    while len(vlans) < 2 and _u16(frame, at) in (0x8100, 0x88A8) and len(frame) >= at + 6:
        vlans.append((_u16(frame, at), _u16(frame, at + 2) | CFI))
        at += 4
    kind, at = _u16(frame, at), at + 2
    if kind < 0x600:
        snap = frame[at : at + 8]
        kind = 0x5FF
        if len(snap) == 8 and snap[:6] == b"\xaa\xaa\x03\0\0\0" and _u16(snap, 6) >= 0x600:
            kind, at = _u16(snap, 6), at + 8
    key = replace(key, dl_type=kind, vlans=tuple([*vlans, (0, 0), (0, 0)][:2]))
    rest = frame[at:]
    if kind in (0x0806, 0x8035):
        return _twin_arp(key, rest)
    if kind == 0x0800:
        return _twin_ipv4(key, rest)
    return _twin_ipv6(key, rest) if kind == 0x86DD else key


def _twin_arp(key: Key, body: bytes) -> Key:
    if len(body) < 28 or body[:6] != b"\0\1\x08\0\6\4":
        return key
    op = _u16(body, 6)
    spa, tpa = bytes(12) + body[14:18], bytes(12) + body[24:28]
    return replace(key, nw_src=spa, nw_dst=tpa, nw_proto=op if op < 256 else 0)


def _twin_ipv4(key: Key, body: bytes) -> Key:
    if len(body) < 20:
        return key
    header, total = (body[0] & 15) * 4, _u16(body, 2)
    if header < 20 or total < header or total > len(body):
        return key
    flags = _u16(body, 6) & 0x3FFF
    frag = (1 if flags else 0) | (2 if flags & 0x1FFF else 0)
    key = replace(key, nw_src=bytes(12) + body[12:16], nw_dst=bytes(12) + body[16:20])
    key = replace(key, nw_tos=body[1], nw_proto=body[9], nw_frag=frag)
    return _twin_l4(key, body[header:total])


def _twin_ipv6(key: Key, body: bytes) -> Key:
    if len(body) < 40 or 40 + _u16(body, 4) > len(body):
        return key
    key = replace(key, nw_src=body[8:24], nw_dst=body[24:40])
    proto, frag, rest = body[6], 0, body[40 : 40 + _u16(body, 4)]
    while proto in EXTENSIONS and not frag & 2:
        if len(rest) < 8:
            return key
        length = {51: (rest[1] + 2) * 4, 44: 8}.get(proto, (rest[1] + 1) * 8)
        if proto == 44:
            frag = 1 if _u16(rest, 2) else frag
            frag |= 2 if _u16(rest, 2) & 0xFFF8 else 0
        if len(rest) < length:
            return key
        if not frag & 2:
            proto = rest[0]
        rest = rest[length:]
    tos = _u16(body, 0) >> 4 & 0xFF
    return _twin_l4(replace(key, nw_tos=tos, nw_proto=proto, nw_frag=frag), rest)


def _twin_l4(key: Key, body: bytes) -> Key:
    need = L4_LENGTHS.get(key.nw_proto)
    if need is None or key.nw_frag & 2 or len(body) < need:
        return key
    if key.nw_proto in (6, 17, 132):
        return replace(key, tp_src=_u16(body, 0), tp_dst=_u16(body, 2))
    return replace(key, tp_src=body[0], tp_dst=body[1])
