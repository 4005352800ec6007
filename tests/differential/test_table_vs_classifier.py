"""The flow table against a slow classifier: which rule matches, and the text of rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import ffi, lib
from tests.differential.frames import damaged, frame
from tests.differential.key import Key, extract, from_c, to_c
from tests.differential.linear_classifier import Rule, lookup, rule, rules, simple_actions

keys = st.one_of(frame(), damaged().filter(lambda data: len(data) >= 14))


def text_of(table: object, i: int) -> str:
    out = ffi.new("char[]", 4096)
    assert lib.table_test_text(table, i, out, len(out)) >= 0
    return bytes(ffi.string(out)).decode()


@given(rules(simple_actions), st.lists(st.tuples(keys, st.integers(1, 4)), min_size=1, max_size=8))
def test_the_table_finds_the_rule_that_the_twin_finds(
    table_rules: list[Rule], packets: list[tuple[bytes, int]]
) -> None:
    table = ffi.gc(lib.table_test_new(), lib.table_test_free)
    for r in table_rules:
        assert lib.table_test_add(table, r.text.encode()) == 0, r.text
    by_priority = sorted(table_rules, key=lambda r: -r.priority)
    for data, in_port in packets:
        key = extract(data, in_port).key
        expected = lookup(table_rules, key)
        found = lib.table_test_lookup(table, to_c(key))
        assert (None if found < 0 else by_priority[found]) == expected, key


@given(rule(simple_actions))
def test_what_a_rule_prints_means_the_same(generated: Rule) -> None:
    once = ffi.gc(lib.table_test_new(), lib.table_test_free)
    twice = ffi.gc(lib.table_test_new(), lib.table_test_free)
    assert lib.table_test_add(once, generated.text.encode()) == 0
    printed = text_of(once, 0)
    assert lib.table_test_add(twice, printed.encode()) == 0, printed
    assert text_of(twice, 0) == printed


def flip(key: Key, bit: int) -> Key:
    raw = to_c(key)
    view = ffi.buffer(raw)
    view[bit // 8] = bytes([view[bit // 8][0] ^ 1 << bit % 8])
    return from_c(raw)


@given(rule(simple_actions), keys, st.integers(0, 68 * 8 - 1))
def test_a_wildcarded_bit_changes_no_answer(generated: Rule, data: bytes, bit: int) -> None:
    match, priority, err = ffi.new("struct match *"), ffi.new("uint32_t *"), ffi.new("struct ofp_error *")
    text = generated.text.split(",actions=")[0]
    assert lib.match_test_parse(text.encode(), match, priority, err) == 0, text
    assert priority[0] == generated.priority
    key = extract(data).key
    changed = flip(key, bit)
    cares = ffi.buffer(ffi.addressof(match, "mask"))[bit // 8][0] >> bit % 8 & 1
    before = lib.match_test_covers_flow(match, to_c(key))
    assert before == generated.matches(key)
    if not cares:
        assert lib.match_test_covers_flow(match, to_c(changed)) == before
    elif before:
        assert not lib.match_test_covers_flow(match, to_c(changed))
