"""What the parts of a run share: its plan, a directory, the peer if there is one, the teller of progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lab.progress import Progress
from tests.bench.flow.peer import Peer

Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs")


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int  # Turns of each side.
    samples: int  # Of our micro benchmarks, in a turn.
    peer_seconds: float  # Of the peer's PMD, in a turn.
    loads: int  # Of the whole rule set into Open vSwitch.
    windows: int  # Of the stream, without and with changes, for each rule that changes.
    changes: int  # In a window: half of them add the rule, half delete it.
    peer_instructions: bool


FULL = Plan(5, 40, 0.4, 3, 4, 4, peer_instructions=True)
QUICK = Plan(3, 15, 0.2, 1, 2, 4, peer_instructions=False)


@dataclass(frozen=True)
class Run:
    """A run under way. `no_peer`: why `peer` is None."""

    plan: Plan
    folder: Path
    progress: Progress
    peer: Peer | None
    no_peer: str | None

    def rounds(
        self, what: str, ours: Callable[[], Ours], theirs: Callable[[Peer], Theirs]
    ) -> tuple[list[Ours], list[Theirs]]:
        """Both sides in turns; the peer stands still during ours."""
        found: tuple[list[Ours], list[Theirs]] = ([], [])
        for number in range(self.plan.rounds):
            self.progress.step(f"{what}: round {number + 1}/{self.plan.rounds}")
            with self.peer.paused() if self.peer else nullcontext():
                found[0].append(ours())
            if self.peer:
                found[1].append(theirs(self.peer))
        return found
