"""Values of fields in a key, masks of them, and their text: every field against Python's numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.fields import (
    FLOW_BYTES,
    Field,
    Refused,
    all_fields,
    bytes_of,
    find,
    flow_of,
    packet,
    tun_map,
)
from tests.c.support.native import ffi, lib

FIELDS = all_fields()
TLV_MAP = "{class=0x102,type=0x80,len=4}->tun_metadata0,{class=0x102,type=1,len=124}->tun_metadata5"
flow_bytes = st.one_of(st.just(bytes(FLOW_BYTES)), st.binary(min_size=FLOW_BYTES, max_size=FLOW_BYTES))
field = st.sampled_from(FIELDS)
PORTS = ("in_port", "in_port_oxm", "actset_output")  # Never in part, and of two widths.
FRAGMENTS = {(0, 3), (1, 3), (3, 3), (1, 1), (0, 2)}  # (value, mask): the others have no word.


@pytest.fixture(autouse=True, scope="module")
def options() -> Iterator[None]:
    with tun_map(TLV_MAP):
        yield


def one_of_its_values(f: Field, number: int) -> int:
    """A value that the field may have, from any number."""
    number &= f.all_bits
    if f.name in ("in_port_oxm", "actset_output"):
        return number & 0x7FFF if number & 1 else 0xFFFFFF00 | number & 0xFF
    if f.name == "nsh_ttl":
        return number % 64
    return 1 + number % 2 if f.name == "nsh_mdtype" else number


@st.composite
def valued(draw: st.DrawFn) -> tuple[Field, int]:
    f = draw(field)
    top = f.all_bits
    number = draw(st.one_of(st.just(0), st.just(top), st.integers(0, top), st.integers(0, min(top, 7))))
    return f, one_of_its_values(f, number)


# -- in a key -------------------------------------------------------------------------------------


@given(valued(), flow_bytes)
def test_what_is_set_is_what_is_got(case: tuple[Field, int], before: bytes) -> None:
    f, number = case
    flow = flow_of(before)
    f.set(flow, number)
    assert f.get(flow) == (number if f.is_mapped else 0)
    assert lib.mf_is_zero(f.raw, flow) == (f.get(flow) == 0)


@given(valued(), flow_bytes)
def test_setting_touches_the_bits_that_the_mask_has_and_no_others(
    case: tuple[Field, int], before: bytes
) -> None:
    f, number = case
    flow, wc = flow_of(before), flow_of()
    f.set(flow, number)
    f.mask(wc)
    wc.vlans[0].tpid = 0xFFFF if "vlan" in f.name else 0  # A tag gets a type, and loses it.
    assert all((a ^ b) & ~m == 0 for a, b, m in zip(before, bytes_of(flow), bytes_of(wc), strict=True)), (
        f.name
    )


@given(field, flow_bytes, st.integers(0, 2**992 - 1), st.integers(0, 2**992 - 1))
def test_setting_under_a_mask_keeps_the_other_bits(f: Field, before: bytes, value: int, mask: int) -> None:
    flow = flow_of(before)
    old = one_of_its_values(f, f.get(flow))
    f.set(flow, old)
    value, mask = one_of_its_values(f, value), mask & f.all_bits
    wanted = old & ~mask | value & mask
    if not f.is_valid(wanted):
        return
    f.set(flow, value, mask)
    assert f.get(flow) == (wanted if f.is_mapped else 0)


@given(field, st.integers(0, 2**992 - 1), flow_bytes)
def test_masking_adds_the_bits_of_the_mask(f: Field, mask: int, before: bytes) -> None:
    if f.name in PORTS:
        mask = f.all_bits
    wc = flow_of(before)
    was = f.get(wc)
    mask &= f.all_bits
    f.mask(wc, mask)
    assert f.get(wc) == (was | mask if f.is_mapped else 0)
    assert all(a & ~b == 0 for a, b in zip(before, bytes_of(wc), strict=True))


def test_an_exact_mask_takes_the_whole_member_that_the_field_is_in() -> None:
    wc = flow_of()
    find("icmp_type").mask(wc)
    assert wc.tp_src == 0xFFFF
    find("in_port").mask(wc)
    assert wc.in_port == 0xFFFFFFFF


def test_registers_are_seen_in_three_widths() -> None:
    flow = flow_of()
    find("xxreg1").set(flow, 0x11111111_22222222_33333333_44444444)
    assert [hex(reg) for reg in flow.regs[4:8]] == ["0x11111111", "0x22222222", "0x33333333", "0x44444444"]
    assert find("xreg2").get(flow) == 0x11111111_22222222
    find("xreg3").set(flow, 5)
    assert find("xxreg1").get(flow) == 0x11111111_22222222_00000000_00000005
    find("reg6").set(flow, 7)
    assert find("xreg3").get(flow) == 7 << 32 | 5


def test_the_tag_is_seen_in_six_ways() -> None:
    flow = flow_of()
    names = ("vlan_tci", "dl_vlan", "vlan_vid", "dl_vlan_pcp", "vlan_pcp")

    def seen() -> list[int]:
        return [find(name).get(flow) for name in names]

    find("dl_vlan").set(flow, 10)
    assert seen() == [0x100A, 10, 0x100A, 0, 0]
    assert lib.mf_are_prereqs_ok(find("vlan_pcp").raw, flow, ffi.NULL)
    assert bytes(ffi.buffer(flow.vlans))[:2] == b"\x81\x00"
    find("vlan_pcp").set(flow, 3)
    assert seen() == [0x700A, 10, 0x100A, 3, 3]
    find("vlan_vid").set(flow, 0x1014)
    assert seen() == [0x7014, 20, 0x1014, 3, 3]
    find("dl_vlan").set(flow, 0xFFFF)  # OpenFlow 1.0's "no tag".
    assert seen() == [0] * 5 and flow.vlans[0].tpid == 0


def test_dscp_and_ecn_share_a_byte_and_dscp_has_two_scales() -> None:
    flow = flow_of()
    find("nw_tos").set(flow, 184)
    find("nw_ecn").set(flow, 2)
    assert (flow.nw_tos, find("nw_tos").get(flow), find("ip_dscp").get(flow)) == (186, 184, 46)
    find("ip_dscp").set(flow, 10)
    assert flow.nw_tos == 42


def test_the_label_stack_entry_has_four_fields() -> None:
    flow = flow_of()
    for name, number in (("mpls_label", 0x12345), ("mpls_tc", 5), ("mpls_bos", 1), ("mpls_ttl", 64)):
        find(name).set(flow, number)
    assert bytes(ffi.buffer(flow.mpls_lse))[:4].hex() == "12345b40"


def test_ports_above_the_ordinary_ones_are_wider_in_openflow_1_1() -> None:
    flow = flow_of()
    find("in_port_oxm").set(flow, 0xFFFFFFFE)
    assert (flow.in_port, find("in_port").get(flow)) == (0xFFFE, 0xFFFE)
    find("in_port").set(flow, 7)
    assert find("in_port_oxm").get(flow) == 7
    assert not find("in_port_oxm").is_valid(0x10000) and not find("actset_output").is_valid(0xFFFFFEFF)


def test_tunnel_options_lie_where_the_map_puts_them() -> None:
    flow = flow_of()
    find("tun_metadata5").set(flow, 1)
    find("tun_metadata0").set(flow, 0x01020304)
    assert flow.tunnel.opts_present == 1 << 5 | 1
    assert bytes(flow.tunnel.opts[0:4]) == b"\1\2\3\4" and flow.tunnel.opts[4 + 123] == 1
    find("tun_metadata1").set(flow, 9)
    assert flow.tunnel.opts_present == 1 << 5 | 1 and find("tun_metadata1").get(flow) == 0


# -- prerequisites --------------------------------------------------------------------------------


PACKETS: dict[str, dict[str, int]] = {
    "tcp": {"eth_type": 0x0800, "nw_proto": 6},
    "tcp6": {"eth_type": 0x86DD, "nw_proto": 6},
    "later": {"eth_type": 0x0800, "nw_proto": 6, "ip_frag": 3},
    "first": {"eth_type": 0x0800, "nw_proto": 6, "ip_frag": 1},
    "udp": {"eth_type": 0x0800, "nw_proto": 17},
    "sctp": {"eth_type": 0x86DD, "nw_proto": 132},
    "icmp": {"eth_type": 0x0800, "nw_proto": 1},
    "icmp6": {"eth_type": 0x86DD, "nw_proto": 58},
    "ns": {"eth_type": 0x86DD, "nw_proto": 58, "icmpv6_type": 135},
    "na": {"eth_type": 0x86DD, "nw_proto": 58, "icmpv6_type": 136},
    "ns_code": {"eth_type": 0x86DD, "nw_proto": 58, "icmpv6_type": 135, "icmpv6_code": 1},
    "arp": {"eth_type": 0x0806},
    "rarp": {"eth_type": 0x8035},
    "mpls": {"eth_type": 0x8847},
    "mplsm": {"eth_type": 0x8848},
    "nsh": {"eth_type": 0x894F},
    "tag": {"dl_vlan": 5},
    "bare_ip": {"packet_type": 0x1_0800, "nw_proto": 6},
    "bare_other": {"packet_type": 0x2_0800, "nw_proto": 6},
    "tracked": {"ct_state": 0x22},
    "invalid": {"ct_state": 0x30},
}


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("reg0", set(PACKETS)),
        ("eth_src", set(PACKETS) - {"bare_ip", "bare_other"}),
        ("vlan_pcp", {"tag"}),
        ("nw_src", {"tcp", "later", "first", "udp", "icmp", "bare_ip"}),
        ("ipv6_label", {"tcp6", "sctp", "icmp6", "ns", "na", "ns_code"}),
        (
            "nw_ttl",
            {
                "tcp",
                "tcp6",
                "later",
                "first",
                "udp",
                "sctp",
                "icmp",
                "icmp6",
                "ns",
                "na",
                "ns_code",
                "bare_ip",
            },
        ),
        ("tcp_dst", {"tcp", "tcp6", "first", "bare_ip"}),
        ("tcp_flags", {"tcp", "tcp6", "first", "bare_ip"}),
        ("udp_src", {"udp"}),
        ("sctp_src", {"sctp"}),
        ("icmp_type", {"icmp"}),
        ("icmpv6_code", {"icmp6", "ns", "na", "ns_code"}),
        ("nd_target", {"ns", "na"}),
        ("nd_sll", {"ns"}),
        ("nd_tll", {"na"}),
        ("arp_op", {"arp", "rarp"}),
        ("mpls_label", {"mpls", "mplsm"}),
        ("nsh_si", {"nsh"}),
        ("ct_nw_src", {"tracked"}),
    ],
)
def test_a_field_belongs_to_packets_of_its_protocol(name: str, who: set[str]) -> None:
    found = {
        p
        for p, members in PACKETS.items()
        if lib.mf_are_prereqs_ok(find(name).raw, packet(**members), ffi.NULL)
    }
    assert found == who


@given(st.sampled_from(sorted(PACKETS)), field, flow_bytes)
def test_the_answer_depends_on_the_bits_that_were_looked_at_alone(name: str, f: Field, noise: bytes) -> None:
    flow, wc = packet(**PACKETS[name]), flow_of()
    answer = lib.mf_are_prereqs_ok(f.raw, flow, wc)
    mixed = bytes(a & m | b & ~m & 0xFF for a, b, m in zip(bytes_of(flow), noise, bytes_of(wc), strict=True))
    assert lib.mf_are_prereqs_ok(f.raw, flow_of(mixed), ffi.NULL) == answer


# -- text -----------------------------------------------------------------------------------------


@given(valued())
def test_a_value_in_text_reads_back(case: tuple[Field, int]) -> None:
    f, number = case
    if not f.is_mapped:
        with pytest.raises(Refused, match="TLV map"):
            f.parse("1")
        return
    if f.name in PORTS and 0xFF00 <= number & 0xFFFF < 0xFFF7:
        return  # Numbers between ports and reserved ones read as 16 bits.
    if f.name == "ip_frag" and (number, 3) not in FRAGMENTS:
        return
    value, mask = f.parse(f.text(number))
    assert (value, mask) == (number, f.all_bits)


@given(field, st.integers(0, 2**992 - 1), st.integers(0, 2**992 - 1))
def test_a_masked_value_in_text_reads_back(f: Field, value: int, mask: int) -> None:
    if not f.maskable or not f.is_mapped:
        return
    mask &= f.all_bits
    value &= mask
    text = f.text(value, mask)
    if mask == 0:
        assert text == "ANY" and f.parse("ANY") == f.parse("*") == (0, 0)
    elif f.name != "ip_frag" or (value, mask) in FRAGMENTS:
        assert f.parse(text) == (value, mask)
