"""Packets seen inside the switch: both directions, with the reason when one was dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from switch.binding.errors import SwitchError, check, new_error
from switch.binding.ffi import ffi, lib
from switch.binding.handle import Handle
from switch.binding.stats import drop_reasons

NOT_DROPPED = 0xFF
SNAPLEN_MAX = 4096


@dataclass(frozen=True)
class CapturedPacket:
    """A packet at a port. time_ns is CLOCK_REALTIME; `length` the bytes on the wire, `data` the captured
    part of them.

    `drop` is the name of the drop reason, None if the packet was not dropped.
    """

    time_ns: int
    ofport: int
    outbound: bool
    drop: str | None
    length: int
    data: bytes


class Capture:
    """Captures on some ports from the moment it is entered until it is left; one at a time for each
    switch.
    """

    def __init__(self, handle: Handle, ofports: Iterable[int], snaplen: int = SNAPLEN_MAX) -> None:
        self._handle = handle
        self._ofports = tuple(ofports)
        self._snaplen = snaplen
        self._started: list[int] = []
        self._buffer = ffi.new("uint8_t[]", max(snaplen, 1))
        self._packet = ffi.new("struct rs_capture_packet *")

    def __enter__(self) -> Self:
        try:
            for ofport in self._ofports:
                err = new_error()
                check(lib.rs_capture_start(self._handle.raw, ofport, self._snaplen, err), err, "capture")
                self._started.append(ofport)
        except SwitchError:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the capture. What is already in the ring can still be read. A port that has gone is no
        error.
        """
        while self._started:
            err = new_error()
            with suppress(SwitchError):
                check(lib.rs_capture_stop(self._handle.raw, self._started.pop(), err), err, "capture")

    def read(self) -> Iterator[CapturedPacket]:
        """Takes the packets that are in the ring now, oldest first; ends when it is empty."""
        raw = self._packet
        while check(
            lib.rs_capture_read(self._handle.raw, raw, self._buffer, len(self._buffer)), field="capture"
        ):
            drop = None if raw.drop == NOT_DROPPED else drop_reasons()[raw.drop].name
            data = bytes(ffi.buffer(self._buffer, raw.caplen))
            yield CapturedPacket(raw.time_ns, raw.ofport, bool(raw.outbound), drop, raw.len, data)

    @property
    def lost(self) -> int:
        """Packets that were not captured because the ring was full."""
        return int(lib.rs_capture_lost(self._handle.raw))
