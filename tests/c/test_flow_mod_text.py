"""A flow's text as a flow mod: what additions, modifications and deletions take, what becomes of cookies."""

from __future__ import annotations

import pytest

from tests.c.support.actions import ADD, DELETE, DELETE_STRICT, MODIFY, MODIFY_STRICT, flow_mod
from tests.c.support.native import lib
from tests.differential import ovn

ALL_ONES = 2**64 - 1
CHANGES = [ADD, MODIFY, MODIFY_STRICT]
DELETIONS = [DELETE, DELETE_STRICT]


def test_an_addition_takes_everything_a_rule_can_have() -> None:
    text = (
        "cookie=0x7, table=3, priority=9, idle_timeout=1, hard_timeout=2, importance=4, send_flow_rem "
        "check_overlap tcp,in_port=h1,nw_dst=10.0.0.0/8,tp_dst=80 actions=set_field:81->tcp_dst,output:h2"
    )
    mod = flow_mod(text)
    assert mod.answer.code == 0, mod.answer
    assert mod.answer.text == (
        "priority=9,tcp,in_port=1,nw_dst=10.0.0.0/8,tp_dst=80 actions=set_field:81->tcp_dst,output:2"
    )
    assert (mod.table, mod.priority, mod.idle_timeout, mod.hard_timeout, mod.importance) == (3, 9, 1, 2, 4)
    assert (mod.flags, mod.new_cookie, mod.modify_cookie, mod.cookie_mask) == (0b11, 7, True, 0)
    assert (mod.out_port, mod.out_group) == (0xFFFF, 0xFFFFFFFF)


def test_what_is_not_given_has_its_usual_value() -> None:
    mod = flow_mod("actions=drop")
    assert (mod.table, mod.priority, mod.new_cookie, mod.modify_cookie) == (255, 32768, 0, False)
    assert (mod.idle_timeout, mod.hard_timeout, mod.importance, mod.flags) == (0, 0, 0, 0)
    assert mod.answer.text == "actions=drop"


def test_a_line_of_a_dump_is_a_flow_again() -> None:
    line = (
        " cookie=0x1, duration=5.2s, table=1, n_packets=3, n_bytes=200, idle_age=5, priority=10,ip "
        "actions=resubmit(,2)"
    )
    mod = flow_mod(line)
    assert (mod.answer.text, mod.table, mod.new_cookie) == ("priority=10,ip actions=resubmit(,2)", 1, 1)


@pytest.mark.parametrize("command", CHANGES)
def test_a_change_needs_actions(command: int) -> None:
    answer = flow_mod("ip", command).answer
    assert (answer.field, bool(answer.code)) == ("actions", True)


@pytest.mark.parametrize("command", DELETIONS)
def test_a_deletion_needs_none_and_does_not_look_at_them(command: int) -> None:
    assert flow_mod("ip", command).answer.code == 0
    assert flow_mod("ip,actions=nonsense", command).answer.text.endswith("actions=drop")


def test_a_deletion_takes_filters() -> None:
    mod = flow_mod("table=2,ip,out_port=2,out_group=5,cookie=0x10/0xf0", DELETE)
    assert (mod.table, mod.out_port, mod.out_group, mod.cookie, mod.cookie_mask) == (2, 2, 5, 0x10, 0xF0)
    assert not mod.modify_cookie
    assert flow_mod("priority=5,out_port=LOCAL", DELETE_STRICT).out_port == 0xFFFE


# (text without actions, commands that refuse it, field that the error names)
REFUSED: list[tuple[str, list[int], str]] = [
    ("priority=5", [DELETE], "priority"),
    ("idle_timeout=5", DELETIONS, "idle_timeout"),
    ("hard_timeout=5", DELETIONS, "hard_timeout"),
    ("importance=5", [MODIFY, MODIFY_STRICT, *DELETIONS], "importance"),
    ("send_flow_rem", DELETIONS, "flags"),
    ("out_port=1", CHANGES, "out_port"),
    ("out_group=1", CHANGES, "out_group"),
    ("cookie=1/1", [ADD], "cookie"),
    ("cookie=1", DELETIONS, "cookie"),
]


@pytest.mark.parametrize(("text", "commands", "field"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_command_refuses_what_it_has_no_use_for(text: str, commands: list[int], field: str) -> None:
    for command in (*CHANGES, *DELETIONS):
        answer = flow_mod(text if command in DELETIONS else f"{text},actions=drop", command).answer
        assert bool(answer.code) == (command in commands), (command, answer)
        assert not answer.code or (answer.field == field and answer.hint), answer


@pytest.mark.parametrize("command", [MODIFY, MODIFY_STRICT])
def test_a_modification_sets_a_cookie_selects_by_one_or_both(command: int) -> None:
    def cookies(text: str) -> tuple[int, int, int, bool]:
        mod = flow_mod(f"{text}actions=drop", command)
        return mod.cookie, mod.cookie_mask, mod.new_cookie, mod.modify_cookie

    assert cookies("") == (0, 0, 0, False)  # What is added where nothing matches has cookie 0.
    assert cookies("cookie=5,") == (0, 0, 5, True)
    assert cookies("cookie=5/-1,") == (5, ALL_ONES, ALL_ONES, False)  # Nothing is added.
    assert cookies("cookie=5/-1,cookie=6,") == (5, ALL_ONES, 6, True)


def test_a_rule_that_names_no_table_is_checked_as_one_of_the_first() -> None:
    assert flow_mod("actions=goto_table:0").answer.refused == "OFPBIC_BAD_TABLE_ID"
    assert flow_mod("table=5,actions=goto_table:5").answer.refused == "OFPBIC_BAD_TABLE_ID"
    assert flow_mod("table=5,actions=goto_table:6").answer.code == 0


def test_flags_of_later_versions_want_actions_that_fit() -> None:
    assert flow_mod("actions=dec_ttl").answer.code == 0
    assert flow_mod("no_packet_counts,actions=dec_ttl").answer.refused == "OFPBAC_MATCH_INCONSISTENT"
    assert flow_mod("reset_counts,ip,actions=dec_ttl").answer.code == 0


def test_there_are_five_commands() -> None:
    assert flow_mod("actions=drop", 5).answer.refused == "OFPFMFC_BAD_COMMAND"


def test_every_rule_of_the_production_set_prints_as_it_is_written() -> None:
    lib.act_tun_map(True)
    try:
        for rule in ovn.rules():  # Printed by a tool without the TLV map, whose fields had no length.
            line = rule.replace("dec_ttl()", "dec_ttl").replace("/0xffffffff->tun_meta", "->tun_meta")
            answer = flow_mod(line).answer
            head, actions = line.split(" actions=")
            match = [word for word in head.split(", ") if not word.startswith(("cookie=", "table="))]
            assert (answer.code, answer.text) == (0, f"{''.join(match)} actions={actions}")
    finally:
        lib.act_tun_map(False)
