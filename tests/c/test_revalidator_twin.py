"""The revalidator against slow twins: counts by a ledger, truth by making all megaflows anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from switch.binding.errors import SwitchError
from tests.c.support.flows import B, C, pass_time, udp
from tests.differential.frames import simple_frame
from tests.differential.rig import Rig, rig

frames = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 6), st.sampled_from([53, 80])), max_size=40)
step = st.one_of(
    st.tuples(st.just("send"), frames),
    st.tuples(st.just("wait"), st.integers(0, 12)),
    st.tuples(st.just("change"), st.integers(0, 3)),
    st.tuples(st.just("flush"), st.none()),
)
PIPELINE = [
    "priority=9,udp,tp_dst=53,actions=resubmit(,1),resubmit(,2)",
    "priority=5,udp,nw_src=10.0.0.0/30,actions=resubmit(,1)",
    "priority=1,actions=output:3",
    "table=1,priority=3,udp,nw_src=10.0.0.1,actions=output:2",
    "table=1,priority=1,actions=resubmit(,2)",
    "table=2,priority=1,in_port=1,actions=drop",
]
ALWAYS = {"table=9,priority=1,in_port=1 actions=drop"}


@given(st.lists(step, max_size=12))
def test_rules_count_what_went_through_them_whatever_happens(steps: Sequence[tuple[str, object]]) -> None:
    """Each packet meets exactly one rule of table 0; those are counted by the test."""
    sent: dict[str, int] = {}
    with rig(3, PIPELINE) as r:
        for what, value in steps:
            if what == "send":
                for port, number, dport in value:  # type: ignore[attr-defined]
                    r.exchange(port, udp(number, dport))
                    rule = "9" if dport == 53 else "5" if number < 4 else "1"
                    sent[rule] = sent.get(rule, 0) + 1
            elif what == "wait":
                pass_time(r, int(str(value)))
            elif what == "change":
                r.switch.flows.add(f"table=1,priority=2,udp,nw_src=10.0.0.{value}/31,actions=output:1")
            else:
                r.switch.megaflows.flush()
        found = {str(rule.priority): rule.packets for rule in r.switch.flows if rule.table == 0}
        assert {name: n for name, n in found.items() if n} == sent
        assert r.switch.flows.table(0).lookups == sum(sent.values())
        r.assert_balanced()


# Rules of a few tables that hand packets on, change them and their metadata, and select by all of it.
matches = st.lists(
    st.sampled_from(
        [
            "in_port=1",
            "in_port=2",
            "metadata=0x1",
            "metadata=0x2",
            "metadata=0x2/0x3",
            "reg0=0x1",
            "nw_src=10.0.0.1",
            "nw_src=10.0.0.0/30",
            "nw_dst=10.9.9.9",
            "nw_dst=10.1.1.1",
            "tp_dst=80",
            "dl_dst=02:00:00:00:00:09",
            "conj_id=7",
        ]
    ),
    max_size=3,
    unique_by=lambda word: word.split("=")[0],
)
actions = st.sampled_from(
    [
        "drop",
        "output:1",
        "output:2",
        "output:3",
        "resubmit(,1)",
        "resubmit(,1),resubmit(,2)",
        "set_field:0x1->metadata,resubmit(,2)",
        "set_field:0x2->metadata,resubmit(,1),resubmit(,2)",
        "set_field:0x1->reg0,resubmit(,2)",
        "set_field:10.1.1.1->ip_dst,resubmit(,2),output:3",
        "set_field:02:00:00:00:00:09->eth_dst,resubmit(,1)",
        "conjunction(7,1/2)",
        "conjunction(7,2/2)",
        "learn(table=2,priority=3,dl_type=0x800,NXM_OF_IP_SRC[],output:NXM_OF_IN_PORT[]),output:3",
        "NORMAL",
    ]
)


def rule_text(table: int, priority: int, words: list[str], action: str) -> str:
    """A rule; resubmits go forward alone, so that no set of rules loops."""
    forward = action.replace("resubmit(,1),", "").replace("resubmit(,1)", "drop") if table else action
    forward = "drop" if "resubmit" in forward and table == 2 else forward
    return ",".join([f"table={table},priority={priority},udp", *words, f"actions={forward}"])


pipeline_rules = st.builds(rule_text, st.integers(0, 2), st.integers(1, 3), matches, actions)
pipeline_packets = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 5), st.sampled_from([53, 80])), min_size=1, max_size=12
)
pipeline_changes = st.lists(
    st.one_of(
        st.tuples(st.just("add"), pipeline_rules),
        st.tuples(st.just("modify"), pipeline_rules),
        st.tuples(st.just("delete"), pipeline_rules),
        st.tuples(st.just("learn address"), st.just("")),
    ),
    min_size=1,
    max_size=4,
)


def try_change(r: Rig, what: str, rule: str) -> None:
    """One change; what the tables refuse is none."""
    with suppress(SwitchError):
        if what == "add":
            r.switch.flows.add(rule)
        elif what == "modify":
            r.switch.flows.modify(rule)
        elif what == "delete":
            r.switch.flows.delete(re.sub(r"priority=\d+,|,actions=.*", "", rule))
        else:
            r.exchange(3, simple_frame(B, C))


@given(st.lists(pipeline_rules, max_size=10), pipeline_packets, pipeline_changes)
def test_after_a_change_packets_go_where_a_fresh_translation_sends_them(
    table: list[str], packets: list[tuple[int, int, int]], changes: list[tuple[str, str]]
) -> None:
    """The slow twin: all megaflows made anew."""
    send = [(port, udp(number, dport)) for port, number, dport in packets]
    with rig(3, []) as r:
        for rule in table:
            try_change(r, "add", rule)
        for port, frame in send:
            r.exchange(port, frame)
        for what, rule in changes:
            try_change(r, what, rule)
            for port, frame in send:  # So that what they learn is learned.
                r.exchange(port, frame)
            cached = [r.outputs(port, frame) for port, frame in send]
            r.switch.megaflows.flush()
            assert cached == [r.outputs(port, frame) for port, frame in send], (what, rule)
