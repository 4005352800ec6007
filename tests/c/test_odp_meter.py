"""Meters against a simulated bucket: who passes, by packets and by kilobits; remarking; statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.execute import Bench, parse
from tests.c.support.native import ffi, lib
from tests.differential.action_frame import arrive
from tests.differential.action_twin import checksum_places
from tests.differential.frames import simple_frame

DROP, REMARK = lib.EXE_BAND_DROP, lib.EXE_BAND_DSCP_REMARK
MS = 1_000_000
FRAME = simple_frame("02:00:00:00:00:01", "02:00:00:00:00:02")


@pytest.fixture()
def bench() -> Iterator[Bench]:
    with Bench() as made:
        yield made


@dataclass
class Bucket:
    """One band, in exact arithmetic: bits, or thousandths of packets."""

    rate: int
    burst: int
    level: int = field(init=False)

    def __post_init__(self) -> None:
        self.burst = self.burst or self.rate
        self.level = self.burst * 1000

    def fill(self, ms: int) -> None:
        self.level = min(self.burst * 1000, self.level + ms * self.rate)

    def take(self, amount: int) -> bool:
        if self.level < amount:
            return False
        self.level -= amount
        return True


def acting(buckets: list[Bucket], amount: int) -> int | None:
    """The exceeded band with the highest rate; the first of equals."""
    exceeded = [i for i, bucket in enumerate(buckets) if not bucket.take(amount)]
    return max(exceeded, key=lambda i: (buckets[i].rate, -i), default=None)


band = st.tuples(st.integers(1, 2000), st.integers(0, 500))
steps = st.lists(
    st.tuples(st.integers(0, 3000), st.lists(st.integers(60, 1500), min_size=1, max_size=8)), max_size=12
)


@given(st.booleans(), st.lists(band, min_size=1, max_size=3), steps)
def test_what_passes_is_what_the_simulated_buckets_let_pass(
    packets: bool, bands: list[tuple[int, int]], steps_: list[tuple[int, list[int]]]
) -> None:
    with Bench() as bench:
        bench.set_time(5 * MS)
        assert bench.set_meter(7, packets, [(DROP, rate, burst, 0) for rate, burst in bands]) == 0
        buckets = [Bucket(rate, burst) for rate, burst in bands]
        now, seen, dropped = 5 * MS, 0, [0] * len(bands)
        for wait, sizes in steps_:
            now += wait * MS
            bench.set_time(now)
            for bucket in buckets:
                bucket.fill(wait)
            expected = []
            for size in sizes:
                hit = acting(buckets, 1000 if packets else size * 8)
                if hit is None:
                    expected.append(size)
                else:
                    dropped[hit] += 1
            outcome = bench.run("meter(7),1", [FRAME.ljust(size, b"\0") for size in sizes])
            assert [len(e.data) for e in outcome.events] == expected
            assert outcome.drops.get("meter", 0) == len(sizes) - len(expected)
            seen += len(sizes)
        stats = bench.meter_stats(7)
        assert stats is not None and stats[0] == seen
        assert [count for count, _ in stats[2]] == dropped


def test_a_meter_begins_full_and_fills_to_its_burst(bench: Bench) -> None:
    bench.set_meter(1, True, [(DROP, 1000, 5, 0)])
    assert len(bench.run("meter(1),1", [FRAME] * 8).events) == 5
    bench.set_time(3600_000 * MS)
    assert len(bench.run("meter(1),1", [FRAME] * 8).events) == 5


def test_the_largest_numbers_do_not_overflow(bench: Bench) -> None:
    bench.set_meter(1, False, [(DROP, 2**32 - 1, 2**32 - 1, 0)])
    bench.set_time(2**63)
    assert len(bench.run("meter(1),1", [FRAME] * 8).events) == 8


def test_time_that_goes_back_fills_nothing(bench: Bench) -> None:
    bench.set_time(10_000 * MS)
    bench.set_meter(1, True, [(DROP, 1000, 1, 0)])
    assert len(bench.run("meter(1),1", [FRAME] * 2).events) == 1
    bench.set_time(5_000 * MS)
    assert bench.run("meter(1),1", [FRAME]).drops == {"meter": 1}
    bench.set_time(10_000 * MS)
    assert bench.run("meter(1),1", [FRAME]).drops == {"meter": 1}


def test_a_meter_that_is_not_there_lets_all_pass(bench: Bench) -> None:
    assert len(bench.run("meter(5),meter(70000),1", [FRAME] * 3).events) == 3
    assert bench.meter_stats(5) is None and bench.meter_stats(70000) is None
    assert bench.delete_meter(5) == -2


def test_a_replaced_meter_is_full_again_and_keeps_its_statistics(bench: Bench) -> None:
    bench.set_meter(1, True, [(DROP, 1, 1, 0)])
    assert len(bench.run("meter(1),1", [FRAME] * 2).events) == 1
    bench.set_meter(1, True, [(DROP, 1, 2, 0)])
    assert len(bench.run("meter(1),1", [FRAME] * 3).events) == 2
    assert bench.meter_stats(1) == (5, 5 * len(FRAME), [(2, 2 * len(FRAME))])
    assert bench.delete_meter(1) == 0
    assert len(bench.run("meter(1),1", [FRAME] * 3).events) == 3


@pytest.mark.parametrize("bands", [[(DROP, 0, 1, 0)], [(9, 1, 1, 0)]])
def test_a_band_without_a_rate_or_of_an_unknown_type_is_refused(
    bench: Bench, bands: list[tuple[int, int, int, int]]
) -> None:
    assert bench.set_meter(1, True, bands) == -22
    assert bench.set_meter(0x10000, True, [(DROP, 1, 1, 0)]) == -22


def dscp(value: int) -> int:
    return value << 2


@pytest.mark.parametrize(
    ("before", "level", "after"),
    [
        (10, 1, 12),  # AF11 to AF12.
        (10, 2, 14),
        (12, 5, 14),  # No further than the highest.
        (38, 1, 38),  # AF43 already.
        (46, 1, 46),  # EF is no assured forwarding.
        (0, 1, 0),
        (8, 1, 8),  # CS1.
        (11, 1, 11),
    ],
)
def test_remarking_raises_the_drop_precedence(bench: Bench, before: int, level: int, after: int) -> None:
    bench.set_meter(1, True, [(REMARK, 1, 1, level)])
    marked = parse(f"set(ipv4(tos={dscp(before) | 1:#x})),meter(1),1")
    passed, exceeded = bench.run(marked, [FRAME] * 2).events
    assert passed.data[15] == dscp(before) | 1 and exceeded.data[15] == dscp(after) | 1
    for event in (passed, exceeded):
        where, covered = checksum_places(arrive(event.data))["ip"]
        assert (int.from_bytes(event.data[where : where + 2], "big") + sum_of(covered)) % 0xFFFF == 0


def sum_of(data: bytes) -> int:
    return sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))


def test_remarking_knows_ipv6(bench: Bench) -> None:
    bench.set_meter(1, True, [(REMARK, 1, 1, 1)])
    ip = b"\x62\x81\x23\x45\0\x08\x3b\x40" + bytes(32) + bytes(8)  # AF11 with ECN 0, a label.
    frame = bytes(12) + b"\x86\xdd" + ip
    _, exceeded = bench.run("meter(1),1", [frame] * 2).events
    assert exceeded.data[14:18] == b"\x63\x01\x23\x45"


def test_two_threads_charge_one_meter_and_lose_no_packet() -> None:
    counted = ffi.new("uint64_t *")
    assert lib.exe_meter_threads(500, False, counted) == 2 * 500 * 8 == counted[0]


def test_a_meter_is_replaced_while_threads_use_it() -> None:
    counted = ffi.new("uint64_t *")
    assert lib.exe_meter_threads(500, True, counted) == 2 * 500 * 8
    assert 0 < counted[0] <= 2 * 500 * 8
