"""One rule, one packet: the datapath actions and the megaflow, as Open vSwitch 3.1 gives them for the same.

Each line was asked of ofproto/trace (LOCAL is port 5 here, and meters go by their OpenFlow number).
"""

from __future__ import annotations

import pytest

from tests.c.support.translation import Bridge

ETHERNET = "in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
TCP = f"{ETHERNET},tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,nw_frag=no,tcp_src=5,tcp_dst=80"
VLAN = f"{TCP},dl_vlan=5,dl_vlan_pcp=1"
MPLS = f"{ETHERNET},mpls,mpls_label=7,mpls_ttl=3,mpls_bos=1"
IP = "recirc_id=0,eth,ip,in_port=1"
PORTS = "tp_src=5,tp_dst=80"
ADDRESSES = "dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
BOTH = f"{ADDRESSES},nw_src=10.0.0.1,nw_dst=10.0.0.2"
NSH = "push_nsh(flags=0,ttl=63"

CASES = [
    # Registers and sub-fields.
    (
        "set_field:1->reg0,set_field:0x2/0x2->reg0,move:NXM_NX_REG0[0..7]->NXM_NX_REG1[8..15],"
        "load:3->NXM_NX_REG2[4..5],output:NXM_NX_REG0[]",
        "3",
        f"{IP},nw_frag=no",
    ),
    ("load:0x302->NXM_NX_REG5[],output:NXM_NX_REG5[8..15]", "3", f"{IP},nw_frag=no"),
    ("set_field:0x300000000->xreg1,output:NXM_NX_REG2[]", "3", f"{IP},nw_frag=no"),
    ("push:NXM_OF_ETH_SRC[0..7],pop:NXM_NX_REG0[4..11],output:NXM_NX_REG0[4..7]", "drop", None),
    # Headers.
    (
        "set_field:02:00:00:00:00:09->eth_dst,output:2",
        "set(eth(dst=02:00:00:00:00:09)),2",
        f"{IP},dl_dst=02:00:00:00:00:02,nw_frag=no",
    ),
    ("set_field:02:00:00:00:00:02->eth_dst,output:2", "2", f"{IP},dl_dst=02:00:00:00:00:02,nw_frag=no"),
    (
        "mod_nw_src:10.0.0.9,mod_nw_tos:184,mod_nw_ecn:1,mod_nw_ttl:7,mod_tp_dst:81,output:2",
        "set(ipv4(src=10.0.0.9,tos=0xb9,ttl=7)),set(tcp(dst=81)),2",
        "recirc_id=0,eth,tcp,in_port=1,nw_src=10.0.0.1,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_dst=80",
    ),
    (
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],output:2",
        "set(eth(dst=02:00:00:00:00:01)),set(ipv4(dst=10.0.0.1)),2",
        f"{IP},{BOTH},nw_frag=no",
    ),
    (
        "load:0x7->NXM_OF_IP_DST[0..7],output:2",
        "set(ipv4(dst=0.0.0.7/0.0.0.255)),2",
        "recirc_id=0,eth,tcp,in_port=1,nw_dst=0.0.0.2/0.0.0.255,nw_frag=no",
    ),
    (
        "set_field:5->pkt_mark,set_field:0x77->tun_id,output:2",
        "set(skb_mark(0x5)),2",
        "pkt_mark=0,recirc_id=0,eth,ip,in_port=1,nw_frag=no",
    ),
    ("dec_ttl,output:2", "set(ipv4(ttl=63)),2", "recirc_id=0,eth,tcp,in_port=1,nw_ttl=64,nw_frag=no"),
    # VLAN tags.
    (
        "push_vlan:0x8100,set_field:0x100a->vlan_vid,set_field:3->vlan_pcp,output:2",
        "push_vlan(vid=10,pcp=3),2",
        None,
    ),
    (
        "push_vlan:0x88a8,set_field:0x1005->vlan_vid,push_vlan:0x8100,set_field:0x1006->vlan_vid,output:2",
        "push_vlan(tpid=0x88a8,vid=5,pcp=0),push_vlan(vid=6,pcp=0),2",
        f"{IP},nw_frag=no",
    ),
    ("mod_vlan_vid:33,mod_vlan_pcp:2,output:2", "push_vlan(vid=33,pcp=2),2", f"{IP},nw_frag=no"),
    ("strip_vlan,output:2", "2", f"{IP},nw_frag=no"),
    # Labels.
    (
        "push_mpls:0x8847,set_field:99->mpls_label,set_field:3->mpls_tc,output:2",
        "push_mpls(label=99,tc=3,ttl=64,bos=1,eth_type=0x8847),2",
        f"{IP},nw_tos=0,nw_ttl=64,nw_frag=no",
    ),
    (
        "push_mpls:0x8847,push_mpls:0x8847,output:2,output:3",
        "push_mpls(label=0,tc=0,ttl=64,bos=1,eth_type=0x8847),"
        "push_mpls(label=0,tc=0,ttl=64,bos=0,eth_type=0x8847),2,3",
        f"{IP},nw_tos=0,nw_ttl=64,nw_frag=no",
    ),
    (
        "clone(push_mpls:0x8847,output:2),output:3",
        "push_mpls(label=0,tc=0,ttl=64,bos=1,eth_type=0x8847),2,pop_mpls(eth_type=0x800),3",
        f"{IP},nw_tos=0,nw_ttl=64,nw_frag=no",
    ),
    # Layers.
    (
        "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678))),set_field:0x1234->nsh_spi,set_field:9->nsh_si,"
        "encap(ethernet),set_field:02:00:00:00:00:09->eth_dst,output:2",
        f"{NSH},mdtype=2,np=3,spi=0x1234,si=9,md2=0x10000a0412345678),"
        "push_eth(src=00:00:00:00:00:00,dst=02:00:00:00:00:09),2",
        f"{IP},dl_dst=02:00:00:00:00:02,nw_frag=no",
    ),
    (
        "encap(nsh),decap(),output:2",
        f"{NSH},mdtype=1,np=3,spi=0x0,si=255,c1=0x0,c2=0x0,c3=0x0,c4=0x0),pop_nsh(),recirc(0x1)",
        f"{IP},nw_frag=no",
    ),
    (
        "decap(),encap(ethernet),set_field:02:00:00:00:00:09->eth_src,output:2",
        "pop_eth,push_eth(src=02:00:00:00:00:09,dst=00:00:00:00:00:00),2",
        f"{IP},dl_src=02:00:00:00:00:01,nw_frag=no",
    ),
    # Queues, lengths, meters.
    (
        "set_queue:5,output:2,pop_queue,output:3,enqueue:4:9",
        "set(skb_priority(0x5)),2,set(skb_priority(0)),3,set(skb_priority(0x9)),4",
        "recirc_id=0,skb_priority=0,eth,ip,in_port=1,nw_frag=no",
    ),
    ("output(port=2,max_len=64),output:3", "trunc(64),2,3", f"{IP},nw_frag=no"),
    ("meter:1,output:2", "meter(1),2", f"{IP},nw_frag=no"),
    ("check_pkt_larger(1500)->NXM_NX_REG0[0],resubmit(,1)", "check_pkt_len(size=1500,gt(3),le(4))", None),
    # Copies.
    (
        "clone(set_field:02:00:00:00:00:09->eth_dst,output:2),output:3",
        "set(eth(dst=02:00:00:00:00:09)),2,set(eth(dst=02:00:00:00:00:02)),3",
        f"{IP},dl_dst=02:00:00:00:00:02,nw_frag=no",
    ),
    ("clone(ct(table=1),output:2),output:3", "clone(ct,recirc(0x1),2),3", f"{IP},nw_frag=no"),
    ("output:3,clone(ct(commit),output:2)", "3,ct(commit),2", f"{IP},nw_frag=no"),
    # Connection tracking.
    (
        "ct(commit,zone=7,exec(set_field:5->ct_mark,set_field:0x3/0x3->ct_label),"
        "nat(src=10.9.9.9-10.9.9.10:5-9,random)),output:2",
        "ct(commit,zone=7,mark=0x5/0xffffffff,label=0x3/0x3,nat(src=10.9.9.9-10.9.9.10:5-9,random)),2",
        f"{IP},nw_frag=no",
    ),
    ("ct(table=1,zone=NXM_NX_REG0[0..15],nat)", "ct(nat),recirc(0x1)", f"{IP},nw_frag=no"),
    ("ct_clear,output:2", "2", f"{IP},nw_frag=no"),
    # Choices.
    (
        "multipath(symmetric_l4,50,hrw,8,0,NXM_NX_REG0[0..2]),output:2",
        "2",
        f"recirc_id=0,eth,tcp,in_port=1,{BOTH},nw_frag=no,{PORTS}",
    ),
    ("bundle(eth_src,3,hrw,ofport,members:2,3,4)", "3", f"{IP},dl_src=02:00:00:00:00:01,nw_frag=no"),
    ("bundle(eth_src,3,active_backup,ofport,members:1,3,4)", "drop", f"{IP},nw_frag=no"),
    # The rest.
    ("fin_timeout(idle_timeout=5),output:2", "2", "recirc_id=0,eth,tcp,in_port=1,nw_frag=no"),
    ("note:01,exit,output:2", "drop", f"{IP},nw_frag=no"),
    ("output:1,output:3", "3", f"{IP},nw_frag=no"),
    ("in_port,flood", "1,2,3,4,5", f"{IP},nw_frag=no"),
    ("all", "2,3,4,5", f"{IP},nw_frag=no"),
    ("output:77,output:2", "2", f"{IP},nw_frag=no"),
]


