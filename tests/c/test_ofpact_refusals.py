"""What actions' text is refused for: field, what was found, way out, and OpenFlow's name where it has one."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from tests.c.support.actions import check_set, parse
from tests.c.support.native import lib

# (text, field of the error, what its message has, OpenFlow's name)
REFUSALS: list[tuple[str, str, str, str]] = [
    ("bogus", "actions", "'bogus'", "none"),
    ("ouput:1", "actions", "'ouput'", "none"),
    ("apply_actions(output:1)", "actions", "apply_actions", "none"),
    ("output:nosuch", "output", "'nosuch'", "none"),
    ("output:70000", "output", "'70000'", "none"),
    ("output(port=1,max_len=13)", "output", "13", "OFPBAC_BAD_ARGUMENT"),
    ("output(port=1,max_len=x)", "output", "'x'", "none"),
    ("output(port=1,max_len=64,colour=red)", "output", "'colour'", "none"),
    ("drop,output:1", "drop", "beside", "none"),
    ("clone(drop,1)", "drop", "beside", "none"),
    ("controller(reason=because)", "controller", "'because'", "none"),
    ("controller(userdata=0)", "controller", "'0'", "none"),
    ("controller(userdata=zz)", "controller", "'zz'", "none"),
    ("controller:65536", "controller", "'65536'", "none"),
    ("enqueue:1", "enqueue", "missing", "none"),
    ("enqueue:nosuch:1", "enqueue", "'nosuch'", "none"),
    ("group:", "group", "''", "none"),
    ("group:-1", "group", "'-1'", "none"),
    ("bundle(eth_src,0,hrw,ofport)", "bundle", "too few", "none"),
    ("bundle(eth_src,0,hrw,port,members:1)", "bundle", "'port'", "none"),
    ("bundle(colour,0,hrw,ofport,members:1)", "bundle", "'colour'", "none"),
    ("bundle(eth_src,0,luck,ofport,members:1)", "bundle", "'luck'", "none"),
    ("bundle_load(eth_src,0,hrw,ofport,reg0[0..14],members:1)", "bundle", "room", "OFPBAC_BAD_ARGUMENT"),
    ("bundle_load(eth_src,0,hrw,ofport,eth_type,members:1)", "eth_type", "", "OFPBAC_BAD_SET_ARGUMENT"),
    ("multipath(eth_src,50,hrw,20,0,reg0[0..3])", "multipath", "room", "OFPBAC_BAD_ARGUMENT"),
    ("multipath(eth_src,50,hrw,0,0,reg0)", "multipath", "no links", "none"),
    ("multipath(eth_src,50,hrw,65537,0,reg0)", "multipath", "'65537'", "none"),
    ("set_field:5", "set_field", "'->'", "none"),
    ("set_field:5->", "set_field", "field", "none"),
    ("set_field:5->colour", "set_field", "'colour'", "none"),
    ("set_field:6->nw_proto", "nw_proto", "read-only", "OFPBAC_BAD_SET_ARGUMENT"),
    ("set_field:3->nw_tos", "nw_tos", "'3'", "none"),
    ("set_field:5->in_port_oxm", "in_port_oxm", "", "OFPBAC_BAD_SET_ARGUMENT"),
    ("load:5->reg0[0..1]", "load", "2 bits", "none"),
    ("load:0x100000000->reg0", "load", "room", "none"),
    ("load:x->reg0", "load", "'x'", "none"),
    ("load:5z->reg0", "load", "'5z'", "none"),
    ("load:5->eth_type", "eth_type", "", "OFPBAC_BAD_SET_ARGUMENT"),
    ("move:reg0[0..3]->reg1[0..4]", "move", "4 bits", "none"),
    ("move:reg0", "move", "'->'", "none"),
    ("pop:eth_type", "eth_type", "", "OFPBAC_BAD_SET_ARGUMENT"),
    ("push:reg0[32]", "", "", "none"),
    ("set_field:1->ct_mark", "ct_mark", "within ct", "OFPBAC_BAD_SET_ARGUMENT"),
    ("clone(load:1->ct_label[0])", "ct_label", "within ct", "OFPBAC_BAD_SET_ARGUMENT"),
    ("mod_vlan_vid:4096", "mod_vlan_vid", "'4096'", "none"),
    ("mod_vlan_pcp:8", "mod_vlan_pcp", "'8'", "none"),
    ("push_vlan:0x800", "push_vlan", "0x800", "OFPBAC_BAD_ARGUMENT"),
    ("push_mpls:0x800", "push_mpls", "0x800", "OFPBAC_BAD_ARGUMENT"),
    ("mod_nw_tos:3", "mod_nw_tos", "0x3", "OFPBAC_BAD_ARGUMENT"),
    ("mod_nw_ecn:4", "mod_nw_ecn", "'4'", "none"),
    ("mod_nw_src:10.0.0", "mod_nw_src", "'10.0.0'", "none"),
    ("mod_dl_src:1:2:3", "mod_dl_src", "'1:2:3'", "none"),
    ("set_mpls_label:0x100000", "set_mpls_label", "'0x100000'", "none"),
    ("dec_ttl(,)", "dec_ttl", "no controller", "none"),
    ("fin_timeout(soft=1)", "fin_timeout", "'soft'", "none"),
    ("resubmit(,)", "resubmit", "same", "none"),
    ("resubmit(,256)", "resubmit", "'256'", "none"),
    ("resubmit(1,2,nat)", "resubmit", "'nat'", "none"),
    ("learn(table=255)", "learn", "'255'", "none"),
    ("learn(colour=1)", "learn", "'colour'", "none"),
    ("learn(eth_dst=reg0[0..3])", "learn", "48 bits", "none"),
    ("learn(reg0[0..1]=4)", "learn", "'4'", "none"),
    ("learn(result_dst=reg0[0..1])", "learn", "reg0[0..1]", "none"),
    ("learn(load:5->eth_type)", "eth_type", "", "OFPBAC_BAD_SET_ARGUMENT"),
    ("learn(priority=x)", "learn", "'x'", "none"),
    ("conjunction(1,3/2)", "conjunction", "clause 3", "NXBAC_BAD_CONJUNCTION"),
    ("conjunction(1,1/1)", "conjunction", "clause 1", "NXBAC_BAD_CONJUNCTION"),
    ("conjunction(1,0/2)", "conjunction", "clause 0", "NXBAC_BAD_CONJUNCTION"),
    ("conjunction(1,1/65)", "conjunction", "65", "NXBAC_BAD_CONJUNCTION"),
    ("conjunction(1)", "conjunction", "'1'", "none"),
    ("conjunction(1,1/2),output:1", "conjunction", "output", "NXBAC_BAD_CONJUNCTION"),
    ("goto_table:1,conjunction(1,1/2)", "conjunction", "goto_table", "NXBAC_BAD_CONJUNCTION"),
    ("note:0", "note", "'0'", "none"),
    ("sample(collector_set_id=1)", "sample", "probability", "OFPBAC_BAD_ARGUMENT"),
    ("ct(commit,alg=irc)", "ct", "'irc'", "none"),
    ("ct(force)", "ct", "commit", "OFPBAC_BAD_ARGUMENT"),
    ("ct(table=255)", "ct", "'255'", "none"),
    ("ct(zone=reg0)", "ct", "16 bits", "OFPBAC_BAD_SET_LEN"),
    ("ct(zone=70000)", "", "", "none"),
    ("ct(exec(set_field:1->ct_mark))", "ct", "commit", "OFPBAC_BAD_ARGUMENT"),
    ("ct(nat(src=1.2.3.4))", "ct", "commit", "OFPBAC_BAD_ARGUMENT"),
    ("ct(commit,exec(set_field:1->reg0))", "ct", "reg0", "OFPBAC_BAD_ARGUMENT"),
    ("ct(commit,exec(output:1))", "ct", "output", "OFPBAC_BAD_ARGUMENT"),
    ("ct(commit,nat(src=1.2.3.4,dst=1.2.3.5))", "nat", "both", "OFPBAC_BAD_ARGUMENT"),
    ("ct(commit,nat(random))", "nat", "src or dst", "OFPBAC_BAD_ARGUMENT"),
    ("ct(commit,nat(src=1.2.3.4,random,hash))", "nat", "both", "OFPBAC_BAD_ARGUMENT"),
    ("ct(commit,nat(src=0.0.0.0))", "nat", "zero", "OFPBAC_BAD_ARGUMENT"),
    ("ct(commit,nat(src=1.2.3.9-1.2.3.4))", "nat", "'1.2.3.9-1.2.3.4'", "none"),
    ("ct(commit,nat(src=1.2.3.4-fc00::1))", "nat", "range", "none"),
    ("ct(commit,nat(src=1.2.3.4:9-3))", "nat", "range", "none"),
    ("ct(commit,nat(src=1.2.3.4:65536))", "nat", "range", "none"),
    ("ct(commit,nat(src=1.2.3.4x))", "nat", "range", "none"),
    ("nat(src=1.2.3.4)", "nat", "outside", "OFPBAC_BAD_SET_ARGUMENT"),
    ("check_pkt_larger(100)->reg0[0..1]", "check_pkt_larger", "2 bits", "OFPBAC_BAD_SET_LEN"),
    ("check_pkt_larger(100)", "check_pkt_larger", "'->'", "none"),
    ("encap(gre)", "encap", "'gre'", "none"),
    ("encap(nsh(md_type=3))", "encap", "'3'", "none"),
    ("encap(nsh(tlv(1,2,3)))", "encap", "TLV", "none"),
    ("encap(ethernet(md_type=1))", "encap", "'md_type'", "none"),
    ("decap(packet_type(ns=5,type=1))", "decap", "'5'", "none"),
    ("decap(colour)", "decap", "'colour'", "none"),
    ("delete_field:reg0", "reg0", "deleted", "OFPBAC_BAD_ARGUMENT"),
    ("load:1->tun_metadata0[32]", "tun_metadata0", "32", "OFPBAC_BAD_SET_LEN"),
    ("load:0x100000000->tun_metadata0", "load", "32 bits", "none"),
    ("move:tun_metadata0->xxreg0", "", "", "none"),
    ("push:tun_metadata0", "tun_metadata0", "32", "OFPBAC_BAD_SET_LEN"),
    ("delete_field:tun_metadata5", "tun_metadata5", "map", "NXFMFC_INVALID_TLV_FIELD"),
    ("move:tun_metadata5[0..7]->reg0[0..7]", "tun_metadata5", "map", "NXFMFC_INVALID_TLV_FIELD"),
    ("delete_field:colour", "delete_field", "'colour'", "none"),
    ("meter:0", "meter", "0", "OFPMMFC_INVALID_METER"),
    ("output:1,meter:1", "meter", "actions", "OFPBAC_UNSUPPORTED_ORDER"),
    ("goto_table:1,goto_table:2", "goto_table", "twice", "OFPBAC_UNSUPPORTED_ORDER"),
    ("clear_actions,output:1", "actions", "clear_actions", "OFPBAC_UNSUPPORTED_ORDER"),
    ("goto_table:1,write_metadata:1", "write_metadata", "goto_table", "OFPBAC_UNSUPPORTED_ORDER"),
    ("clone(meter:1)", "clone", "meter", "OFPBAC_BAD_ARGUMENT"),
    ("clone(goto_table:1)", "goto_table", "no place", "OFPBIC_UNSUP_INST"),
    ("write_actions(clear_actions)", "clear_actions", "no place", "OFPBIC_UNSUP_INST"),
    ("write_actions(note:00)", "write_actions", "note", "OFPBAC_BAD_TYPE"),
    ("write_actions(conjunction(1,1/2))", "write_actions", "conjunction", "OFPBAC_BAD_TYPE"),
    ("goto_table:256", "goto_table", "'256'", "none"),
    ("write_metadata:x", "write_metadata", "'x'", "none"),
    ("unroll_xlate", "actions", "'unroll_xlate'", "none"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def tunnel_option() -> Iterator[None]:
    lib.act_tun_map(True)  # tun_metadata0, of 4 bytes.
    yield
    lib.act_tun_map(False)


@pytest.mark.parametrize(("text", "field", "found", "name"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_wrong_text_is_refused_with_field_what_was_found_and_a_way_out(
    text: str, field: str, found: str, name: str
) -> None:
    answer = parse(text)
    assert answer.code in (-errno.EINVAL, -errno.E2BIG), answer
    assert answer.ofperr == name, answer
    assert answer.field == field or (not field and answer.field), answer
    assert found in answer.message and answer.message and answer.hint, answer


def test_a_misspelt_action_gets_a_suggestion() -> None:
    assert "output" in parse("ouput:1").hint
    assert "set_field" in parse("set_feild:1->reg0").hint
    assert "ovs-actions(7)" in parse("nonsense:1").hint


@pytest.mark.parametrize("text", ["goto_table:1", "clear_actions", "write_actions(1)", "1,write_metadata:1"])
def test_a_bucket_has_no_instructions(text: str) -> None:
    assert parse(text, instructions=False).ofperr == "OFPBIC_UNSUP_INST"
    assert check_set(text).ofperr == "OFPBIC_UNSUP_INST"


def test_a_bucket_takes_actions_and_a_meter() -> None:
    assert parse("meter:1,output:1,clone(2)", instructions=False).code == 0
    assert check_set("meter:1,output:1,clone(2)").code == 0
