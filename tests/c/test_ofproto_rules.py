"""Rules over their lives: counters, timeouts, learning, bundles, what they refer to, how they are listed."""

from __future__ import annotations

import pytest

from tests.c.support.native import ffi, lib
from tests.c.support.otab import (
    ADD,
    DELETE,
    DELETE_STRICT,
    DELETED,
    EVICTED,
    HARD,
    IDLE,
    MODIFY,
    MODIFY_STRICT,
    Tables,
)

EAGAIN = -11


@pytest.fixture
def tables() -> Tables:
    return Tables()


def expire(tables: Tables, ms: int = 0) -> None:
    tables.sleep(ms)
    lib.otab_expire(tables.c)


# ---- counters ----------------------------------------------------------------------------------------------


def test_late_counts_of_a_modified_rule_go_to_its_successor(tables: Tables) -> None:
    tables.flow(ADD, "in_port=1,actions=1")
    first = tables.find(0, "in_port=1")
    tables.credit(first, 3)
    tables.flow(MODIFY, "in_port=1,actions=2")
    tables.flow(MODIFY, "in_port=1,actions=3")
    tables.sleep(500)
    tables.credit(first, 4)
    (rule,) = tables.rules()
    assert (rule.packets, rule.bytes, rule.used) == (7, 700, tables.now)


def test_reset_counts_forgets_what_was_and_what_comes_late(tables: Tables) -> None:
    tables.flow(ADD, "in_port=1,actions=1")
    first = tables.find(0, "in_port=1")
    tables.credit(first, 3)
    tables.flow(MODIFY, "reset_counts,in_port=1,actions=2")
    tables.sleep(500)
    tables.credit(first, 4)
    (rule,) = tables.rules()
    assert (rule.packets, rule.used) == (0, tables.now)


def test_modifying_keeps_age_and_timeouts_adding_starts_anew(tables: Tables) -> None:
    tables.flow(ADD, "cookie=5,idle_timeout=9,importance=2,in_port=1,actions=1")
    start = tables.now
    tables.sleep(1000)
    tables.flow(MODIFY, "in_port=1,actions=2")
    (rule,) = tables.rules()
    assert (rule.created, rule.modified, rule.idle, rule.importance, rule.cookie) == (
        start,
        tables.now,
        9,
        2,
        5,
    )
    tables.sleep(1000)
    tables.flow(ADD, "in_port=1,actions=2")
    (rule,) = tables.rules()
    assert (rule.created, rule.idle, rule.importance, rule.cookie) == (tables.now, 0, 0, 0)


# ---- timeouts ----------------------------------------------------------------------------------------------


def test_a_rule_in_use_outlives_its_idle_timeout_but_not_its_hard_one(tables: Tables) -> None:
    tables.flow(ADD, "send_flow_rem,idle_timeout=2,hard_timeout=5,in_port=1,actions=1")
    tables.flow(ADD, "send_flow_rem,idle_timeout=2,in_port=2,actions=1")
    tables.events()
    for _ in range(4):
        tables.credit(tables.find(0, "in_port=1"), 1)
        expire(tables, 1200)
    assert [e.split()[:2] for e in tables.events()] == [["deleted", "table=0,"], ["removed", str(IDLE)]]
    expire(tables, 201)
    assert [e.split()[:2] for e in tables.events()] == [["deleted", "table=0,"], ["removed", str(HARD)]]
    assert tables.rules() == []


def test_a_timeout_ends_after_its_last_millisecond(tables: Tables) -> None:
    tables.flow(ADD, "hard_timeout=5,actions=1")
    expire(tables, 5000)
    assert len(tables.rules()) == 1
    expire(tables, 1)
    assert tables.rules() == []


def test_fin_timeout_lowers_but_never_raises(tables: Tables) -> None:
    tables.flow(ADD, "idle_timeout=100,in_port=1,actions=1")
    rule = tables.find(0, "in_port=1")
    lib.otab_fin_timeout(tables.c, rule, 10, 20)
    lib.otab_fin_timeout(tables.c, rule, 50, 60)
    lib.otab_fin_timeout(tables.c, rule, 0, 0)
    assert [(r.idle, r.hard) for r in tables.rules()] == [(10, 20)]
    expire(tables, 10_001)
    assert tables.rules() == []


