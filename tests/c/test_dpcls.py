"""The megaflow classifier against a list that is searched from end to end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.look import FULL, WORDS, Flow, Look, raw
from tests.c.support.native import lib

# Words of all kinds: tunnel, metadata, Ethernet, network, transport.
SOME_WORDS = [0, 3, 41, 42, 51, 52, 58, 59, 63, 70, 71, 81, 82]
# Few values and few bits, so that flows meet.
values = st.sampled_from([0, 1, 2, 3, 1 << 32, 3 << 32, FULL])
bits = st.sampled_from([1, 3, 1 << 32, FULL, FULL << 32 & FULL])
flows = st.dictionaries(st.sampled_from(SOME_WORDS), values, max_size=13)
masks = st.dictionaries(st.sampled_from(SOME_WORDS), bits, max_size=13)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("install"), flows, masks),
        st.tuples(st.just("find"), st.lists(flows, min_size=1, max_size=32), st.integers(0, FULL)),
        st.tuples(st.just("kill"), st.integers(0, 1000), st.booleans()),
        st.tuples(st.just("rank"), st.just(0), st.just(0)),
    ),
    max_size=60,
)

TNL_WORDS = 42


def shown(number: int) -> tuple[int, int]:
    """Words that a key has even if they are zero: some of SOME_WORDS, by the number's bits."""
    words = [word for i, word in enumerate(SOME_WORDS) if number >> i & 1]
    tunnel = sum(1 << word for word in words if word < TNL_WORDS)
    return tunnel, sum(1 << (word - TNL_WORDS) for word in words if word >= TNL_WORDS)


def run(look: Look, step: tuple[str, Any, Any], now: int) -> None:
    what, first, second = step
    if what == "install":
        # As the PMD does: only after a miss. So no two live ones cover the same flow under the same mask.
        if look.find([first]) == [0]:
            assert look.install(first, {w: b for w, b in second.items() if b})
    elif what == "find":
        maps = [shown(second * (i + 1)) for i in range(len(first))]
        for flow, owner in zip(first, look.find(first, maps), strict=True):
            assert look.agrees(flow, owner)
    elif what == "kill" and look.live:
        look.kill(sorted(look.live)[first % len(look.live)])
        if second:
            look.chores()
    elif what == "rank":
        look.chores(now * 1000)


@pytest.mark.parametrize("weak", [False, True])
@given(steps=steps)
def test_finds_what_a_list_finds(weak: bool, steps: list[tuple[str, Any, Any]]) -> None:
    with Look(emc=False, weak=weak) as look:
        for now, step in enumerate(steps, 1):
            run(look, step, now)
        assert sorted(look.walk()) == sorted(look.live)


def test_many_megaflows_with_one_hash_are_told_apart() -> None:
    # With the weak secret a pair of words of which one is zero adds nothing to the hash.
    mask = {42: FULL, 58: FULL}
    with Look(emc=False, weak=True) as look:
        for i in range(1, 200):
            assert look.install({42: i}, mask)
        for i in range(1, 200, 3):
            look.kill(i)
        look.chores()
        for i in range(1, 200):
            assert look.find([{42: i}]) == [0 if i % 3 == 1 else i]
        for i in range(1, 200, 3):
            assert look.install({42: i}, mask)
        assert all(look.find([{42: i}]) != [0] for i in range(1, 200))
        assert look.find([{42: 200}]) == [0]


def test_more_shapes_than_plans_are_only_slower() -> None:
    mask = {42: FULL, 81: FULL}
    with Look(emc=False) as look:
        assert look.install({42: 7, 81: 9}, mask)
        for n in range(0, 6 * lib.DPCLS_SHAPES, 7):
            batch = [{42: 7, 81: 9, 58: 1} for _ in range(32)]
            maps = [(0, 1 << ((n + i) % 41)) for i in range(32)]
            assert look.find(batch, maps) == [1] * 32
            assert look.find([{**flow, 81: 8} for flow in batch], maps) == [0] * 32


@pytest.mark.parametrize("n_words", [0, 1, 2, 7, 8, 9, 10, 11, 12, 40, 83])
def test_masks_of_any_length(n_words: int) -> None:
    words = range(WORDS - n_words, WORDS)
    mask = dict.fromkeys(words, FULL)
    flow = {word: word + 1 for word in range(WORDS)}
    with Look(emc=False) as look:
        assert look.install(flow, mask)
        assert lib.look_subtable_words(look.c, 0) == n_words
        assert look.find([flow, {**flow, 0: 99}]) == [1, 0 if n_words == 83 else 1]
        for word in words:
            assert look.find([{**flow, word: 5000}]) == [0]


