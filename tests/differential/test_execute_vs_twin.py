"""The executor of datapath actions against its slow twin: random packets and lists; equal bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.c.support.execute import Bench, Event, Packet, parse, show
from tests.c.support.native import lib
from tests.differential.action_frame import Frame, arrive
from tests.differential.action_model import KEYS, Action, output, text
from tests.differential.action_packets import KINDS, Kind, frames_of
from tests.differential.action_twin import Result, errors, execute
from tests.differential.frames import damaged, frame
from tests.differential.key import NONE

PORTS = 8


def numbers(width: int) -> st.SearchStrategy[int]:
    """Edge cases more often than others."""
    full = (1 << width) - 1
    return st.one_of(st.sampled_from(sorted({0, 1, 2, full, full - 1, full >> 1})), st.integers(0, full))


@st.composite
def sets(draw: st.DrawFn, keys: tuple[str, ...] = tuple(sorted(KEYS))) -> Action:
    key = draw(st.sampled_from(keys))
    names = sorted(KEYS[key])
    if key == "mpls":  # Written whole or not at all.
        chosen = names
    else:
        chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=len(names), unique=True))
    if key == "nd_ext" and "nd_reserved" not in chosen:
        chosen.append("nd_reserved")  # What Open vSwitch's text always has.
    fields = []
    for name in chosen:
        width = KEYS[key][name].width
        whole = key in ("mpls", "nd_ext") or draw(st.booleans())
        mask = (1 << width) - 1 if whole else draw(numbers(width).filter(bool))
        fields.append((name, draw(numbers(width)) & mask, mask))
    return Action("set", key=key, fields=tuple(fields))


mpls_type = st.sampled_from([0x8847, 0x8848])
popped = st.sampled_from([0x0800, 0x86DD, 0x0806, 0x8847, 0x6558])
push_nsh = st.tuples(
    st.integers(0, 3),
    st.integers(0, 63),
    st.just(1),
    st.just(3),
    numbers(24),
    numbers(8),
    *[numbers(32)] * 4,
)
changes = st.one_of(
    sets(),
    sets(),
    sets(),
    st.builds(
        lambda t, v: Action("push_vlan", (t, v)),
        st.sampled_from([0x8100, 0x88A8]),
        numbers(16).map(lambda v: v & 0xEFFF),
    ),
    st.just(Action("pop_vlan")),
    st.builds(lambda lse, t: Action("push_mpls", (lse, t)), numbers(32), mpls_type),
    st.builds(lambda lse, t: Action("add_mpls", (lse, t)), numbers(32), mpls_type),
    popped.map(lambda t: Action("pop_mpls", (t,))),
    st.builds(lambda a, b: Action("push_eth", (a, b)), numbers(48), numbers(48)),
    st.just(Action("pop_eth")),
    push_nsh.map(lambda args: Action("push_nsh", args)),
    st.just(Action("pop_nsh")),
    numbers(32).map(lambda basis: Action("hash", (basis,))),
    numbers(32).map(lambda basis: Action("hash_sym", (basis,))),
    st.just(Action("ct_clear")),
)
leaves = st.one_of(
    st.integers(1, PORTS).map(output),
    st.integers(1, PORTS).map(output),
    st.integers(1, 5).map(lambda i: Action("recirc", (i,))),
    st.integers(0, 5).map(lambda i: Action("controller", (i,))),
    st.integers(14, 200).map(lambda n: Action("trunc", (n,))),
)


@st.composite
def lists(draw: st.DrawFn, most: int = 8, depth: int = 2) -> tuple[Action, ...]:
    """Some actions; as often as not an output behind them. Empty ones print as drop."""
    kinds = ["change"] * 4 + ["leave"] * 3 + ["nest"] * min(depth, 1)
    some = []
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=most)):
        one = {"change": changes, "leave": leaves, "nest": nested(depth - 1)}[kind]
        some.append(draw(one))
    end = draw(st.sampled_from(["output", "output", "nothing", "drop"]))
    if end == "output":
        return (*some, output(draw(st.integers(1, PORTS))))
    return tuple(some) if some and end == "nothing" else (*some, Action("drop"))


@st.composite
def nested(draw: st.DrawFn, depth: int) -> Action:
    kind = draw(st.sampled_from(["clone", "sample", "check_pkt_len"]))
    inner = tuple(draw(lists(3, depth)) for _ in range(2 if kind == "check_pkt_len" else 1))
    number = {"clone": st.none(), "sample": st.sampled_from([0, 100]), "check_pkt_len": st.integers(40, 140)}
    given = draw(number[kind])
    return Action(kind, () if given is None else (given,), lists=inner)


actions = lists()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(PORTS) as made:
        yield made


def place(back: int | None, frame: Frame) -> int:
    return NONE if back is None else len(frame.data) - back


def is_cut(each: Sequence[Action]) -> bool:
    """Whether old bytes may lie behind a packet: its own, or of a copy that had its frame before."""
    return any(one.kind == "trunc" or one.lists for one in each)


def of_event(e: Event, cut: bool) -> tuple[object, ...]:
    places = () if cut else (e.l2_5_ofs, e.l3_ofs, e.intact)
    return (e.data.hex(" "), e.packet_type, e.pkt_mark, e.skb_priority, e.dp_hash, *places)


def of_twin(f: Frame, cut: bool) -> tuple[object, ...]:
    meta = [f.meta_get(name) for name in ("skb_mark", "skb_priority", "dp_hash")]
    places = () if cut else (place(f.l25, f), place(f.l3, f), True)
    return (f.data.hex(" "), f.packet_type, *meta, *places)


def compare(events: Sequence[Event], expected: Sequence[tuple[str, int, Frame]], cut: bool) -> None:
    """The same packets by the same ways; the executor goes action by action, the twin packet by packet."""
    for way in sorted({(kind, number) for kind, number, _ in expected} | {(e.kind, e.id) for e in events}):
        ours = [of_event(e, cut) for e in events if (e.kind, e.id) == way]
        theirs = [of_twin(f, cut) for kind, number, f in expected if (kind, number) == way]
        assert sorted(ours) == sorted(theirs), way


def run(bench: Bench, packets: Sequence[Packet], list_: Sequence[Action]) -> None:
    code = parse(text(list_))
    assert show(code) == text(list_)
    outcome = bench.run(code, packets)
    result = Result()
    for packet in packets:
        execute(arrive(packet.data, packet.packet_type), list_, result)
    compare(outcome.events, result.events, is_cut(list_))


whole = frame().filter(lambda data: len(data) >= 14)
broken = damaged().filter(lambda data: len(data) >= 14)


@given(st.lists(whole, min_size=1, max_size=3), actions)
@settings(max_examples=250)
def test_a_list_does_to_packets_what_the_twin_does(
    bench: Bench, frames: list[bytes], list_: tuple[Action, ...]
) -> None:
    run(bench, [Packet(data) for data in frames], list_)


@given(st.lists(broken, min_size=1, max_size=3), actions)
@settings(max_examples=200)
def test_damaged_packets_too(bench: Bench, frames: list[bytes], list_: tuple[Action, ...]) -> None:
    run(bench, [Packet(data) for data in frames], list_)


@given(whole, st.sampled_from([0x0800, 0x86DD, 0x8847, 0x894F, 0x0806, 0x1234]), actions)
@settings(max_examples=100)
def test_packets_without_an_ethernet_header_too(
    bench: Bench, data: bytes, kind: int, list_: tuple[Action, ...]
) -> None:
    run(bench, [Packet(data[14:] or b"\0", packet_type=0x10000 | kind)], list_)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(data=st.data())
@settings(max_examples=25)
def test_sets_that_fit_keep_checksums_right(bench: Bench, kind: Kind, data: st.DataObject) -> None:
    frame_ = data.draw(frames_of(kind))
    chosen = data.draw(st.lists(sets(kind.keys), min_size=1, max_size=2))
    run(bench, [Packet(frame_)], [*chosen, output(1)])
    partial = "first" in (kind.fragment, *kind.extensions) or not kind.checksum
    wrong = {name: by for name, by in errors(arrive(frame_)).items() if name == "ip" or not partial}
    assert not any(wrong.values()), "the sample itself is wrong"


def test_the_canary_of_this_test_is_alive(bench: Bench) -> None:
    event = bench.run("1", [bytes(60)]).events[0]
    assert event.intact and lib.EXE_HAS_TUNNEL
