"""The executor of datapath actions for tests: lists as text, packets as bytes, what left as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.c.support.native import ffi, lib

KINDS = ("sent", "recirc", "controller")


class BadList(Exception):
    """The text is no list: place and reason."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(f"{why} at {at}")
        self.at, self.why = at, why


def parse(text: str) -> bytes:
    """The list that the text names."""
    out, at, why = ffi.new("uint8_t[65536]"), ffi.new("uint32_t *"), ffi.new("char[128]")
    size = lib.exe_parse(text.encode(), out, 65536, at, why)
    if size < 0:
        raise BadList(at[0], ffi.string(why).decode())
    return bytes(ffi.buffer(out, size))


def show(actions: bytes, names: bool = False) -> str:
    """The list as text."""
    out = ffi.new("char[200000]")
    size = lib.exe_print(actions, len(actions), out, 200000, names)
    return bytes(ffi.buffer(out, size)).decode()


def check(actions: bytes) -> str | None:
    """What is wrong with the bytes of a list."""
    why = lib.exe_check(actions, len(actions))
    return None if why == ffi.NULL else ffi.string(why).decode()


@dataclass(frozen=True)
class Packet:
    data: bytes
    headroom: int = 256
    flags: int = 0
    in_port: int = 1
    rx_hash: int = 0
    packet_type: int = 0


@dataclass(frozen=True)
class Event:
    """A packet that left: how, and by which port or id."""

    kind: str
    id: int
    batch: int
    data: bytes
    l2_5_ofs: int
    l3_ofs: int
    l4_ofs: int
    dp_hash: int
    pkt_mark: int
    skb_priority: int
    recirc_id: int
    packet_type: int
    flags: int
    tunnel_dst: int
    in_port: int
    intact: bool


@dataclass(frozen=True)
class Outcome:
    events: list[Event]
    copies: int
    checksums_completed: int
    drops: dict[str, int]


class Bench:
    """An executor with ports 1 … n. Context manager."""

    def __init__(self, ports: int = 8, frames: int = 128) -> None:
        self._c = lib.exe_new(frames, ports)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        lib.exe_free(self._c)

    def run(self, actions: str | bytes, packets: Sequence[Packet | bytes], blob: bool = True) -> Outcome:
        """Executes a list on a batch. Fails if a frame is missing afterwards, or counters do not balance."""
        code = parse(actions) if isinstance(actions, str) else actions
        given = [each if isinstance(each, Packet) else Packet(each) for each in packets]
        c = ffi.new("struct exe_packet[]", len(given))
        kept = []
        for one, packet in zip(c, given, strict=True):
            kept.append(ffi.from_buffer(packet.data))
            one.data, one.len, one.headroom = kept[-1], len(packet.data), packet.headroom
            one.flags, one.in_port, one.rx_hash = packet.flags, packet.in_port, packet.rx_hash
            one.packet_type = packet.packet_type
            one.flags |= lib.EXE_NOT_ETHERNET if packet.packet_type else 0
        count = lib.exe_run(self._c, code, len(code), blob, c, len(given))
        assert count >= 0, "a frame was lost, or received + copies is not sent + drops"
        return self._outcome(count)

    def _outcome(self, count: int) -> Outcome:
        counts = ffi.new("struct exe_counts *")
        lib.exe_counts(self._c, counts)
        drops = {
            ffi.string(lib.drop_reason_name(i)).decode(): int(number)
            for i, number in enumerate(counts.drops)
            if number
        }
        events = [_event(lib.exe_event(self._c, i)) for i in range(count)]
        return Outcome(events, int(counts.copies), int(counts.checksums_completed), drops)

    def set_time(self, now_ns: int) -> None:
        lib.exe_set_time(self._c, now_ns)

    def set_meter(self, meter: int, packets: bool, bands: Sequence[tuple[int, int, int, int]]) -> int:
        """bands: (type, rate, burst, prec_level)."""
        config = ffi.new("struct odp_meter_config *", {"packets": packets, "n_bands": len(bands)})
        for c, (kind, rate, burst, level) in zip(config.bands, bands, strict=False):
            c.type, c.rate, c.burst, c.prec_level = kind, rate, burst, level
        return int(lib.exe_meter_set(self._c, meter, config))

    def delete_meter(self, meter: int) -> int:
        return int(lib.exe_meter_delete(self._c, meter))

    def meter_stats(self, meter: int) -> tuple[int, int, list[tuple[int, int]]] | None:
        """Packets, bytes, and those that each band acted upon."""
        stats = ffi.new("struct odp_meter_stats *")
        if lib.exe_meter_stats(self._c, meter, stats) < 0:
            return None
        bands = [(int(band.packets), int(band.bytes)) for band in stats.bands[0 : stats.n_bands]]
        return int(stats.packets_in), int(stats.bytes_in), bands


def _event(e: Any) -> Event:
    numbers = {
        name: int(getattr(e, name))
        for name in Event.__dataclass_fields__
        if name not in ("kind", "data", "intact")
    }
    return Event(kind=KINDS[e.kind], data=bytes(ffi.buffer(e.data, e.len)), intact=bool(e.intact), **numbers)
