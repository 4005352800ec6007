from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from lab.measure.packet_rate import PacketRate, RateSample, SamplePlan


@dataclass
class Machine:
    """A world in which time passes only by waiting: 100 packets a second offered, half of them delivered."""

    now: float = 0.0
    started: float | None = None
    stopped: float | None = None
    in_flight: int = 7
    late: float = 0.0

    settings: Mapping[str, object] = None  # type: ignore[assignment]

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds + (self.late if self.stopped is None else 0.0)

    def start(self, longest: float) -> None:
        assert longest > 0
        self.started = self.now

    def stop(self) -> None:
        self.stopped = self.now

    def offered(self) -> int:
        if self.started is None:
            return 0
        return int(((self.now if self.stopped is None else self.stopped) - self.started) * 100)

    def delivered(self) -> int:
        drained = self.stopped is not None and self.now > self.stopped
        return self.offered() // 2 + (self.in_flight if drained else 0)

    def busy(self) -> float:
        return self.now * 0.5


def run(machine: Machine, plan: SamplePlan) -> tuple[RateSample, ...]:
    return (
        PacketRate(machine, machine, busy=machine.busy, clock=machine.clock, wait=machine.wait)
        .run(plan)
        .samples
    )


def test_first_samples_are_thrown_away_and_the_rest_kept() -> None:
    samples = run(Machine(), SamplePlan(seconds=1, count=3, discard=2))
    assert [(s.offered, s.delivered) for s in samples] == [(100, 50)] * 3


def test_a_late_wakeup_lengthens_the_sample_and_leaves_the_rate() -> None:
    samples = run(Machine(late=3.0), SamplePlan(seconds=1, count=2))
    assert [s.seconds for s in samples] == [4, 4]
    assert [s.offered for s in samples] == [100, 100]


def test_core_share_turns_into_a_rate_per_core_second() -> None:
    (sample,) = run(Machine(), SamplePlan(seconds=1, count=1))
    assert sample.core_share == pytest.approx(0.5)
    assert sample.per_core_second == pytest.approx(100)
    assert RateSample(1, 10, 10).per_core_second is None


def test_totals_include_what_arrives_after_the_load_stopped() -> None:
    machine = Machine()
    result = PacketRate(machine, machine, clock=machine.clock, wait=machine.wait).run(SamplePlan(1, 1, 0))
    assert (result.offered, result.delivered) == (100, 57)


def test_load_is_stopped_when_sampling_fails() -> None:
    machine = Machine()

    def broken(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PacketRate(machine, machine, clock=machine.clock, wait=broken).run(SamplePlan())
    assert machine.stopped is not None


@pytest.mark.parametrize(("seconds", "count", "discard"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_a_plan_that_measures_nothing_is_refused(seconds: float, count: int, discard: int) -> None:
    with pytest.raises(ValueError, match="measures nothing"):
        SamplePlan(seconds, count, discard)
