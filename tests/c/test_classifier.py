"""The OpenFlow classifier against a list that is searched from end to end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.classifier_twin import (
    FIELDS,
    N_WORDS,
    Box,
    Rule,
    Words,
    be,
    flows,
    lists,
    matches,
    put,
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


@given(rules=rule_sets(), keys=st.lists(flows(), min_size=1, max_size=5))
def test_looks_at_no_more_than_rules_that_may_win(rules: list[Rule], keys: list[Words]) -> None:
    """Masks that have a rule of a higher priority than the best direct match, and this one's."""
    box = filled(rules)
    highest: dict[tuple[tuple[int, int], ...], int] = {}
    for rule in rules:
        mask = tuple(sorted(rule.mask.items()))
        highest[mask] = max(rule.priority, highest.get(mask, 0))
    for flow in keys:
        _, _, wc = box.lookup(1, flow)
        direct = max((g[0].priority for g in lists(rules, 1, flow) if not g[0].conj), default=0)
        for mask, priority in highest.items():
            if priority >= direct:
                for w, bits in mask:
                    wc[w] = wc.get(w, 0) & ~bits
        assert not any(wc.values())


def random_step(box: Box, now: int, step: int, rule: Rule) -> int:
    """One change, as writers make them; returns the version that lookups use after it."""
    present = sorted(box.rules)
    shown = [r for r in box.rules.values() if r.visible(now + 1)]
    chosen = shown[step % len(shown)] if shown else None
    rule = replace(rule, id=max(present, default=0) + 1, add=now + 1)
    same = next((r for r in shown if r.match == rule.match and r.priority == rule.priority), None)
    if step % 8 < 4:
        box.insert(rule)
        if same:
            box.hide(same.id, now + 1)
    elif step % 8 < 6 and chosen:
        box.hide(chosen.id, now + 1)
        if step % 3 == 0:
            box.hide(chosen.id, 2**64 - 1)
    elif step % 8 == 6:
        return now + 1
    else:
        for number in [r.id for r in box.rules.values() if r.remove <= now]:
            box.remove(number)
    return now


@given(
    pool=rule_sets(12),
    steps=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=10, max_size=80),
    keys=st.lists(flows(), min_size=1, max_size=4),
)
def test_each_version_shows_what_it_should(
    pool: list[Rule], steps: list[tuple[int, int]], keys: list[Words]
) -> None:
    box, now = Box(), 1
    for step, which in steps:
        now = random_step(box, now, step, pool[which % len(pool)])
        for flow in keys:
            for version in (now, now + 1):
                number, conj, _ = box.lookup(version, flow)
                assert (number, conj) == box.expected(version, flow)
    for number in sorted(box.rules):
        box.remove(number)
    stats = ffi.new("struct classifier_stats *")
    lib.cls_box_stats(box.box, stats)
    assert (stats.n_rules, stats.n_subtables, stats.n_tries) == (0, 0, 0)


@given(rules=rule_sets(), targets=st.lists(matches(), min_size=1, max_size=10), priority=st.integers(0, 255))
def test_finds_rules_by_what_they_are(
    rules: list[Rule], targets: list[tuple[Words, Words]], priority: int
) -> None:
    box = filled(rules)
    ids = ffi.new("uint32_t[]", 100)
    for rule in rules:
        assert lib.cls_box_find(box.box, 1, raw(rule.value), raw(rule.mask), rule.priority) == rule.id
    for mask, value in [*targets, *((r.mask, r.value) for r in rules[:5])]:
        n = lib.cls_box_covered(box.box, 1, raw(value), raw(mask), ids, 100)
        covered = {
            r.id
            for r in rules
            if all(r.mask.get(w, 0) & m == m for w, m in mask.items())
            and all(r.value.get(w, 0) & m == value.get(w, 0) for w, m in mask.items())
        }
        assert sorted(ids[0:n]) == sorted(covered)
        overlapping = [
            r
            for r in rules
            if r.priority == priority
            and all(not (r.value.get(w, 0) ^ value.get(w, 0)) & m & r.mask.get(w, 0) for w, m in mask.items())
        ]
        assert lib.cls_box_overlaps(box.box, 1, raw(value), raw(mask), priority) == bool(overlapping)
    assert lib.cls_box_covered(box.box, 1, ffi.NULL, ffi.NULL, ids, 100) == len(rules)


