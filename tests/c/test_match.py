"""The text of matches: what is refused, how it is said, and what is printed."""

from __future__ import annotations

import pytest

from tests.c.support.native import ffi, lib


def parse(text: str) -> tuple[int, object, int, object]:
    match, priority, err = ffi.new("struct match *"), ffi.new("uint32_t *"), ffi.new("struct ofp_error *")
    code = lib.match_test_parse(text.encode(), match, priority, err)
    return code, match, priority[0], err


def printed(text: str) -> str:
    code, match, priority, err = parse(text)
    assert code == 0, (text, ffi.string(err.message))  # type: ignore[attr-defined]
    out = ffi.new("char[]", 1024)
    assert lib.match_test_format(match, priority, out, len(out)) >= 0
    return bytes(ffi.string(out)).decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("priority=32768", ""),
        ("priority=0", "priority=0"),
        ("table=0,in_port=h2", "in_port=2"),
        ("in_port=LOCAL", "in_port=3"),
        ('in_port="h1"', "in_port=1"),
        ("tcp tp_dst=80", "tcp,tp_dst=80"),
        ("tcp_dst=0x50,tcp", "tcp,tp_dst=80"),
        ("ip,nw_proto=6,tp_src=1", "tcp,tp_src=1"),
        ("dl_type=0x800,nw_proto=17", "udp"),
        ("ip6,ipv6_dst=fd00::/16", "ipv6,ipv6_dst=fd00::/16"),
        ("ip,nw_src=10.1.2.3/8", "ip,nw_src=10.0.0.0/8"),
        ("ip,nw_src=10.1.2.3/255.0.255.0", "ip,nw_src=10.0.2.0/255.0.255.0"),
        ("ip,nw_src=10.1.2.3/0", "ip"),
        ("arp,nw_src=10.0.0.1,arp_op=2", "arp,arp_spa=10.0.0.1,arp_op=2"),
        ("dl_vlan=10,dl_vlan_pcp=3", "dl_vlan=10,dl_vlan_pcp=3"),
        ("dl_vlan=0xffff", "vlan_tci=0x0000"),
        ("vlan_tci=0x1000/0x1000", "vlan_tci=0x1000/0x1000"),
        ("vlan_vid=0x100a/0x1fff", "dl_vlan=10"),
        ("eth_dst=01:00:00:00:00:00/01:00:00:00:00:00", "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"),
        ("eth_type=0x88cc", "dl_type=0x88cc"),
        ("icmp,icmp_type=8,icmp_code=0", "icmp,icmp_type=8,icmp_code=0"),
        ("icmp6,icmpv6_type=135", "icmp6,icmp_type=135"),
        ("ip,ip_dscp=46,nw_ecn=1", "ip,nw_tos=184,nw_ecn=1"),
        ("ip,ip_frag=not_later", "ip,nw_frag=not_later"),
        ("udp6,udp_dst=1000/0xfff8", "udp6,tp_dst=0x3e8/0xfff8"),
        ("tcp,tcp", "tcp"),
        ("ip,nw_src=*,dl_vlan=ANY", "ip"),
    ],
)
def test_text_is_read_and_printed_as_ovs_ofctl_does(text: str, shown: str) -> None:
    assert printed(text) == shown
    assert printed(shown) == shown


@pytest.mark.parametrize(
    ("text", "field", "word"),
    [
        ("priority=65536", "priority", "0 to 65535"),
        ("priority=-1", "priority", "-1"),
        ("priority=", "priority", "''"),
        ("priority", "priority", "no value"),
        ("table=1", "table", "only table 0"),
        ("in_port=0", "in_port", "'0'"),
        ("in_port=256", "in_port", "'256'"),
        ("in_port=h9", "in_port", "'h9'"),
        ("in_port=1/1", "in_port", "mask"),
        ("dl_src=02:00:00:00:00", "dl_src", "02:00:00:00:00'"),
        ("dl_src=02:00:00:00:00:01:02", "dl_src", "found"),
        ("dl_src=02:00:00:00:00:0g", "dl_src", "found"),
        ("dl_dst=02:00:00:00:00:01/ff", "dl_dst", "found"),
        ("dl_vlan=4096", "dl_vlan", "0 to 4095"),
        ("dl_vlan_pcp=8", "dl_vlan_pcp", "0 to 7"),
        ("nw_src=10.0.0.1", "nw_src", "add ip"),
        ("ipv6,nw_src=10.0.0.1", "nw_src", "add ip"),
        ("ip,nw_src=10.0.0.1/33", "nw_src", "found"),
        ("ip,nw_src=10.0.0.256", "nw_src", "found"),
        ("ip,nw_src=10.0.0.1/", "nw_src", "found"),
        ("ip,ipv6_src=::1", "ipv6_src", "add ipv6"),
        ("ipv6,ipv6_src=::1/129", "ipv6_src", "found"),
        ("tp_dst=80", "tp_dst", "add tcp"),
        ("ip,tp_dst=80", "tp_dst", "add tcp"),
        ("udp,tcp_dst=80", "tcp_dst", "add tcp"),
        ("tcp,tp_dst=65536", "tp_dst", "65535"),
        ("tcp,tp_dst=0x", "tp_dst", "0x"),
        ("tcp,ip_frag=later,tp_dst=80", "tp_dst", "later fragments"),
        ("icmp,icmp_type=256", "icmp_type", "255"),
        ("ip,nw_tos=1", "nw_tos", "lowest bits"),
        ("ip,ip_frag=maybe", "nw_frag", "not_later"),
        ("arp_op=1", "arp_op", "add arp"),
        ("ip,arp", "arp", "contradicts"),
        ("tcp,nw_proto=17", "nw_proto", "contradicts"),
        ("tcp=1", "tcp", "leave out"),
        ("nw_scr=1", "nw_scr", "nw_src"),
        ("metadata=1", "metadata", "leave it out"),
        ("idle_timeout=10", "idle_timeout", "leave it out"),
        ("nonsense_that_is_far_too_long_to_be_anything=1", "nonsense_that_is_far", "no field"),
    ],
)
def test_an_error_names_the_field_what_was_found_and_the_way_out(text: str, field: str, word: str) -> None:
    code, _, _, err = parse(text)
    assert code == -22
    said = [bytes(ffi.string(getattr(err, part))).decode() for part in ("field", "message", "hint")]
    assert said[0].startswith(field)
    assert said[1] and said[2]
    assert word in " ".join(said[1:])


def test_a_text_without_end_is_refused() -> None:
    code, _, _, err = parse("in_port=1," * 2000)
    assert code == -7
    assert b"longer" in ffi.string(err.message)  # type: ignore[attr-defined]
