"""Ctrl-C and SIGTERM as exceptions in the main thread, so that undoing runs on its usual path, once and to
its end.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """The user, or the system, wants us to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within it the signals to stop go to `handler`; afterwards to whom they went before."""
    before = {number: signal.signal(number, handler) for number in STOPPING}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def as_exceptions() -> Iterator[None]:
    """Within it a signal to stop raises Interrupted."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    with handling(stop):
        yield


@contextmanager
def put_off() -> Iterator[None]:
    """Within it a signal to stop only says that undoing is under way."""

    def wait(number: int, frame: FrameType | None) -> None:
        print("undoing what was made; a moment …", file=sys.stderr, flush=True)

    with handling(wait):
        yield
