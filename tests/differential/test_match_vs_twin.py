"""Matches against packets and against one another: C's answers and those of twins in Python."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.fields import Match, Refused, parse, rewritten, tun_map
from tests.c.support.native import ffi, lib
from tests.differential import match_twin, ovn
from tests.differential.key import from_c
from tests.differential.strategies_match import TLV_MAP, MatchText, Offer, flow_texts, matches

SIZE = ffi.sizeof("struct flow")
everything = matches(Offer(other_packets=True))


@pytest.fixture(autouse=True, scope="module")
def options() -> Iterator[None]:
    with tun_map(TLV_MAP):
        yield


def number(raw: Any) -> int:
    return int.from_bytes(bytes(ffi.buffer(raw, SIZE)), "big")


def parts(match: Match) -> tuple[int, int]:
    """(values, mask) as numbers."""
    return number(ffi.addressof(match.raw, "flow")), number(ffi.addressof(match.raw, "mask"))


def flow_from(value: int) -> Any:
    flow = ffi.new("struct flow *")
    ffi.buffer(flow)[:] = value.to_bytes(SIZE, "big")
    return flow


# Bits of a whole key: none, or any (from a seed: hypothesis would draw each byte).
noise = st.one_of(
    st.just(0), st.integers(0, 2**32 - 1).map(lambda seed: random.Random(seed).getrandbits(8 * SIZE))
)

# -- text -----------------------------------------------------------------------------------------


@given(flow_texts(Offer(other_packets=True)))
def test_what_is_printed_reads_back_as_the_same_match(text: str) -> None:
    match = parse(text)
    priority = match.extra.priority
    again = parse(match.text(priority))
    assert again == match and again.extra.priority == priority
    assert again.text(priority) == match.text(priority)


@given(everything)
def test_bits_that_a_match_does_not_name_are_zero(which: MatchText) -> None:
    values, mask = parts(parse(which.text))
    assert values & ~mask == 0


@given(everything, st.data())
def test_the_order_of_words_does_not_matter(which: MatchText, data: st.DataObject) -> None:
    other = data.draw(st.permutations(which.words))
    views = re.findall(r"\bx*reg\d+", which.text)
    if len(views) == len(set(views)) and not {"xxreg2", "reg10"} <= set(views) and "reg5" not in views:
        assert parse(",".join(other)) == parse(which.text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_way_out(text: str) -> None:
    if "\0" in text or not text.isprintable():
        return
    try:
        match = parse(text)
    except Refused as refused:
        assert refused.field and refused.message and refused.hint
    else:
        assert parse(match.text(match.extra.priority)) == match


def test_the_production_rule_set_reads_and_prints_as_it_stands() -> None:
    lines = ovn.rules()
    assert len(lines) == 102_919
    for line in lines:
        shown = re.sub(r"^(cookie=\w+, )?(table=\d+, )?((idle|hard)_timeout=\d+, )*", "", line)
        assert (
            rewritten(line)
            == shown.partition(" actions=")[0].removeprefix("actions=").partition("actions=")[0]
        )


# -- packets --------------------------------------------------------------------------------------


@given(everything, noise, st.one_of(st.none(), st.integers(0, 8 * SIZE - 1)), st.integers(0, 2**64 - 1))
def test_a_match_covers_the_packets_that_the_twin_says(
    which: MatchText, other: int, flipped: int | None, pick: int
) -> None:
    match = parse(which.text)
    values, mask = parts(match)
    packet = values | other & ~mask
    bits = [bit for bit in range(8 * SIZE) if mask >> bit & 1]
    if flipped is not None and bits:  # Mostly a bit that counts.
        packet ^= 1 << (bits[pick % len(bits)] if flipped % 4 else flipped)
    flow = flow_from(packet)
    wanted = match_twin.covers(which.words, flow, from_c(flow))
    assert match.covers(flow) == wanted == ((packet ^ values) & mask == 0)
    assert lib.match_test_mini_covers(match.raw, flow) == wanted


@given(everything, everything)
def test_matches_overlap_if_one_packet_is_in_both(a: MatchText, b: MatchText) -> None:
    x, y = parse(a.text), parse(b.text)
    (x_values, x_mask), (y_values, y_mask) = parts(x), parts(y)
    wanted = (x_values ^ y_values) & x_mask & y_mask == 0
    assert lib.match_overlaps(x.raw, y.raw) == lib.match_overlaps(y.raw, x.raw) == wanted
    witness = flow_from(x_values | y_values)
    assert (x.covers(witness) and y.covers(witness)) == wanted


@given(everything, st.data())
def test_fewer_words_cover_more(which: MatchText, data: st.DataObject) -> None:
    keep = data.draw(st.sets(st.sampled_from(which.words))) if which.words else set()
    specific = parse(which.text)
    try:
        general = parse(",".join(word for word in which.words if word in keep))
    except Refused:
        return  # A prerequisite is gone.
    assert lib.match_covers(general.raw, specific.raw)
    assert lib.match_covers(specific.raw, general.raw) == (parts(general)[1] == parts(specific)[1])
    assert lib.match_overlaps(general.raw, specific.raw)


@given(everything, everything)
def test_the_compressed_form_is_the_match(a: MatchText, b: MatchText) -> None:
    x, y, again = parse(a.text), parse(b.text), ffi.new("struct match *")
    lib.match_test_mini(x.raw, again)
    assert Match(again) == x
    assert lib.match_test_mini_equal(x.raw, y.raw) == (x == y)
    assert lib.match_test_mini_equal(x.raw, again)


@given(noise, noise)
def test_a_packet_with_its_mask_is_a_match_that_covers_it(packet: int, wc: int) -> None:
    raw = ffi.new("struct match *")
    lib.match_from_wc(flow_from(packet), flow_from(wc), raw)
    assert parts(Match(raw)) == (packet & wc, wc)
    assert Match(raw).covers(flow_from(packet))


@given(everything)
def test_the_match_of_one_packet_is_within_every_match_that_covers_it(which: MatchText) -> None:
    match = parse(which.text)
    flow = flow_from(parts(match)[0])
    exact = ffi.new("struct match *")
    lib.match_from_flow(flow, exact)
    assert Match(exact).covers(flow)
    unseen = (
        "conj_id",
        "actset_output",
        "tun_metadata",
        "nd_",
        "mpls",
        "tun_",
        "ct_",
        "nsh",
        "icmp",
        "tp_",
        "sctp",
        "nw_frag",
    )
    if not any(word in which.text for word in unseen):
        assert lib.match_covers(match.raw, exact), Match(exact).text()
