"""Do actions fit the match? Prerequisites are followed through the list: what an action makes of the packet
counts for those behind it.
"""

from __future__ import annotations

import pytest

from tests.c.support.actions import check

INCONSISTENT = "OFPBAC_MATCH_INCONSISTENT"
BAD_PORT = "OFPBAC_BAD_OUT_PORT"
BAD_TABLE = "OFPBIC_BAD_TABLE_ID"

# (match, actions, refusal, refusal in OpenFlow 1.1 and later; "=" the same)
CASES: list[tuple[str, str, str, str]] = [
    # set_field and load need the field.
    ("tcp", "set_field:80->tcp_dst", "", "="),
    ("", "set_field:80->tcp_dst", INCONSISTENT, "="),
    ("udp", "set_field:80->tcp_dst", INCONSISTENT, "="),
    ("ip", "load:1->NXM_OF_TCP_DST[]", INCONSISTENT, "="),
    ("tcp,nw_frag=later", "set_field:80->tcp_dst", INCONSISTENT, "="),
    ("ipv6", "set_field:10.0.0.1->ip_dst", INCONSISTENT, "="),
    ("arp", "set_field:10.0.0.1->arp_spa", "", "="),
    ("icmp6,icmp_type=135", "set_field:fe80::1->nd_target", "", "="),
    ("icmp6", "set_field:fe80::1->nd_target", INCONSISTENT, "="),
    ("ct_state=+trk-inv,ip", "move:ct_nw_src->reg0", "", "="),
    ("ip", "move:ct_nw_src->reg0", INCONSISTENT, "="),
    # Sources and destinations of other actions.
    ("", "move:ip_src->reg0", INCONSISTENT, "="),
    ("ip", "move:ip_src->reg0,push:ip_dst,pop:ip_src", "", "="),
    ("", "push:ip_dst", INCONSISTENT, "="),
    ("", "pop:ip_dst", INCONSISTENT, "="),
    ("", "output:tcp_src", INCONSISTENT, "="),
    ("ip", "multipath(nw_src,0,hrw,2,0,tcp_src)", INCONSISTENT, "="),
    ("ip", "bundle_load(nw_src,0,hrw,ofport,tcp_src,members:1)", INCONSISTENT, "="),
    # VLAN tags come and go.
    ("", "set_field:5->vlan_vid", INCONSISTENT, "="),
    ("dl_vlan=1", "set_field:5->vlan_vid", "", "="),
    ("vlan_tci=0x1000/0x1000", "set_field:5->vlan_vid", "", "="),
    ("", "push_vlan:0x8100,set_field:5->vlan_vid", "", "="),
    ("", "mod_vlan_vid:5,set_field:3->vlan_pcp", "", "="),
    ("", "set_field:0x1005->vlan_tci,set_field:5->vlan_vid", "", "="),
    ("dl_vlan=1", "pop_vlan,set_field:5->vlan_vid", INCONSISTENT, "="),
    ("dl_vlan=1", "set_field:0->vlan_tci,set_field:5->vlan_vid", INCONSISTENT, "="),
    ("dl_vlan=1", "push_vlan:0x8100,pop_vlan,set_field:5->vlan_vid", "", "="),
    ("", "push_vlan:0x8100,push_vlan:0x8100", "", "="),
    ("dl_vlan=1", "push_vlan:0x8100,push_vlan:0x8100", "OFPBAC_BAD_TAG", "="),
    ("", "set_vlan_vid:5", "", INCONSISTENT),
    ("dl_vlan=1", "set_vlan_vid:5", "", "="),
    ("", "mod_vlan_vid:5", "", "="),
    ("", "strip_vlan", "", INCONSISTENT),
    ("dl_vlan=1", "strip_vlan", "", "="),
    # MPLS hides what is below.
    ("ip", "push_mpls:0x8847,set_field:10.0.0.1->ip_dst", INCONSISTENT, "="),
    ("ip", "push_mpls:0x8847,set_field:5->mpls_label,dec_mpls_ttl", "", "="),
    ("tcp", "push_mpls:0x8847,pop_mpls:0x0800,set_field:10.0.0.1->ip_dst", "", "="),
    ("tcp", "push_mpls:0x8847,pop_mpls:0x0800,set_field:80->tcp_dst", INCONSISTENT, "="),
    ("mpls", "pop_mpls:0x0800,dec_ttl", "", "="),
    ("ip", "pop_mpls:0x0800", "", INCONSISTENT),
    ("ip", "set_mpls_ttl(5)", "", INCONSISTENT),
    ("ip", "dec_mpls_ttl", "", INCONSISTENT),
    # What does nothing to a packet that does not fit.
    ("", "mod_nw_src:1.2.3.4", "", INCONSISTENT),
    ("ipv6", "mod_nw_src:1.2.3.4", "", INCONSISTENT),
    ("ip", "mod_nw_src:1.2.3.4", "", "="),
    ("arp", "mod_nw_tos:12", "", INCONSISTENT),
    ("ipv6", "mod_nw_tos:12,dec_ttl,mod_nw_ttl:1,mod_nw_ecn:1", "", "="),
    ("ip", "mod_tp_dst:80", "", INCONSISTENT),
    ("sctp", "mod_tp_dst:80", "", "="),
    ("udp", "fin_timeout(idle_timeout=1)", "", INCONSISTENT),
    ("tcp6", "fin_timeout(idle_timeout=1)", "", "="),
    # OpenFlow 1.0 has no push_vlan, encap or meter: a list with one of them must fit.
    ("", "push_vlan:0x8100,dec_ttl", INCONSISTENT, "="),
    ("", "meter:1,dec_ttl", INCONSISTENT, "="),
    ("ip", "push_vlan:0x8100,dec_ttl", "", "="),
    # Encapsulation.
    ("ip", "encap(nsh),set_field:5->nsh_ttl,dec_nsh_ttl", "", "="),
    ("ip", "encap(nsh),set_field:10.0.0.1->ip_dst", INCONSISTENT, "="),
    ("ip", "encap(nsh),set_field:00:00:00:00:00:01->eth_dst", INCONSISTENT, "="),
    ("ip", "encap(nsh),encap(ethernet),set_field:00:00:00:00:00:01->eth_dst", "", "="),
    ("ip", "decap(),set_field:10.0.0.1->ip_dst", "", "="),
    ("ip", "decap(),decap(),set_field:10.0.0.1->ip_dst", INCONSISTENT, "="),
    ("ip", "dec_nsh_ttl", "", INCONSISTENT),
    # Lists within: what they do to the packet ends with them.
    ("", "clone(push_vlan:0x8100,set_field:5->vlan_vid)", "", "="),
    ("", "clone(push_vlan:0x8100),set_field:5->vlan_vid", INCONSISTENT, "="),
    ("ip", "clone(push_mpls:0x8847),dec_ttl", "", "="),
    ("", "clone(set_field:80->tcp_dst)", INCONSISTENT, "="),
    ("", "clone(dec_ttl)", "", INCONSISTENT),
    ("", "write_actions(set_field:80->tcp_dst)", INCONSISTENT, "="),
    ("", "write_actions(dec_ttl)", "", "="),
    # Connection tracking.
    ("ip", "ct(commit)", "", "="),
    ("", "ct(commit)", INCONSISTENT, "="),
    ("arp", "ct()", INCONSISTENT, "="),
    ("tcp", "ct(commit,alg=ftp)", "", "="),
    ("udp", "ct(commit,alg=ftp)", INCONSISTENT, "="),
    ("udp", "ct(commit,alg=tftp)", "", "="),
    ("ip,ct_state=+inv+trk", "ct(commit)", INCONSISTENT, "="),
    ("ip,ct_state=+inv+trk", "ct()", "", "="),
    ("ip", "ct(commit,nat(src=1.2.3.4))", "", "="),
    ("ipv6", "ct(commit,nat(src=1.2.3.4))", INCONSISTENT, "="),
    ("ip", "ct(commit,nat(src=fc00::1))", INCONSISTENT, "="),
    ("ip", "ct(zone=tcp_src)", INCONSISTENT, "="),
    ("ip", "resubmit(,3,ct)", INCONSISTENT, "="),
    ("ct_state=+trk-inv,ip", "resubmit(,3,ct)", "", "="),
    ("ct_state=+est+trk,ipv6", "resubmit(,3,ct)", "", "="),
    # learn: its destinations are the new rule's, which arguments before them describe.
    ("", "learn(NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])", "", "="),
    ("", "learn(NXM_OF_IP_DST[]=NXM_OF_IP_SRC[])", INCONSISTENT, "="),
    ("ip", "learn(NXM_OF_IP_DST[]=NXM_OF_IP_SRC[])", INCONSISTENT, "="),
    ("ip", "learn(eth_type=0x800,NXM_OF_IP_DST[]=NXM_OF_IP_SRC[])", "", "="),
    ("ip", "learn(eth_type=0x800,nw_proto=6,tcp_dst=80,load:5->NXM_OF_IP_DST[])", "", "="),
    ("ip", "learn(eth_type=0x800,tcp_dst=80)", INCONSISTENT, "="),
    ("ip", "learn(load:5->NXM_OF_IP_DST[])", INCONSISTENT, "="),
    ("ip", "learn(load:NXM_OF_TCP_DST[]->NXM_NX_REG0[0..15])", INCONSISTENT, "="),
    # Ports.
    ("", "output:65279", "", "="),
    ("", "output:65280", BAD_PORT, "="),
    ("", "output:ANY", BAD_PORT, "="),
    ("", "output:UNSET", BAD_PORT, "="),
    ("", "output(port=65280,max_len=64)", BAD_PORT, "="),
    ("", "output(port=NORMAL,max_len=64)", BAD_PORT, "="),
    ("", "enqueue:NORMAL:1", BAD_PORT, "="),
    ("", "enqueue:LOCAL:1", "", "="),
    ("", "bundle(eth_src,0,hrw,ofport,members:1,65280)", BAD_PORT, "="),
    ("", "bundle(eth_src,0,hrw,ofport,members:1,CONTROLLER)", BAD_PORT, "="),
    ("", "bundle(eth_src,0,hrw,ofport,members:1,ANY)", "", "="),
]  # fmt: skip


