"""No datapath at all: the sink sits on in0, where the generator's packets arrive. This is the generator's
ceiling.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from lab.bench.dut_base import DutCounters
from lab.bench.rooms import IN, Room


class NoDut:
    """Nothing between generator and sink. No figure of this run can be higher."""

    name = "ceiling"
    title = "generator's ceiling"
    learns = False
    far_end: str | None = IN

    @property
    def settings(self) -> Mapping[str, object]:
        """There are none."""
        return {}

    def start(self, room: Room, cpu: int, stack: ExitStack) -> None:
        """Nothing to start."""

    def park(self) -> None:
        """Nothing to stop."""

    def unpark(self) -> None:
        """Nothing to go on."""

    def counters(self) -> DutCounters | None:
        """It counts nothing."""
        return None

    def busy_seconds(self) -> float | None:
        """It has no thread."""
        return None
