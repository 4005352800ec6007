"""flow_extract() against a slow twin on any bytes, and against scapy on packets that scapy understands."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    _ICMPv6,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet

from tests.c.support.native import lib
from tests.differential.extract_twin import twin
from tests.differential.frames import damaged, frame
from tests.differential.key import NO_TUNNEL, NONE, Key, Metadata, extract

number = st.integers(0, 2**32 - 1)
sparse = st.one_of(st.just(0), number)
tunnel = st.dictionaries(st.integers(0, len(NO_TUNNEL) - 1), st.integers(1, 255), max_size=6).map(
    lambda at: bytes(at.get(i, 0) for i in range(len(NO_TUNNEL)))
)
tracking = st.tuples(
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 65535),
    sparse,
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.one_of(st.just(bytes(16)), st.binary(min_size=16, max_size=16)),
)
ethertype = st.sampled_from([0x0800, 0x86DD, 0x8847, 0x894F, 0x0806, 0x1234])
metadata = st.builds(
    Metadata,
    in_port=number,
    recirc_id=sparse,
    dp_hash=sparse,
    pkt_mark=sparse,
    skb_priority=sparse,
    ct=st.none() | tracking,
    tunnel=st.none() | tunnel,
    packet_type=st.none() | ethertype.map(lambda kind: 0x10000 | kind),
)
RUNT = lib.DROP_RUNT


@given(st.one_of(frame(), damaged()))
def test_every_frame_gets_the_key_and_the_offsets_that_the_twin_finds(data: bytes) -> None:
    assert extract(data) == twin(data, runt=RUNT)


@given(st.one_of(frame(), damaged()), metadata)
def test_metadata_comes_with_the_key(data: bytes, md: Metadata) -> None:
    if md.packet_type is not None:
        data = data[14:]
    assert extract(data, md=md) == twin(data, md, runt=RUNT)


@given(frame())
def test_every_truncation_of_a_frame_is_read_within_its_bounds(data: bytes) -> None:
    for length in range(len(data) + 1):
        assert extract(data[:length]) == twin(data[:length], runt=RUNT)


@given(frame(), st.data())
def test_every_byte_of_the_headers_can_be_wrong(data: bytes, draw: st.DataObject) -> None:
    value = draw.draw(st.integers(0, 255))
    for at in range(12, min(len(data), 60)):
        wrong = data[:at] + bytes([value]) + data[at + 1 :]
        assert extract(wrong) == twin(wrong, runt=RUNT)


@given(st.one_of(frame(), damaged()), st.none() | tracking)
def test_the_straight_run_and_the_long_way_give_one_form(
    data: bytes, ct: tuple[int, int, int, int, int, int, bytes] | None
) -> None:
    straight = extract(data, md=Metadata(ct=ct))
    long_way = extract(data, md=Metadata(ct=ct, skb_priority=7))  # Those with a priority go the long way.
    priority = {word: value for word, value in long_way.words.items() if word not in straight.words}
    assert len(priority) == 1
    assert {**straight.words, **priority} == long_way.words
    assert replace(long_way, key=replace(long_way.key, skb_priority=0)) == straight


@given(st.one_of(frame(), damaged()))
def test_offsets_point_at_whole_headers_of_unfragmented_packets(data: bytes) -> None:
    found = extract(data)
    if found.offsets.l4 == NONE:
        return
    assert 14 <= found.offsets.l3 < found.offsets.l4 < len(data)
    assert found.key.nw_frag == 0
    assert found.offsets.proto == found.key.nw_proto
    at = found.offsets.l4
    if found.key.nw_proto in (6, 17, 132):
        assert data[at : at + 4] == found.key.tp_src.to_bytes(2, "big") + found.key.tp_dst.to_bytes(2, "big")
    else:
        assert data[at : at + 2] == bytes([found.key.tp_src, found.key.tp_dst])


# ---- scapy -------------------------------------------------------------------------------------


def scapy_vlans(packet: Packet) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    layer, tpid = packet.payload, packet.type if isinstance(packet, Ether) else 0
    while isinstance(layer, Dot1Q | Dot1AD) and len(found) < 2:
        found.append((tpid, layer.prio << 13 | 0x1000 | layer.vlan))
        layer, tpid = layer.payload, layer.type
    return found


def scapy_ports(packet: Packet) -> tuple[int, int] | None:
    for kind in (TCP, UDP, SCTP):
        if kind in packet:
            return packet[kind].sport, packet[kind].dport
    if ICMP in packet:
        return packet[ICMP].type, packet[ICMP].code
    icmp6 = packet.getlayer(_ICMPv6)
    return (icmp6.type, icmp6.code) if icmp6 is not None else None


def check_transport(key: Key, packet: Packet) -> None:
    # scapy goes on into what a tunnel or an error message carries; the key does not.
    sees = scapy_ports(packet) if key.nw_proto in (1, 6, 17, 58, 132) else None
    if sees is None or key.nw_frag & 2:
        return
    assert (key.tp_src, key.tp_dst) == sees
    if key.nw_proto == 6 and TCP in packet:
        assert key.tcp_flags == int(packet[TCP].flags) | packet[TCP].reserved << 9
    nd = packet.getlayer(ICMPv6ND_NS) or packet.getlayer(ICMPv6ND_NA)
    if nd is not None and key.nd_target != bytes(16):
        assert key.nd_target == ipaddress.IPv6Address(nd.tgt).packed
        for kind, mac in ((ICMPv6NDOptSrcLLAddr, key.arp_sha), (ICMPv6NDOptDstLLAddr, key.arp_tha)):
            if kind in packet and mac != bytes(6):
                assert packet[kind].lladdr == mac.hex(":")


def check_ipv4(key: Key, ip: Packet) -> None:
    assert key.nw_src == int(ipaddress.IPv4Address(ip.src)) and key.nw_dst == int(
        ipaddress.IPv4Address(ip.dst)
    )
    assert (key.nw_tos, key.nw_proto, key.nw_ttl) == (ip.tos, ip.proto, ip.ttl)
    assert key.nw_frag == (1 if ip.frag or "MF" in ip.flags else 0) | (2 if ip.frag else 0)


def check_ipv6(key: Key, ip: Packet) -> None:
    assert key.ipv6_src == ipaddress.IPv6Address(ip.src).packed
    assert key.ipv6_dst == ipaddress.IPv6Address(ip.dst).packed
    if key.nw_proto != 0:  # Else a chain of extension headers that ends nowhere: the twin's case.
        assert (key.nw_tos, key.ipv6_label, key.nw_ttl) == (ip.tc, ip.fl, ip.hlim)


@given(frame())
def test_scapy_reads_the_same_fields(data: bytes) -> None:
    key = extract(data).key
    if int.from_bytes(data[12:14], "big") < 0x600:
        return  # scapy's Dot3 is not asked: it takes LLC apart in its own way.
    packet = Ether(data)
    assert packet.src == key.dl_src.hex(":") and packet.dst == key.dl_dst.hex(":")
    assert [v for v in key.vlans if v[0]] == scapy_vlans(packet)
    if key.dl_type in (0x8100, 0x88A8):
        return  # The third tag is payload to us.
    if key.dl_type == 0x0800 and IP in packet:
        check_ipv4(key, packet[IP])
        check_transport(key, packet)
    elif key.dl_type == 0x86DD and IPv6 in packet:
        check_ipv6(key, packet[IPv6])
        check_transport(key, packet)
    elif key.dl_type == 0x0806 and ARP in packet:
        arp = packet[ARP]
        assert key.nw_src == int(ipaddress.IPv4Address(arp.psrc))
        assert key.nw_proto == (arp.op if arp.op < 256 else 0)
        assert (key.arp_sha.hex(":"), key.arp_tha.hex(":")) == (arp.hwsrc, arp.hwdst)


# ---- corners -----------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [14, 60, 64, 128, 1514, 3000, 65535])
def test_sizes_from_smallest_to_largest(length: int) -> None:
    data = bytes(range(14)) + bytes(length - 14)
    assert extract(data) == twin(data)


def test_a_frame_of_one_byte_less_than_a_header_is_a_runt_with_its_metadata() -> None:
    assert extract(bytes(13)) == twin(bytes(13), runt=RUNT)
    assert extract(b"", md=Metadata(9, 8, 7)).key == Key(in_port=9, recirc_id=8, dp_hash=7)


def test_a_packet_without_ethernet_may_be_empty() -> None:
    md = Metadata(packet_type=0x10800)
    assert extract(b"", md=md) == twin(b"", md)
    assert extract(b"", md=md).key.dl_type == 0x0800
