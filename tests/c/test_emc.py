"""The decision cache against a dictionary: a hit is always right, and what was just put in is found."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import ffi, lib
from tests.differential.key import Key, to_c

SEED = 1234567


def key(number: int) -> Key:
    return Key(in_port=1 + number % 3, tp_src=number & 0xFFFF, nw_proto=number >> 16 & 0xFF)


def hash_of(raw: object) -> int:
    return int(lib.flow_test_hash(raw, SEED))


@dataclass(frozen=True)
class Answer:
    port: int
    generation: int
    made_ms: int


# Few hashes, so that many keys meet in the same places.
step = st.tuples(
    st.sampled_from(["insert", "lookup", "age", "change"]), st.integers(0, 40), st.integers(1, 250)
)


@given(st.lists(step, max_size=200))
def test_a_hit_is_the_latest_answer_of_this_generation_and_half_second(
    steps: list[tuple[str, int, int]],
) -> None:
    emc = ffi.gc(lib.emc_test_new(), lib.emc_test_free)
    known: dict[int, Answer] = {}
    generation, now_ms = 7, 1000
    for what, number, port in steps:
        raw, crowded = to_c(key(number)), number % 3 + 1
        if what == "insert":
            lib.emc_test_insert(emc, raw, crowded, generation, now_ms, port, 1)
            known[number] = Answer(port, generation, now_ms)
            assert lib.emc_test_lookup(emc, raw, crowded, generation, now_ms) == port
        elif what == "age":
            now_ms += port
        elif what == "change":
            generation += 1
        else:
            found = lib.emc_test_lookup(emc, raw, crowded, generation, now_ms)
            if found:
                answer = known[number]
                assert (found, generation) == (answer.port, answer.generation)
                assert now_ms - answer.made_ms < lib.EMC_MAX_AGE_MS


def test_an_answer_holds_for_half_a_second_and_no_longer() -> None:
    emc = ffi.gc(lib.emc_test_new(), lib.emc_test_free)
    raw = to_c(key(1))
    lib.emc_test_insert(emc, raw, hash_of(raw), 1, 5000, 9, 1)
    assert lib.emc_test_lookup(emc, raw, hash_of(raw), 1, 5499) == 9
    assert lib.emc_test_lookup(emc, raw, hash_of(raw), 1, 5500) == 0
    assert lib.emc_test_lookup(emc, raw, hash_of(raw), 2, 5000) == 0


def test_long_lists_are_not_kept() -> None:
    emc = ffi.gc(lib.emc_test_new(), lib.emc_test_free)
    raw = to_c(key(1))
    for n, kept in ((lib.EMC_ACTIONS, 1), (lib.EMC_ACTIONS + 1, 0)):
        fresh = ffi.gc(lib.emc_test_new(), lib.emc_test_free)
        lib.emc_test_insert(fresh, raw, hash_of(raw), 1, 0, 9, n)
        assert lib.emc_test_count(fresh, 1, 0) == kept
    assert lib.emc_test_count(emc, 1, 0) == 0


def test_a_thousand_flows_stay_in_the_cache() -> None:
    emc = ffi.gc(lib.emc_test_new(), lib.emc_test_free)
    raws = [to_c(key(i)) for i in range(1000)]
    for i, raw in enumerate(raws):
        lib.emc_test_insert(emc, raw, hash_of(raw), 1, 0, 1 + i % 200, 1)
    found = [lib.emc_test_lookup(emc, raw, hash_of(raw), 1, 0) for raw in raws]
    right = sum(port == 1 + i % 200 for i, port in enumerate(found))
    assert right + found.count(0) == 1000  # Never another flow's answer.
    assert right >= 970  # 1,000 of 8,192 places: few meet in both of theirs.


def test_every_bit_of_the_key_moves_the_hash() -> None:
    base = to_c(Key())
    first = hash_of(base)
    seen = {first}
    for bit in range(8 * ffi.sizeof("struct flow")):
        raw = to_c(Key())
        view = ffi.buffer(raw)
        view[bit // 8] = bytes([view[bit // 8][0] ^ 1 << bit % 8])
        value = hash_of(raw)
        assert 4 <= (value ^ first).bit_count() <= 28  # About half of the 32.
        seen.add(value)
    assert len(seen) == 1 + 8 * ffi.sizeof("struct flow")
    assert lib.flow_test_hash(base, SEED + 1) != first
