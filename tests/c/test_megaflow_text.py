"""Megaflows as text, beside Open vSwitch's dpctl/dump-flows of the same rules and packets.

Two differences are taken out: Open vSwitch keeps the first packet's whole key and prints bits that the mask
leaves out, ours are 0; and the packet that made the megaflow counts here, there it does not.
"""

from __future__ import annotations

import ipaddress
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.contrib.mpls import MPLS
from scapy.contrib.nsh import NSH
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, LLC, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw

from switch.binding.switch import SwitchConfig
from tests.c.support.flows import A, B, pass_time, tcp, udp
from tests.differential.ovs import BRIDGE, Ovs, open_vswitch
from tests.differential.rig import rig

OVS = pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
IP4, IP6 = IP(src="10.0.0.1", dst="10.0.0.2"), IPv6(src="fe80::1", dst="fe80::2")
SOLICIT = IP6 / ICMPv6ND_NS(tgt="fe80::3") / ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:09")
ADVERT = IP6 / ICMPv6ND_NA(tgt="fe80::3") / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:09")


def ether(**words: Any) -> Packet:
    return Ether(src=A, dst=B, **words)


CASES: dict[str, tuple[Packet, str]] = {
    "tcp": (
        ether() / IP(src="10.0.0.1", dst="10.0.0.2", tos=4, ttl=9) / TCP(sport=5, dport=80, flags="S"),
        "tcp,nw_src=10.0.0.0/8,nw_dst=10.0.0.2,nw_tos=4,nw_ttl=9,tp_src=5,tp_dst=80,tcp_flags=+syn-ack,"
        "ct_state=-trk,ct_zone=0,ct_mark=0/5,ct_label=0/7,pkt_mark=0,dl_src=02:00:00:00:00:01,"
        "dl_dst=02:00:00:00:00:02/01:00:00:00:00:00",
    ),
    "udp": (ether() / IP4 / UDP(sport=5, dport=80), "udp,nw_ecn=0,tp_src=0/0xfff0,tp_dst=80"),
    "later": (ether() / IP(frag=5, flags=1, proto=17) / Raw(bytes(30)), "ip,nw_frag=later"),
    "first": (ether() / IP(flags=1, proto=17) / Raw(bytes(30)), "ip,nw_frag=first"),
    "icmp": (ether() / IP4 / ICMP(type=8, code=1), "icmp,icmp_type=8,icmp_code=1"),
    "sctp": (ether() / IP4 / SCTP(sport=3, dport=4), "sctp,tp_src=3,tp_dst=4"),
    "vlan": (ether() / Dot1Q(vlan=5, prio=3) / IP4 / UDP(), "udp,dl_vlan=5,dl_vlan_pcp=3"),
    "qinq": (ether() / Dot1Q(vlan=5) / Dot1Q(vlan=6) / IP4 / UDP(), "dl_vlan=5,dl_type=0x0800"),
    "ad": (ether(type=0x88A8) / Dot1Q(vlan=5, type=0x8100) / Dot1Q(vlan=6) / IP4, "vlan_tci=0x1005/0x1fff"),
    "tcp6": (
        ether() / IPv6(src="fe80::1", dst="fe80::2", fl=5, tc=9, hlim=3) / TCP(sport=5, dport=80),
        "tcp6,ipv6_src=fe80::1,ipv6_dst=fe80::2,ipv6_label=5,nw_tos=8,nw_ecn=1,nw_ttl=3,tp_src=5,tp_dst=80",
    ),
    "echo6": (ether() / IP6 / ICMPv6EchoRequest(), "icmp6,icmp_type=128"),
    "solicit": (
        ether() / SOLICIT,
        "icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::3,nd_sll=02:00:00:00:00:09",
    ),
    "advert": (
        ether() / ADVERT,
        "icmp6,icmp_type=136,icmp_code=0,nd_target=fe80::3,nd_tll=02:00:00:00:00:09",
    ),
    "mpls": (
        ether(type=0x8847) / MPLS(label=5, s=1, ttl=3) / IP4 / UDP(),
        "mpls,mpls_label=5,mpls_tc=0,mpls_bos=1,mpls_ttl=3",
    ),
    "nsh": (
        ether(type=0x894F) / NSH(spi=5, si=3, context_header=b"abcdefghijklmnop") / IP4,
        "dl_type=0x894f,nsh_mdtype=1,nsh_np=1,nsh_spi=5,nsh_si=3,nsh_c1=0x61626364,nsh_flags=0,nsh_ttl=63",
    ),
    "other": (ether(type=0x88B5) / Raw(bytes(50)), "dl_type=0x88b5"),
    "llc": (Dot3(src=A, dst=B) / LLC() / Raw(bytes(50)), "dl_type=0x05ff"),
    "rarp": (
        ether(type=0x8035) / ARP(op=3, hwsrc=A, psrc="10.0.0.1", hwdst="02:00:00:00:00:07", pdst="10.0.0.7"),
        "rarp,arp_op=3,arp_spa=10.0.0.1,arp_tpa=10.0.0.0/8,arp_sha=02:00:00:00:00:01,"
        "arp_tha=02:00:00:00:00:07",
    ),
}


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with tempfile.TemporaryDirectory(prefix="rs-dump-") as directory, open_vswitch(Path(directory), 3) as o:
        yield o


