"""The generator on veth: XDP frames that the kernel itself makes and sends (BPF_PROG_TEST_RUN, live frames).

One call with a huge repeat lasts until a signal ends it. Calls of some 10,000 frames would not do: each costs
~20 ms of dead time, the generator would idle half of the time, and every figure would be halved (see
README.md). The call is made by a process of its own (xdp_live_child.py) under SCHED_FIFO on a core of its
own. It sends from inside that core's softirq, so the receiving device's XDP program or NAPI poll runs on that
core too.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from lab.errors import CommandError, Problem
from lab.interrupt import put_off
from lab.traffic import child
from lab.traffic.frames import PacketSpec
from xdp.loader import counters, generator, paths
from xdp.loader import object as bpf_object

BATCH = 128
_ATTEMPTS = 50
PRIORITY = 1  # of SCHED_FIFO: the lowest is above every ordinary process


@dataclass(frozen=True)
class LiveSettings:
    """How the generator runs: its core, frames a softirq round (1 to 256), and SCHED_FIFO priority (0: not
    real-time).
    """

    cpu: int
    batch: int = BATCH
    priority: int = PRIORITY


class LiveGenerator:
    """Sends `spec` from a device of the network namespace that this thread is in when it is made."""

    def __init__(
        self, device: str, spec: PacketSpec, settings: LiveSettings, name: str, stack: ExitStack
    ) -> None:
        """Loads the program and starts the process that will run it; closing `stack` ends both.

        Raises:
            LoaderError: the object is not built or was refused.
            CommandError: the process could not be started.
        """
        self._settings = settings
        self._loaded = stack.enter_context(bpf_object.open(paths.bpf_object_path("gen_redirect")))
        self._loaded.load()
        generator.configure(self._loaded, socket.if_nametoindex(device), spec.frame(), spec.flows)
        program = self._loaded.program(generator.PROGRAM)
        words = ["--program", program.fd, "--cpu", settings.cpu, "--batch", settings.batch]
        words += ["--priority", settings.priority, "--frame", spec.frame().hex()]
        self._child = child.start_ready(
            [sys.executable, "-m", "lab.traffic.xdp_live_child", *map(str, words)],
            name=f"generator-{name}",
            cpus=[settings.cpu],
            pass_fds=[program.fd],
        )
        stack.callback(self._child.end)
        self._running = False

    @property
    def settings(self) -> Mapping[str, object]:
        """Method, core, batch and priority."""
        return {"method": "BPF_PROG_TEST_RUN with live frames, one call", **asdict(self._settings)}

    def start(self, longest: float) -> None:
        """Begins to send; returns when the process is about to make the call.

        After `longest` seconds it ends by itself, so that it cannot keep its core should we be held up.
        """
        answer = self._child.ask(f"run {longest}")
        if answer != "running":
            raise CommandError(Problem(self._child.name, f"said {answer!r} when told to run"))
        self._running = True

    def stop(self) -> None:
        """Ends the call by a signal and waits for it to return. Kills the process if it does not."""
        if not self._running:
            return
        self._running = False
        with put_off():
            answer = self._interrupt()
        if answer is None:
            self._child.kill()
            raise CommandError(Problem(self._child.name, "could not be interrupted and was killed"))
        if answer != "interrupted":
            raise CommandError(
                Problem(
                    self._child.name,
                    f"the run ended by itself: {answer}",
                    "the machine stood still; run again",
                )
            )

    def _interrupt(self) -> str | None:
        """What the process says when its call has returned; None if it does not within a few seconds.

        The signal may come a moment before the call begins and be lost, so it is repeated.
        """
        for _ in range(_ATTEMPTS):
            self._child.interrupt()
            answer = self._child.next_line(0.1)
            if answer is not None:
                return answer
        return None

    def send(self, count: int) -> None:
        """Sends exactly `count` frames and returns when the last is under way."""
        answer = self._child.ask(f"send {count}", timeout=30.0)
        if answer != "sent":
            raise CommandError(Problem(self._child.name, f"said {answer!r} when told to send {count} frames"))

    def offered(self) -> int:
        """Frames sent since it was made."""
        return counters.read_count(self._loaded.map(generator.COUNT)).packets
