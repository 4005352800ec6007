"""A classifier that is obviously right: rules in a list, tried one by one; and random rules for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.c.support.native import ffi, lib

Words = dict[int, int]  # Words of a key that are not 0, by their numbers.

N_WORDS = int(lib.FLOW_WORDS)
NEVER = 2**64 - 1


@dataclass(frozen=True)
class Field:
    """Where a field lies in the key."""

    word: int
    shift: int
    bits: int
    masks: tuple[int, ...]  # That rules use; values of the field.
    values: tuple[int, ...]


def place(name: str) -> tuple[int, int]:
    """Word and shift of a field, from the header's own layout (little-endian words)."""
    offset = int(ffi.offsetof("struct flow", *name.split(".")))
    return offset // 8, offset % 8 * 8


def be(value: int, size: int) -> int:
    """A number as its big-endian bytes look in a little-endian word."""
    return int.from_bytes(value.to_bytes(size, "big"), "little")


def prefixes(*lengths: int) -> tuple[int, ...]:
    return tuple(be((0xFFFFFFFF << (32 - n)) & 0xFFFFFFFF, 4) for n in lengths)


ADDRESSES = tuple(be(a, 4) for a in (0x0A000001, 0x0A000002, 0x0A010001, 0x0A800001, 0xC0A80001, 0x0AFF0000))
PORTS = tuple(be(p, 2) for p in (80, 81, 443, 0x8000, 0))
PORT_MASKS = (0xFFFF, 0xFFFF, be(0xFF00, 2), be(0xFFFE, 2), be(0x00FF, 2))
TYPES = (be(0x0800, 2), be(0x0800, 2), be(0x86DD, 2), be(0x0806, 2))


def field(name: str, size: int, masks: Iterable[int], values: Iterable[int]) -> Field:
    word, shift = place(name)
    return Field(word, shift, size * 8, tuple(masks), tuple(values))


FIELDS = {
    "tun_id": field("tunnel.tun_id", 8, [be(0xFFFFFF, 8)], [be(1, 8), be(2, 8)]),
    "metadata": field("metadata", 8, [2**64 - 1, be(0xFF, 8)], [be(v, 8) for v in (1, 2, 0x101)]),
    "reg0": field("regs", 4, [0xFFFFFFFF, 0x80, 0x100, 0x180], [0, 0x80, 0x100, 0x180]),
    "in_port": field("in_port", 4, [0xFFFFFFFF], [1, 2]),
    "conj_id": field("conj_id", 4, [0xFFFFFFFF], [0, 1, 2, 3]),
    "dl_dst": field("dl_dst", 6, [2**48 - 1, 1], [0x020000000000, 0x030000000001, 1]),
    "dl_type": field("dl_type", 2, [0xFFFF], TYPES),
    "nw_src": field("nw_src", 4, prefixes(8, 9, 16, 24, 31, 32), ADDRESSES),
    "nw_dst": field("nw_dst", 4, (*prefixes(8, 16, 32), be(0xFF0000FF, 4)), ADDRESSES),
    "nw_proto": field("nw_proto", 1, [0xFF], [6, 17]),
    "tp_src": field("tp_src", 2, PORT_MASKS, PORTS),
    "tp_dst": field("tp_dst", 2, PORT_MASKS, PORTS),
    "igmp_group_ip4": field("igmp_group_ip4", 4, [0xFFFFFFFF], [0, 5]),
}
# The first and the last half of an IPv6 address.
HALVES = (be(0xFD << 56, 8), be(7, 8), be(3 << 62, 8))
for half in (0, 1):
    for which in ("ipv6_src", "ipv6_dst"):
        masks = (2**64 - 1,) if half == 0 else (0, be(0xFFFF << 48, 8), 2**64 - 1)
        FIELDS[f"{which}{half}"] = Field(place(which)[0] + half, 0, 64, masks, HALVES)


def put(words: Words, f: Field, value: int) -> None:
    new = words.get(f.word, 0) & ~(((1 << f.bits) - 1) << f.shift) | value << f.shift
    words.pop(f.word, None)
    if new:
        words[f.word] = new


@dataclass(frozen=True)
class Rule:
    """A rule of the twin."""

    id: int
    priority: int
    mask: Words
    value: Words
    conj: tuple[tuple[int, int, int], ...] = ()  # id, clause, clauses
    add: int = 1
    remove: int = NEVER

    def matches(self, flow: Words) -> bool:
        return all(flow.get(w, 0) & m == self.value.get(w, 0) for w, m in self.mask.items())

    def visible(self, version: int) -> bool:
        return self.add <= version < self.remove

    @property
    def match(self) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        return tuple(sorted(self.mask.items())), tuple(sorted(self.value.items()))


CONJ_ID = place("conj_id")


def with_conj_id(flow: Words, conj_id: int) -> Words:
    other = dict(flow)
    put(other, Field(CONJ_ID[0], CONJ_ID[1], 32, (), ()), conj_id)
    return other


def lists(rules: Iterable[Rule], version: int, flow: Words) -> list[list[Rule]]:
    """The rules that match, those of the same match together, by falling priority."""
    found: dict[object, list[Rule]] = {}
    for rule in rules:
        if rule.visible(version) and rule.matches(flow):
            found.setdefault(rule.match, []).append(rule)
    return [sorted(group, key=lambda r: -r.priority) for group in found.values()]


