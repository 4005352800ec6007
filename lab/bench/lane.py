"""A lane: one datapath in its room, with its own generator and sink, ready to be measured again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from lab.bench import content, rooms
from lab.bench.dut_base import Dut, DutCounters, lost_after
from lab.measure.packet_rate import PacketRate, RateResult, SamplePlan
from lab.traffic.frames import PacketSpec
from lab.traffic.sink import DropSink
from lab.traffic.xdp_live import LiveGenerator, LiveSettings


@dataclass(frozen=True)
class Cores:
    """Which core makes the load, and which one the datapath has."""

    generator: int
    dut: int


@dataclass(frozen=True)
class Turn:
    """One turn of one datapath.

    `counted` is what the datapath itself counted meanwhile (None: it does not count), `lost_after` what the
    kernel dropped of what it sent.
    """

    rate: RateResult
    counted: DutCounters | None
    lost_after: int

    @property
    def unexplained(self) -> int:
        """Packets that the datapath says it sent and that neither arrived nor were counted as dropped; 0 =
        agreed.
        """
        if self.counted is None:
            return 0
        return self.counted.sent - self.lost_after - self.rate.delivered


class Lane:
    """See the module's text. Made by `open_lane`."""

    def __init__(
        self, dut: Dut, room: rooms.Room, generator: LiveGenerator, sink: DropSink, checked: int
    ) -> None:
        self.dut = dut
        self.checked = checked
        """Packets whose content was compared before measuring; 0 where nothing lies between."""
        self._room = room
        self._generator = generator
        self._sink = sink

    @property
    def generator_settings(self) -> dict[str, Any]:
        """How the load is made."""
        return dict(self._generator.settings)

    def take_turn(self, plan: SamplePlan) -> Turn:
        """Measures once. The datapath is parked before and after. Raises LabError."""
        with self._going():
            if self.dut.learns:
                content.announce_sink(self._room)
                self._settle()
            before, lost = self._look()
            rate = PacketRate(self._generator, self._sink, busy=self.dut.busy_seconds).run(plan)
            after, lost_now = self._look()
        return Turn(rate, after.since(before) if after and before else None, lost_now - lost)

    def _look(self) -> tuple[DutCounters | None, int]:
        return self.dut.counters(), 0 if self.dut.far_end else lost_after(self._room)

    def _settle(self) -> None:
        """Returns when what the datapath still had to forward has gone by."""
        seen = None
        while seen != (seen := self.dut.counters()):
            pass

    @contextmanager
    def _going(self) -> Iterator[None]:
        self.dut.unpark()
        try:
            yield
        finally:
            self.dut.park()


def open_lane(dut: Dut, spec: PacketSpec, cores: Cores, load: LiveSettings, stack: ExitStack) -> Lane:
    """Makes a room, starts the datapath there, checks that it forwards what is sent, and parks it.

    Closing `stack` undoes all. Raises LabError or LoaderError; ContentError when other packets arrive than
    were sent.
    """
    room = rooms.make_room(dut.name, stack)
    dut.start(room, cores.dut, stack)
    if dut.far_end:
        with room.entered(room.inside):
            sink = DropSink(dut.far_end, stack)
    with room.entered(room.outside):
        generator = LiveGenerator(rooms.GEN, spec, load, dut.name, stack)
    checked = 0
    if not dut.far_end:
        if dut.learns:
            content.check_learning(room, dut.title)
        checked = content.check_content(room, generator, spec, dut.title)
        with room.entered(room.outside):
            sink = DropSink(rooms.SINK, stack)
    dut.park()
    return Lane(dut, room, generator, sink, checked)
