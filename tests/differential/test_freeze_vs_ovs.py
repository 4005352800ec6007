"""Packets that come back: what was frozen goes on as in Open vSwitch, with registers, stack, action set and
the actions that were left. A trace alone follows only what comes from connection tracking; here the second
pass is asked for by its recirculation id, which both switches keep for a while.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.c.support.translation import Bridge
from tests.differential.flow_sets import PORTS, FlowSet, port, reg, small
from tests.differential.ovs import Ovs, open_vswitch
from tests.differential.test_xlate_vs_ovs import agree, examples, load_ovs, normal, reports, theirs
from tests.differential.trace_text import Pass

pytestmark = [pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")]


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with (
        tempfile.TemporaryDirectory(prefix="rs-freeze-") as directory,
        open_vswitch(Path(directory), PORTS) as o,
    ):
        yield o


ETHERNET = "in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
TCP = f"{ETHERNET},tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,nw_frag=no,tcp_src=5,tcp_dst=6"
MPLS = f"{ETHERNET},mpls,mpls_label=7,mpls_ttl=3,mpls_bos=1"
_GROUPS = (
    "group_id=1,type=select,bucket=weight:1,actions=output:1,bucket=weight:3,actions=set_field:9->reg4,output:2,"
    "bucket=weight:2,watch_port:3,actions=resubmit(,3)",
    "group_id=2,type=select,selection_method=dp_hash,selection_method_param=5,"
    "bucket=weight:1,actions=output:3,bucket=weight:1,actions=resubmit(,2)",
    "group_id=3,type=all,bucket=actions=group:1,bucket=actions=group:2,bucket=actions=output:4",
)
_pieces = st.one_of(
    port.map(lambda p: f"output:{p}"),
    st.builds(lambda v, r: f"set_field:{v}->reg{r}", small, reg),
    st.builds(lambda r: f"push:NXM_NX_REG{r}[0..11]", reg),
    st.builds(lambda r: f"pop:NXM_NX_REG{r}[0..11]", reg),
    st.sampled_from(
        ["set_field:0x5->metadata", "set_field:02:00:00:00:00:09->eth_src", "controller(max_len=9)"]
    ),
    st.just("resubmit(,3)"),
)


def _list(most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(_pieces, max_size=most)


@st.composite
def freezing_sets(draw: st.DrawFn) -> tuple[FlowSet, str]:
    """Rules that freeze one table deep, and the packet that makes them."""
    kind = draw(st.sampled_from(["ip", "mpls"]))
    freezers = {
        "ip": ["debug_recirc", "group:1", "group:2", "group:3", "clone(debug_recirc,output:2)"],
        "mpls": [
            "pop_mpls:0x0800,dec_ttl",
            "pop_mpls:0x0800,resubmit(,2)",
            "pop_mpls:0x0800,group:1",
            "debug_recirc",
        ],
    }
    inner = [*draw(_list(2)), draw(st.sampled_from(freezers[kind])), *draw(_list(3))]
    outer = [*draw(_list(2)), "resubmit(,1)", *draw(_list(3))]
    cookie = draw(st.sampled_from(["", "cookie=0x77,"]))
    if draw(st.booleans()):
        outer.append("write_actions(set_field:02:00:00:00:00:08->eth_dst,output:3)")
    flows = (
        f"table=0,{kind},actions={','.join(outer)}",
        f"{cookie}table=1,{kind},actions={','.join(inner)}",
        f"table=2,ip,nw_dst=10.0.0.0/8,actions={','.join(draw(_list(3))) or 'drop'}",
        "table=2,priority=0,actions=output:4",
        "table=3,reg0=0x1/0x1,actions=set_field:4->reg5,output:1",
    )
    return FlowSet(flows, _GROUPS), {"ip": TCP, "mpls": MPLS}[kind]


def load(flow_set: FlowSet) -> Bridge:
    bridge = Bridge(PORTS)
    for group in flow_set.groups:
        bridge.group(group)
    for flow in flow_set.flows:
        bridge.flow(flow)
    return bridge


def second_pass(ovs: Ovs, bridge: Bridge, ids: tuple[int, int], dp_hash: int) -> None:
    """The same packet comes back to both."""
    trace = ovs.trace(f"recirc_id={ids[0]},dp_hash={dp_hash:#x},{TCP}")
    key = bridge.key(TCP)
    key.recirc_id, key.dp_hash = ids[1], dp_hash
    answer = bridge.run(key)
    want = theirs(trace)[0]
    got = Pass(re.sub(r"recirc_id=0x[0-9a-f]+", "recirc_id=N", answer.megaflow), normal_text(answer.actions))
    assert agree(got, want), f"{got}\n{want}\n{trace}\n{answer.report}"
    assert answer.report.strip().splitlines() == reports(trace)[0][0].splitlines()


def normal_text(actions: str) -> str:
    return normal(
        re.sub(r"(?<=,)recirc_id=\d+", "recirc_id=N", re.sub(r"recirc\(0x[0-9a-f]+\)", "recirc(N)", actions))
    ).replace("pid=0", "pid=N")


@examples(60)
@given(case=freezing_sets(), dp_hash=st.integers(1, 2**32 - 1))
def test_what_was_frozen_goes_on_as_in_open_vswitch(
    ovs: Ovs, case: tuple[FlowSet, str], dp_hash: int
) -> None:
    flow_set, packet = case
    assume(load_ovs(ovs, flow_set))
    bridge = load(flow_set)
    answer = bridge.run(packet)
    their_ids = [int(n, 16) for n in re.findall(r"recirc\((0x[0-9a-f]+)\)", ovs.trace(packet))]
    our_ids = [one for one, _, _ in answer.recircs]
    assert len(our_ids) == len(their_ids), answer.actions
    for ids in zip(their_ids, our_ids, strict=True):
        ovs.trace(packet)  # Its ids live on from here.
        second_pass(ovs, bridge, ids, dp_hash)