def best(rules: Iterable[Rule]) -> Rule | None:
    return max(rules, key=lambda r: r.priority, default=None)


def complete(soft: list[list[Rule]], above: int) -> Iterator[int]:
    """Conjunctions that are complete, by falling priority, then rising id."""
    entries = [[r for r in group if r.conj and r.priority > above] for group in soft]
    for priority in sorted({r.priority for group in entries for r in group}, reverse=True):
        here = [r for group in entries for r in group if r.priority == priority]
        for number in sorted({c[0] for r in here for c in r.conj}):
            clauses = {c[1] for r in here for c in r.conj if c[0] == number}
            wanted = next(c[2] for r in here for c in r.conj if c[0] == number)
            if clauses == set(range(wanted)) and len(here) >= wanted:
                yield number


def lookup(rules: list[Rule], version: int, flow: Words) -> tuple[Rule | None, int]:
    """The rule and the conjunction that it was found through, as ovs-fields(7), conj_id, has it.

    Where that leaves something open, as Open vSwitch does: of rules with the same match only the highest
    counts in the search with conj_id.
    """
    groups = lists(rules, version, flow)
    hard = best(g[0] for g in groups if not g[0].conj)
    soft = [g for g in groups if g[0].conj and (hard is None or g[0].priority > hard.priority)]
    hidden = [next((r for r in g if not r.conj), None) for g in soft]
    result = best(r for r in (hard, *hidden) if r is not None)
    for number in complete(soft, result.priority if result else -1):
        tops = [g[0] for g in lists(rules, version, with_conj_id(flow, number))]
        found = best(r for r in tops if not r.conj)
        if found:
            return found, number
    return result, 0


# ---- random rules -----------------------------------------------------------------------------------


@st.composite
def matches(draw: st.DrawFn) -> tuple[Words, Words]:
    mask: Words = {}
    value: Words = {}
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=4, unique=True))
    for name in names:
        f = FIELDS[name]
        bits = draw(st.sampled_from(f.masks))
        put(mask, f, bits)
        put(value, f, draw(st.sampled_from(f.values)) & bits)
    if draw(st.booleans()) and "dl_type" not in names:
        put(mask, FIELDS["dl_type"], 0xFFFF)
        put(value, FIELDS["dl_type"], draw(st.sampled_from(TYPES)))
    return mask, value


@st.composite
def flows(draw: st.DrawFn) -> Words:
    flow: Words = {}
    for f in FIELDS.values():
        put(flow, f, draw(st.sampled_from(f.values)))
    return with_conj_id(flow, 0)


CONJUNCTIONS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 2), st.just(0)).map(
        lambda c: (c[0], c[1] % (2 + c[0] % 2), 2 + c[0] % 2)
    ),
    min_size=1,
    max_size=3,
    unique=True,
)


@st.composite
def rule_sets(draw: st.DrawFn, max_size: int = 30) -> list[Rule]:
    """Rules of few matches and values. No two hard ones have the same priority, nor a hard and a soft one."""
    pool = draw(st.lists(matches(), min_size=1, max_size=max_size))
    rules: list[Rule] = []
    taken: set[object] = set()
    for i in range(draw(st.integers(1, max_size))):
        mask, value = draw(st.sampled_from(pool))
        conj = tuple(draw(CONJUNCTIONS)) if draw(st.integers(0, 2)) == 0 else ()
        level = draw(st.integers(0, 3))
        rule = Rule(i + 1, level * 64 + (63 if conj else i), mask, value, conj)
        if (rule.match, rule.priority) not in taken:
            taken.add((rule.match, rule.priority))
            rules.append(rule)
    return rules


# ---- the classifier that is tested ------------------------------------------------------------------


def raw(words: Words) -> object:
    return ffi.new("uint64_t[]", [words.get(w, 0) for w in range(N_WORDS)])


class Box:
    """The classifier in C, with the rules that it should have."""

    def __init__(self) -> None:
        self.box = ffi.gc(lib.cls_box_new(), lib.cls_box_free)
        self.rules: dict[int, Rule] = {}

    def insert(self, rule: Rule) -> None:
        conj = ffi.new("uint32_t[]", [n for c in rule.conj for n in c])
        done = lib.cls_box_insert(
            self.box, rule.id, raw(rule.value), raw(rule.mask), rule.priority, rule.add, conj, len(rule.conj)
        )
        assert done == 0
        self.rules[rule.id] = rule

    def hide(self, number: int, version: int) -> None:
        lib.cls_box_hide(self.box, number, version)
        self.rules[number] = replace(self.rules[number], remove=version)

    def remove(self, number: int) -> None:
        assert lib.cls_box_remove(self.box, number) == 0
        del self.rules[number]

    def lookup(self, version: int, flow: Words) -> tuple[int, int, Words]:
        """Id of the rule (0 = none), conjunction, what was looked at."""
        wc, conj = ffi.new("uint64_t[]", N_WORDS), ffi.new("uint32_t *")
        number = int(lib.cls_box_lookup(self.box, version, raw(flow), wc, conj))
        return number, int(conj[0]), {w: int(wc[w]) for w in range(N_WORDS) if wc[w]}

    def expected(self, version: int, flow: Words) -> tuple[int, int]:
        rule, conj = lookup(list(self.rules.values()), version, flow)
        return (rule.id if rule else 0), conj