@pytest.fixture(scope="module")
def bridge() -> Bridge:
    made = Bridge(4)
    made.meter("meter=1,kbps,bands=type=drop,rate=10")
    made.flow("table=1,reg0=0x1/0x1,actions=output:3")
    made.flow("table=1,priority=0,actions=output:4")
    return made


@pytest.mark.parametrize(("actions", "datapath", "megaflow"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_becomes_these_datapath_actions(
    bridge: Bridge, actions: str, datapath: str, megaflow: str | None
) -> None:
    bridge.flow(f"ip,actions={actions}")
    answer = bridge.run(TCP)
    assert answer.actions.replace("recirc(0x2)", "recirc(0x1)") == datapath
    assert answer.list_error == ""
    assert megaflow is None or answer.megaflow == megaflow


@pytest.mark.parametrize(
    ("flow", "actions", "datapath"),
    [
        (VLAN, "strip_vlan,output:2", "pop_vlan,2"),
        (VLAN, "mod_vlan_vid:33,output:2", "pop_vlan,push_vlan(vid=33,pcp=1),2"),
        (VLAN, "clone(strip_vlan,output:2),output:3", "pop_vlan,2,push_vlan(vid=5,pcp=1),3"),
        (MPLS, "pop_mpls:0x0800,output:2", "pop_mpls(eth_type=0x800),2"),
        (MPLS, "pop_mpls:0x8847,output:2", "pop_mpls(eth_type=0x8847),2"),
        (MPLS, "dec_mpls_ttl,output:2", "set(mpls(label=7,tc=0,ttl=2,bos=1)),2"),
        (MPLS, "set_mpls_ttl(9),output:2", "set(mpls(label=7,tc=0,ttl=9,bos=1)),2"),
        (
            MPLS,
            "push_mpls:0x8848,output:2",
            "push_mpls(label=7,tc=0,ttl=3,bos=0,eth_type=0x8848),2",
        ),
    ],
)
def test_tagged_and_labelled_packets(bridge: Bridge, flow: str, actions: str, datapath: str) -> None:
    match = "mpls" if "mpls" in flow else "vlan_tci=0x1000/0x1000"
    bridge.flow(f"priority=40000,{match},actions={actions}")
    assert bridge.run(flow).actions == datapath
    bridge.flow(f"priority=40000,{match}", command=4)


@pytest.mark.parametrize(
    ("flow", "actions", "drop"),
    [
        (TCP, "drop", "rule_drop"),
        (TCP, "output:1", "no_output"),
        (TCP, "output:77", "no_output"),
        (TCP, "set_field:65536->reg0,output:NXM_NX_REG0[]", "no_output"),
        (TCP.replace("nw_ttl=64", "nw_ttl=1"), "dec_ttl,output:2", "to_controller"),
        (
            TCP,
            "push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,output:2",
            "mpls_too_deep",
        ),
        (TCP, "decap(),decap(),output:2", "packet_type"),
        (VLAN, "decap(),output:2", "packet_type"),
    ],
)
def test_a_packet_that_goes_nowhere_has_a_named_reason(
    bridge: Bridge, flow: str, actions: str, drop: str
) -> None:
    bridge.flow(f"ip,actions={actions}")
    answer = bridge.run(flow)
    if drop == "to_controller":  # The datapath's word: the list is not empty.
        assert answer.actions.startswith("userspace(") and answer.drop == ""
    else:
        assert (answer.actions, answer.drop) == ("drop", drop)


def test_fields_that_the_packet_lacks_are_not_set(bridge: Bridge) -> None:
    answer = bridge.run(
        f"{ETHERNET},arp", packet_out="set_field:5->tcp_dst,set_field:10.0.0.1->ip_src,output:2"
    )
    assert answer.actions == "2"
    assert " >> unmet prerequisites for tcp_dst, set_field ignored" in answer.report


def test_a_packet_out_may_come_from_nowhere(bridge: Bridge) -> None:
    bridge.flow("ip,actions=output:2")
    assert bridge.run(TCP.replace("in_port=1", "in_port=CONTROLLER"), packet_out="TABLE").actions == "2"
    assert bridge.run(TCP.replace("in_port=1", "in_port=NONE"), packet_out="flood").actions == "1,2,3,4,5"