def test_fin_timeout_of_a_modified_rule_is_its_successors(tables: Tables) -> None:
    tables.flow(ADD, "in_port=1,actions=1")
    rule = tables.find(0, "in_port=1")
    tables.flow(MODIFY, "in_port=1,actions=2")
    lib.otab_fin_timeout(tables.c, rule, 10, 0)
    expire(tables, 10_001)
    assert tables.rules() == []


def test_of_many_timeouts_those_that_are_due_end(tables: Tables) -> None:
    order = [(i * 37) % 101 + 1 for i in range(100)]
    for port, seconds in enumerate(order):
        tables.flow(ADD, f"hard_timeout={seconds},reg0={port},actions=drop")
    for now in range(1, 103):
        expire(tables, 1000)
        assert len(tables.rules()) == sum(s >= now for s in order)


# ---- full tables -------------------------------------------------------------------------------------------


def test_a_full_table_refuses(tables: Tables) -> None:
    lib.otab_table(tables.c, 1, 1, False)
    tables.flow(ADD, "table=1,in_port=1,actions=1")
    error, _ = tables.try_flow(ADD, "table=1,in_port=2,actions=1")
    assert error is not None and error.startswith("OFPFMFC_TABLE_FULL")
    tables.flow(ADD, "table=1,in_port=1,actions=2")
    tables.flow(ADD, "table=2,in_port=2,actions=1")


def test_eviction_takes_the_least_important_then_the_one_that_ends_first(tables: Tables) -> None:
    tables.flow(ADD, "table=1,in_port=1,actions=1")
    tables.flow(ADD, "send_flow_rem,table=1,importance=1,idle_timeout=10,in_port=2,actions=1")
    tables.flow(ADD, "send_flow_rem,table=1,importance=1,idle_timeout=20,in_port=3,actions=1")
    tables.flow(ADD, "send_flow_rem,table=1,importance=9,idle_timeout=5,in_port=4,actions=1")
    tables.sleep(15_000)
    tables.credit(tables.find(1, "in_port=2"), 1)  # Now it ends after the one with 20 s.
    lib.otab_drop_all(tables.c)
    lib.otab_table(tables.c, 1, 4, True)
    gone = []
    for reg in range(3):
        tables.events()
        tables.flow(ADD, f"table=1,reg0={reg},actions=1")
        gone += [e for e in tables.events() if e.startswith(f"removed {EVICTED}")]
    assert ["in_port=3" in gone[0], "in_port=2" in gone[1], "in_port=4" in gone[2]] == [True] * 3
    error, _ = tables.try_flow(ADD, "table=1,reg0=9,actions=1")
    assert error is not None and error.startswith("OFPFMFC_TABLE_FULL"), "permanent flows stay"


# ---- learning ----------------------------------------------------------------------------------------------


def test_learning_the_same_again_only_refreshes(tables: Tables) -> None:
    text = "table=1,cookie=7,hard_timeout=10,priority=5,in_port=1,actions=2"
    assert tables.learn(text) == (0, False)
    seq = lib.otab_change_seq(tables.c)
    tables.events()
    expire(tables, 8000)
    assert tables.learn(text) == (0, False)
    assert (lib.otab_change_seq(tables.c), tables.events()) == (seq, [])
    expire(tables, 8000)
    assert len(tables.rules()) == 1
    expire(tables, 3000)
    assert tables.rules() == []


def test_learning_something_else_modifies(tables: Tables) -> None:
    tables.learn("table=1,cookie=7,priority=5,in_port=1,actions=2")
    tables.learn("table=1,cookie=7,priority=5,in_port=1,actions=3")
    assert tables.texts() == ["table=1, priority=5,in_port=1 actions=output:3"]


def test_a_limit_counts_flows_with_the_cookie_in_the_table(tables: Tables) -> None:
    tables.flow(ADD, "table=1,cookie=8,reg0=1,actions=2")
    tables.flow(ADD, "table=2,cookie=7,reg0=1,actions=2")
    assert tables.learn("table=1,cookie=7,in_port=1,actions=2", limit=2) == (0, False)
    assert tables.learn("table=1,cookie=7,in_port=2,actions=2", limit=2) == (0, False)
    assert tables.learn("table=1,cookie=7,in_port=3,actions=2", limit=2) == (0, True)
    assert tables.learn("table=1,cookie=7,in_port=1,actions=2", limit=2) == (0, False)
    assert len(tables.rules("table=1")) == 3


def test_what_cannot_be_learned_now_is_learned_when_the_lock_is_let_go(tables: Tables) -> None:
    assert tables.learn("table=1,cookie=7,priority=5,in_port=1,actions=2", busy=True) == (EAGAIN, False)
    assert tables.texts() == ["table=1, priority=5,in_port=1 actions=output:2"]


