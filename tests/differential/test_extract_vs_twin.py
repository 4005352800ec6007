"""flow_extract() against a slow twin on any bytes, and against scapy on packets that scapy understands."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, _ICMPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet

from tests.c.support.native import lib
from tests.differential.frames import damaged, frame
from tests.differential.key import NONE, extract, twin


@given(st.one_of(frame(), damaged()))
def test_every_frame_gets_the_key_that_the_twin_finds(data: bytes) -> None:
    found = extract(data)
    if len(data) < 14:
        assert found.reason == lib.DROP_RUNT
        assert (found.offsets.l3, found.offsets.l4) == (NONE, NONE)
    else:
        assert found.reason == 0xFF
        assert found.key == twin(data)


@given(frame())
def test_every_truncation_of_a_frame_is_read_within_its_bounds(data: bytes) -> None:
    for length in range(len(data) + 1):
        cut = data[:length]
        found = extract(cut)
        assert (found.reason == lib.DROP_RUNT) == (length < 14)
        if length >= 14:
            assert found.key == twin(cut)
            assert found.offsets.l4 == NONE or found.offsets.l4 < length


@given(st.one_of(frame(), damaged()))
def test_offsets_point_at_whole_headers_of_unfragmented_packets(data: bytes) -> None:
    found = extract(data)
    if found.offsets.l4 == NONE:
        return
    assert 14 <= found.offsets.l3 < found.offsets.l4
    assert found.key.nw_frag == 0
    assert found.offsets.proto == found.key.nw_proto
    at = found.offsets.l4
    if found.key.nw_proto in (6, 17, 132):
        assert data[at : at + 4] == found.key.tp_src.to_bytes(2, "big") + found.key.tp_dst.to_bytes(2, "big")
    else:
        assert data[at : at + 2] == bytes([found.key.tp_src, found.key.tp_dst])


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


@given(frame())
def test_scapy_reads_the_same_fields(data: bytes) -> None:
    key = extract(data).key
    if int.from_bytes(data[12:14], "big") < 0x600:
        return  # scapy's Dot3 is not asked: it takes LLC apart in its own way.
    packet = Ether(data)
    vlans = scapy_vlans(packet)
    assert packet.src == key.dl_src.hex(":") and packet.dst == key.dl_dst.hex(":")
    assert [v for v in key.vlans if v[0]] == vlans
    tagged_thrice = key.dl_type in (0x8100, 0x88A8)
    if tagged_thrice:
        return  # The third tag is payload to us.
    # scapy goes on into what a tunnel carries; the key does not.
    scapy_sees = scapy_ports(packet) if key.nw_proto in (1, 6, 17, 58, 132) else None
    if key.dl_type == 0x0800 and IP in packet:
        assert key.nw_src[12:] == ipaddress.IPv4Address(packet[IP].src).packed
        assert (key.nw_tos, key.nw_proto) == (packet[IP].tos, packet[IP].proto)
        assert bool(key.nw_frag & 2) == (packet[IP].frag > 0)
        if packet[IP].frag == 0 and scapy_sees:
            assert (key.tp_src, key.tp_dst) == scapy_sees
    elif key.dl_type == 0x86DD and IPv6 in packet:
        assert key.nw_src == ipaddress.IPv6Address(packet[IPv6].src).packed
        if key.nw_proto == 0:
            return  # A chain of extension headers that ends nowhere: the twin's case.
        assert key.nw_tos == packet[IPv6].tc
        if not key.nw_frag & 2 and scapy_sees:
            assert (key.tp_src, key.tp_dst) == scapy_sees
    elif key.dl_type == 0x0806 and ARP in packet:
        assert key.nw_src[12:] == ipaddress.IPv4Address(packet[ARP].psrc).packed
        assert key.nw_proto == (packet[ARP].op if packet[ARP].op < 256 else 0)


@pytest.mark.parametrize("length", [14, 60, 64, 128, 1514, 3000])
def test_sizes_from_smallest_to_large(length: int) -> None:
    data = bytes(range(14)) + bytes(length - 14)
    assert extract(data).key == twin(data)


def test_a_frame_of_one_byte_less_than_a_header_is_a_runt() -> None:
    assert extract(bytes(13)).reason == lib.DROP_RUNT
    assert extract(b"").reason == lib.DROP_RUNT
