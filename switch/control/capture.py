"""Packets seen inside the switch, handed to those who asked: one drain of the C ring, many subscribers.

The datapath never waits for a reader: what does not fit into its ring is lost and counted there. The same
holds one step further: a subscriber whose queue is full misses packets, and is told how many.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from switch.binding.capture import SNAPLEN_MAX, Capture, CapturedPacket
from switch.binding.errors import SwitchError
from switch.control.controller import Controller
from switch.control.errors import ControlError
from switch.control.ports import Entry
from switch.control.worker import Worker

QUEUE_PACKETS = 8192
_DRAIN_SECONDS = 0.005
_DRAIN_PACKETS = 4096

log = logging.getLogger("switchd")


@dataclass
class Subscriber:
    """One client's capture of one port. `lost`: packets that it was too slow for. `ended`: the port went."""

    name: str
    ofport: int
    snaplen: int
    queue: asyncio.Queue[CapturedPacket] = field(default_factory=lambda: asyncio.Queue(QUEUE_PACKETS))
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    lost: int = 0

    def offer(self, packet: CapturedPacket) -> None:
        """Queues a packet, or counts it as lost."""
        try:
            self.queue.put_nowait(packet)
        except asyncio.QueueFull:
            self.lost += 1


def packet_view(packet: CapturedPacket, subscriber: Subscriber) -> dict[str, Any]:
    """A packet as the socket streams it; `data` is base64, times are ns since 1970."""
    return {
        "event": "packet",
        "time_ns": packet.time_ns,
        "port": subscriber.name,
        "direction": "out" if packet.outbound else "in",
        "drop": packet.drop,
        "length": packet.length,
        "data": base64.b64encode(packet.data[: subscriber.snaplen]).decode(),
    }


class CaptureHub:
    """Starts captures in the datapath while somebody listens, and shares out what comes."""

    def __init__(self, controller: Controller, worker: Worker) -> None:
        self._controller = controller
        self._worker = worker
        self._subscribers: list[Subscriber] = []
        self._captures: dict[int, tuple[Capture, Entry]] = {}
        self._drainer: asyncio.Task[None] | None = None
        self._ring_lost = 0

    async def subscribe(self, name: str, snaplen: int) -> Subscriber:
        """Begins a capture. Raises ControlError if there is no such port."""
        ofport = await self._worker.run(self._start, name)
        subscriber = Subscriber(name, ofport, snaplen)
        self._subscribers.append(subscriber)
        if self._drainer is None:
            self._drainer = asyncio.create_task(self._drain())
        return subscriber

    async def unsubscribe(self, subscriber: Subscriber) -> None:
        """Ends a capture; the port's last one ends it in the datapath too."""
        self._subscribers.remove(subscriber)
        if all(each.ofport != subscriber.ofport for each in self._subscribers):
            await self._worker.run(self._stop, subscriber.ofport)
        if not self._subscribers and self._drainer is not None:
            self._drainer.cancel()
            with suppress(asyncio.CancelledError):
                await self._drainer
            self._drainer = None

    @property
    def ring_lost(self) -> int:
        """Packets that the datapath could not put into its full ring, since the switch started."""
        return self._ring_lost

    async def _drain(self) -> None:
        while True:
            packets, gone = await self._worker.run(self._take)
            for subscriber in self._subscribers:
                for packet in packets:
                    if packet.ofport == subscriber.ofport:
                        subscriber.offer(packet)
                if subscriber.ofport in gone:
                    subscriber.ended.set()
            if len(packets) < _DRAIN_PACKETS:
                await asyncio.sleep(_DRAIN_SECONDS)

    # ---- control thread ----------------------------------------------------------------------

    def _start(self, name: str) -> int:
        entry = self._controller.ports.entry(name)
        ofport = entry.info.ofport
        if ofport not in self._captures:
            capture = self._controller.engine.capture([ofport], SNAPLEN_MAX)
            try:
                self._captures[ofport] = capture.__enter__(), entry
            except SwitchError as error:
                raise ControlError("capture", error.message, error.hint, error.errno_name) from error
        return ofport

    def _stop(self, ofport: int) -> None:
        if ofport in self._captures:
            self._captures.pop(ofport)[0].stop()

    def _take(self) -> tuple[list[CapturedPacket], set[int]]:
        """The oldest packets of the ring, which all captures share, and the ports that have been removed."""
        packets: list[CapturedPacket] = []
        capture = next((each for each, _ in self._captures.values()), None)
        for packet in capture.read() if capture else ():
            packets.append(packet)
            if len(packets) == _DRAIN_PACKETS:
                break
        self._ring_lost = capture.lost if capture else self._ring_lost
        is_open = {id(entry) for entry in self._controller.ports}
        gone = {ofport for ofport, (_, entry) in self._captures.items() if id(entry) not in is_open}
        return packets, gone