def test_learned_flows_go_with_the_last_rule_that_learns_them(tables: Tables) -> None:
    learn = (
        "learn(table=1,cookie=0x7,delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"
    )
    tables.flow(ADD, f"in_port=1,actions={learn}")
    tables.flow(ADD, f"in_port=2,actions={learn}")
    tables.learn("table=1,cookie=7,dl_dst=02:00:00:00:00:01,actions=1")
    tables.flow(ADD, "table=2,cookie=7,actions=1")
    tables.flow(DELETE, "in_port=1")
    assert len(tables.rules("table=1")) == 1
    tables.flow(MODIFY, f"in_port=2,actions={learn},3")
    assert len(tables.rules("table=1")) == 1
    tables.flow(MODIFY, "in_port=2,actions=3")
    assert (len(tables.rules("table=1")), len(tables.rules("table=2"))) == (0, 1)


def test_learned_flows_that_learn_take_theirs_along(tables: Tables) -> None:
    inner = (
        "learn(table=2,cookie=0x8,delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"
    )
    outer = (
        "learn(table=1,cookie=0x7,delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"
    )
    tables.flow(ADD, f"in_port=1,actions={outer}")
    tables.flow(ADD, f"table=1,cookie=7,actions={inner}")
    tables.flow(ADD, "table=2,cookie=8,actions=drop")
    tables.flow(DELETE, "table=0")
    assert tables.rules() == []


# ---- bundles -----------------------------------------------------------------------------------------------


def test_a_bundle_shows_at_once(tables: Tables) -> None:
    tables.flow(ADD, "in_port=1,actions=1")
    tables.events()
    seq = lib.otab_change_seq(tables.c)
    assert lib.otab_bundle_open(tables.c)
    tables.flow(ADD, "in_port=2,actions=1")
    tables.flow(DELETE_STRICT, "in_port=1")
    tables.flow(MODIFY_STRICT, "in_port=2,actions=3")
    assert tables.texts() == ["table=0, in_port=1 actions=output:1"]
    assert (tables.events(), lib.otab_change_seq(tables.c)) == ([], seq)
    lib.otab_bundle_end(tables.c, True)
    assert tables.texts() == ["table=0, in_port=2 actions=output:3"]
    assert lib.otab_change_seq(tables.c) == seq + 1


def test_a_failed_bundle_leaves_nothing(tables: Tables) -> None:
    lib.otab_table(tables.c, 1, 2, False)
    tables.flow(ADD, "table=1,in_port=1,actions=1")
    with tables.bundle(commit=False):
        tables.flow(DELETE, "table=1")
        tables.flow(ADD, "table=1,in_port=2,actions=1")
        assert tables.group(0, "group_id=1,type=all,bucket=1") is None
        tables.flow(ADD, "table=1,in_port=1,actions=group:1")
        error, _ = tables.try_flow(ADD, "table=1,in_port=3,actions=1")
        assert error is not None and error.startswith("OFPFMFC_TABLE_FULL")
        error, _ = tables.try_flow(ADD, "table=2,in_port=3,actions=1")
        assert error is not None and "an earlier change" in error
    assert tables.texts() == ["table=1, in_port=1 actions=output:1"]
    assert tables.try_flow(ADD, "table=1,in_port=1,actions=group:1")[0] is not None


def test_a_bundles_changes_see_those_before_them(tables: Tables) -> None:
    with tables.bundle():
        assert tables.group(0, "group_id=1,type=all,bucket=1") is None
        tables.flow(ADD, "in_port=1,actions=group:1")
        tables.flow(ADD, "in_port=2,actions=group:1")
        assert tables.flow(DELETE, "out_group=1,in_port=2") == 1
        error, _ = tables.try_flow(ADD, "check_overlap,reg0=1,actions=1")
        assert error is not None and error.startswith("OFPFMFC_OVERLAP")
    # The bundle failed with that; nothing of it is left, though it was to be committed.
    assert tables.rules() == []


def test_readers_meet_bundles_whole() -> None:
    assert lib.otab_race(300, 7) == 0


