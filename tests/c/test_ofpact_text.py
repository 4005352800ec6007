"""Actions as text: every action of ovs-actions(7) reads, prints in its normal form, reads back the same."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from tests.c.support.actions import parse
from tests.c.support.native import ffi, lib
from tests.differential.strategies_actions import action_rules
from tests.differential.strategies_space import ActionRule, Space

# (text, normal form; the same if none)
ROUND_TRIPS: list[tuple[str, str]] = [
    ("output:1", ""),
    ("1", "output:1"),
    ("output=2", "output:2"),
    ("OUTPUT:1", "output:1"),
    ("h2", "output:2"),
    ("output:65528", "IN_PORT"),
    ("in_port,Local,NORMAL,flood,ALL,table", "IN_PORT,LOCAL,NORMAL,FLOOD,ALL,TABLE"),
    ("output:reg0[0..15]", "output:NXM_NX_REG0[0..15]"),
    ("output:NXM_NX_REG1[]", ""),
    ("output(max_len=100,port=LOCAL)", "output(port=LOCAL,max_len=100)"),
    ("controller", "CONTROLLER:65535"),
    ("CONTROLLER:100", ""),
    ("output:CONTROLLER", "CONTROLLER:65535"),
    ("controller(max_len=100)", "CONTROLLER:100"),
    ("controller(reason=no_match,max_len=5,id=3,userdata=00.01.fF,pause,meter_id=4)",
     "controller(reason=no_match,max_len=5,id=3,userdata=00.01.ff,pause,meter_id=4)"),
    ("controller(userdata=)", "CONTROLLER:65535"),
    ("enqueue:1:2", ""),
    ("enqueue(LOCAL,0x3)", "enqueue:LOCAL:3"),
    ("group:5", ""),
    ("bundle(symmetric_l3l4+udp,5,hrw,ofport,slaves:[1,h2,LOCAL])",
     "bundle(symmetric_l3l4+udp,5,hrw,ofport,members:1,2,LOCAL)"),
    ("bundle(eth_src,0,active_backup,ofport,members:)", ""),
    ("bundle_load(nw_src,0,hrw,ofport,reg0[0..15],members:1)",
     "bundle_load(nw_src,0,hrw,ofport,NXM_NX_REG0[0..15],members:1)"),
    ("set_field:5->reg0", "set_field:0x5->reg0"),
    ("set_field:0x12/0xf->reg0", "set_field:0x2/0xf->reg0"),
    ("set_field:10.1.2.3/8->nw_src", "set_field:10.0.0.0/8->ip_src"),
    ("set_field:00:11:22:33:44:55/ff:ff:ff:00:00:00->eth_src",
     "set_field:00:11:22:00:00:00/ff:ff:ff:00:00:00->eth_src"),
    ("set_field:5->vlan_vid", "set_field:4101->vlan_vid"),
    ("set_field:fe80::1->NXM_NX_IPV6_SRC", "set_field:fe80::1->ipv6_src"),
    ("load:5->reg0[3..5]", "load:0x5->NXM_NX_REG0[3..5]"),
    ("load:0->xreg1", "load:0->OXM_OF_PKT_REG1[]"),
    ("load:0x1234567890abcdef123->xxreg0[]",
     "load:0x4567890abcdef123->NXM_NX_XXREG0[0..63],load:0x123->NXM_NX_XXREG0[64..127]"),
    ("load:5->tun_metadata0,load:1->tun_metadata0[31]",
     "set_field:0x5->tun_metadata0,set_field:0x80000000/0x80000000->tun_metadata0"),
    ("move:reg0[]->reg1", "move:NXM_NX_REG0[]->NXM_NX_REG1[]"),
    ("move:eth_src[0..7]->reg1[8..15]", "move:NXM_OF_ETH_SRC[0..7]->NXM_NX_REG1[8..15]"),
    ("push:reg0[3]", "push:NXM_NX_REG0[3]"),
    ("pop:NXM_NX_REG1[]", ""),
    ("mod_vlan_vid:5", ""),
    ("mod_vlan_pcp:0x7", "mod_vlan_pcp:7"),
    ("set_vlan_vid:4095", ""),
    ("set_vlan_pcp:0", ""),
    ("strip_vlan", ""),
    ("pop_vlan", ""),
    ("push_vlan:0x88a8", ""),
    ("push_vlan:33024", "push_vlan:0x8100"),
    ("mod_dl_src:00:01:02:03:04:05", ""),
    ("mod_dl_dst:FF:ff:ff:ff:ff:fE", "mod_dl_dst:ff:ff:ff:ff:ff:fe"),
    ("mod_nw_src:1.2.3.4", ""),
    ("mod_nw_dst:255.0.0.1", ""),
    ("mod_nw_tos:252", ""),
    ("mod_nw_ecn:3", ""),
    ("mod_nw_ttl:255", ""),
    ("set_nw_ttl:5", "mod_nw_ttl:5"),
    ("mod_tp_src:80", ""),
    ("mod_tp_dst:0x50", "mod_tp_dst:80"),
    ("set_tunnel:0x5", ""),
    ("set_tunnel:5", "set_tunnel:0x5"),
    ("set_tunnel:0x100000000", "set_tunnel64:0x100000000"),
    ("set_tunnel64:5", "set_tunnel64:0x5"),
    ("set_queue:7", ""),
    ("pop_queue", ""),
    ("fin_timeout(hard_timeout=3,idle_timeout=1)", "fin_timeout(idle_timeout=1,hard_timeout=3)"),
    ("fin_timeout(hard_timeout=3)", ""),
    ("fin_timeout()", ""),
    ("push_mpls:0x8847", ""),
    ("pop_mpls:0x800", "pop_mpls:0x0800"),
    ("set_mpls_label:1048575", "set_mpls_label(1048575)"),
    ("set_mpls_tc(3)", ""),
    ("set_mpls_ttl(7)", ""),
    ("dec_mpls_ttl", ""),
    ("dec_ttl", ""),
    ("dec_ttl()", "dec_ttl"),
    ("dec_ttl(1, 2,3)", "dec_ttl(1,2,3)"),
    ("dec_nsh_ttl", ""),
    ("resubmit:1", ""),
    ("resubmit(1,)", "resubmit:1"),
    ("resubmit(1,2)", ""),
    ("resubmit(,2)", ""),
    ("resubmit(IN_PORT,2,ct)", "resubmit(,2,ct)"),
    ("resubmit(1,,ct)", ""),
    ("learn(table=2,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])", ""),
    ("learn(cookie=0x7,limit=5,priority=10,result_dst=reg0[3],delete_learned,send_flow_rem,hard_timeout=2,"
     "idle_timeout=1,fin_idle_timeout=3,fin_hard_timeout=4)",
     "learn(table=1,idle_timeout=1,hard_timeout=2,fin_idle_timeout=3,fin_hard_timeout=4,priority=10,"
     "send_flow_rem,delete_learned,cookie=0x7,limit=5,result_dst=NXM_NX_REG0[3])"),
    ("learn(eth_type=0x800,nw_proto=6,tcp_dst=80,reg0[0..3]=5,in_port=h1,load:10->reg1[0..11],"
     "load:reg2[0..15]->reg3[16..31])",
     "learn(table=1,eth_type=0x800,nw_proto=6,tcp_dst=80,NXM_NX_REG0[0..3]=0x5,in_port=1,"
     "load:0xa->NXM_NX_REG1[0..11],load:NXM_NX_REG2[0..15]->NXM_NX_REG3[16..31])"),
    ("conjunction(1,2/3)", ""),
    ("conjunction(0x10, 1 / 2),note:", "conjunction(16,1/2),note:00.00.00.00.00.00"),
    ("multipath(nw_src,50,iter_hash,6,10,reg0)", "multipath(nw_src,50,iter_hash,6,10,NXM_NX_REG0[])"),
    ("note:00.112233", "note:00.11.22.33.00.00"),
    ("note:01.02.03.04.05.06.07", "note:01.02.03.04.05.06.07.00.00.00.00.00.00.00"),
    ("exit", ""),
    ("sample(probability=1)", "sample(probability=1,collector_set_id=0,obs_domain_id=0,obs_point_id=0)"),
    ("sample(probability=65535,obs_point_id=4,obs_domain_id=3,collector_set_id=2,sampling_port=1,egress)",
     "sample(probability=65535,collector_set_id=2,obs_domain_id=3,obs_point_id=4,sampling_port=1,egress)"),
    ("ct()", ""),
    ("ct(zone=5,table=3,commit,alg=ftp,force)", "ct(commit,force,table=3,zone=5,alg=ftp)"),
    ("ct(commit,zone=reg0[0..15],exec(set_field:1/1->ct_label,load:5->ct_mark))",
     "ct(commit,zone=NXM_NX_REG0[0..15],exec(set_field:0x1/0x1->ct_label,load:0x5->NXM_NX_CT_MARK[]))"),
    ("ct(nat)", ""),
    ("ct(commit,nat(src=10.0.0.1-10.0.0.1:80-80,random,persistent))",
     "ct(commit,nat(src=10.0.0.1:80,persistent,random))"),
    ("ct(commit,nat(dst=10.0.0.1-10.0.0.9:100-200,hash),exec(move:reg0[]->ct_mark[]))",
     "ct(commit,nat(dst=10.0.0.1-10.0.0.9:100-200,hash),exec(move:NXM_NX_REG0[]->NXM_NX_CT_MARK[]))"),
    ("ct(commit,nat(src=[fc00::1]-[fc00::9]:80))", ""),
    ("ct(commit,nat(src=fc00::1-fc00::9))", ""),
    ("ct(commit,nat(src))", ""),
    ("ct_clear", ""),
    ("clone(output:1,clone(2,set_field:1->reg0))", "clone(output:1,clone(output:2,set_field:0x1->reg0))"),
    ("clone()", "clone(drop)"),
    ("check_pkt_larger(1500)->reg0[0]", "check_pkt_larger(1500)->NXM_NX_REG0[0]"),
    ("check_pkt_larger:100->reg0[1]", "check_pkt_larger(100)->NXM_NX_REG0[1]"),
    ("encap(nsh(tlv(0x1000,10,0x012345),md_type=2,tlv(0x100,2,0xabcdef12)))",
     "encap(nsh(md_type=2,tlv(0x1000,10,0x012345),tlv(0x0100,2,0xabcdef12)))"),
    ("encap(nsh())", "encap(nsh)"),
    ("encap(ethernet),encap(mpls),encap(mpls_mc)", ""),
    ("decap", "decap()"),
    ("decap(packet_type(ns=0,type=0xfffe))", "decap()"),
    ("decap(packet_type(ns=1,type=35151))", "decap(packet_type(ns=1,type=0x894f))"),
    ("delete_field:tun_metadata0", ""),
    ("debug_recirc", ""),
    ("meter:1,output:1", ""),
    ("clear_actions", ""),
    ("write_actions(output:1,set_field:1->reg0)", "write_actions(output:1,set_field:0x1->reg0)"),
    ("write_actions()", "write_actions(drop)"),
    ("write_metadata:5", "write_metadata:0x5"),
    ("write_metadata:0x12/0xff", ""),
    ("write_metadata:-1/-1", "write_metadata:0xffffffffffffffff"),
    ("goto_table:254", ""),
    ("meter:1,1,clear_actions,write_actions(2),write_metadata:1,goto_table:3",
     "meter:1,output:1,clear_actions,write_actions(output:2),write_metadata:0x1,goto_table:3"),
    ("drop", ""),
    ("", "drop"),
    (" ,\t1 , , 2\n", "output:1,output:2"),
    ("exit:5,exit(5)", "exit,exit"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def tunnel_option() -> Iterator[None]:
    lib.act_tun_map(True)  # tun_metadata0
    yield
    lib.act_tun_map(False)


@pytest.mark.parametrize(
    ("text", "normal"), ROUND_TRIPS, ids=[text[:40] or "nothing" for text, _ in ROUND_TRIPS]
)
def test_an_action_prints_in_its_normal_form_and_reads_back_the_same(text: str, normal: str) -> None:
    answer = parse(text)
    assert (answer.code, answer.text) == (0, normal or text), answer.message


def test_every_action_has_a_round_trip_here() -> None:
    seen = {parse(text).first_type for text, _ in ROUND_TRIPS} | {parse("nat").first_type}
    inside = {lib.OFPACT_UNROLL}  # Never in a text.
    missing = set(range(lib.ofpact_count())) - seen - inside
    names = {ffi.string(lib.ofpact_name_of(kind)).decode() for kind in missing}
    assert names == {"nat"}, "nat alone cannot begin a list"


@given(
    action_rules(Space(groups=(1, 2), meters=(1,), ct=True, tunnel=True, nsh=True), with_instructions=True)
)
@settings(max_examples=200, deadline=None)
def test_random_lists_read_back_the_same(rule: ActionRule) -> None:
    answer = parse(rule.actions)
    assert answer.code == 0, (answer, rule.actions)
    again = parse(answer.text)
    assert again.text == answer.text, "the normal form is a fixed point"


def test_ports_print_by_name_when_there_are_names() -> None:
    text = "output:1,output:2,enqueue:1:3,resubmit(2,5),output(port=1,max_len=20),output:7"
    answer = parse(text, names=True)
    assert (
        answer.text == "output:h1,output:h2,enqueue:h1:3,resubmit(h2,5),output(port=h1,max_len=20),output:7"
    )
    assert answer.code == 0


def test_a_port_whose_name_would_read_as_something_else_stands_in_quotes() -> None:
    answer = parse('output:4,"a,b",output:5,output:LOCAL', names=True)
    assert (answer.code, answer.text) == (0, 'output:"a,b",output:"a,b",output:"LOCAL",LOCAL')


@pytest.mark.parametrize(("a", "b", "equal"), [
    ("output:1,2", "1 , output:2", True),
    ("resubmit(1,)", "resubmit:1", True),
    ("ct(zone=3,commit)", "ct(commit,zone=3)", True),
    ("set_field:0x5/0xffffffff->reg0", "set_field:5->reg0", True),
    ("set_field:5->reg0", "load:5->reg0", False),
    ("strip_vlan", "pop_vlan", False),
    ("output:1", "output:2", False),
])  # fmt: skip
def test_lists_are_equal_when_they_print_the_same(a: str, b: str, equal: bool) -> None:
    assert lib.act_equal(a.encode(), b.encode()) == equal


def test_a_list_that_does_not_fit_is_refused_by_name() -> None:
    answer = parse(",".join(["set_field:0xffffffff->reg0"] * 3000))
    assert (answer.code, answer.field) == (-errno.E2BIG, "actions")
    whole = parse(",".join(["1"] * 8000))
    assert (whole.code, whole.bytes) == (0, 64000)


def test_lists_nest_a_hundred_deep_and_no_deeper() -> None:
    def nested(depth: int) -> str:
        return "clone(" * depth + "1" + ")" * depth

    assert parse(nested(99)).code == 0
    assert "nest" in parse(nested(100)).message
    assert parse("clone(" * 50000).code < 0
