"""Lists of actions in memory: the action set's order against a model; ports, groups, instructions in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.c.support.actions import execute_set, parse
from tests.c.support.native import lib

ONCE = [
    "pop_vlan", "pop_mpls:0x0800", "decap()", "encap(nsh)", "push_mpls:0x8847", "push_vlan:0x8100", "dec_ttl",
    "dec_mpls_ttl", "dec_nsh_ttl",
]  # fmt: skip
CHANGES = [
    "set_field:0x1->reg0", "set_field:0x2/0x3->reg0", "load:0x1->NXM_NX_REG1[3]", "mod_nw_tos:4",
    "move:NXM_NX_REG0[]->NXM_NX_REG1[]", "mod_dl_src:00:00:00:00:00:01", "mod_tp_dst:80", "set_tunnel:0x5",
    "mod_vlan_vid:3", "set_queue:1", "set_mpls_label(3)",
]  # fmt: skip
FINALS = ["ct(table=3)", "ct_clear", "resubmit(,4)", "output:1", "output:2", "NORMAL", "group:7"]


def kind(action: str) -> str:
    """What of an action tells its type."""
    word = action.replace(":", "(").split("(")[0]
    return "output" if word in ("NORMAL", "output") else word


def executed(actions: list[str]) -> str:
    """OpenFlow 1.5.1, 5.6 with Open vSwitch's additions: the last of each kind in a fixed order, all changes
    of fields as they were added, one way out.
    """
    kinds = ["ct", "ct_clear", "resubmit", "output", "group"]
    ways = [action for action in actions if action in FINALS]
    if not ways:
        return "drop"
    best = max(kinds.index(kind(way)) for way in ways)
    once = {kind(action): action for action in actions if action in ONCE}
    first = [once[kind(each)] for each in ONCE if kind(each) in once]
    changes = [action for action in actions if action in CHANGES]
    return ",".join([*first, *changes, [way for way in ways if kinds.index(kind(way)) == best][-1]])


@given(st.lists(st.sampled_from([*ONCE, *CHANGES, *FINALS]), max_size=12))
@settings(max_examples=300, deadline=None)
def test_an_action_set_is_executed_in_openflow_order(actions: list[str]) -> None:
    answer = execute_set(",".join(actions))
    assert answer.code == 0
    assert answer.text == executed(actions)


@pytest.mark.parametrize(("actions", "port", "found"), [
    ("output:1,output:2", 2, True),
    ("output:1", 2, False),
    ("enqueue:3:1", 3, True),
    ("controller(id=5)", 0xFFFD, True),
    ("clone(set_field:1->reg0,clone(output:5))", 5, True),
    ("write_actions(output:6)", 6, True),
    ("output(port=2,max_len=60),bundle(eth_src,0,hrw,ofport,members:2)", 2, False),  # As in Open vSwitch.
    ("output:reg0", 1, False),
    ("drop", 1, False),
])  # fmt: skip
def test_a_list_is_searched_for_a_port_that_it_sends_to(actions: str, port: int, found: bool) -> None:
    assert lib.act_outputs_to_port(actions.encode(), port) == found


@pytest.mark.parametrize(("actions", "group", "found"), [
    ("group:1", 1, True),
    ("group:1", 2, False),
    ("clone(group:2)", 2, True),
    ("write_actions(group:3)", 3, True),
    ("set_queue:4", 4, False),
])  # fmt: skip
def test_a_list_is_searched_for_a_group(actions: str, group: int, found: bool) -> None:
    assert lib.act_outputs_to_group(actions.encode(), group) == found


def test_an_instruction_is_found_at_the_top_of_a_list_alone() -> None:
    assert lib.act_finds(b"meter:1,output:1,goto_table:3", lib.OFPACT_GOTO_TABLE)
    assert lib.act_finds(b"meter:1,output:1,goto_table:3", lib.OFPACT_METER)
    assert not lib.act_finds(b"output:1", lib.OFPACT_METER)
    assert not lib.act_finds(b"clone(output:1)", lib.OFPACT_OUTPUT)


@given(st.lists(st.integers(1, 200), max_size=40))
@settings(max_examples=60, deadline=None)
def test_lists_grow_as_they_need_to(sizes: list[int]) -> None:
    words = [f"controller(id=1,userdata={'.'.join(['5a'] * size)})" for size in sizes]
    answer = parse(",".join(words))
    assert answer.code == 0
    assert answer.text == (",".join(words) or "drop")
