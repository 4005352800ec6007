"""The Linux bridge. Its work is done in softirq; where, decides what its figure means.

By itself the bridge would run on the generator's core, inside the generator's own softirq, and the two would
share it. So its receiving device polls in a kernel thread (threaded NAPI), pinned to the core that the other
datapaths have to themselves: one core for the load, one for the datapath, for all. `placement="generator"`
leaves it where it is by default; README.md has both figures.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from lab.bench.dut_base import DutCounters, link_counters
from lab.bench.rooms import IN, OUT, Room
from lab.errors import Problem, UnsupportedError
from lab.host import command
from lab.traffic import child

Placement = Literal["own-core", "generator"]
_NAPI = f"napi/{IN}-"


class LinuxBridge:
    """A bridge over in0 and out0, with the kernel's defaults (no STP, ageing 300 s) but multicast snooping,
    whose own packets would be counted.
    """

    title = "Linux bridge"
    learns = True
    far_end: str | None = None

    def __init__(self, placement: Placement = "own-core") -> None:
        self.name = "bridge" if placement == "own-core" else "bridge-inline"
        if placement == "generator":
            self.title = "Linux bridge, inline"
        self._placement = placement
        self._room: Room | None = None
        self._thread: int | None = None

    @property
    def settings(self) -> Mapping[str, object]:
        """Where it runs, and what makes its veth take redirected frames."""
        napi = (
            "threaded, on the DUT's core"
            if self._placement == "own-core"
            else "softirq of the generator's core"
        )
        return {
            "napi": napi,
            "gro": "on (a veth takes redirected frames only so)",
            "stp": "off",
            "mcast_snooping": "off",
        }

    def start(self, room: Room, cpu: int, stack: ExitStack) -> None:
        """Makes the bridge. Raises CommandError; UnsupportedError where the kernel has no threaded NAPI."""
        self._room = room
        with room.entered(room.inside):
            command.run(["ethtool", "-K", IN, "gro", "on"])
            lines = [
                "link add br0 type bridge mcast_snooping 0",
                f"link set {IN} master br0",
                f"link set {OUT} master br0",
            ]
            command.run(["ip", "-batch", "-"], stdin="\n".join([*lines, "link set br0 up", ""]))
            if self._placement == "own-core":
                self._thread = _thread_napi(cpu)

    def park(self) -> None:
        """It sleeps by itself when no packet comes."""

    def unpark(self) -> None:
        """It wakes by itself."""

    def counters(self) -> DutCounters:
        """Its two ports' counters in the kernel."""
        assert self._room is not None, "start() comes first"
        received, sent = link_counters(self._room, IN)["rx"], link_counters(self._room, OUT)["tx"]
        return DutCounters(received["packets"], sent["packets"])

    def busy_seconds(self) -> float | None:
        """The polling thread's time."""
        return None if self._thread is None else child.cpu_seconds(self._thread)


def _thread_napi(cpu: int) -> int:
    """Makes in0 of this namespace poll in a kernel thread on core `cpu`; returns the thread's id."""
    before = set(_napi_threads())
    # /sys shows the namespace that it was mounted in, so the switch is thrown through a mount of our own.
    script = f"mount -t sysfs sysfs /sys && echo 1 >/sys/class/net/{IN}/threaded"
    done = command.run(["unshare", "--mount", "sh", "-c", script], check=False)
    made = set(_napi_threads()) - before
    if done.returncode or len(made) != 1:
        found = done.stderr.strip() or f"{len(made)} new kernel threads named {_NAPI}*"
        raise UnsupportedError(
            Problem(
                f"{IN}: threaded NAPI",
                found,
                "kernel 5.12 or later is needed; or measure --dut bridge-inline",
            )
        )
    thread = made.pop()
    os.sched_setaffinity(thread, {cpu})
    return thread


def _napi_threads() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().startswith(_NAPI):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
