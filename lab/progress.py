"""What a long command says as it works: a line a step, to standard error, with the time since it began."""

from __future__ import annotations

import sys
import time


class Progress:
    """Tells of steps. `quiet` says nothing but warnings."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._start

    def step(self, text: str) -> None:
        """A step that is about to be done, or was."""
        if not self._quiet:
            print(f"{self.seconds:6.2f} s  {text}", file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """Something that a person should see whatever happens."""
        print(f"warning: {text}", file=sys.stderr, flush=True)
