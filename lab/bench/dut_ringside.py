"""Our switch, as a user starts it: `ringside switchd` with a configuration file; counters through its
socket.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lab.bench.dut_base import DutCounters
from lab.bench.rooms import IN, OUT, Room
from lab.errors import CommandError, Problem
from lab.traffic import child

TIMEOUT = 10.0
PMD_THREAD = "rs-pmd"


class Ringside:
    """One switchd with two afxdp ports and one rule."""

    far_end: str | None = None

    def __init__(self, name: str, title: str, rule: str, *, learns: bool) -> None:
        self.name = name
        self.title = title
        self.learns = learns
        self._rule = rule
        self._child: child.Child | None = None
        self._pmd: int | None = None
        self._shown: dict[str, Any] = {}

    @property
    def settings(self) -> Mapping[str, object]:
        """The rule, and what the switch itself reports of its ports."""
        known = ("name", "xdp_mode", "zero_copy", "checksum", "umem_shared", "queues")
        ports = [{key: port.get(key) for key in known} for port in self._shown.get("ports", [])]
        return {"rule": self._rule, "poll": self._shown.get("poll"), "ports": ports}

    def start(self, room: Room, cpu: int, stack: ExitStack) -> None:
        """Starts it; returns when it says READY. Raises CommandError with its last words."""
        config = Path("/run") / f"{self.name}.json"
        config.write_text(json.dumps(_desired_state(self._rule, cpu)))
        words = ["-m", "switch.cli", "switchd", "--name", "bench", "--config", str(config)]
        with room.entered(room.inside):
            self._child = child.start_ready(
                [sys.executable, *words, "--socket", str(self._socket)],
                name=self.name,
                cpus=[cpu],
                env={"RINGSIDE_RUNDIR": f"/run/{self.name}"},
            )
        stack.callback(self._child.end)
        self._pmd = child.thread_named(self._child.pid, PMD_THREAD)
        self._shown = self._call("show")

    def park(self) -> None:
        """Takes it off its core."""
        self._running.park()

    def unpark(self) -> None:
        """Lets it go on."""
        self._running.unpark()

    def counters(self) -> DutCounters:
        """Its `stats`: what came in by in0, and what left by out0. Raises CommandError if they do not
        balance.
        """
        ports = self._call("stats")["ports"]
        if not ports[IN]["balance"]["holds"]:
            raise CommandError(
                Problem(f"{self.name}: stats of {IN}", f"do not balance: {ports[IN]['balance']}")
            )
        return DutCounters(ports[IN]["received"], ports[OUT]["tx_packets"], ports[IN]["dropped"])

    def busy_seconds(self) -> float | None:
        """The PMD thread's time."""
        return None if self._pmd is None else child.cpu_seconds(self._running.pid, self._pmd)

    @property
    def pid(self) -> int:
        """The daemon's process id, for a profiler."""
        return self._running.pid

    @property
    def _running(self) -> child.Child:
        assert self._child is not None, "start() comes first"
        return self._child

    @property
    def _socket(self) -> Path:
        return Path("/run") / f"{self.name}.sock"

    def _call(self, verb: str) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT)
            connection.connect(str(self._socket))
            connection.sendall(json.dumps({"id": 1, "verb": verb, "args": {}}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer: dict[str, Any] = json.loads(lines.readline() or b"{}")
        if not answer.get("ok"):
            raise CommandError(
                Problem(f"{self.name}: {verb}", str(answer.get("error", "it closed the connection")))
            )
        result: dict[str, Any] = answer["result"]
        return result


def _desired_state(rule: str, cpu: int) -> dict[str, Any]:
    ports = [
        {"name": device, "type": "afxdp", "device": device, "ofport": number, "mode": "auto", "queues": "all"}
        for number, device in enumerate((IN, OUT), start=1)
    ]
    return {"name": "bench", "poll": {"mode": "busy", "cpu": cpu}, "ports": ports, "flows": [rule]}


def one_rule() -> Ringside:
    """The trivial rule: what comes in on one port leaves by the other."""
    return Ringside("ringside", "ringside, one rule", "in_port=1,actions=output:2", learns=False)


def normal() -> Ringside:
    """The learning switch: what every fresh switch does."""
    return Ringside("ringside-normal", "ringside, NORMAL", "priority=0,actions=NORMAL", learns=True)
