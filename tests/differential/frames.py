"""Hypothesis strategies for frames, built by hand or by scapy, whole and damaged."""

from __future__ import annotations

import ipaddress

from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
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
    kind = draw(st.sampled_from(["tcp", "udp", "sctp", "icmp", "other"]))
    sport, dport, data = draw(small_port), draw(small_port), draw(payload)
    if kind == "tcp":
        return TCP(sport=sport, dport=dport, options=draw(st.sampled_from([[], [("MSS", 1460)]]))) / Raw(data)
    if kind == "udp":
        return UDP(sport=sport, dport=dport) / Raw(data)
    if kind == "sctp":
        return SCTP(sport=sport, dport=dport) / Raw(data)
    if kind == "icmp":
        v4 = ICMP(type=draw(st.sampled_from([0, 3, 8]))) / Raw(data)
        return ICMPv6EchoRequest(data=data) if v6 else v4
    return Raw(data)


@st.composite
def ip_packet(draw: st.DrawFn) -> Packet:
    fragment = draw(st.sampled_from([(0, 0), (0, 0), (0, 0), (1, 0), (0, 100)]))
    options = draw(st.sampled_from([b"", b"", b"\x94\x04\x00\x00"]))
    head = IP(
        src=draw(ipv4), dst=draw(ipv4), tos=draw(st.integers(0, 255)), flags=fragment[0], frag=fragment[1]
    )
    if options:
        head.options = [Raw(options)]
    return head / draw(l4(v6=False))


@st.composite
def ipv6_packet(draw: st.DrawFn) -> Packet:
    packet: Packet = IPv6(src=draw(ipv6), dst=draw(ipv6), tc=draw(st.integers(0, 255)))
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
    return ARP(op=draw(st.sampled_from([1, 2, 9, 300])), psrc=draw(ipv4), pdst=draw(ipv4), hwsrc=draw(source))


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


def ipv4_bytes(address: str) -> bytes:
    return bytes(12) + ipaddress.IPv4Address(address).packed
