"""The process that makes the generator's call. It is started by xdp_live.py and obeys lines on standard
input.

    run SECONDS   answers "running", then sends until SIGUSR1, then answers "interrupted"
    send N        sends N frames, then answers "sent"

It runs under SCHED_FIFO only while it sends. It ends when its input ends, or by SIGTERM.

Whatever happens to the one who started it, a run ends by itself after SECONDS (answer: "expired"). A
real-time process that nobody stops would keep its core for minutes, and with it every process that waits
there for its turn while it holds a lock of the kernel: tasks were seen hanging for more than four minutes
behind the lock of the XDP dispatcher.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from dataclasses import dataclass

from xdp.loader import run

FOREVER = 2**31 - 1  # the kernel's limit; six minutes at six million frames a second
SEND_SECONDS = 5.0  # more than enough for the few frames that are counted out
AGAIN = 0.1  # seconds after which the alarm repeats, in case it came just before the call began


@dataclass(frozen=True)
class Options:
    """The command line."""

    program: int
    frame: bytes
    batch: int
    cpu: int
    priority: int
    ready_fd: int


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m lab.traffic.xdp_live_child")
    for name in ("--program", "--batch", "--cpu", "--priority", "--ready-fd"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--frame", type=bytes.fromhex, required=True)
    return Options(**vars(parser.parse_args()))


def _send(options: Options, repeat: int, seconds: float) -> bool:
    """Makes the call; True when a signal ended it, the alarm's after `seconds` at the latest."""
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    if options.priority:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(options.priority))
    try:
        return run.test_run_live(options.program, options.frame, repeat, options.batch).interrupted
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        signal.setitimer(signal.ITIMER_REAL, 0)


def _obey(options: Options, line: str) -> str:
    verb, _, number = line.strip().partition(" ")
    if verb == "run":
        print("running", flush=True)
        started = time.monotonic()
        if not _send(options, FOREVER, float(number)):
            return "completed"
        return "interrupted" if time.monotonic() - started < float(number) else "expired"
    if verb == "send":
        return "interrupted" if _send(options, int(number), SEND_SECONDS) else "sent"
    return f"unknown command {verb!r}; there are: run SECONDS, send N"


def main() -> int:
    """Obeys until the input ends."""
    options = _options()
    for number in (signal.SIGUSR1, signal.SIGALRM):
        signal.signal(number, lambda *_: None)  # its only effect: the call in progress returns
    os.sched_setaffinity(0, {options.cpu})
    os.write(options.ready_fd, b"READY\n")
    os.close(options.ready_fd)
    for line in sys.stdin:
        print(_obey(options, line), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
