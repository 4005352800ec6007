"""Packets to and from controllers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from switch.binding.errors import check, new_error, text
from switch.binding.ffi import ffi, lib
from switch.binding.handle import Handle

PORT_CONTROLLER = 0xFFFD
PORT_LOCAL = 0xFFFE
PORT_NONE = 0xFFFF
DATA_MAX = 4096


class Reason(IntEnum):
    """Why a packet went to a controller; OpenFlow's numbers and two of Open vSwitch's."""

    NO_MATCH = 0
    ACTION = 1
    INVALID_TTL = 2
    ACTION_SET = 3
    GROUP = 4
    PACKET_OUT = 5
    EXPLICIT_MISS = 6
    IMPLICIT_MISS = 7


@dataclass(frozen=True)
class PacketIn:
    """A packet for a controller. in_port is an OpenFlow number; metadata the pipeline fields that are not 0,
    as a match; continuation what Packets.resume() goes on with, None unless the packet is paused.
    """

    reason: Reason
    table: int
    cookie: int
    controller_id: int
    meter_id: int
    in_port: int
    data: bytes
    total_len: int
    userdata: bytes
    metadata: str
    continuation: int | None


@dataclass(frozen=True)
class PacketInStats:
    """Packets that controllers could get, and those for which the queue had no room or the rate no leave."""

    queued: int
    no_room: int
    rate_limited: int


class Packets:
    """Packet-ins of a switch, and packets put into it."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._raw = ffi.new("struct rs_packet_in *")
        self._data = ffi.new("uint8_t[]", DATA_MAX)

    def __iter__(self) -> Iterator[PacketIn]:
        """Takes the packets that wait now, oldest first; ends when there are none."""
        while check(
            lib.rs_packet_in_take(self._handle.raw, self._raw, self._data, DATA_MAX), field="packet-in"
        ):
            yield _decode(self._raw, self._data)

    def fileno(self) -> int:
        """Readable when a packet may wait. Owned by the switch."""
        return int(lib.rs_packet_in_fd(self._handle.raw))

    def limit(self, rate: int, burst: int = 0) -> None:
        """Packets a second for each reason, burst 0 = as many as in a second; rate 0 = no limit."""
        err = new_error()
        check(lib.rs_packet_in_rate(self._handle.raw, rate, burst, err), err, "rate")

    def stats(self) -> PacketInStats:
        """Counts since the switch was made."""
        raw = ffi.new("struct rs_packet_in_stats *")
        lib.rs_packet_in_stats(self._handle.raw, raw)
        return PacketInStats(raw.queued, raw.no_room, raw.rate_limited)

    def out(self, actions: str, frame: bytes, in_port: int = PORT_CONTROLLER) -> None:
        """Runs actions on a frame as if it had come in on in_port (an OpenFlow number)."""
        handle, raw, err = self._handle.raw, actions.encode(), new_error()
        check(lib.rs_packet_out(handle, in_port, raw, frame, len(frame), err), err, "packet-out")

    def resume(self, packet: PacketIn, data: bytes | None = None) -> None:
        """Goes on with a paused packet, or with other bytes in its place."""
        frame, err = packet.data if data is None else data, new_error()
        code = lib.rs_packet_resume(
            self._handle.raw, packet.continuation or 0, packet.in_port, frame, len(frame), err
        )
        check(code, err, "resume")


def _decode(raw: Any, data: Any) -> PacketIn:
    return PacketIn(
        reason=Reason(raw.reason),
        table=raw.table,
        cookie=raw.cookie,
        controller_id=raw.controller_id,
        meter_id=raw.meter_id,
        in_port=raw.in_port,
        data=bytes(ffi.buffer(data, raw.len)),
        total_len=raw.total_len,
        userdata=bytes(ffi.buffer(raw.userdata, raw.userdata_len)) if raw.userdata_len else b"",
        metadata=text(raw.metadata),
        continuation=raw.continuation if raw.pause else None,
    )
