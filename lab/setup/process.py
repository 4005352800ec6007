"""Runs a command for a task so that Ctrl-C and signals end both, and its exit code is the task's."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import FrameType


def _in_foreground() -> bool:
    """Whether a terminal's Ctrl-C reaches our children by itself."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def run(words: Sequence[str], cwd: Path, env: dict[str, str] | None = None) -> int:
    """Runs `words` in `cwd`, `env` added to the environment; returns the exit code (128 + N for signal N).

    SIGTERM is handed on, and SIGINT too where no terminal does so; then we wait for the child, which
    undoes what it made before it ends.
    """
    child = subprocess.Popen(words, cwd=cwd, env={**os.environ, **(env or {})})

    def hand_on(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT or not _in_foreground():
            child.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
