"""A megaflow answers for all packets that agree with its packet in the bits of wc: they are translated alike.

The other packets differ in everything their protocols have and wc leaves open, VLAN tags included.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.c.support.native import ffi
from tests.c.support.translation import Answer, Bridge, Refused
from tests.differential.flow_sets import PORTS, FlowSet, flow_sets
from tests.differential.translation_sets import packets, translation_sets


def load(flow_set: FlowSet) -> Bridge:
    """A bridge with these rules, but for those that it refuses."""
    bridge = Bridge(PORTS)
    for group in flow_set.groups:
        bridge.group(group)
    for flow in flow_set.flows:
        with contextlib.suppress(Refused):
            bridge.flow(flow)
    bridge.run(
        "in_port=2,dl_src=02:00:00:00:00:02,dl_dst=02:00:00:00:00:03", packet_out="NORMAL", side_effects=True
    )
    return bridge


def passes(bridge: Bridge, flow: str) -> list[tuple[Any, Answer]]:
    """(key, answer) of each pass, those behind hashes and labels too."""
    todo: list[Any] = [bridge.key(flow)]
    found: list[tuple[Any, Answer]] = []
    while todo and len(found) < 8:
        key = todo.pop(0)
        answer = bridge.run(key)
        found.append((key, answer))
        for _, conntrack, next_key in answer.recircs:
            copy = ffi.new("struct flow *", next_key[0])
            if conntrack:
                copy.ct_state = 0x21
            else:
                copy.dp_hash = 0x1234567
            todo.append(copy)
    return found


def describe(bridge: Bridge, key: Any, answer: Answer) -> str:
    """A packet and what becomes of it."""
    parts = (bridge.key_text(key), answer.megaflow, f"{answer.actions} {answer.drop}", answer.report)
    return "\n".join(parts)


@settings(max_examples=600 if os.environ.get("RINGSIDE_EXAMPLES") == "long" else 60)
@given(
    flow_set=st.one_of(translation_sets(), flow_sets()),
    flows=st.lists(packets(), min_size=2, max_size=8),
    seed=st.integers(0, 2**32),
)
def test_packets_that_agree_where_it_was_looked_are_translated_alike(
    flow_set: FlowSet, flows: list[str], seed: int
) -> None:
    bridge = load(flow_set)
    for flow in flows:
        for key, answer in passes(bridge, flow):
            for n in range(6):
                other = bridge.other_packet(key, answer.wc, seed + n)
                again = bridge.run(other)
                if (again.actions, again.drop) != (answer.actions, answer.drop):
                    sides = ((key, answer), (other, again))
                    pytest.fail("\n".join(describe(bridge, *side) for side in sides), pytrace=False)
                assert not again.list_error
