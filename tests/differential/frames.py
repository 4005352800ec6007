"""Hypothesis strategies for frames, built by hand or by scapy, whole and damaged."""

from __future__ import annotations

from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import ARP, LLC, SNAP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw

MACS = [f"02:00:00:00:00:{i:02x}" for i in range(1, 9)]
GROUP_MACS = ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "33:33:00:00:00:01", "01:80:c2:00:00:0e"]

small_port = st.sampled_from([1, 53, 80, 443, 8080, 65535])
payload = st.binary(max_size=64)
ipv4 = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.1.1", "224.0.0.5"])
ipv6 = st.sampled_from(["fd00::1", "fd00::2", "fe80::1", "2001:db8::1"])
source = st.sampled_from(MACS)
destination = st.sampled_from(MACS + GROUP_MACS)


@st.composite
def l4(draw: st.DrawFn, v6: bool) -> Packet:
    kind = draw(st.sampled_from(["tcp", "tcp", "udp", "udp", "sctp", "icmp", "igmp", "nd", "other"]))
    sport, dport, data = draw(small_port), draw(small_port), draw(payload)
    if kind == "tcp":
        options = draw(st.sampled_from([[], [("MSS", 1460)]]))
        return TCP(sport=sport, dport=dport, flags=draw(st.integers(0, 511)), options=options) / Raw(data)
    if kind == "udp":
        return UDP(sport=sport, dport=dport) / Raw(data)
    if kind == "sctp":
        return SCTP(sport=sport, dport=dport) / Raw(data)
    if kind == "icmp":
        v4 = ICMP(type=draw(st.sampled_from([0, 3, 8]))) / Raw(data)
        return ICMPv6EchoRequest(data=data) if v6 else v4
    if kind == "nd" and v6:
        return draw(neighbour_discovery())
    if kind == "igmp" and not v6:
        return Raw(draw(st.sampled_from([b"\x11", b"\x16", b"\x22"])) + b"\0\0\0\xe0\0\0\x05" + data)
    return Raw(data)


@st.composite
def neighbour_discovery(draw: st.DrawFn) -> Packet:
    """A solicitation or advertisement with up to three options, the same one perhaps twice."""
    target = draw(ipv6)
    head = draw(
        st.sampled_from([ICMPv6ND_NS(tgt=target), ICMPv6ND_NA(tgt=target, R=1, S=1), ICMPv6ND_NA(tgt=target)])
    )
    option = st.one_of(
        st.builds(
            lambda mac: ICMPv6NDOptSrcLLAddr(lladdr=mac), st.sampled_from([*MACS, "00:00:00:00:00:00"])
        ),
        st.builds(lambda mac: ICMPv6NDOptDstLLAddr(lladdr=mac), st.sampled_from(MACS)),
        st.sampled_from([ICMPv6NDOptMTU(mtu=1500), Raw(b"\x01\x02" + bytes(14)), Raw(b"\x0e\0" + bytes(6))]),
    )
    for each in draw(st.lists(option, max_size=3)):
        head = head / each
    return head


@st.composite
def ip_packet(draw: st.DrawFn) -> Packet:
    fragment = draw(st.sampled_from([(0, 0), (0, 0), (0, 0), (1, 0), (0, 100)]))
    options = draw(st.sampled_from([b"", b"", b"\x94\x04\x00\x00"]))
    head = IP(
        src=draw(ipv4), dst=draw(ipv4), tos=draw(st.integers(0, 255)), flags=fragment[0], frag=fragment[1]
    )
    head.ttl = draw(st.sampled_from([0, 1, 64, 255]))
    if options:
        head.options = [Raw(options)]
    inner = draw(l4(v6=False))
    if isinstance(inner, Raw) and bytes(inner)[1:8] == b"\0\0\0\xe0\0\0\x05":
        head.proto = 2  # scapy has IGMP only among its contributions.
    return head / inner


@st.composite
def ipv6_packet(draw: st.DrawFn) -> Packet:
    packet: Packet = IPv6(src=draw(ipv6), dst=draw(ipv6), tc=draw(st.integers(0, 255)))
    packet.fl, packet.hlim = draw(st.sampled_from([0, 1, 0xFFFFF])), draw(st.sampled_from([0, 1, 255]))
    for _ in range(draw(st.integers(0, 3))):
        packet = packet / draw(
            st.sampled_from(
                [
                    IPv6ExtHdrHopByHop(),
                    IPv6ExtHdrDestOpt(),
                    IPv6ExtHdrRouting(addresses=["fd00::9"]),
                    IPv6ExtHdrFragment(),
                    IPv6ExtHdrFragment(offset=0, m=1),
                    IPv6ExtHdrFragment(offset=8, m=0),
                    AH(spi=1, icv=b"0" * 12, payloadlen=4),
                ]
            )
        )
    return packet / draw(l4(v6=True))


