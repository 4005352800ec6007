"""What a datapath under test (DUT) is to the bench."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from lab.bench.rooms import OUT, Room
from lab.host import command
from xdp.loader import attach, paths
from xdp.loader import object as bpf_object


@dataclass(frozen=True)
class DutCounters:
    """A datapath's own count: packets taken from `in0`, packets given to `out0`, packets dropped between."""

    received: int
    sent: int
    dropped: int = 0

    def since(self, earlier: DutCounters) -> DutCounters:
        """What was counted after `earlier`."""
        return DutCounters(
            self.received - earlier.received, self.sent - earlier.sent, self.dropped - earlier.dropped
        )


class Dut(Protocol):
    """Forwards from in0 to out0 of its room.

    `name` is what --dut takes, `title` what tables say. A DUT that learns addresses is told where the sink
    lives before it is measured, or every packet would be flooded. `far_end` is where the sink goes: None for
    sink0 outside.
    """

    name: str
    title: str
    learns: bool
    far_end: str | None

    @property
    def settings(self) -> Mapping[str, object]:
        """What a result must tell about it, fit for JSON."""

    def start(self, room: Room, cpu: int, stack: ExitStack) -> None:
        """Makes it forward, on core `cpu`; returns when it does. Closing `stack` undoes it. Raises
        LabError.
        """

    def park(self) -> None:
        """Takes it off its core while others are measured."""

    def unpark(self) -> None:
        """Lets it go on."""

    def counters(self) -> DutCounters | None:
        """Its own counters; None if it has none. Only while it is not parked."""

    def busy_seconds(self) -> float | None:
        """Time that its forwarding thread has been on a core; None if it has no thread of its own."""


def redirect_to_sockets(device: str, stack: ExitStack) -> bpf_object.BpfObject:
    """Attaches redirect_xsk to `device` of this thread's namespace; its socket map is `rs_xsks`.

    Raises LoaderError: not built, or not accepted by the device.
    """
    loaded = stack.enter_context(bpf_object.open(paths.bpf_object_path("redirect_xsk")))
    loaded.load()
    program = loaded.program("rs_redirect_xsk")
    stack.enter_context(attach.attach_xdp(program.fd, socket.if_nametoindex(device)))
    return loaded


def link_counters(room: Room, device: str) -> dict[str, dict[str, int]]:
    """The kernel's counters of a device inside the room: `rx` and `tx`, each with packets and dropped."""
    with room.entered(room.inside):
        done = command.run(["ip", "-s", "-j", "link", "show", device])
    counters: dict[str, dict[str, int]] = json.loads(done.stdout)[0]["stats64"]
    return counters


def lost_after(room: Room) -> int:
    """Packets that the kernel dropped on their way out of `out0`, after the datapath had sent them."""
    return link_counters(room, OUT)["tx"]["dropped"]
