"""Two promises: one benchmark at a time, and an end that is reached once begun."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lab.errors import LockedError, Problem
from lab.interrupt import STOPPING, Interrupted, handling

_NAME = "\0ringside-bench"  # an abstract socket: no file, and gone with the process that bound it


@contextmanager
def alone() -> Iterator[None]:
    """Holds the machine's one place for a benchmark.

    Two at once would measure each other. Worse, each has a real-time process on the same core.
    Raises LockedError when another one has it.
    """
    with socket.socket(socket.AF_UNIX) as place:
        try:
            place.bind(_NAME)
        except OSError as error:
            problem = Problem("bench", "another benchmark runs on this machine", "wait until it has ended")
            raise LockedError(problem) from error
        yield


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Within it the first signal to stop raises Interrupted; further ones cannot disturb the undoing.

    `timeout` and a terminal send two in a row, and the second must not end the stopping of the load.
    """

    def later(number: int, frame: FrameType | None) -> None:
        print("ending; a moment …", file=sys.stderr, flush=True)

    def first(number: int, frame: FrameType | None) -> None:
        for each in STOPPING:
            signal.signal(each, later)
        raise Interrupted(number)

    with handling(first):
        yield
