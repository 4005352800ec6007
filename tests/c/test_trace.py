"""Traces to the letter as Open vSwitch's ofproto/trace has them, and what is ours alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from switch.binding.switch import SwitchConfig
from switch.binding.trace import TraceOptions
from tests.differential.ours import add_groups, load_flows
from tests.differential.ovs import BRIDGE, Ovs, open_vswitch
from tests.differential.rig import NORMAL, Rig, rig
from tests.differential.trace_text import _neutral as neutral

PORTS = 4
OVS = pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
GROUPS = (
    "group_id=1,type=all,bucket=actions=2,bucket=actions=set_field:5->reg3,resubmit(,4)",
    "group_id=2,type=indirect,bucket=actions=dec_ttl,3",
)
CT = (
    "table=0,priority=10,ip,actions=set_field:0x7->reg2,ct(table=1,zone=5)",
    "table=0,priority=5,ipv6,actions=ct(table=1,nat),set_field:5->reg2,ct(table=2,zone=9)",
    "table=1,priority=9,ct_state=+trk+new,ip,actions=ct(commit,table=2,nat(src=10.0.0.9:70-80)),3",
    "table=1,priority=8,ct_state=+est,ip,actions=ct(table=2,zone=6)",
    "table=1,priority=0,actions=drop",
    "table=2,priority=3,actions=4",
)
FLOWS = (
    "table=0,priority=30,tcp,tp_dst=5,actions=clone(set_field:00:00:00:00:00:09->eth_src,2),3",
    "table=0,priority=30,tcp,tp_dst=6,actions=resubmit(,2),move:reg0[]->reg1[],push:reg1,pop:reg2,group:1",
    "table=0,priority=30,tcp,tp_dst=7,actions=write_actions(set_field:9->reg1,output:2),goto_table:3",
    "table=0,priority=30,tcp,tp_dst=8,actions=check_pkt_larger(200)->reg0[0],resubmit(,4)",
    "table=0,priority=30,tcp,tp_dst=9,actions=IN_PORT,1,2,7,output:reg5[0..15]",
    "table=0,priority=30,tcp,tp_dst=10,actions=resubmit(,0)",
    "table=0,priority=30,tcp,tp_dst=11,actions=group:2,sample(probability=100,collector_set_id=1),2",
    "table=0,priority=30,tcp,tp_dst=12,actions=learn(table=9,dl_type=0x800,NXM_OF_IP_SRC[],output:NXM_OF_IN_PORT[]),2",
    "table=0,priority=30,tcp,tp_dst=13,actions=controller(userdata=01.02,max_len=77),2",
    "table=0,priority=30,tcp,tp_dst=14,actions=dec_ttl,note:01,exit,2",
    "table=0,priority=30,tcp,tp_dst=15,actions=conjunction(7,1/2)",
    "table=0,priority=30,ip,nw_src=10.0.0.7,actions=conjunction(7,2/2)",
    "table=0,priority=3,conj_id=7,ip,actions=4",
    "table=0,priority=20,mpls,actions=pop_mpls:0x0800,dec_ttl,2",
    "table=0,priority=20,dl_vlan=5,actions=pop_vlan,push_vlan:0x88a8,set_field:4102->vlan_vid,2",
    "table=2,priority=7,actions=set_field:0x1->reg0,resubmit(,9)",
    "table=3,reg0=0,tcp,actions=set_field:10.9.9.9->ip_dst,multipath(symmetric_l4,50,modulo_n,1,0,reg2[])",
    "table=4,reg0=1,actions=2",
    "table=4,priority=1,actions=4",
    "table=0,priority=1,actions=FLOOD",
)
CASES: tuple[tuple[Sequence[str], str, Sequence[str]], ...] = (
    *((FLOWS, f"in_port=1,tcp,nw_src=1.2.3.4,nw_ttl=9,tp_dst={port}", ()) for port in range(4, 16)),
    (FLOWS, "in_port=1,tcp,nw_src=10.0.0.7,tp_dst=15", ()),
    (FLOWS, "in_port=2,mpls,mpls_label=5,mpls_bos=1", ()),
    (FLOWS, "in_port=2,dl_vlan=5,dl_vlan_pcp=3,ip", ()),
    (FLOWS, "in_port=3,tcp,nw_ttl=1,tp_dst=14", ()),
    (FLOWS, "in_port=3,dl_type=0x1234", ()),
    (FLOWS, "in_port=9,udp6,ipv6_src=::1", ()),
    ((), "in_port=1,arp,arp_op=1", ()),
    (CT, "in_port=1,icmp,nw_src=1.2.3.4", ()),
    (CT, "in_port=1,tcp,nw_src=1.2.3.4,tp_dst=80", ("trk,est",)),
    (CT, "in_port=1,tcp,nw_src=1.2.3.4,tp_dst=80", ("trk,est", "trk,est,rpl")),
    (CT, "in_port=1,tcp,nw_src=1.2.3.4,tp_dst=80", ("trk,inv",)),
    (CT, "in_port=1,tcp6,ipv6_src=fe80::1,tp_dst=80", ("trk,rel", "trk,est,dnat")),
)


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with (
        tempfile.TemporaryDirectory(prefix="rs-trace-") as directory,
        open_vswitch(Path(directory), PORTS) as o,
    ):
        (o.run / "groups.txt").write_text("\n".join(GROUPS) + "\n")
        o.ofctl("add-groups", f"{o.run}/groups.txt")
        yield o


def ours(flows: Sequence[str], flow: str, options: TraceOptions) -> str:
    with rig(PORTS, [], config=SwitchConfig(BRIDGE, threaded=False, umem_frames=4096)) as r:
        add_groups(r.switch, GROUPS)
        load_flows(r.switch, flows)
        return neutral(r.switch.trace_flow(flow, options))


def without_local(text: str) -> str:
    """A flood without the bridge's own port, which is 100 there and not there here, in ascending order."""
    *lines, actions, end = text.split("\n") if text.endswith("\n") else [*text.split("\n"), ""]
    head, _, outputs = actions.partition("Datapath actions: ")
    words = outputs.split(",")
    if "100" in words and all(word.isdigit() for word in words):
        outputs = ",".join(sorted(word for word in words if word != "100"))
    return "\n".join([*lines, f"{head}Datapath actions: {outputs}" if not head else actions, end])


