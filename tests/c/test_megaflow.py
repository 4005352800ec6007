"""The life of megaflows: listed, limited, killed by anybody, freed once."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.look import FULL, Look
from tests.c.support.native import ffi, lib

MASK = {58: FULL}
step = st.tuples(st.sampled_from(["install", "kill", "chores", "walk"]), st.integers(0, 1000))


@given(st.lists(step, max_size=100))
def test_a_walk_sees_the_living_and_each_is_released_once(steps: list[tuple[str, int]]) -> None:
    with Look() as look:
        for what, number in steps:
            if what == "install":
                look.install({58: look.made + 1}, MASK)
            elif what == "kill" and look.live:
                look.kill(sorted(look.live)[number % len(look.live)])
            elif what == "chores":
                look.chores(some=number % 5)
            assert lib.megaflow_count(look.table) == len(look.live)
            assert look.released() <= look.made - len(look.live)
            assert sorted(look.walk(1 + number % 7)) == sorted(look.live)
        look.chores()
        assert look.released() == look.made - len(look.live)
        lib.look_end(look.c)
        assert lib.look_owners_released(look.c) == look.made


def test_a_megaflow_says_what_it_was_made_from() -> None:
    mask = {0: FULL, 52: 0xFFFFFFFF << 32, 63: 0xFFFFFF}
    flow = {0: 5, 52: 3 << 32 | 77, 58: 9, 63: 0x12345678, 81: 1}
    with Look() as look:
        m = look.install(flow, mask, port=9)
        key, bits = ffi.new("uint64_t[83]"), ffi.new("uint64_t[83]")
        lib.look_megaflow_words(m, key, bits)
        assert {i: int(word) for i, word in enumerate(key) if word} == {0: 5, 52: 3 << 32, 63: 0x345678}
        assert {i: int(word) for i, word in enumerate(bits) if word} == mask
        assert lib.look_megaflow_output(m) == 9


def test_no_two_have_the_same_id() -> None:
    with Look() as one, Look() as other:
        ids = [
            lib.look_megaflow_id(look.install({58: i + 1}, MASK)) for look in (one, other) for i in range(50)
        ]
        assert len(set(ids)) == 100


def test_above_the_limit_there_are_none_and_a_kill_makes_room_at_once() -> None:
    with Look() as look:
        lib.megaflow_set_limit(look.table, 10)
        for i in range(10):
            assert look.install({58: i + 1}, MASK)
        assert look.install({58: 11}, MASK) is None
        look.kill(3)
        assert look.install({58: 11}, MASK)
        assert look.install({58: 12}, MASK) is None
        lib.megaflow_set_limit(look.table, 5)  # Those that are there stay: the revalidator chooses.
        assert len(look.walk()) == 10
        lib.megaflow_set_limit(look.table, FULL & 0xFFFFFFFF)
        assert lib.megaflow_limit(look.table) == lib.MEGAFLOW_LIMIT_MAX
        assert look.install({58: 12}, MASK)
        look.chores()
        assert look.released() == 1


def test_killed_twice_is_killed_once() -> None:
    with Look() as look:
        m = look.install({58: 1}, MASK)
        lib.megaflow_kill(m)
        lib.megaflow_kill(m)
        assert lib.megaflow_count(look.table) == 0
        look.chores()
        assert look.released() == 1


def test_more_megaflows_than_a_chunk_and_slots_are_used_again() -> None:
    with Look(emc=False) as look:
        for _ in range(3):
            for i in range(1300):
                look.install({58: i + 1}, MASK)
            assert sorted(look.walk(7)) == sorted(look.live)
            for owner in list(look.live):
                look.kill(owner)
            look.chores()
            assert look.walk() == []
        assert look.released() == 3900


def test_its_last_counters_go_with_the_release() -> None:
    with Look() as look:
        m = look.install({58: 1}, MASK)
        lib.look_count(m, 3, 180)
        lib.megaflow_kill(m)
        lib.look_count(m, 1, 60)  # The PMD was just carrying a packet.
        look.chores()
        assert look.released() == 1
        owner = lib.look_owner(look.c, 1)
        assert (owner.packets, owner.bytes) == (4, 240)


def test_other_actions_hold_from_then_on() -> None:
    with Look() as look:
        m = look.install({58: 1}, MASK, port=1)
        for port in range(2, 50):
            assert lib.look_set_output(m, port) == 0
            assert lib.look_megaflow_output(m) == port
        lib.box_reap()
        assert lib.look_megaflow_output(m) == 49


@pytest.mark.parametrize("emc", [False, True])
def test_a_revalidator_beside_the_pmd(emc: bool) -> None:
    """One thread looks up and installs what it misses, as a PMD does; another kills and changes."""
    stop = ffi.new("bool *", False)
    killed: list[int] = []
    with Look(emc=emc) as look:
        look.install({58: 10**6}, MASK)
        other = threading.Thread(target=lambda: killed.append(int(lib.look_harass(look.table, 3, 5, stop))))
        other.start()
        flows = [{58: i + 1, 63: i} for i in range(32)]
        while look.made < 3000:
            for flow, owner in zip(flows, look.find(flows), strict=True):
                if owner == 0 and look.made < 4000:
                    look.install(flow, MASK)
            look.chores(some=20)
        stop[0] = True
        other.join()
        look.chores()
        assert lib.megaflow_count(look.table) == look.made - killed[0] == len(look.walk())
        assert look.released() == killed[0] > 500
