"""What a load and a sink are, whatever makes or takes the packets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Load(Protocol):
    """Makes packets as fast as it can between `start` and `stop`."""

    @property
    def settings(self) -> Mapping[str, object]:
        """What a result must tell about it, fit for JSON."""

    def start(self, longest: float) -> None:
        """Begins to send, for at most `longest` seconds. Raises LabError if it cannot."""

    def stop(self) -> None:
        """Ends sending; returns when it has ended. Harmless when nothing is being sent."""

    def offered(self) -> int:
        """Packets sent so far, since the load was made; may be read while it runs."""


class Sink(Protocol):
    """Takes packets in at the far end."""

    def delivered(self) -> int:
        """Packets taken in so far, since the sink was made; may be read while packets flow."""
