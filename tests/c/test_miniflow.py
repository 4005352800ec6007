"""The compressed key: what goes in comes out, equal in meaning is equal, and the hash spreads."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import ffi, lib
from tests.differential.key import Key, from_c, key_words, to_c

WORDS: int = lib.FLOW_WORDS
# Word number -> value; few words, zeros among them.
sparse = st.dictionaries(st.integers(0, WORDS - 1), st.sampled_from([0, 1, 2**63, 2**64 - 1]), max_size=20)
seeds = st.integers(0, 2**64 - 1)


def flow_of(words: dict[int, int]) -> Any:
    flow = ffi.new("struct flow *")
    raw = ffi.cast("uint64_t *", flow)
    for word, value in words.items():
        raw[word] = value
    return flow


def key_of(words: dict[int, int]) -> Any:
    """A struct dp_key with exactly these words, zeros kept: as extraction makes them."""
    key = ffi.new("struct dp_key *")
    for i, word in enumerate(sorted(words)):
        half, bit = (0, word) if word < lib.FLOW_TNL_WORDS else (1, word - lib.FLOW_TNL_WORDS)
        key.map.bits[half] |= 1 << bit
        key.values[i] = words[word]
    key.words = len(words)
    return key


def without_zeros(words: dict[int, int]) -> dict[int, int]:
    return {word: value for word, value in words.items() if value}


def expanded(key: Any) -> bytes:
    flow = ffi.new("struct flow *")
    lib.flow_test_expand(key, flow)
    return bytes(ffi.buffer(flow))


def from_flow(flow: Any) -> Any:
    key = ffi.new("struct dp_key *")
    lib.flow_test_compress(flow, key)
    return key


def hash_of(key: Any, seed: int) -> int:
    words = random.Random(seed)
    secret = ffi.new("uint64_t[]", [words.getrandbits(64) for _ in range(lib.KEY_SECRET_WORDS)])
    return int(lib.flow_test_hash(key, secret))


@given(sparse)
def test_a_flow_compresses_to_its_words_that_are_not_zero_and_expands_again(words: dict[int, int]) -> None:
    flow = flow_of(words)
    key = from_flow(flow)
    assert key_words(key) == without_zeros(words)
    assert expanded(key) == bytes(ffi.buffer(flow))


@given(sparse, st.integers(0, WORDS - 1))
def test_a_word_is_found_by_its_number_and_absent_ones_are_zero(words: dict[int, int], other: int) -> None:
    key = key_of(words)
    for word in (*words, other):
        assert lib.flow_test_get(key, word) == words.get(word, 0)


@given(sparse, sparse, st.sets(st.integers(0, WORDS - 1)))
def test_equal_in_meaning_is_equal_whatever_the_form(
    a: dict[int, int], b: dict[int, int], zeros: set[int]
) -> None:
    padded = dict.fromkeys(zeros, 0) | a
    assert lib.flow_test_equal(key_of(a), key_of(padded))
    assert lib.flow_test_equal(key_of(padded), from_flow(flow_of(a)))
    assert lib.flow_test_equal(key_of(a), key_of(b)) == (without_zeros(a) == without_zeros(b))


@given(sparse, sparse)
def test_a_mask_is_added_to_what_was_looked_at(wc: dict[int, int], mask: dict[int, int]) -> None:
    flow = flow_of(wc)
    lib.flow_test_or(flow, key_of(mask))
    both = {word: wc.get(word, 0) | mask.get(word, 0) for word in {*wc, *mask}}
    assert bytes(ffi.buffer(flow)) == bytes(ffi.buffer(flow_of(both)))


@given(sparse, sparse)
def test_a_map_is_within_another_when_all_its_words_are(a: dict[int, int], b: dict[int, int]) -> None:
    assert lib.flow_test_is_subset(key_of(a), key_of(b)) == (set(a) <= set(b))


@given(sparse, seeds)
def test_equal_keys_of_one_maker_hash_alike(words: dict[int, int], seed: int) -> None:
    key = from_flow(flow_of(words))
    assert hash_of(key, seed) == hash_of(from_flow(flow_of(without_zeros(words))), seed)


@given(st.integers(1, WORDS), st.integers(0, 63), seeds, st.data())
def test_every_bit_of_every_word_counts(n: int, bit: int, seed: int, draw: st.DataObject) -> None:
    words = dict.fromkeys(draw.draw(st.permutations(range(WORDS)))[:n], draw.draw(seeds))
    word = draw.draw(st.sampled_from(sorted(words)))
    other = words | {word: words[word] ^ 1 << bit}
    assert hash_of(key_of(words), seed) != hash_of(key_of(other), seed)


@pytest.mark.parametrize("name", ["nw_src", "nw_dst", "tp_src", "tp_dst", "in_port"])
@pytest.mark.parametrize("bits", [slice(0, 12), slice(12, 24), slice(20, 32)], ids=str)
def test_counting_up_a_field_fills_slots_as_well_as_chance_would(name: str, bits: slice) -> None:
    taken = set()
    for i in range(4096):
        field: dict[str, Any] = {name: i}
        taken.add(
            hash_of(from_flow(to_c(Key(**field))), 7) >> bits.start & (1 << (bits.stop - bits.start)) - 1
        )
    assert len(taken) > 4096 * 0.60  # 1 - 1/e of the slots, less six deviations.


@given(sparse)
def test_the_python_key_knows_every_field(words: dict[int, int]) -> None:
    flow = flow_of(words)
    for pad in ("pad1", "pad2", "pad3", "pad4"):
        setattr(flow, pad, 0)
    assert bytes(ffi.buffer(to_c(from_c(flow)))) == bytes(ffi.buffer(flow))


def test_the_stages_of_a_lookup_are_where_the_header_says() -> None:
    assert (lib.FLOW_TNL_WORDS, WORDS) == (42, 83)
    assert (lib.FLOW_STAGE_META, lib.FLOW_STAGE_L2, lib.FLOW_STAGE_L3, lib.FLOW_STAGE_L4) == (58, 63, 74, 83)