@OVS
@pytest.mark.parametrize(("flows", "flow", "states"), CASES, ids=lambda value: str(value)[:60])
def test_a_trace_is_open_vswitchs(ovs: Ovs, flows: Sequence[str], flow: str, states: Sequence[str]) -> None:
    ovs.ofctl("del-flows")
    ovs.load_flows(flows)
    theirs = without_local(neutral(ovs.trace(flow, states)))
    if "in_port=9" in flow:  # Ours knows its ports.
        flow, theirs = flow.replace("in_port=9", "in_port=4"), theirs.replace("in_port=9", "in_port=4")
        theirs = theirs.replace("actions: 1,2,3,4", "actions: 1,2,3")
    assert without_local(ours(flows, flow, TraceOptions(ct_next=states))) == theirs


@OVS
def test_names_stand_for_ports(ovs: Ovs) -> None:
    ovs.ofctl("del-flows")
    ovs.load_flows(FLOWS)
    flow = "in_port=1,tcp,tp_dst=9"
    theirs = ovs.control.call("ofproto/trace", "--names", BRIDGE, flow)
    assert ours(FLOWS, flow, TraceOptions(names=True)) == neutral(theirs)


@OVS
@pytest.mark.parametrize("actions", ["set_field:9->reg0,2,3", "resubmit(,0)", "group:1"])
def test_actions_run_instead_of_the_tables(ovs: Ovs, actions: str) -> None:
    ovs.ofctl("del-flows")
    ovs.load_flows(FLOWS)
    flow = "in_port=1,tcp,tp_dst=14"
    theirs = ovs.control.call("ofproto/trace-packet-out", BRIDGE, flow, actions)
    assert ours(FLOWS, flow, TraceOptions(actions=actions)) == neutral(theirs)


def test_recirculations_of_mpls_are_followed_when_asked_for() -> None:
    flow = "in_port=2,mpls,mpls_label=5,mpls_bos=1"
    assert ours(FLOWS, flow, TraceOptions()).count("bridge(") == 1
    text = ours(FLOWS, flow, TraceOptions(all_recircs=True))
    assert text.count("bridge(") == 2
    assert "recirc(N)\n=====" in text


def test_a_loop_through_conntrack_ends() -> None:
    text = ours(["ip,actions=ct(table=0)"], "in_port=1,icmp", TraceOptions())
    assert text.count("bridge(") == 65


def assert_untouched(r: Rig) -> None:
    assert list(r.switch.fdb) == []
    assert [rule.packets for rule in r.switch.flows] == [0] * len(r.switch.flows)
    assert list(r.switch.megaflows.lines()) == []
    assert list(r.switch.packets) == []


def test_a_trace_has_no_effects() -> None:
    learn = "learn(table=9,dl_type=0x800,NXM_OF_IP_SRC[],output:NXM_OF_IN_PORT[])"
    with rig(2, [f"udp,actions={learn},controller,NORMAL", NORMAL]) as r:
        r.switch.trace_flow("in_port=1,udp,dl_src=02:00:00:00:00:01")
        r.switch.trace_flow("in_port=1,arp,dl_src=02:00:00:00:00:01")
        assert len(r.switch.flows) == 2
        assert_untouched(r)