def ip_rule(number: int, priority: int, prefix: int, address: int) -> Rule:
    mask: Words = {}
    value: Words = {}
    bits = 0xFFFFFFFF << (32 - prefix) & 0xFFFFFFFF
    put(mask, FIELDS["dl_type"], 0xFFFF)
    put(value, FIELDS["dl_type"], be(0x0800, 2))
    put(mask, FIELDS["nw_dst"], be(bits, 4))
    put(value, FIELDS["nw_dst"], be(address & bits, 4))
    return Rule(number, priority, {w: m for w, m in mask.items() if m}, value)


def looked_at(box: Box, address: int) -> int:
    flow: Words = {}
    put(flow, FIELDS["dl_type"], be(0x0800, 2))
    put(flow, FIELDS["nw_dst"], be(address, 4))
    _, _, wc = box.lookup(1, flow)
    f = FIELDS["nw_dst"]
    return int.from_bytes((wc.get(f.word, 0) >> f.shift & 0xFFFFFFFF).to_bytes(4, "little"), "big")


@pytest.mark.parametrize(
    ("address", "bits"),
    [
        (0x0A010203, 0xFFFFFFFF),  # the /32 itself
        (0x0A010202, 0xFFFFFFFF),  # differs from it in the last bit
        (0x0A018203, 0xFFFF8000),  # differs from it in bit 17, which is all that it takes
        (0x0AFF0000, 0xFF800000),  # in bit 9, behind the /8
        (0x80000000, 0x80000000),  # in the first bit; what matches everything wins
    ],
)
def test_tries_look_at_the_shortest_prefix_that_decides(address: int, bits: int) -> None:
    box = filled([ip_rule(1, 30, 32, 0x0A010203), ip_rule(2, 20, 8, 0x0A000000), ip_rule(3, 0, 0, 0)])
    assert looked_at(box, address) == bits


def test_tries_look_at_no_more_than_the_mask_that_they_spare() -> None:
    box = filled([ip_rule(1, 30, 8, 0x0B000000), ip_rule(2, 20, 0, 0), ip_rule(3, 10, 32, 0x0A010203)])
    assert looked_at(box, 0x0A0102C8) == 0xFF000000  # not the 25 bits that tell it from rule 3


def test_thousands_of_conjunctions() -> None:
    """Each address is in three conjunctions of a thousand, each port in one."""
    box = Box()
    for i in range(1000):
        base = ip_rule(0, 0, 32, 0x0A000000 + i)
        conj = tuple((1 + (i * 3 + k) % 1000, 0, 2) for k in range(3))
        box.insert(replace(base, id=i + 1, priority=10, conj=conj))
        mask, value = dict(base.mask), dict(base.value)
        mask.pop(FIELDS["nw_dst"].word)
        value.pop(FIELDS["nw_dst"].word)
        put(mask, FIELDS["tp_dst"], 0xFFFF)
        put(value, FIELDS["tp_dst"], be(i + 1, 2))
        box.insert(Rule(1001 + i, 10, mask, value, ((1 + i, 1, 2),)))
        put(mask, FIELDS["tp_dst"], 0)
        put(value, FIELDS["tp_dst"], 0)
        put(mask, FIELDS["conj_id"], 0xFFFFFFFF)
        put(value, FIELDS["conj_id"], 1 + i)
        box.insert(Rule(2001 + i, 5, mask, value))
    for i, port, wanted in [(0, 1, 1), (0, 3, 3), (0, 4, 0), (7, 23, 23), (333, 1000, 1000), (333, 1, 1)]:
        flow = dict(ip_rule(0, 0, 32, 0x0A000000 + i).value)
        put(flow, FIELDS["tp_dst"], be(port, 2))
        number, found, _ = box.lookup(1, flow)
        assert (number, found) == ((2000 + wanted, wanted) if wanted else (0, 0))


def test_a_reader_meets_no_moment_without_a_rule() -> None:
    lookups = ffi.new("uint64_t *")
    assert lib.cls_box_churn(3000, 1, lookups) == 0
    assert lookups[0] > 0
