"""The switch: owner of the C handle; ports, tables, statistics, trace and capture hang off it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from switch.binding.capture import SNAPLEN_MAX, Capture
from switch.binding.errors import check, new_error
from switch.binding.ffi import ffi, lib
from switch.binding.groups import Groups, Meters, TlvMap
from switch.binding.handle import Handle
from switch.binding.megaflow import Megaflows
from switch.binding.packets import Packets
from switch.binding.port import Port, PortConfig, PortInfo, decode_info, encode_config, encode_name
from switch.binding.stats import Snapshot, UmemStats, read_stats, read_umems
from switch.binding.table import Fdb, FlowTable
from switch.binding.trace import TraceOptions, explain_flow, explain_packet

MAX_PORTS = 1024


@dataclass(frozen=True)
class SwitchConfig:
    """How the switch runs. cpu None = not pinned; 0 frames, ageing, entries = the defaults (16384, 300 s,
    8192).
    """

    name: str
    threaded: bool = True
    busy: bool = False
    spin_us: int = 100
    cpu: int | None = None
    umem_frames: int = 0
    share_umem: bool = True
    mac_ageing_ms: int = 0
    mac_entries: int = 0


class Switch:
    """A running switch. Use as context manager, or call close(). One thread at a time may use it and its
    parts.
    """

    def __init__(self, config: SwitchConfig) -> None:
        raw, out, err = ffi.new("struct rs_switch_config *"), ffi.new("rs_switch **"), new_error()
        raw.name = encode_name(config.name, "name")
        raw.threaded, raw.busy, raw.spin_us = config.threaded, config.busy, config.spin_us
        raw.cpu = -1 if config.cpu is None else config.cpu
        raw.umem_frames, raw.share_umem = config.umem_frames, config.share_umem
        raw.mac_ageing_ms, raw.mac_entries = config.mac_ageing_ms, config.mac_entries
        check(lib.rs_switch_create(raw, out, err), err, "switch")
        self._handle = Handle(out[0])
        self.config = config
        self.flows = FlowTable(self._handle)
        self.fdb = Fdb(self._handle)
        self.groups = Groups(self._handle)
        self.meters = Meters(self._handle)
        self.tlv_map = TlvMap(self._handle)
        self.megaflows = Megaflows(self._handle)
        self.packets = Packets(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes all ports, stops the PMD, frees everything. Again is no error; what was made from it
        then raises SwitchError.
        """
        self._handle.close()

    def poll(self) -> int:
        """One PMD iteration in this thread, and what the revalidator has due (switches that are not
        threaded); returns packets received.
        """
        return check(lib.rs_switch_poll(self._handle.raw), field="poll")

    def warp(self, ms: int) -> None:
        """Moves the switch's idea of time forward (switches that are not threaded)."""
        lib.rs_switch_warp(self._handle.raw, ms)

    def sync(self) -> None:
        """Waits until every change made before is true in the datapath, and all packets are counted."""
        lib.rs_sync(self._handle.raw)

    def open_port(self, config: PortConfig) -> tuple[Port, PortInfo]:
        """Opens a port: sockets bound, device made. It carries nothing before Port.start().

        SwitchError.field names the option or the step that failed ("bind", "XDP_UMEM_REG", "name" …).
        """
        info, err = ffi.new("struct rs_port_info *"), new_error()
        check(lib.rs_port_open(self._handle.raw, encode_config(config), info, err), err, config.name)
        value = decode_info(info)
        return Port(self._handle, value.ofport, value.name), value

    def ports(self) -> list[Port]:
        """Open ports, by ascending ofport."""
        raw = ffi.new("uint32_t[]", MAX_PORTS)
        count = lib.rs_port_list(self._handle.raw, raw, MAX_PORTS)
        return [self._port(raw[i]) for i in range(min(count, MAX_PORTS))]

    def _port(self, ofport: int) -> Port:
        return Port(self._handle, ofport, Port(self._handle, ofport, "port").info().name)

    def stats(self) -> Snapshot:
        """All counters at one moment between two batches."""
        return read_stats(self._handle.raw)

    def umems(self) -> list[UmemStats]:
        """The umems and their free frames."""
        return read_umems(self._handle.raw)

    def trace_flow(self, flow: str, options: TraceOptions | None = None) -> str:
        """Explains what would happen to a packet described by ovs-ofctl fields; changes nothing."""
        return explain_flow(self._handle, flow, options or TraceOptions())

    def trace_packet(self, ofport: int, frame: bytes, options: TraceOptions | None = None) -> str:
        """Explains what would happen to a frame that came in on a port; changes nothing."""
        return explain_packet(self._handle, ofport, frame, options or TraceOptions())

    def capture(self, ofports: Iterable[int], snaplen: int = SNAPLEN_MAX) -> Capture:
        """A capture on these ports, to be entered with `with`."""
        return Capture(self._handle, ofports, snaplen)
