"""The same rules and packets through our translation and through Open vSwitch's ofproto/trace: datapath
actions and megaflows of each pass, and the report.

Known differences, left out here and nowhere else:
  - the order in which a flood names its ports (theirs is that of a hash table);
  - numbers that each switch gives out itself: recirculation ids, the handler of packet-ins, LOCAL's port;
  - MPLS stacks without a bottom in three labels: there the labels that count are looked at, in theirs not;
  - NORMAL looks at the priority of a tag of VLAN 0, which decides whether the tag stays;
  - megaflows of IPv6 packets may be wider (trace_text.is_explained());
  - the report of a loop, which ends at another limit if it goes through copies of the packet;
  - the megaflow of a translation that ended with an error: theirs still names registers, which no datapath
    has.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from tests.c.support.translation import Bridge
from tests.differential.flow_sets import PORTS, FlowSet
from tests.differential.ovs import Ovs, open_vswitch
from tests.differential.trace_text import Pass, is_explained, passes
from tests.differential.translation_sets import packets, translation_sets

pytestmark = [pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")]
THEIR_LOCAL, OUR_LOCAL = "100", str(PORTS + 1)


def examples(count: int) -> settings:
    """One Open vSwitch serves all examples of a module: that is meant."""
    return settings(
        max_examples=count * 10 if os.environ.get("RINGSIDE_EXAMPLES") == "long" else count,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with (
        tempfile.TemporaryDirectory(prefix="rs-ovs-") as directory,
        open_vswitch(Path(directory), PORTS) as o,
    ):
        yield o


def split(actions: str) -> list[str]:
    """The actions of a list's text; commas inside parentheses do not separate."""
    found, depth, start = [], 0, 0
    for i, letter in enumerate(actions + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append(actions[start:i])
            start = i + 1
    return found


def normal(actions: str) -> str:
    """With runs of outputs sorted, in nested lists too."""
    found: list[str] = []
    run: list[str] = []
    for action in [*split(actions), ""]:
        if action.isdigit():
            run.append(action)
            continue
        found += sorted(run, key=int)
        run = []
        nested = re.fullmatch(r"(clone|actions|gt|le)\((.*)\)", action)
        inside = re.fullmatch(r"(check_pkt_len|sample)\((.*)\)", action)
        if nested:
            action = f"{nested[1]}({normal(nested[2])})"
        elif inside:
            action = f"{inside[1]}({','.join(normal(part) for part in split(inside[2]))})"
        found.append(action)
    return ",".join(found[:-1])


def theirs(trace: str) -> list[Pass]:
    return [
        Pass(p.megaflow, normal(re.sub(rf"(?<![\w=:/.]){THEIR_LOCAL}(?![\w=:/.])", OUR_LOCAL, p.actions)))
        for p in passes(trace)
    ]


def ours(bridge: Bridge, flow: str, states: tuple[str, ...]) -> list[Pass]:
    text = "\n".join(
        f"Megaflow: {answer.megaflow}\nDatapath actions: {answer.actions}"
        for answer in bridge.trace(flow, states)
    )
    return [Pass(p.megaflow, normal(p.actions)) for p in passes(text)]


def load_ovs(ovs: Ovs, flow_set: FlowSet) -> bool:
    """False if it refuses them."""
    (ovs.run / "groups.txt").write_text("\n".join(flow_set.groups) + "\n")
    ovs.ofctl("del-flows")
    ovs.ofctl("del-groups")
    ovs.ofctl("add-groups", f"{ovs.run}/groups.txt")
    (ovs.run / "flows.txt").write_text("\n".join(flow_set.flows) + "\n")
    return not ovs.refusal("add-flows", f"{ovs.run}/flows.txt")


def load(ovs: Ovs, flow_set: FlowSet) -> Bridge:
    """The rules as Open vSwitch has them, some of which OpenFlow 1.5 words otherwise (mod_vlan_vid)."""
    bridge = Bridge(PORTS)
    for group in flow_set.groups:
        bridge.group(group)
    for line in ovs.ofctl("dump-flows", "--no-stats", "--no-names").splitlines():
        bridge.flow(line.strip())
    return bridge


def agree(ours: Pass, theirs: Pass) -> bool:
    one, other = ours.megaflow, theirs.megaflow
    if "mpls_bos=0" in other:
        one, other = (re.sub(r",mpls_(?!bos)\w+=[^,]*", "", each) for each in (one, other))
    if "dl_vlan_pcp" not in other:
        one = re.sub(r"(?<=dl_vlan=0),dl_vlan_pcp=\d", "", one)
    return ours.actions == theirs.actions and is_explained(one, other)


def all_agree(ours: list[Pass], theirs: list[Pass]) -> bool:
    return len(ours) == len(theirs) and all(map(agree, ours, theirs))


def both(
    ovs: Ovs, bridge: Bridge, flow: str, next_states: tuple[str, ...]
) -> tuple[list[Pass], list[Pass], str]:
    """Ours, theirs and their trace. Rules that are gone narrow their megaflows until all of its threads have
    been round once: so a difference must stay.
    """
    got = ours(bridge, flow, next_states)
    for _ in range(40):
        trace = ovs.trace(flow, next_states)
        want = theirs(trace)
        if "Translation failed" in trace:
            want, got = [Pass("", p.actions) for p in want], [Pass("", p.actions) for p in got]
        if all_agree(got, want):
            break
        time.sleep(0.05)
    return got, want, trace


def difference(
    bridge: Bridge, flow: str, next_states: tuple[str, ...], trace: str, got: list[Pass], want: list[Pass]
) -> str:
    """The first pass that differs, and both reports; pytest would compare them letter by letter."""
    pairs = enumerate(zip(got, want, strict=False))
    n = next((i for i, (a, b) in pairs if not agree(a, b)), min(len(got), len(want)))
    reports = "\n".join(answer.report for answer in bridge.trace(flow, next_states)[: n + 1])
    sides = [
        f"{side}: {passes_[n] if n < len(passes_) else 'nothing'}"
        for side, passes_ in (("ours  ", got), ("theirs", want))
    ]
    return "\n".join(
        [f"{flow} {next_states}, pass {n}", *sides, "-- theirs", trace[:6000], "-- ours", reports[:6000]]
    )


states = st.lists(
    st.sampled_from(["trk,new", "trk,est", "trk,est,rpl", "trk,inv", "trk,rel"]), max_size=3
).map(tuple)


@examples(40)
@given(
    flow_set=translation_sets(),
    cases=st.lists(st.tuples(packets(), states), min_size=6, max_size=20),
)
def test_actions_and_megaflows_are_those_of_open_vswitch(
    ovs: Ovs, flow_set: FlowSet, cases: list[tuple[str, tuple[str, ...]]]
) -> None:
    assume(load_ovs(ovs, flow_set))
    bridge = load(ovs, flow_set)
    for flow, next_states in cases:
        got, want, trace = both(ovs, bridge, flow, next_states)
        event(f"{len(got)} passes")
        if not all_agree(got, want):
            rules = "\n".join(flow_set.flows)
            pytest.fail(f"{difference(bridge, flow, next_states, trace, got, want)}\n{rules}", pytrace=False)


def reports(trace: str) -> list[tuple[str, str]]:
    """(what was done, the flow at the end) of each pass of a trace."""
    found = re.findall(r"^(bridge\(.*?)\n\nFinal flow: (.*?)$", trace, re.MULTILINE | re.DOTALL)
    return [
        (report.rstrip(), re.sub(r"recirc_id=0x[0-9a-f]+", "recirc_id=N", final)) for report, final in found
    ]


def our_reports(bridge: Bridge, flow: str, next_states: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (answer.report.strip(), re.sub(r"recirc_id=0x[0-9a-f]+", "recirc_id=N", answer.final))
        for answer in bridge.trace(flow, next_states)
    ]


@examples(25)
@given(flow_set=translation_sets(), cases=st.lists(st.tuples(packets(), states), min_size=4, max_size=12))
def test_the_report_reads_as_that_of_open_vswitch(
    ovs: Ovs, flow_set: FlowSet, cases: list[tuple[str, tuple[str, ...]]]
) -> None:
    assume(load_ovs(ovs, flow_set))
    bridge = load(ovs, flow_set)
    for flow, next_states in cases:
        trace = ovs.trace(flow, next_states)
        if "Translation failed" in trace:  # Where a loop through check_pkt_larger ends is not the same.
            assert any(answer.error for answer in bridge.trace(flow, next_states))
            continue
        for (got, got_flow), (want, want_flow) in zip(
            our_reports(bridge, flow, next_states), reports(trace), strict=True
        ):
            assert got.splitlines() == want.splitlines()
            assert want_flow in ("unchanged", got_flow)
