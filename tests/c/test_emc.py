"""The exact match cache against a dictionary, and what the lookup puts into it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.look import FULL, Flow, Look, raw
from tests.c.support.native import lib

MASK = {58: FULL}


def key(number: int) -> Flow:
    """A key of one to fourteen words: the last one is too long for the cache."""
    return {58: number + 1} | {i: number for i in range(60, 60 + number % 14) if number}


# Few hashes, so that many keys meet in the same places.
step = st.tuples(st.sampled_from(["put", "find", "kill", "sweep"]), st.integers(0, 40))


@given(st.lists(step, max_size=200))
def test_a_hit_is_the_megaflow_that_was_put_in_and_lives(steps: list[tuple[str, int]]) -> None:
    with Look(every=0) as look:
        known: dict[int, int] = {}  # Number of a key -> owner.
        for what, number in steps:
            crowded = number % 3 + 1
            if what == "put" and len(key(number)) <= lib.EMC_WORDS:
                if known.get(number) not in look.live:
                    look.install(key(number), MASK)
                    known[number] = look.made
                m = lib.look_megaflow(look.table, known[number])
                lib.look_emc_put(look.c, raw(key(number)), crowded, m)
                before = lib.look_emc_hits(look.c)
                assert look.find([key(number)], hash_=crowded) == [known[number]]
                assert lib.look_emc_hits(look.c) == before + 1
            elif what == "find":
                (owner,) = look.find([key(number)], hash_=crowded)
                assert owner == (known[number] if known.get(number) in look.live else 0)
            elif what == "kill" and known.get(number) in look.live:
                look.kill(known[number])
            elif what == "sweep":
                look.chores()
                assert look.released() == look.made - len(look.live)
        assert lib.look_emc_entries(look.c) <= 6  # Three hashes, two places each.


def test_a_killed_megaflow_is_a_miss_before_anything_is_swept() -> None:
    with Look() as look:
        look.install(key(1), MASK)
        assert look.find([key(1)]) == [1]
        assert lib.look_emc_hits(look.c) == 1
        look.kill(1)
        assert look.find([key(1)]) == [0]
        look.install(key(1), MASK)
        assert look.find([key(1)]) == [2]


def test_a_killed_megaflow_is_kept_until_the_cache_has_forgotten_it() -> None:
    with Look() as look:
        for i in range(1, 65):
            look.install({58: i}, MASK)
        assert lib.look_emc_entries(look.c) == 64
        for i in range(1, 65):
            look.kill(i)
        look.chores(some=64)  # Unlinks all of them, and sweeps the first 64 places.
        assert 64 - look.released() == lib.look_emc_entries(look.c) > 50
        assert look.walk() == []
        for _ in range(lib.EMC_SLOTS // 64 - 1):
            look.chores(some=64)
        assert look.released() == 64
        assert lib.look_emc_entries(look.c) == 0


def test_every_key_is_learned_or_none_or_one_in_so_many() -> None:
    flows = [{58: 1, 81: i} for i in range(1, 4001)]
    for every, least, most in ((1, 4000, 4000), (0, 0, 0), (100, 15, 80)):
        with Look(every=every) as look:
            look.install({58: 1}, MASK)
            for i in range(0, 4000, 32):
                look.find(flows[i : i + 32])
            # Some share both their places with others, and the one that was learned first has gone.
            learned = lib.look_emc_entries(look.c)
            assert least * 0.9 <= learned <= most + 1


def test_flows_that_keep_coming_are_learned_in_the_end() -> None:
    flows = [{58: 1, 81: i} for i in range(1, 33)]
    with Look(every=100) as look:
        look.install({58: 1}, MASK)
        for _ in range(2000):
            look.find(flows)
        before = lib.look_emc_hits(look.c)
        look.find(flows)
        assert lib.look_emc_hits(look.c) - before == 32


def test_switched_off_it_is_empty_and_not_asked() -> None:
    with Look() as look:
        look.install(key(1), MASK)
        look.find([key(1)])
        hits = lib.look_emc_hits(look.c)
        lib.look_configure(look.c, False, False, 1)
        assert lib.look_emc_entries(look.c) == 0
        assert look.find([key(1)]) == [1]
        assert lib.look_emc_hits(look.c) == hits
        assert lib.look_megaflow_hits(look.c) == 1
        assert lib.look_emc_entries(look.c) == 0
        lib.look_configure(look.c, True, False, 1)
        assert look.find([key(1), key(1)]) == [1, 1]
        assert lib.look_emc_entries(look.c) == 1


def test_long_keys_go_past_it() -> None:
    longest = {58 + i: i + 1 for i in range(lib.EMC_WORDS)}
    longer = longest | {80: 1}
    with Look() as look:
        look.install(longest, MASK)
        assert look.find([longest, longer]) == [1, 1]
        assert lib.look_emc_hits(look.c) == 1
        assert lib.look_emc_entries(look.c) == 1


def test_keys_that_differ_in_their_words_only_are_told_apart() -> None:
    # The same values at other places: only the map differs.
    with Look() as look:
        look.install({60: 5}, {60: FULL, 61: FULL})
        look.install({61: 5}, {60: FULL, 61: FULL})
        for _ in range(3):
            assert look.find([{60: 5}, {61: 5}, {62: 5}], hash_=77) == [1, 2, 0]


def test_a_thousand_flows_stay_in_the_cache() -> None:
    flows = [{58: i, 63: i * 0x9E3779B97F4A7C15 & FULL} for i in range(1, 1001)]
    with Look() as look:
        for flow in flows:
            look.install(flow, MASK)
        before = lib.look_emc_hits(look.c)
        found = [owner for i in range(0, 1000, 25) for owner in look.find(flows[i : i + 25])]
        assert found == list(range(1, 1001))
        assert lib.look_emc_hits(look.c) - before >= 970  # 1,000 of 8,192 places: few meet in both of theirs.


def test_of_the_device_s_hash_port_and_recirculation_make_others() -> None:
    with Look() as look:
        places = [(h, port, recirc) for h in (0, 1, 2**31) for port in (0, 1, 1023) for recirc in (0, 1, 99)]
        assert len({lib.look_device_hash(look.c, *place) for place in places}) == len(places)
        assert lib.look_device_hash(look.c, 5, 6, 7) == lib.look_device_hash(look.c, 5, 6, 7)
