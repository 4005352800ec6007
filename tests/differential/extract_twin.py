"""A slow twin of the extractor that is obviously right: slice by slice, one function a protocol.

What is refused how is Open vSwitch 3.1's.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from tests.differential.key import CFI, Extracted, Key, Metadata, Nsh, Offsets

RUNT, FINE = 0, 0xFF  # DROP_RUNT, DROP_NONE
EXTENSIONS = {0, 43, 60, 51, 44}


def _u16(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])


def _u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])


def twin(frame: bytes, md: Metadata | None = None, runt: int = RUNT) -> Extracted:
    """The key and the offsets of a frame. `runt`: the number of that reason."""
    md = md or Metadata()
    key = Key(
        in_port=md.in_port,
        recirc_id=md.recirc_id,
        dp_hash=md.dp_hash,
        pkt_mark=md.pkt_mark,
        skb_priority=md.skb_priority,
        packet_type=md.packet_type or 0,
        tunnel=md.tunnel or bytes(336),
    )
    if md.ct is not None:
        state, proto, zone, mark, _, _, label = md.ct
        key = replace(key, ct_state=state, ct_nw_proto=proto, ct_zone=zone, ct_mark=mark, ct_label=label)
    if md.packet_type is not None:
        kind = md.packet_type & 0xFFFF
        return _network(replace(key, dl_type=kind), frame, 0, kind, md)
    if len(frame) < 14:
        return Extracted(runt, key)
    key = replace(key, dl_dst=frame[0:6], dl_src=frame[6:12])
    at = 12
    vlans: list[tuple[int, int]] = []
    while len(vlans) < 2 and _u16(frame, at) in (0x8100, 0x88A8) and len(frame) >= at + 6:
        vlans.append((_u16(frame, at), _u16(frame, at + 2) | CFI))
        at += 4
    kind, at = _u16(frame, at), at + 2
    if kind < 0x600:
        snap = frame[at : at + 8]
        kind = 0x5FF
        if len(snap) == 8 and snap[:6] == b"\xaa\xaa\x03\0\0\0":
            kind, at = _u16(snap, 6) if _u16(snap, 6) >= 0x600 else 0x5FF, at + 8
    key = replace(key, dl_type=kind, vlans=tuple([*vlans, (0, 0), (0, 0)][:2]))
    return _network(key, frame, at, kind, md)


def _network(key: Key, frame: bytes, at: int, kind: int, md: Metadata) -> Extracted:
    rest = frame[at:]
    if kind in (0x8847, 0x8848):
        labels = _labels(rest)
        key = replace(key, mpls_lse=tuple([*labels, 0, 0, 0][:3]))
        return Extracted(FINE, key, Offsets(l2_5=at, l3=at + 4 * len(labels)))
    if kind in (0x0806, 0x8035):
        key = _arp(key, rest)
    elif kind == 0x894F:
        key = replace(key, nsh=_nsh(rest))
    elif kind in (0x0800, 0x86DD):
        key, begin, end = (_ipv4 if kind == 0x0800 else _ipv6)(key, rest)
        if begin > 0:
            return _transport(key, rest[begin:end], at, at + begin, md)
    return Extracted(FINE, key, Offsets(l3=at))


def _transport(key: Key, body: bytes, l3: int, l4: int, md: Metadata) -> Extracted:
    offsets = Offsets(l3=l3, proto=key.nw_proto)
    if key.nw_frag & 2:
        return Extracted(FINE, key, offsets)
    whole = _l4(key, body, (0, 0) if md.ct is None else md.ct[4:6])
    if whole is None:
        return Extracted(FINE, key, offsets)
    return Extracted(FINE, whole, replace(offsets, l4=l4) if key.nw_frag == 0 else offsets)


def _labels(rest: bytes) -> list[int]:
    """Label stack entries down to the bottom of the stack, or as many as are whole."""
    found: list[int] = []
    for at in range(0, len(rest) - 3, 4):
        found.append(_u32(rest, at))
        if found[-1] & 0x100:
            break
    return found


def _arp(key: Key, body: bytes) -> Key:
    if len(body) < 28 or body[:6] != b"\0\1\x08\0\6\4":
        return key
    op = _u16(body, 6)
    key = replace(key, nw_src=_u32(body, 14), nw_dst=_u32(body, 24), nw_proto=op if op < 256 else 0)
    return replace(key, arp_sha=body[8:14], arp_tha=body[18:24])


def _nsh(body: bytes) -> Nsh:
    nothing: Nsh = (0, 0, 0, 0, 0, (0, 0, 0, 0))
    if len(body) < 8:
        return nothing
    head, kind = _u16(body, 0), body[2]
    length = (head & 0x3F) * 4
    if head >> 14 or length > len(body) or (kind == 1 and length != 24) or (kind == 2 and length < 8):
        return nothing
    context = struct.unpack_from(">IIII", body, 8) if kind == 1 else (0, 0, 0, 0)
    return (head >> 12 & 3, head >> 6 & 0x3F, kind, body[3], _u32(body, 4), context)


def _ipv4(key: Key, body: bytes) -> tuple[Key, int, int]:
    """The key, and where the L4 header begins and the packet ends in `body`: 0, 0 if it is refused."""
    if len(body) < 20:
        return key, 0, 0
    header, total = (body[0] & 15) * 4, _u16(body, 2)
    if header < 20 or total < header or total > len(body):
        return key, 0, 0
    flags = _u16(body, 6) & 0x3FFF
    frag = (1 if flags else 0) | (2 if flags & 0x1FFF else 0)
    key = replace(key, nw_src=_u32(body, 12), nw_dst=_u32(body, 16), nw_frag=frag)
    return replace(key, nw_tos=body[1], nw_ttl=body[8], nw_proto=body[9]), header, total


def _ipv6(key: Key, body: bytes) -> tuple[Key, int, int]:
    """As _ipv4(). The addresses are kept when an extension header is refused."""
    if len(body) < 40 or 40 + _u16(body, 4) > len(body):
        return key, 0, 0
    key = replace(key, ipv6_src=body[8:24], ipv6_dst=body[24:40])
    proto, frag, at, end = body[6], 0, 40, 40 + _u16(body, 4)
    while proto in EXTENSIONS and not frag & 2:
        if end - at < 8:
            return key, 0, 0
        length = {51: (body[at + 1] + 2) * 4, 44: 8}.get(proto, (body[at + 1] + 1) * 8)
        if proto == 44:
            frag = 1 if _u16(body, at + 2) else frag
            frag |= 2 if _u16(body, at + 2) & 0xFFF8 else 0
        if end - at < length:
            return key, 0, 0
        if not frag & 2:
            proto = body[at]
        at += length
    head = _u32(body, 0)
    key = replace(key, nw_tos=head >> 20 & 0xFF, ipv6_label=head & 0xFFFFF, nw_frag=frag)
    return replace(key, nw_ttl=body[7], nw_proto=proto), at, end


def _l4(key: Key, body: bytes, ct_ports: tuple[int, int]) -> Key | None:
    """The key with the fields of the L4 header, None if that is not whole or not known."""
    need = {6: 20, 17: 8, 132: 12, 1: 8, 2: 8, 58: 8}.get(key.nw_proto)  # Over either IP.
    if need is None or len(body) < need:
        return None
    if key.nw_proto == 6:
        header = (body[12] >> 4) * 4
        if header < 20 or header > len(body):
            return None
        key = replace(key, tcp_flags=_u16(body, 12) & 0xFFF)
    if key.nw_proto == 58 and body[0] in (135, 136) and body[1] == 0:
        return _nd(replace(key, tp_src=body[0], tp_dst=body[1]), body)
    if key.nw_proto == 2:
        key = replace(key, igmp_group_ip4=_u32(body, 4))
    key = replace(key, ct_tp_src=ct_ports[0], ct_tp_dst=ct_ports[1])
    if key.nw_proto in (6, 17, 132):
        return replace(key, tp_src=_u16(body, 0), tp_dst=_u16(body, 2))
    return replace(key, tp_src=body[0], tp_dst=body[1])


def _nd(key: Key, body: bytes) -> Key:
    """Neighbour discovery. Options: tcp_flags holds the type of the first one that was taken."""
    key = replace(key, igmp_group_ip4=_u32(body, 4))
    if len(body) < 24:
        return key
    target, at, first = body[8:24], 24, 0
    macs = {1: bytes(6), 2: bytes(6)}
    while len(body) - at >= 8:
        kind, length = body[at], body[at + 1] * 8
        if length == 0 or length > len(body) - at:
            break
        if kind in macs and length == 8:
            if any(macs[kind]):  # Twice: nothing of it holds, but the type stays.
                return replace(key, tcp_flags=first)
            macs[kind] = body[at + 2 : at + 8]
            first = first or kind
        at += length
    return replace(key, nd_target=target, arp_sha=macs[1], arp_tha=macs[2], tcp_flags=first)