@pytest.mark.parametrize(
    ("match", "actions", "lenient", "strict"), CASES, ids=[f"{c[0]}/{c[1]}" for c in CASES]
)
def test_a_list_fits_its_match_or_is_refused_by_name(
    match: str, actions: str, lenient: str, strict: str
) -> None:
    answer = check(match, actions)
    assert answer.refused == lenient, answer
    assert not lenient or (answer.field and answer.message and answer.hint), answer
    answer = check(match, actions, strict=True)
    assert answer.refused == (lenient if strict == "=" else strict), answer


@pytest.mark.parametrize(("table", "target", "n_tables", "refusal"), [
    (0, 1, 255, ""),
    (1, 1, 255, BAD_TABLE),
    (2, 1, 255, BAD_TABLE),
    (0, 254, 255, ""),
    (0, 255, 255, BAD_TABLE),
    (0, 9, 10, ""),
    (0, 10, 10, BAD_TABLE),
    (255, 0, 255, ""),  # No table given: any is a later one.
])  # fmt: skip
def test_goto_table_leads_forward_to_a_table_that_is_there(
    table: int, target: int, n_tables: int, refusal: str
) -> None:
    assert check("", f"goto_table:{target}", table=table, n_tables=n_tables).refused == refusal


def test_numbers_from_max_ports_on_are_no_ports() -> None:
    assert check("", "output:99,LOCAL,NORMAL", max_ports=100).code == 0
    assert check("", "output:100", max_ports=100).refused == BAD_PORT
    assert check("", "enqueue:100:1", max_ports=100).refused == BAD_PORT


def test_the_error_names_what_is_missing_and_the_match_that_would_say_it() -> None:
    answer = check("", "set_field:80->tcp_dst")
    assert (answer.field, answer.hint) == ("tcp_dst", "add tcp or tcp6 (not of later fragments)"), answer
    answer = check("", "dec_ttl", strict=True)
    assert answer.field == "dec_ttl" and "ip or ipv6" in answer.message


def test_an_instruction_of_a_list_is_checked_in_order_too() -> None:
    assert check("", "goto_table:1,goto_table:2").refused == "OFPBAC_UNSUPPORTED_ORDER"
    assert check("", "conjunction(1,1/2),output:1").refused == "NXBAC_BAD_CONJUNCTION"