def test_a_mask_on_a_word_that_the_packet_has_not_means_zero() -> None:
    with Look(emc=False) as look:
        look.install({42: 5}, {42: FULL, 63: FULL})
        look.install({42: 5, 63: 1}, {42: FULL, 63: FULL})
        assert look.find([{42: 5}, {42: 5, 63: 1}, {42: 5, 63: 2}]) == [1, 2, 0]
        # The same with the word there, and zero.
        assert look.find([{42: 5}], [(0, 1 << (63 - TNL_WORDS))]) == [1]


def origin(in_port: int, recirc_id: int) -> Flow:
    """The two fields, where struct flow has them on a little-endian machine."""
    return {52: in_port << 32, 53: recirc_id}


def test_subtables_of_other_ports_are_not_searched() -> None:
    exact = {52: 0xFFFFFFFF << 32, 53: 0xFFFFFFFF}
    with Look(emc=False) as look:
        for port in range(1, 41):
            # A mask of its own for each port: bit `port` of the source address.
            look.install(origin(port, 0) | {63: 1 << port}, exact | {63: 1 << port})
        before = lib.look_searched(look.c)
        assert look.find([origin(7, 0) | {63: 1 << 7}]) == [7]
        assert lib.look_searched(look.c) - before <= 8  # Of 40: its own, and those of its class.
        assert look.find([origin(7, 1) | {63: 1 << 7}]) == [0]
        assert look.find([origin(41, 0) | {63: FULL}]) == [0]
        look.kill(7)
        look.chores()
        assert look.find([origin(7, 0) | {63: 1 << 7}]) == [0]
        assert look.install(origin(7, 9) | {63: 1 << 7}, exact | {63: 1 << 7})
        assert look.find([origin(7, 9) | {63: 1 << 7}]) == [41]


def test_a_port_s_last_megaflow_takes_only_its_own_away() -> None:
    exact = {52: 0xFFFFFFFF << 32, 53: 0xFFFFFFFF}
    with Look(emc=False) as look:
        for port in range(1, 101):
            look.install(origin(port, 0), exact)
        for port in range(1, 101, 3):
            look.kill(port)
            look.chores()
        found = look.find([origin(port, 0) for port in range(1, 33)])
        assert found == [0 if port % 3 == 1 else port for port in range(1, 33)]
        assert all(look.find([origin(port, 0)]) == [port] for port in look.live)


def test_subtables_with_most_hits_come_first() -> None:
    with Look(emc=False) as look:
        for i in range(10):
            look.install({58: 1 << i}, {58: 1 << i, 81: (1 << i) - 1})

        def cost() -> int:
            before = lib.look_searched(look.c)
            assert look.find([{58: 1 << 9}]) == [10]
            return int(lib.look_searched(look.c) - before)

        assert cost() == 10
        look.chores(1000)
        assert cost() == 1
        for _ in range(9):
            look.find([{58: 1 << 4}])
        assert look.find([{58: 1 << 9}]) == [10]
        look.chores(1999)  # Less than a second later: as it was.
        assert cost() == 1
        look.chores(2000)
        assert cost() == 2


def test_a_subtable_goes_with_its_last_megaflow_and_its_places_are_used_again() -> None:
    with Look(emc=False) as look:
        for generation in range(5):
            for i in range(300):
                assert look.install({58: i + 1}, {58: FULL})
                assert look.install({59: i + 1}, {58: FULL, 59: FULL})
            assert lib.look_subtables(look.c) == 2
            for owner in list(look.live):
                look.kill(owner)
            look.chores()
            assert lib.look_subtables(look.c) == 0
            assert look.released() == 600 * (generation + 1)


def test_every_bit_of_a_key_moves_its_hash() -> None:
    with Look() as look:
        base = {word: 0x0123456789ABCDEF * (word + 1) & FULL for word in range(WORDS)}
        first = lib.look_key_hash(look.c, raw(base))
        seen = {first}
        for bit in range(64 * WORDS):
            value = lib.look_key_hash(look.c, raw({**base, bit // 64: base[bit // 64] ^ 1 << bit % 64}))
            assert 3 <= (value ^ first).bit_count() <= 29  # About half of the 32.
            seen.add(value)
        assert len(seen) > 64 * WORDS - 5
