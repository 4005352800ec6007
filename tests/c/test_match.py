"""The text of matches and of flows: what is read, what is refused and how that is said, what is printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.c.support.fields import Refused, parse, rewritten, tun_map
from tests.c.support.native import ffi, lib


@pytest.fixture(autouse=True, scope="module")
def options() -> Iterator[None]:
    with tun_map("{class=0x102,type=0x80,len=4}->tun_metadata0"):
        yield


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        (" , ,\t", ""),
        ("priority=32768", ""),
        ("priority=0", "priority=0"),
        ("table=0,in_port=h2", "in_port=2"),
        ('in_port="h2"', "in_port=2"),
        ('in_port="odd name",tcp', "tcp,in_port=4"),
        ("in_port=LOCAL", "in_port=LOCAL"),
        ("in_port=local", "in_port=LOCAL"),
        ("in_port=br0", "in_port=LOCAL"),
        ("in_port=0xfffffffe", "in_port=LOCAL"),
        ("in_port=010", "in_port=10"),
        ("tcp tp_dst=80", "tcp,tp_dst=80"),
        ("tcp_dst=0x50,tcp", "tcp,tp_dst=80"),
        ("tcp,tp_dst:80", "tcp,tp_dst=80"),
        ("ip,nw_proto=6,tp_src=1", "tcp,tp_src=1"),
        ("dl_type=0x800,nw_proto=17", "udp"),
        ("ip4,nw_proto=2", "ip,nw_proto=2"),
        ("ip6,ipv6_dst=fd00::/16", "ipv6,ipv6_dst=fd00::/16"),
        ("ip,nw_src=10.1.2.3/8", "ip,nw_src=10.0.0.0/8"),
        ("ip,nw_src=10.1.2.3/255.0.255.0", "ip,nw_src=10.0.2.0/255.0.255.0"),
        ("ip,nw_src=10.1.2.3/0", "ip"),
        ("ipv6,ipv6_src=1::2/f::", "ipv6,ipv6_src=1::/f::"),
        ("arp,nw_src=10.0.0.1,arp_op=2", "arp,arp_spa=10.0.0.1,arp_op=2"),
        ("rarp,nw_proto=3", "rarp,arp_op=3"),
        ("dl_vlan=10,dl_vlan_pcp=3", "dl_vlan=10,dl_vlan_pcp=3"),
        ("dl_vlan=0xffff", "vlan_tci=0x0000"),
        ("vlan_tci=0x1000/0x1000", "vlan_tci=0x1000/0x1000"),
        ("vlan_vid=0x100a/0x1fff", "dl_vlan=10"),
        ("vlan_pcp=3", "dl_vlan_pcp=3"),
        ("vlan_vid=0x1005,vlan_pcp=2,dl_vlan=*", "dl_vlan_pcp=2"),
        ("dl_vlan=5,dl_vlan=*", ""),
        ("eth_dst=01:00:00:00:00:00/01:00:00:00:00:00", "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"),
        ("dl_src=1:2:3:a:b:c", "dl_src=01:02:03:0a:0b:0c"),
        ("eth_type=0x88cc", "dl_type=0x88cc"),
        ("icmp,icmp_type=8,icmp_code=0", "icmp,icmp_type=8,icmp_code=0"),
        ("icmp6,icmpv6_type=135,nd_target=::1", "icmp6,icmp_type=135,nd_target=::1"),
        ("icmp6,icmp_type=136,nd_tll=00:00:00:00:00:01", "icmp6,icmp_type=136,nd_tll=00:00:00:00:00:01"),
        ("ip,ip_dscp=46,nw_ecn=1,nw_ttl=64", "ip,nw_tos=184,nw_ecn=1,nw_ttl=64"),
        ("ip,ip_frag=not_later", "ip,nw_frag=not_later"),
        ("ip,nw_frag=NO", "ip,nw_frag=no"),
        ("udp6,udp_dst=1000/0xfff8", "udp6,tp_dst=0x3e8/0xfff8"),
        ("tcp,tcp_flags=+syn-ack", "tcp,tcp_flags=+syn-ack"),
        ("tcp,tcp_flags=0x12/0x3f", "tcp,tcp_flags=-fin+syn-rst-psh+ack-urg"),
        ("tcp,tcp_flags=syn|ack|0x200", "tcp,tcp_flags=syn|ack|[200]"),
        ("ct_state=+trk-new", "ct_state=-new+trk"),
        ("ct_state=trk|est", "ct_state=est|trk"),
        ("ct_state=0x21/0x23", "ct_state=+new-est+trk"),
        ("ct_state=0", "ct_state=0"),
        ("ct_mark=0x5/0xf,ct_zone=10", "ct_zone=10,ct_mark=0x5/0xf"),
        ("ct_label=0x100000000000000000000000000000f0", "ct_label=0x100000000000000000000000000000f0"),
        ("ct_label=0x5/0xf0", "ct_label=0/0xf0"),
        ("ct_state=+trk+est,ip,ct_nw_src=10.0.0.0/8", "ct_state=+est+trk,ct_nw_src=10.0.0.0/8,ip"),
        ("reg0=0,reg15=0x5/0xf", "reg0=0,reg15=0x5/0xf"),
        ("xreg0=0x100000002", "reg0=0x1,reg1=0x2"),
        ("xxreg0=0x100000002/0xff00000000000000000000000000000f", "reg0=0/0xff000000,reg3=0x2/0xf"),
        ("reg0[0..3]=5,reg0[8]=1", "reg0=0x105/0x10f"),
        ("tcp,tp_dst[0..7]=0x50", "tcp,tp_dst=0x50/0xff"),
        ("metadata=-1", "metadata=0xffffffffffffffff"),
        ("metadata=0x5/0xff,pkt_mark=3", "pkt_mark=0x3,metadata=0x5/0xff"),
        ("tun_id=0x5,tun_src=1.2.3.4,tun_flags=+oam", "tun_id=0x5,tun_src=1.2.3.4,tun_flags=+oam"),
        ("tun_flags=1,tun_gbp_flags=0x40,tun_gbp_id=7", "tun_gbp_id=7,tun_gbp_flags=0x40,tun_flags=+oam"),
        ("gtpu_flags=3,tun_gtpu_msgtype=5", "gtpu_flags=0x3,gtpu_msgtype=5"),
        ("tun_metadata0", "tun_metadata0"),
        ("tun_metadata0=5", "tun_metadata0=0x5"),
        ("tun_metadata0=0x5/0xff0f", "tun_metadata0=0x5/0xff0f"),
        ("mpls,mpls_label=3,mpls_tc=1,mpls_bos=1", "mpls,mpls_label=3,mpls_tc=1,mpls_bos=1"),
        ("mplsm,mpls_ttl=5", "mplsm,mpls_ttl=5"),
        (
            "dl_type=0x894f,nsh_mdtype=1,nsh_c1=5,nsp=0x123,nsh_ttl=63,nsh_flags=2",
            "dl_type=0x894f,nsh_flags=2,nsh_ttl=63,nsh_mdtype=1,nsh_spi=0x123,nsh_c1=0x5",
        ),
        ("ipv6,ipv6_label=0x5", "ipv6,ipv6_label=0x00005"),
        ("packet_type=(1,0x800),nw_src=1.2.3.4", "packet_type=(1,0x800),nw_src=1.2.3.4"),
        ("packet_type=(0,0)", ""),
        ("eth", ""),
        ("conj_id=5,actset_output=3", "conj_id=5,actset_output=3"),
        ("recirc_id=1,eth", "recirc_id=0x1,eth"),
        ("OXM_OF_ETH_TYPE=0x0800,NXM_OF_IP_PROTO=6", "tcp"),
        # The last word counts.
        ("tcp,tcp", "tcp"),
        ("ip,arp", "arp"),
        ("tcp,nw_proto=17", "udp"),
        ("in_port=1,in_port=2", "in_port=2"),
        ("ip,nw_src=1.2.3.4/8,nw_src=0.0.0.5/0.0.0.255", "ip,nw_src=0.0.0.5/0.0.0.255"),
        ("reg0=1/1,reg0=2/2", "reg0=0x2/0x2"),
        ("ip,nw_src=*,dl_vlan=ANY", "ip"),
    ],
)
def test_text_is_read_and_printed_as_ovs_ofctl_does(text: str, shown: str) -> None:
    assert rewritten(text) == shown
    assert rewritten(shown) == shown


@pytest.mark.parametrize(
    ("text", "field", "word"),
    [
        ("priority=65536", "priority", "0 to 65535"),
        ("priority=-1", "priority", "-1"),
        ("priority=", "priority", "''"),
        ("priority", "priority", "no value"),
        ("table=256", "table", "0 to 254"),
        ("cookie=0x1ffffffffffffffff", "cookie", "64 bits"),
        ("cookie=1/x", "cookie", "64 bits"),
        ("in_port=1048576", "in_port", "'1048576'"),
        ("in_port=h9", "in_port", "'h9'"),
        ("in_port=1/1", "in_port", "'1/1'"),
        ('in_port="h1', "in_port", '"h1'),
        ("dl_src=02:00:00:00:00", "dl_src", "02:00:00:00:00'"),
        ("dl_src=02:00:00:00:00:01:02", "dl_src", "found"),
        ("dl_src=02:00:00:00:00:0g", "dl_src", "found"),
        ("dl_dst=02:00:00:00:00:01/ff", "dl_dst", "found"),
        ("dl_vlan=4096", "dl_vlan", "0 to 4095"),
        ("dl_vlan=5/7", "dl_vlan", "mask"),
        ("dl_vlan_pcp=8", "dl_vlan_pcp", "0 to 7"),
        ("nw_src=10.0.0.1", "nw_src", "add ip"),
        ("ipv6,nw_src=10.0.0.1", "nw_src", "add ip"),
        ("ip_src=10.0.0.1", "ip_src", "add ip"),
        ("ip,nw_src=10.0.0.1/33", "nw_src", "found"),
        ("ip,nw_src=10.0.0.256", "nw_src", "found"),
        ("ip,nw_src=10.0.0.1/", "nw_src", "found"),
        ("ip,nw_src=10.0.0.1/-1", "nw_src", "found"),
        ("ip,ipv6_src=::1", "ipv6_src", "add ipv6"),
        ("ipv6,ipv6_src=::1/129", "ipv6_src", "found"),
        ("ipv6,ipv6_src=" + "1:" * 40, "ipv6_src", "found"),
        ("tp_dst=80", "tp_dst", "add tcp"),
        ("ip,tp_dst=80", "tp_dst", "add tcp"),
        ("ip,nw_proto=2,tp_src=5", "tp_src", "add tcp"),
        ("udp,tcp_dst=80", "tcp_dst", "add tcp"),
        ("tcp,tp_dst=65536", "tp_dst", "65535"),
        ("tcp,tp_dst=0x", "tp_dst", "0x"),
        ("tcp,tp_dst= 5", "tp_dst", "''"),
        ("tcp,ip_frag=later,tp_dst=80", "tp_dst", "later fragments"),
        ("tcp_flags=+syn", "tcp_flags", "add tcp"),
        ("tcp,tcp_flags=syn-ack", "tcp_flags", "flags such as"),
        ("tcp,tcp_flags=+syn+syn", "tcp_flags", "flags such as"),
        ("tcp,tcp_flags=+nope", "tcp_flags", "flags such as"),
        ("tcp,tcp_flags=0x1000", "tcp_flags", "flags such as"),
        ("tcp,tcp_flags=", "tcp_flags", "''"),
        ("ct_state=0x100/0x100", "ct_state", "flags such as"),
        ("ct_state=+", "ct_state", "flags such as"),
        ("ct_state=new|", "ct_state", "flags such as"),
        ("ip,ct_nw_src=1.2.3.4", "ct_nw_src", "add ct_state"),
        ("ct_state=+trk,ip,ct_nw_src=1.2.3.4", "ct_nw_src", "add ct_state"),
        ("ct_state=+trk+est,ct_nw_src=1.2.3.4", "ct_nw_src", "add ip"),
        ("ct_state=+trk+est,ip,ct_ipv6_src=::1", "ct_ipv6_src", "add ipv6"),
        ("ct_state=+trk+est,ip,ct_tp_src=1", "ct_tp_src", "add ct_nw_proto"),
        ("icmp,icmp_type=256", "icmp_type", "255"),
        ("icmp6,nd_target=::1", "nd_target", "135"),
        ("icmp6,icmpv6_type=135,nd_tll=00:00:00:00:00:01", "nd_tll", "136"),
        ("ip,nw_tos=1", "nw_tos", "lowest bits"),
        ("ip_frag=no", "ip_frag", "add ip"),
        ("ip,ip_frag=maybe", "ip_frag", "not_later"),
        ("arp_op=1", "arp_op", "add arp"),
        ("arp,arp_op=256", "arp_op", "0 to 255"),
        ("mpls_label=3", "mpls_label", "add mpls"),
        ("nsh_si=3", "nsh_si", "add dl_type=0x894f"),
        ("dl_type=0x894f,nsh_c1=3", "nsh_c1", "add nsh_mdtype=1"),
        ("dl_type=0x894f,nsh_ttl=64", "nsh_ttl", "0 to 63"),
        ("packet_type=(1,0x800),dl_src=02:00:00:00:00:01", "dl_src", "add eth"),
        ("packet_type=1", "packet_type", "(0,0)"),
        ("tun_metadata1=5", "tun_metadata1", "map it first"),
        ("tun_metadata0=0x123456789", "tun_metadata0", "32 bits"),
        ("ct_label=0x100000000000000000000000000000000", "ct_label", "128 bits"),
        ("reg0=0x100000000", "reg0", "0xffffffff"),
        ("reg0=1x", "reg0", "'1x'"),
        ("reg0=1/", "reg0", "'1/'"),
        ("reg0", "reg0", "no value"),
        ("reg0[0..3]=16", "reg0", "no number of 4 bits"),
        ("reg0[0..3]", "reg0", "no number of 4 bits"),
        ("reg0[0..32]=1", "reg0", "0 to 31"),
        ("reg0[0]x=1", "reg0", "FIELD[FIRST..LAST]"),
        ("ip,nw_proto[0..1]=1", "nw_proto", "in part"),
        ("tcp=1", "tcp", "leave out"),
        ("send_flow_rem=1", "send_flow_rem", "leave out"),
        ("nw_scr=1", "nw_scr", "nw_src"),
        ("igmp", "igmp", "icmp"),
        ("prioritty=1", "prioritty", "priority"),
        ("=1", "flow", "without a field"),
        ("nonsense_that_is_far_too_long_to_be_anything=1", "nonsense_that_is_far", "ovs-fields(7)"),
    ],
)
def test_an_error_names_the_field_what_was_found_and_the_way_out(text: str, field: str, word: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)
    refused = caught.value
    assert refused.code < 0
    assert refused.field.startswith(field)
    assert refused.message and refused.hint
    assert word in f"{refused.message} {refused.hint}"


def test_missing_prerequisites_have_openflows_name() -> None:
    with pytest.raises(Refused) as caught:
        parse("tp_src=1")
    assert caught.value.ofperr == "OFPBMC_BAD_PREREQ"


def test_a_text_without_end_is_refused() -> None:
    assert parse("in_port=1," * 6553).text() == "in_port=1"
    with pytest.raises(Refused, match="longer") as caught:
        parse("in_port=1," * 6554)
    assert caught.value.code == -7


# -- beside the match -----------------------------------------------------------------------------


def test_a_flow_has_defaults() -> None:
    extra = parse("").extra
    assert (extra.priority, extra.has_priority, extra.table, extra.flags) == (32768, False, 255, 0)
    assert (extra.has_cookie, extra.cookie, extra.cookie_mask) == (False, 0, 0)
    assert (extra.out_port, extra.out_group) == (0xFFFF, 0xFFFFFFFF)
    assert extra.actions == ffi.NULL


def test_what_a_flow_says_beside_its_match_is_kept() -> None:
    extra = parse(
        "table=3,priority=7,cookie=0x5,idle_timeout=10,hard_timeout=0x20,importance=30,out_port=h2,out_group=9"
    ).extra
    assert (extra.table, extra.priority, extra.has_priority) == (3, 7, True)
    assert (extra.has_cookie, extra.new_cookie, extra.cookie_mask) == (True, 5, 0)
    assert (extra.idle_timeout, extra.hard_timeout, extra.importance) == (10, 32, 30)
    assert (extra.out_port, extra.out_group) == (2, 9)
    assert parse("out_group=ANY").extra.out_group == 0xFFFFFFFF


def test_a_cookie_with_a_mask_selects() -> None:
    extra = parse("cookie=0x5/-1,cookie=7").extra
    assert (extra.cookie, extra.cookie_mask, extra.has_cookie, extra.new_cookie) == (5, 2**64 - 1, True, 7)


def test_flags_add_up() -> None:
    words = ["send_flow_rem", "check_overlap", "reset_counts", "no_packet_counts", "no_byte_counts"]
    for bit, word in enumerate(words):
        assert parse(f"tcp {word}").extra.flags == 1 << bit
    assert parse(",".join([*words, "allow_hidden_fields", "no_readonly_table"])).extra.flags == 0b11111


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("tcp,actions=output:1,2", "output:1,2"),
        ("tcp actions=drop", "drop"),
        ("tcp,action=drop", "drop"),
        ("actions = drop ", " drop "),
        ("actions=", ""),
        ("actions=set_field:1->reg0,actions=2", "set_field:1->reg0,actions=2"),
    ],
)
def test_what_follows_actions_is_left_to_their_parser(text: str, actions: str) -> None:
    out = ffi.new("char[]", 256)
    assert lib.match_test_actions(text.encode(), out, len(out))
    assert ffi.string(out).decode() == actions


def test_a_line_of_dump_flows_is_read() -> None:
    line = (
        " cookie=0x8a2, duration=3.057s, table=5, n_packets=12, n_bytes=3456, idle_timeout=60, idle_age=3,"
        " hard_age=9, send_flow_rem priority=100,tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80 actions=NORMAL"
    )
    match = parse(line)
    extra = match.extra
    assert match.text(extra.priority) == "priority=100,tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80"
    assert (extra.table, extra.new_cookie, extra.n_packets, extra.n_bytes) == (5, 0x8A2, 12, 3456)
    assert (extra.idle_timeout, extra.flags) == (60, 1)


def test_ports_are_printed_by_name_where_names_are_wanted() -> None:
    text = parse("in_port=4,actset_output=LOCAL").text(names=True)
    assert text == 'actset_output=LOCAL,in_port="odd name"'
    assert rewritten(text) == "actset_output=LOCAL,in_port=4"


@pytest.mark.parametrize(
    ("text", "ofperr"),
    [
        ("tcp,reg0=1", ""),
        ("recirc_id=1", "OFPBRC_EPERM"),
        ("dp_hash=1/1", "OFPBRC_EPERM"),
        ("skb_priority=0", "OFPBMC_BAD_FIELD"),
        ("tun_tos=0", "OFPBMC_BAD_FIELD"),
        ("tun_ttl=1", "OFPBMC_BAD_FIELD"),
    ],
)
def test_rules_from_outside_do_not_match_what_is_the_switchs_own(text: str, ofperr: str) -> None:
    err = ffi.new("struct ofp_error *")
    assert (lib.match_check_rule(parse(text).raw, err) < 0) == bool(ofperr)
    assert ffi.string(lib.ofperr_name(err.ofperr)).decode() == (ofperr or "none")