def bytes_of(packet: Packet) -> bytes:
    data = bytes(packet)
    return data.ljust(60, b"\0")


def masked(text: str) -> str:
    """Values without the bits that their masks leave out; members with an empty mask go."""

    def address(found: re.Match[str]) -> str:
        value, mask = ipaddress.ip_address(found[1]), ipaddress.ip_address(found[2])
        return f"{type(value)(int(value) & int(mask))}/{mask}"

    def number(found: re.Match[str]) -> str:
        value, mask = int(found[2], 0) & int(found[3], 0), int(found[3], 0)
        kept = f"0x{value:x}" if found[2].startswith("0x") and value else str(value)
        return f"{found[1]}{kept}/{found[3]}" if mask else ""

    text = re.sub(r"(\d+\.\d+\.\d+\.\d+)/(\d+\.\d+\.\d+\.\d+)", address, text)
    text = re.sub(r"(\w+=)((?:0x)?[0-9a-f]+)/((?:0x)?[0-9a-f]+)(?=[,)])", number, text)
    return re.sub(r",(?=\))|(?<=\(),|,(?=,)", "", text)


def keys(lines: list[str]) -> set[str]:
    return {masked(line.split(", packets:")[0]) for line in lines if line.startswith("recirc_id")}


@OVS
@pytest.mark.parametrize("name", CASES)
def test_keys_and_masks_are_open_vswitchs(ovs: Ovs, name: str) -> None:
    packet, match = CASES[name]
    rules = [f"priority=10,{match},actions=2", "priority=1,actions=3"]
    ovs.nxm("del-flows")
    for rule in rules:
        ovs.nxm("add-flow", rule)
    assert list(ovs.exchange(1, bytes_of(packet))) == [2]
    theirs = ovs.control.call("dpctl/dump-flows", "dummy@ovs-dummy").splitlines()
    with rig(3, rules, config=SwitchConfig(BRIDGE, threaded=False, umem_frames=4096)) as r:
        assert r.outputs(1, bytes_of(packet)) == [2]
        assert keys(list(r.switch.megaflows.lines())) == keys(theirs)


def test_statistics_are_told_with_flags_and_age() -> None:
    with rig(2, ["tcp,actions=2"]) as r:
        frame = tcp("SA")
        r.exchange(1, frame, frame, tcp("FPRUEC"))
        pass_time(r, 1.25)
        (line,) = r.switch.megaflows.lines()
        packets = f" packets:3, bytes:{3 * len(frame)}, used:1.2"
        assert packets in line
        assert line.endswith("s, flags:SFPRU.EC, actions:2")


def test_more_tells_the_id_and_what_is_wildcarded() -> None:
    with rig(2, ["udp,actions=2"]) as r:
        r.exchange(1, udp(1))
        (line,) = r.switch.megaflows.lines(more=True, names=True)
        assert re.match(r"ufid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-0000-0{12}, skb_priority\(0/0\),", line)
        assert "in_port(h1)" in line
        assert "ipv4(src=0.0.0.0/0.0.0.0,dst=0.0.0.0/0.0.0.0,proto=17,tos=0/0,ttl=0/0,frag=no)" in line
        assert line.endswith(", dp:ringside, actions:h2")


def test_a_filter_chooses_what_its_packets_could_hit() -> None:
    with rig(3, ["udp,tp_dst=80,actions=2", "in_port=2,arp,actions=3", "priority=1,actions=drop"]) as r:
        r.exchange(1, udp(1), udp(1, 53))
        r.exchange(2, Ether(src=A, dst=B).build() + b"\x08\x06" + bytes(46))
        lines = r.switch.megaflows.lines
        assert len(list(lines())) == 3
        assert len(list(lines("udp"))) == 2
        assert [line.split("actions:")[1] for line in lines("udp,tp_dst=80")] == ["2"]
        assert len(list(lines("in_port=2"))) == 1
        assert list(lines("icmp6")) == []


def test_a_dump_walks_more_than_one_slice() -> None:
    rules = [f"udp,nw_src=10.0.{i >> 8}.{i & 255},actions=2" for i in range(1500)]
    with rig(2, rules) as r:
        for i in range(0, 1500, 100):
            r.exchange(1, *[udp(n) for n in range(i, i + 100)])
        assert len(set(r.switch.megaflows.lines())) == 1500
