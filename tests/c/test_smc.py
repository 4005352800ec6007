"""The signature cache guesses; what it guesses wrong must not be believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.look import FULL, Flow, Look
from tests.c.support.native import lib

MASK = {58: FULL}
# Few hashes: signatures and buckets of different keys are the same.
step = st.tuples(st.sampled_from(["install", "find", "kill", "bury"]), st.integers(1, 12), st.integers(1, 3))


def key(number: int) -> Flow:
    return {58: number, 63: 7}


@given(st.lists(step, max_size=150))
def test_a_hit_is_a_megaflow_that_covers_the_key(steps: list[tuple[str, int, int]]) -> None:
    with Look(emc=False, smc=True) as look:
        for what, number, hash_ in steps:
            if what == "install" and look.find([key(number)], hash_=hash_) == [0]:
                look.install(key(number), MASK)
            elif what == "find":
                (owner,) = look.find([key(number)], hash_=hash_)
                assert look.agrees(key(number), owner)
            elif what == "kill" and look.live:
                look.kill(sorted(look.live)[number % len(look.live)])
            elif what == "bury":  # Slots are used again by others.
                look.chores()
        assert look.released() <= look.made - len(look.live)


def test_what_the_classifier_found_is_found_by_its_signature() -> None:
    flows = [{58: 1 + i % 3, 63: i} for i in range(1, 3000)]
    with Look(emc=False, smc=True) as look:
        for i in range(3):
            look.install({58: i + 1}, MASK)
        for i in range(0, len(flows), 32):
            look.find(flows[i : i + 32])
        hits = lib.look_megaflow_hits(look.c)
        for i in range(0, len(flows), 32):
            batch = flows[i : i + 32]
            assert look.find(batch) == [flow[58] for flow in batch]
        assert lib.look_megaflow_hits(look.c) == hits
        assert lib.look_smc_hits(look.c) == len(flows)


def test_more_flows_of_a_bucket_than_it_has_places_take_turns() -> None:
    with Look(emc=False, smc=True) as look:
        for i in range(1, 9):
            look.install({58: i}, MASK)
        for rounds in range(5):
            for i in range(1, 9):
                assert look.find([{58: i}], hash_=0x10000 * i + 5) == [i]
            assert lib.look_smc_hits(look.c) + lib.look_megaflow_hits(look.c) == 8 * (rounds + 1)
        for _ in range(3):
            assert look.find([{58: 8}], hash_=0x80005) == [8]
        assert lib.look_smc_hits(look.c) >= 3


def test_switched_off_it_is_not_asked_and_comes_back_empty() -> None:
    with Look(emc=False, smc=True) as look:
        look.install({58: 1}, MASK)
        assert look.find([{58: 1}, {58: 1}]) == [1, 1]
        assert (lib.look_smc_hits(look.c), lib.look_megaflow_hits(look.c)) == (2, 0)
        lib.look_configure(look.c, False, False, 1)
        assert look.find([{58: 1}]) == [1]
        lib.look_configure(look.c, False, True, 1)
        assert look.find([{58: 1}]) == [1]
        assert (lib.look_smc_hits(look.c), lib.look_megaflow_hits(look.c)) == (2, 2)
        assert look.find([{58: 1}]) == [1]
        assert (lib.look_smc_hits(look.c), lib.look_megaflow_hits(look.c)) == (3, 2)


def test_a_hit_by_signature_is_learned_by_the_exact_match_cache() -> None:
    with Look(emc=True, smc=True, every=0) as look:
        look.install({58: 1}, MASK)
        lib.look_configure(look.c, True, True, 1)
        look.find([{58: 1}, {58: 1}])
        assert (lib.look_smc_hits(look.c), lib.look_emc_hits(look.c)) == (2, 0)
        look.find([{58: 1}])
        assert (lib.look_smc_hits(look.c), lib.look_emc_hits(look.c)) == (2, 1)
