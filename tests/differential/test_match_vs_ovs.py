"""The text of matches and of keys: ours and Open vSwitch 3.1's, letter by letter.

Known differences, left out here and nowhere else:
  - zeros of tun_gbp_flags, tun_gtpu_*, tun_erspan_*, which Open vSwitch loses on the way to its switch;
  - tags without the CFI bit (vlan_vid=5), which no packet has;
  - bits of a mask that the field does not have (ipv6_label=1/0xff00001), which Open vSwitch keeps;
  - masks of whole low bytes of a tunnel option (tun_metadata0=5/0xff), which Open vSwitch takes for exact;
  - addresses of a tracked connection (ct_nw_src …) of packets that are not Ethernet, which it refuses.
Words that ours refuses and Open vSwitch drops or cuts: switch/ofproto/README.md.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.c.support.fields import Refused, parse, set_tun_map, written
from tests.c.support.native import ffi, lib
from tests.differential.frames import damaged, frame
from tests.differential.key import extract, to_c
from tests.differential.ovs import BRIDGE, Ovs, open_vswitch, tool
from tests.differential.strategies_match import TLV_MAP, MatchText, Offer, matches
from tests.differential.test_extract_vs_ovs import write_pcap

pytestmark = [pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")]


def examples(count: int) -> settings:
    """One Open vSwitch serves all examples of a module: that is meant."""
    many = count * settings.default.max_examples // 100 if settings.default else count
    return settings(max_examples=many, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with tempfile.TemporaryDirectory(prefix="rs-ovs-") as directory, open_vswitch(Path(directory), 2) as o:
        o.ofctl("add-tlv-map", TLV_MAP)
        set_tun_map(TLV_MAP)
        yield o
        set_tun_map("")


def ours(texts: Sequence[str]) -> list[str]:
    return [parse(text).text(i) for i, text in enumerate(texts, 1)]


@examples(12)
@given(which=st.lists(matches(Offer(other_packets=True)), min_size=5, max_size=40))
def test_matches_print_as_open_vswitch_dumps_them(ovs: Ovs, which: list[MatchText]) -> None:
    texts = [each.text for each in which]
    assert ours(texts) == ovs.matches_as_dumped(texts)


FIXED = [
    "ip,arp",
    "tcp,nw_proto=17",
    "in_port=1,in_port=2",
    "in_port=ANY",
    "in_port=0",
    "in_port=65280",
    "in_port_oxm=LOCAL",
    "dl_vlan=0xffff",
    "dl_vlan=5,dl_vlan=*",
    "vlan_vid=0x1005,vlan_pcp=2",
    "reg0=1/1,reg0=2/2",
    "reg0[0..3]=5,reg0[8]=1",
    "ip,nw_src=1.2.3.4/0",
    "ip,nw_src=*",
    "arp,nw_src=10.0.0.1,nw_proto=2",
    "icmp6,icmp_type=8",
    "tcp,tcp_flags=0xfff",
    "tcp,tcp_flags=0x12/0xfff",
    "ct_state=255",
    "ct_label=0",
    "tun_metadata0",
    "tun_metadata0=0/0xff0f",
    "conj_id=4294967295",
    "dl_type=0x8100,dl_vlan=5",
    "dl_type=5",
    "ipv6,ipv6_src=::ffff:1.2.3.4/112",
    "dl_type=0x894f,nsh_spi=0,nsh_si=0",
    "mplsm,mpls_label=0",
    "eth",
    "packet_type=(1,0x800),nw_src=1.2.3.4",
    "packet_type=(1,0x86dd),nw_tos=4",
    "tcp,ip_frag=first,tp_dst=1",
    "no_readonly_table,allow_hidden_fields,tcp",
]


def test_fixed_matches_print_as_open_vswitch_dumps_them(ovs: Ovs) -> None:
    found = ovs.matches_as_dumped(FIXED)
    assert dict(zip(FIXED, ours(FIXED), strict=True)) == dict(zip(FIXED, found, strict=True))


# What ours refuses, and what becomes of it there: the words of the README hold.
DROPPED_OR_CUT = {
    "nw_src=1.2.3.4": "",
    "mpls_label=3": "",
    "tcp_flags=+syn": "",
    "ip_frag=yes": "",
    "nd_reserved=5": "",
    "icmp6,nd_target=::1": "icmp6",
    "ip,nw_proto=2,tp_src=5": "ip,nw_proto=2",
    "ct_state=+trk-inv,ip,ct_tp_src=5": "ct_state=-inv+trk,ip",
    "dl_type=0x894f,nsh_c1=5": "dl_type=0x894f",
    "udp,tcp_dst=80": "udp,tp_dst=80",
    "dl_vlan=5000": "dl_vlan=904",
    "ip,nw_tos=5": "ip,nw_tos=4",
    "arp,arp_op=300": "arp,arp_op=44",
    "mpls,mpls_tc=8": "mpls,mpls_tc=0",
    "tun_metadata0=0x1234567890": "tun_metadata0=0x12345678",
}


def test_what_ours_refuses_open_vswitch_drops_or_cuts(ovs: Ovs) -> None:
    for text in DROPPED_OR_CUT:
        with pytest.raises(Refused):
            parse(text)
    wanted = [f"priority={i},{text}".rstrip(",") for i, text in enumerate(DROPPED_OR_CUT.values(), 1)]
    assert ovs.matches_as_dumped(list(DROPPED_OR_CUT)) == wanted


NAMED = ["in_port=1", "in_port=LOCAL", "in_port=9", "in_port=2,actset_output=1", "in_port=CONTROLLER"]


def test_ports_print_by_name_as_open_vswitch_prints_them(ovs: Ovs) -> None:
    """Both bridges have h1, h2 and br0."""
    ovs.matches_as_dumped(NAMED)
    dump = ovs.nxm("dump-flows", "--no-stats", "--names").splitlines()
    found = {line.strip().removesuffix(" actions=drop") for line in dump if "priority" in line}
    assert found == {parse(text).text(i, names=True) for i, text in enumerate(NAMED, 1)}


# -- keys -----------------------------------------------------------------------------------------


def as_open_vswitch_prints(frames: Sequence[bytes]) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="rs-pcap-") as directory:
        path = Path(directory) / "frames.pcap"
        write_pcap(path, frames)
        command = [tool("ovs-ofctl"), "parse-pcap", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@examples(12)
@given(
    st.lists(st.one_of(frame(), frame(), damaged().filter(lambda f: len(f) >= 14)), min_size=5, max_size=40)
)
def test_keys_print_as_open_vswitch_prints_them(frames: list[bytes]) -> None:
    keys = [extract(each, in_port=0xFFFF).key for each in frames]
    texts = [written(lib.match_test_flow_text, to_c(key)) for key in keys]
    assert texts == as_open_vswitch_prints(frames)


TRACED = [
    "in_port=1",
    "in_port=LOCAL,tcp",
    "in_port=1,tcp,reg0=5,reg15=0xffffffff,metadata=0x7,pkt_mark=3",
    "in_port=1,udp,tun_id=0x5,tun_src=1.2.3.4,tun_dst=5.6.7.8,tun_flags=oam",
    "in_port=1,udp,tun_id=0x5",
    "in_port=1,udp,tun_ipv6_dst=fd00::1,tun_gbp_id=5,tun_gbp_flags=2",
    "in_port=1,tcp,ct_state=trk|est,ct_zone=5,ct_mark=0x6,ct_label=0x7",
    "in_port=1,tcp,ct_state=trk|est,ct_nw_proto=6,ct_nw_src=1.2.3.4,ct_tp_dst=80",
    "in_port=1,tcp6,ct_state=trk|est,ct_nw_proto=6,ct_ipv6_src=fd00::5,ct_tp_src=80",
    "in_port=1,dl_vlan=5,dl_vlan_pcp=3,arp,arp_op=1,arp_spa=1.2.3.4",
    "in_port=1,mpls,mpls_label=5,mpls_bos=1",
    "in_port=1,mpls,mpls_label=5,mpls_bos=0",
    "in_port=1,dl_type=0x894f,nsh_mdtype=1,nsh_c1=5,nsh_spi=3",
    "in_port=1,icmp6,icmpv6_type=135,nd_target=fd00::1,nd_sll=00:00:00:00:00:01",
    "in_port=1,ip,nw_proto=2",
    "in_port=1,tcp,nw_frag=later",
    "in_port=1,sctp6,nw_frag=first",
    "in_port=1,tcp,tcp_flags=syn|ack",
]


@pytest.mark.parametrize("text", TRACED)
def test_a_traced_packet_prints_as_open_vswitch_prints_it(ovs: Ovs, text: str) -> None:
    """`Flow:` of ofproto/trace, for keys that no frame of ours has."""
    lines = ovs.control.call("ofproto/trace", BRIDGE, text).splitlines()
    wanted = next(line for line in lines if line.startswith("Flow: ")).removeprefix("Flow: ")
    match = parse(text)
    assert written(lib.match_test_flow_text, ffi.addressof(match.raw, "flow")) == wanted
