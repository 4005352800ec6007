"""Is it the packets sent that arrive? Asked of each datapath before it is measured.

A benchmark that counts packets at the far end counts anything: frames that were cut short, flooded twice, or
come from somewhere else. So a counted number of packets is sent first, taken in by a packet socket at the
sink's device, and compared byte by byte with what lab/traffic/frames.py builds.
"""

from __future__ import annotations

import socket
import time
from collections import Counter

from lab.bench.rooms import GEN, GEN_MAC, SINK, SINK_MAC, Room
from lab.errors import LabError, Problem
from lab.traffic.frames import ETH_EXPERIMENTAL, PacketSpec, announcement
from lab.traffic.xdp_live import LiveGenerator

ROUND = 256  # packets of one question: fewer than any ring or queue on the way holds
PATIENCE = 3.0  # seconds
_ETH_ALL = 3
_SO_RCVBUFFORCE = 33


class ContentError(LabError):
    """The datapath does not deliver the packets that were sent."""


def _listen(room: Room, device: str, protocol: int) -> socket.socket:
    with room.entered(room.outside):
        listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        listener.bind((device, protocol))
    listener.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
    return listener


def announce_sink(room: Room) -> None:
    """Sends one frame from the sink's device, so that a learning datapath knows where the sink lives."""
    with room.entered(room.outside), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((SINK, 0))
        sender.send(announcement(SINK_MAC, GEN_MAC))


def check_learning(room: Room, title: str) -> None:
    """Announces the sink until the announcement comes out at the generator's device.

    Raises ContentError when it does not within a few seconds.
    """
    deadline = time.monotonic() + PATIENCE
    with _listen(room, GEN, ETH_EXPERIMENTAL) as listener:
        listener.settimeout(0.2)
        while time.monotonic() < deadline:
            announce_sink(room)
            try:
                listener.recv(2048)
                return
            except TimeoutError:
                continue
    raise ContentError(
        Problem(
            title, "a frame from the sink's side never came out at the generator's", "does it forward at all?"
        )
    )


def check_content(room: Room, generator: LiveGenerator, spec: PacketSpec, title: str) -> int:
    """Sends packets of every flow and compares what arrives; the sink must not be attached yet.

    Returns how many packets arrived, all of them as sent. Raises ContentError that shows the first
    difference.
    """
    sent = Counter(spec.frame(number % spec.flows) for number in range(ROUND * _rounds(spec)))
    arrived: Counter[bytes] = Counter()
    with _listen(room, SINK, _ETH_ALL) as listener:
        for _ in range(_rounds(spec)):
            generator.send(ROUND)
            arrived.update(_take(listener, ROUND))
    compare(sent, arrived, title)
    return arrived.total()


def compare(sent: Counter[bytes], arrived: Counter[bytes], title: str) -> None:
    """Raises ContentError, with the first difference, unless frames arrived exactly as often as sent."""
    if arrived == sent:
        return
    foreign, missing = arrived - sent, sent - arrived
    found = f"{sent.total()} packets were sent, {arrived.total()} arrived"
    if foreign:
        found += f"; {foreign.total()} were not sent, the first: {next(iter(foreign)).hex()}"
    if missing:
        found += f"; {missing.total()} are missing, the first: {next(iter(missing)).hex()}"
    way_out = "its figures would not be those of forwarding; see its counters and rules"
    raise ContentError(Problem(title, found, way_out))


def _rounds(spec: PacketSpec) -> int:
    return -(-spec.flows // ROUND)


def _take(listener: socket.socket, count: int) -> list[bytes]:
    """The frames that come: waits for `count`, and a moment longer for those that should not come."""
    frames: list[bytes] = []
    while True:
        listener.settimeout(1.0 if len(frames) < count else 0.05)
        try:
            frames.append(listener.recv(2048))
        except TimeoutError:
            return frames