@st.composite
def arp_packet(draw: st.DrawFn) -> Packet:
    op = draw(st.sampled_from([1, 2, 9, 300]))
    return ARP(op=op, psrc=draw(ipv4), pdst=draw(ipv4), hwsrc=draw(source), hwdst=draw(source))


@st.composite
def labelled(draw: st.DrawFn) -> bytes:
    """An MPLS frame with up to five labels; the bottom of the stack may be missing."""
    n = draw(st.integers(0, 5))
    labels = [draw(st.integers(0, 0xFFFFFFFF)) & ~0x100 for _ in range(n)]
    if n and draw(st.booleans()):
        labels[draw(st.integers(0, n - 1))] |= 0x100
    stack = b"".join(label.to_bytes(4, "big") for label in labels)
    kind = draw(st.sampled_from([b"\x88\x47", b"\x88\x48"]))
    head = tagged(Ether(src=draw(source), dst=draw(destination)), draw(tags()), Raw(b""))
    return bytes(head)[:-2] + kind + stack + draw(st.binary(max_size=6))


@st.composite
def service_chain(draw: st.DrawFn) -> bytes:
    """An NSH frame: version, flags, TTL, length, kind and what follows it, plausible more often than not."""
    kind, units = draw(st.sampled_from([(1, 6), (1, 6), (2, 2), (2, 4), (2, 1), (3, 2), (1, 5), (0x11, 6)]))
    head = draw(st.sampled_from([0, 0, 0, 0x4000])) | draw(st.integers(0, 255)) << 6 | units
    body = head.to_bytes(2, "big") + bytes([kind, 3]) + draw(st.binary(min_size=20, max_size=40))
    return bytes(Ether(src=draw(source), dst=draw(destination), type=0x894F)) + body


@st.composite
def tags(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """(tpid, pcp, vid) of up to three tags, outermost first."""
    n = draw(st.sampled_from([0, 0, 1, 1, 2, 3]))
    return [
        (draw(st.sampled_from([0x8100, 0x8100, 0x88A8])), draw(st.integers(0, 7)), draw(vid))
        for _ in range(n)
    ]


vid = st.sampled_from([0, 1, 10, 20, 30, 4094])


def tagged(head: Packet, outer_first: list[tuple[int, int, int]], inner: Packet) -> Packet:
    for tpid, pcp, number in outer_first:
        head = head / (Dot1Q if tpid == 0x8100 else Dot1AD)(prio=pcp, vlan=number)
    return head / inner


@st.composite
def frame(draw: st.DrawFn) -> bytes:
    """A well-formed frame, perhaps padded to 60 bytes."""
    rare = draw(st.integers(0, 11))
    if rare < 2:
        return draw(labelled() if rare else service_chain())
    inner = draw(st.one_of(ip_packet(), ip_packet(), ipv6_packet(), arp_packet()))
    style = draw(st.sampled_from(["ethernet"] * 6 + ["snap", "llc"]))
    if style == "ethernet":
        built = bytes(tagged(Ether(src=draw(source), dst=draw(destination)), draw(tags()), inner))
    else:
        body = LLC() / SNAP(code=draw(st.sampled_from([0x0800, 0x0806, 0x05FF]))) / inner
        if style == "llc":
            body = LLC(dsap=0x42, ssap=0x42, ctrl=3) / Raw(draw(payload))
        built = bytes(Dot3(src=draw(source), dst=draw(destination)) / body)
    return built.ljust(60, b"\0") if draw(st.booleans()) else built


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A frame that was cut short, or with some bytes replaced, or plain noise."""
    whole = draw(frame())
    kind = draw(st.sampled_from(["cut", "bytes", "noise"]))
    if kind == "cut":
        return whole[: draw(st.integers(0, len(whole)))]
    if kind == "noise":
        return draw(st.binary(max_size=120))
    changed = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


def simple_frame(src: str, dst: str, vlan: int | None = None, pcp: int = 0, sport: int = 1000) -> bytes:
    """An untagged or tagged UDP frame of 60 bytes or a little more."""
    inner = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=sport, dport=80) / Raw(b"x" * 18)
    outer = [] if vlan is None else [(0x8100, pcp, vlan)]
    return bytes(tagged(Ether(src=src, dst=dst), outer, inner))
