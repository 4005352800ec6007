"""Packet rate: how many packets a second are offered and how many arrive, in short samples one after the
other.

Both counters are read at a sample's two ends together with the clock, so that a late wake-up lengthens the
sample instead of falsifying the rate. The first samples of a load are taken and thrown away: caches are cold
and queues fill during them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from lab.traffic.base import Load, Sink


@dataclass(frozen=True)
class SamplePlan:
    """How one turn is sampled: `count` samples of `seconds` each are kept, after `discard` that are not."""

    seconds: float = 0.4
    count: int = 3
    discard: int = 1

    @property
    def longest(self) -> float:
        """Seconds after which a turn has surely gone wrong."""
        return 2 * self.seconds * (self.count + self.discard) + 5

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.count < 1 or self.discard < 0:
            raise ValueError(
                f"sample plan: {self} measures nothing; give seconds > 0, count >= 1, discard >= 0"
            )


@dataclass(frozen=True)
class RateSample:
    """One sample. Rates in packets a second, over `seconds` of real time.

    `core_share` is the share of that time in which the datapath's thread had a core (None: it has no thread).
    A busy-polling thread below ~0.95 shared its core with something else, and the rate is too low by about as
    much.
    """

    seconds: float
    offered: float
    delivered: float
    core_share: float | None = None

    @property
    def per_core_second(self) -> float | None:
        """Packets for each second that the datapath's thread had a core."""
        return self.delivered / self.core_share if self.core_share else None


@dataclass(frozen=True)
class RateResult:
    """A turn's samples in the order taken, and the packets counted from before the load began until it
    drained.
    """

    samples: tuple[RateSample, ...]
    discarded: tuple[RateSample, ...]
    offered: int
    delivered: int


@dataclass(frozen=True)
class _Reading:
    time: float
    offered: int
    delivered: int
    busy: float | None


class PacketRate:
    """Measures one load into one sink.

    `busy` tells how many seconds the datapath's thread has been on a core so far. `clock` and `wait` stand
    for the machine's, in seconds.
    """

    def __init__(
        self,
        load: Load,
        sink: Sink,
        *,
        busy: Callable[[], float | None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._load = load
        self._sink = sink
        self._busy = busy
        self._clock = clock
        self._wait = wait

    def run(self, plan: SamplePlan) -> RateResult:
        """Starts the load, samples, stops it, and waits until no packet arrives any more.

        The load is stopped however this ends. Raises what the load raises.
        """
        first = self._read()
        readings = []
        self._load.start(plan.longest)
        try:
            readings.append(self._read())
            for _ in range(plan.discard + plan.count):
                self._wait(plan.seconds)
                readings.append(self._read())
        finally:
            self._load.stop()
        last = self._drain()
        samples = [_rate(a, b) for a, b in pairwise(readings)]
        return RateResult(
            samples=tuple(samples[plan.discard :]),
            discarded=tuple(samples[: plan.discard]),
            offered=last.offered - first.offered,
            delivered=last.delivered - first.delivered,
        )

    def _read(self) -> _Reading:
        return _Reading(self._clock(), self._load.offered(), self._sink.delivered(), self._busy())

    def _drain(self, quiet: float = 0.02, limit: float = 2.0) -> _Reading:
        """The counters once they have stood still for `quiet` seconds, or after `limit` seconds."""
        before = self._read()
        deadline = before.time + limit
        while True:
            self._wait(quiet)
            now = self._read()
            if now.delivered == before.delivered or now.time >= deadline:
                return now
            before = now


def _rate(start: _Reading, end: _Reading) -> RateSample:
    seconds = end.time - start.time
    return RateSample(
        seconds=seconds,
        offered=(end.offered - start.offered) / seconds,
        delivered=(end.delivered - start.delivered) / seconds,
        core_share=None if start.busy is None or end.busy is None else (end.busy - start.busy) / seconds,
    )
