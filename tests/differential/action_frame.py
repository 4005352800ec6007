"""A packet for the slow twin of the executor: its bytes, and where its headers are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.differential.extract_twin import twin as extract_twin
from tests.differential.key import NONE, Metadata

IPV4, IPV6, ARP, NSH, ETHERNET = 0x0800, 0x86DD, 0x0806, 0x894F, 0x6558
TCP, UDP, SCTP, ICMP, ICMPV6 = 6, 17, 132, 1, 58
EXTENSIONS = (0, 43, 44, 51, 60)
NEED = {TCP: 20, UDP: 8, SCTP: 12, ICMP: 4, ICMPV6: 4}


@dataclass(frozen=True)
class Frame:
    """A packet on its way. Places of headers are counted from the end: what comes in front moves none."""

    data: bytes
    packet_type: int = 0  # 0: Ethernet. Else namespace 1 and an EtherType.
    l25: int | None = None
    l3: int | None = None
    meta: tuple[tuple[str, int], ...] = ()

    def at(self, back: int | None) -> int | None:
        return None if back is None else len(self.data) - back

    def meta_get(self, name: str) -> int:
        return dict(self.meta).get(name, 0)

    def with_meta(self, **values: int) -> Frame:
        return replace(self, meta=tuple(sorted({**dict(self.meta), **values}.items())))

    def u16(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 2], "big")


def arrive(data: bytes, packet_type: int = 0) -> Frame:
    """A packet as the extractor's twin sees it."""
    md = Metadata(packet_type=packet_type) if packet_type else None
    found = extract_twin(data, md).offsets
    l25, l3 = (None if at == NONE else len(data) - at for at in (found.l2_5, found.l3))
    return Frame(data, packet_type, l25, l3)


def l3_of(frame: Frame, kind: int, need: int) -> int | None:
    """Place of the L3 header if it is of this kind."""
    at = frame.at(frame.l3)
    if at is None or frame.l25 is not None or len(frame.data) - at < need:
        return None
    if frame.packet_type:
        return at if frame.packet_type == 0x10000 | kind else None
    return at if at >= 14 and frame.u16(at - 2) == kind else None


@dataclass(frozen=True)
class L4:
    """Behind the IP header at `ip`: [begin, end); begin is None where there is nothing to be changed."""

    ip: int
    version: int
    proto: int
    begin: int | None
    end: int
    pseudo: bytes = b""
    rerouted: bool = False
    first_fragment: bool = False


def l4_of(frame: Frame) -> L4 | None:
    ip = l3_of(frame, IPV4, 20)
    if ip is not None:
        return _l4_of_ipv4(frame, ip)
    ip = l3_of(frame, IPV6, 40)
    return None if ip is None else _l4_of_ipv6(frame, ip)


def _whole(l4: L4) -> L4:
    fits = l4.begin is not None and l4.begin <= l4.end and l4.end - l4.begin >= NEED.get(l4.proto, 0)
    return l4 if fits else replace(l4, begin=None)


def _l4_of_ipv4(frame: Frame, ip: int) -> L4:
    head, total, fragment = (frame.data[ip] & 15) * 4, frame.u16(ip + 2), frame.u16(ip + 6)
    proto, end = frame.data[ip + 9], min(ip + total, len(frame.data))
    nothing = L4(ip, 4, proto, None, end)
    if head < 20 or head > total or ip + head > len(frame.data) or fragment & 0x1FFF:
        return nothing
    begin = ip + head
    pseudo = frame.data[ip + 12 : ip + 20] + bytes([0, proto]) + (total - head).to_bytes(2, "big")
    return _whole(replace(nothing, begin=begin, pseudo=pseudo, first_fragment=bool(fragment & 0x2000)))


def _l4_of_ipv6(frame: Frame, ip: int) -> L4:
    data, at, proto = frame.data, ip + 40, frame.data[ip + 6]
    end = min(ip + 40 + frame.u16(ip + 4), len(data))
    final, rerouted, first = data[ip + 24 : ip + 40], False, False
    while proto in EXTENSIONS:
        if at + 8 > end:
            return L4(ip, 6, proto, None, end, rerouted=rerouted)
        size = {51: (data[at + 1] + 2) * 4, 44: 8}.get(proto, (data[at + 1] + 1) * 8)
        if proto == 44:
            offset = frame.u16(at + 2)
            if offset & 0xFFF8:
                return L4(ip, 6, data[at], None, end, rerouted=rerouted)
            first = bool(offset & 1)
        elif proto == 43 and data[at + 3] > 0:
            rerouted = True
            final = data[at + size - 16 : at + size]
        proto, at = data[at], at + size
    length = (ip + 40 + frame.u16(ip + 4) - at) & 0xFFFFFFFF
    pseudo = data[ip + 8 : ip + 24] + final + length.to_bytes(4, "big") + bytes([0, 0, 0, proto])
    return _whole(L4(ip, 6, proto, at, end, pseudo, rerouted, first))