# ---- requests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "text", "error"),
    [
        (ADD, "table=254,actions=drop", "OFPBRC_EPERM"),
        (ADD, "actions=group:7", "OFPBAC_BAD_OUT_GROUP"),
        (ADD, "actions=write_actions(group:7)", "OFPBAC_BAD_OUT_GROUP"),
        (ADD, "actions=clone(group:7)", "OFPBAC_BAD_OUT_GROUP"),
        (ADD, "actions=meter:7,1", "OFPMMFC_INVALID_METER"),
        (MODIFY, "actions=group:7", "OFPBAC_BAD_OUT_GROUP"),
    ],
)
def test_refusals_have_openflows_names(tables: Tables, command: int, text: str, error: str) -> None:
    tables.flow(ADD, "actions=1")
    found, _ = tables.try_flow(command, text)
    assert found is not None and found.startswith(f"{error} ")
    assert tables.texts() == ["table=0, actions=output:1"]


def test_an_identical_flow_is_no_overlap(tables: Tables) -> None:
    tables.flow(ADD, "priority=5,in_port=1,actions=1")
    tables.flow(ADD, "check_overlap,priority=5,in_port=1,actions=2")
    assert tables.texts() == ["table=0, check_overlap priority=5,in_port=1 actions=output:2"]


def test_modify_adds_where_there_is_none_unless_it_asks_for_a_cookie(tables: Tables) -> None:
    assert tables.flow(MODIFY, "cookie=5/-1,in_port=1,actions=1") == 0
    assert tables.flow(MODIFY_STRICT, "priority=7,in_port=1,actions=1") == 1
    assert tables.flow(MODIFY, "in_port=1,actions=2") == 1
    assert tables.texts() == ["table=0, priority=7,in_port=1 actions=output:2"]


def test_filters_of_a_listing(tables: Tables) -> None:
    assert tables.group(0, "group_id=1,type=all,bucket=1") is None
    tables.flow(ADD, "cookie=0x11,priority=1,ip,actions=1")
    tables.flow(ADD, "cookie=0x12,priority=9,tcp,actions=group:1")
    tables.flow(ADD, "cookie=0x21,table=3,arp,actions=write_actions(output:1)")
    tables.flow(ADD, "cookie=0x22,table=2,actions=controller")
    names = {t.split(" actions")[0] for t in tables.texts()}
    assert len(names) == 4

    def shown(which: str) -> list[int]:
        return [r.cookie for r in tables.rules(which)]

    assert shown("") == [0x12, 0x11, 0x22, 0x21]
    assert shown("table=3") == [0x21]
    assert shown("ip") == [0x12, 0x11]
    assert shown("tcp") == [0x12]
    assert shown("cookie=0x10/0xf0") == [0x12, 0x11]
    assert shown("cookie=0x12/-1") == [0x12]
    assert shown("out_port=1") == [0x11, 0x21]
    assert shown("out_port=CONTROLLER") == [0x22]
    assert shown("out_group=1") == [0x12]


def test_only_what_changes_moves_the_sequence(tables: Tables) -> None:
    seq = lib.otab_change_seq(tables.c)
    assert tables.flow(DELETE, "in_port=1") == 0
    expire(tables, 1000)
    tables.try_flow(ADD, "actions=group:9")
    assert lib.otab_change_seq(tables.c) == seq
    tables.flow(ADD, "actions=1")
    assert lib.otab_change_seq(tables.c) > seq


def test_deleting_tells_why(tables: Tables) -> None:
    tables.flow(ADD, "send_flow_rem,in_port=1,actions=1")
    tables.events()
    tables.flow(DELETE, "")
    words = "table=0, send_flow_rem in_port=1 actions=output:1"
    assert tables.events() == [f"deleted {words}", f"removed {DELETED} {words}"]


def test_thousands_of_rules_come_and_go(tables: Tables) -> None:
    """Tables grow and shrink, and nothing of them is left (AddressSanitizer watches)."""
    for start in (0, 1500):
        for i in range(start, start + 1500):
            tables.flow(ADD, f"cookie={i % 7},table={i % 3},reg0={i},metadata={i % 5}/0x7,actions=1")
        for i in range(start, start + 1500, 3):
            assert tables.flow(DELETE_STRICT, f"table={i % 3},reg0={i},metadata={i % 5}/0x7") == 1
    n = ffi.new("uint32_t *")
    assert lib.otab_flow_mod(tables.c, DELETE, b"cookie=3/-1", n) == ffi.NULL
    by_cookie = int(n[0])
    assert by_cookie == sum(i % 7 == 3 and i % 3 != 0 for i in range(3000))
    assert tables.flow(DELETE, "metadata=1/1") + tables.flow(DELETE, "") + by_cookie == 2000
    assert tables.rules() == []
