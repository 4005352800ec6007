"""Open vSwitch's hashes of a packet's 5-tuple (32-bit MurmurHash3), as ODP_HASH computes them."""

from __future__ import annotations

from tests.differential.action_frame import ARP, ICMP, ICMPV6, Frame, l3_of, l4_of

WORD = 0xFFFFFFFF
WITH_PORTS = (6, 17, 132, 1, 58)


def _rotate(x: int, k: int) -> int:
    return (x << k | x >> (32 - k)) & WORD


def mix(value: int, data: int) -> int:
    data = _rotate(data * 0xCC9E2D51 & WORD, 15) * 0x1B873593 & WORD
    return (_rotate(value ^ data, 13) * 5 + 0xE6546B64) & WORD


def finish(value: int, size: int) -> int:
    value ^= size
    value = (value ^ value >> 16) * 0x85EBCA6B & WORD
    value = (value ^ value >> 13) * 0xC2B2AE35 & WORD
    return value ^ value >> 16


def _words(data: bytes) -> list[int]:
    """As a little-endian machine reads them out of the key."""
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


def five_tuple(frame: Frame) -> tuple[bytes, bytes, int, bytes] | None:
    """Addresses, protocol, ports (ICMP: type and code as 16 bits each)."""
    l4 = l4_of(frame)
    if l4 is None:
        arp = l3_of(frame, ARP, 28)
        if arp is None:
            return None
        body = frame.data[arp:]
        return body[14:18], body[24:28], body[7] if body[6] == 0 else 0, bytes(4)
    ip = frame.data[l4.ip :]
    src, dst = (ip[12:16], ip[16:20]) if l4.version == 4 else (ip[8:24], ip[24:40])
    ports = bytes(4)
    if l4.begin is not None and l4.end - l4.begin >= 4:
        body = frame.data[l4.begin :]
        ports = bytes([0, body[0], 0, body[1]]) if l4.proto in (ICMP, ICMPV6) else body[:4]
    return src, dst, l4.proto, ports


def hash_5tuple(frame: Frame, basis: int) -> int:
    found = five_tuple(frame)
    value = basis
    if found is not None:
        src, dst, proto, ports = found
        l4 = l4_of(frame)
        # Of TCP and UDP over IPv6, Open vSwitch takes what the fixed header names.
        fixed = l4 is not None and l4.version == 6 and l4.begin is not None and proto in (6, 17)
        for word in [*_words(src), *_words(dst), frame.data[l4.ip + 6] if l4 and fixed else proto]:
            value = mix(value, word)
        if proto in WITH_PORTS:
            value = mix(value, _words(ports)[0])
    return finish(value, 42)


def hash_l4(frame: Frame, basis: int) -> int:
    return finish(mix(mix(hash_5tuple(frame, 0), 0), basis), 8)


def hash_symmetric(frame: Frame, basis: int) -> int:
    found = five_tuple(frame)
    value = basis
    if found is None or l3_of(frame, ARP, 28) is not None:
        return _symmetric_l2(frame, basis)
    src, dst, proto, ports = found
    for a, b in zip(_words(src), _words(dst), strict=True):
        value = mix(value, a ^ b)
    value = mix(value, proto)
    if proto in (6, 132):
        value = mix(value, int.from_bytes(ports[:2], "little") ^ int.from_bytes(ports[2:], "little"))
    return finish(value, basis)


def _symmetric_l2(frame: Frame, basis: int) -> int:
    if frame.packet_type or len(frame.data) < 14:
        return 0
    at, vids = 12, 0
    while at < 20 and frame.u16(at) in (0x8100, 0x88A8) and at + 6 <= len(frame.data):
        vids ^= frame.u16(at + 2) & 0xFFF
        at += 4
    addresses = bytes(a ^ b for a, b in zip(frame.data[:6], frame.data[6:12], strict=True))
    value = basis
    for word in _words(frame.data[at : at + 2] + vids.to_bytes(2, "big") + addresses + bytes(2)):
        value = mix(value, word)
    return finish(value, basis)
