"""The plain AF_XDP forwarder (lab/traffic/plain_forwarder.c): the same kernel path as ours, and nothing
looked up.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from contextlib import ExitStack

from lab.bench.dut_base import DutCounters, redirect_to_sockets
from lab.bench.rooms import IN, OUT, Room
from lab.traffic import build, child

BATCH = 32  # as many as our switch takes at once


class PlainForwarder:
    """One busy-polling process, pinned."""

    name = "plain"
    title = "plain AF_XDP forwarder"
    learns = False
    far_end: str | None = None

    def __init__(self, batch: int = BATCH) -> None:
        self._batch = batch
        self._child: child.Child | None = None

    @property
    def settings(self) -> Mapping[str, object]:
        """How it polls and binds."""
        return {"batch": self._batch, "poll": "busy", "mode": "native copy", "umem": "one for both ports"}

    def start(self, room: Room, cpu: int, stack: ExitStack) -> None:
        """Attaches the XDP side and starts the forwarder. Raises LoaderError or CommandError."""
        program, _ = build.build("plain_forwarder")
        with room.entered(room.inside):
            maps = [(device, redirect_to_sockets(device, stack).map("rs_xsks").fd) for device in (IN, OUT)]
            ports = [word for device, fd in maps for word in ("--port", f"{device}:{fd}")]
            self._child = child.start_ready(
                [str(program), "--batch", str(self._batch), *ports],
                name=self.name,
                cpus=[cpu],
                pass_fds=[fd for _, fd in maps],
            )
        stack.callback(self._child.end)

    def park(self) -> None:
        """Takes it off its core."""
        self._running.park()

    def unpark(self) -> None:
        """Lets it go on."""
        self._running.unpark()

    def counters(self) -> DutCounters:
        """What it printed on SIGUSR1."""
        port = json.loads(self._running.ask(sign=signal.SIGUSR1))[IN]
        return DutCounters(port["received"], port["sent"], port["tx_full"])

    def busy_seconds(self) -> float:
        """Its one thread's time."""
        return child.cpu_seconds(self._running.pid)

    @property
    def _running(self) -> child.Child:
        assert self._child is not None, "start() comes first"
        return self._child
