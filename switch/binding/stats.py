"""Counters, as values. What each one means stands in switch/api/switch_api.h and datapath/port/port.h."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from switch.binding.errors import text
from switch.binding.ffi import ffi, lib


@dataclass(frozen=True)
class DropReason:
    """A way to lose a packet: its name in statistics and what happened."""

    name: str
    meaning: str


@dataclass(frozen=True)
class XskStats:
    """The kernel's six XDP_STATISTICS, summed over the port's queues."""

    rx_dropped: int
    rx_invalid_descs: int
    tx_invalid_descs: int
    rx_ring_full: int
    rx_fill_ring_empty_descs: int
    tx_ring_empty_descs: int


@dataclass(frozen=True)
class PortStats:
    """Counters of a port. sent, delivered and drops are of packets that came in on it; tx_* of those that
    left by it.
    """

    ofport: int
    received: int
    received_bytes: int
    copies: int
    sent: int
    delivered: int
    drops: Mapping[str, int]  # Every reason, zeros too.
    checksums_completed: int
    bad_frames: int
    tx_packets: int
    tx_bytes: int
    xsk: XskStats

    @property
    def dropped(self) -> int:
        """Packets lost, over all reasons."""
        return sum(self.drops.values())

    @property
    def balance_in(self) -> int:
        """Packets that came in or were made here."""
        return self.received + self.copies

    @property
    def balance_out(self) -> int:
        """Packets whose end is known; equals balance_in in every snapshot."""
        return self.sent + self.delivered + self.dropped


@dataclass(frozen=True)
class PmdStats:
    """Counters of the poll-mode thread. cpu is None when it is not pinned.

    packets + recirculated = cache_hits + upcalls; cache_hits = emc_hits + smc_hits + megaflow_hits.
    """

    iterations: int
    busy_iterations: int
    sleeps: int
    packets: int
    recirculated: int
    cache_hits: int
    emc_hits: int
    smc_hits: int
    megaflow_hits: int
    subtables_searched: int
    upcalls: int
    executed_once: int
    cycles_busy: int
    cycles_idle: int
    cache_entries: int
    megaflows: int
    cpu: int | None


@dataclass(frozen=True)
class UmemStats:
    """A umem: frames and how many of them are free. numa_node is None when it is bound to none."""

    frames: int
    free_frames: int
    frame_size: int
    sockets: int
    zero_copy: bool
    numa_node: int | None


@dataclass(frozen=True)
class Snapshot:
    """All counters at one moment between two batches, so that every port balances to the packet."""

    ports: Mapping[int, PortStats]  # By ofport.
    pmd: PmdStats


@cache
def drop_reasons() -> tuple[DropReason, ...]:
    """All drop counters, in the order of the C list."""
    return tuple(
        DropReason(text(lib.rs_drop_name(i)), text(lib.rs_drop_meaning(i))) for i in range(lib.RS_N_DROPS)
    )


def _port(raw: Any) -> PortStats:
    xsk = raw.xsk
    return PortStats(
        ofport=raw.ofport,
        received=raw.received,
        received_bytes=raw.received_bytes,
        copies=raw.copies,
        sent=raw.sent,
        delivered=raw.delivered,
        drops={reason.name: raw.drops[i] for i, reason in enumerate(drop_reasons())},
        checksums_completed=raw.checksums_completed,
        bad_frames=raw.bad_frames,
        tx_packets=raw.tx_packets,
        tx_bytes=raw.tx_bytes,
        xsk=XskStats(
            xsk.rx_dropped,
            xsk.rx_invalid_descs,
            xsk.tx_invalid_descs,
            xsk.rx_ring_full,
            xsk.rx_fill_ring_empty_descs,
            xsk.tx_ring_empty_descs,
        ),
    )


def read_stats(handle: Any) -> Snapshot:
    """Takes a snapshot of the switch behind a C handle."""
    cap = 1024
    ports, pmd = ffi.new("struct rs_port_stats[]", cap), ffi.new("struct rs_pmd_stats *")
    count = min(lib.rs_stats(handle, ports, cap, pmd), cap)
    return Snapshot(
        ports={ports[i].ofport: _port(ports[i]) for i in range(count)},
        pmd=PmdStats(
            iterations=pmd.iterations,
            busy_iterations=pmd.busy_iterations,
            sleeps=pmd.sleeps,
            packets=pmd.packets,
            recirculated=pmd.recirculated,
            cache_hits=pmd.cache_hits,
            emc_hits=pmd.emc_hits,
            smc_hits=pmd.smc_hits,
            megaflow_hits=pmd.megaflow_hits,
            subtables_searched=pmd.subtables_searched,
            upcalls=pmd.upcalls,
            executed_once=pmd.executed_once,
            cycles_busy=pmd.cycles_busy,
            cycles_idle=pmd.cycles_idle,
            cache_entries=pmd.cache_entries,
            megaflows=pmd.megaflows,
            cpu=pmd.cpu if pmd.cpu >= 0 else None,
        ),
    )


def read_umems(handle: Any) -> list[UmemStats]:
    """The umems of the switch behind a C handle."""
    cap = 1024
    raw = ffi.new("struct rs_umem_stats[]", cap)
    count = min(lib.rs_umem_list(handle, raw, cap), cap)
    return [
        UmemStats(
            u.frames,
            u.free_frames,
            u.frame_size,
            u.sockets,
            u.zero_copy,
            u.numa_node if u.numa_node >= 0 else None,
        )
        for u in (raw[i] for i in range(count))
    ]
