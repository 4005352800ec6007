"""The OpenFlow classifier against a list that is searched from end to end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.classifier_twin import (
    N_WORDS,
    Box,
    Rule,
    Words,
    flows,
    matches,
    raw,
    rule_sets,
)
from tests.c.support.native import ffi, lib


def filled(rules: list[Rule]) -> Box:
    box = Box()
    for rule in rules:
        box.insert(rule)
    return box


@given(rules=rule_sets(), keys=st.lists(flows(), min_size=1, max_size=20))
def test_finds_what_the_list_finds(rules: list[Rule], keys: list[Words]) -> None:
    box = filled(rules)
    for flow in keys:
        number, conj, _ = box.lookup(1, flow)
        assert (number, conj) == box.expected(1, flow)


@given(rules=rule_sets(), keys=st.lists(flows(), min_size=1, max_size=5), seed=st.integers(0, 2**64 - 1))
def test_changing_a_wildcarded_bit_changes_nothing(rules: list[Rule], keys: list[Words], seed: int) -> None:
    box = filled(rules)
    for flow in keys:
        other = ffi.new("uint64_t[]", N_WORDS)
        wrong = lib.cls_box_flip(box.box, 1, raw(flow), 200, seed, other)
        assert wrong == 0, [hex(other[w]) for w in range(N_WORDS)]
