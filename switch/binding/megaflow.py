"""Megaflows, the revalidator that keeps them true, and the caches in front of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from switch.binding.errors import check, new_error
from switch.binding.ffi import ffi, lib
from switch.binding.handle import Handle
from switch.binding.text import made_by

DEFAULT_LIMIT = 200_000
DEFAULT_MAX_IDLE_MS = 10_000


@dataclass(frozen=True)
class RevalidatorStats:
    """What the revalidator has done. *_change_us: from a change until it was true of every megaflow;
    last_change_cpu_us: time of a core that this took.
    """

    rounds: int
    revalidated: int
    killed_changed: int
    killed_idle: int
    killed_limit: int
    refitted: int
    last_round_us: int
    longest_round_us: int
    last_change_us: int
    longest_change_us: int
    last_change_cpu_us: int
    flow_limit: int
    megaflows: int
    frozen: int
    pins: int


@dataclass(frozen=True)
class CacheConfig:
    """emc, smc: exact and signature match cache. emc_insert_every: one of so many misses enters the EMC."""

    emc: bool = True
    smc: bool = False
    emc_insert_every: int = 100  # 1 = each, 0 = none


class Megaflows:
    """The datapath's entries: what packets meet before any OpenFlow table."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def lines(self, match: str = "", names: bool = False, more: bool = False) -> Iterator[str]:
        """As `ovs-appctl dpctl/dump-flows` (more: -m), those that packets of `match` could hit."""
        raw, cursor = match.encode(), ffi.new("uint64_t *")
        lib.rs_sync(self._handle.raw)

        def part(out: Any, err: Any) -> int:
            return int(lib.rs_megaflow_dump(self._handle.raw, cursor, raw, names, more, out, err))

        while True:
            yield from made_by(part, "megaflow").splitlines()
            if cursor[0] == 0:
                return

    def flush(self) -> int:
        """Takes all back; those in use are made again. Returns how many there were."""
        return check(lib.rs_megaflow_flush(self._handle.raw), field="megaflow")

    def stats(self) -> RevalidatorStats:
        """What the revalidator has done so far."""
        raw = ffi.new("struct rs_revalidator_stats *")
        lib.rs_revalidator_stats(self._handle.raw, raw)
        return RevalidatorStats(
            rounds=raw.rounds,
            revalidated=raw.revalidated,
            killed_changed=raw.killed_changed,
            killed_idle=raw.killed_idle,
            killed_limit=raw.killed_limit,
            refitted=raw.refitted,
            last_round_us=raw.last_round_us,
            longest_round_us=raw.longest_round_us,
            last_change_us=raw.last_change_us,
            longest_change_us=raw.longest_change_us,
            last_change_cpu_us=raw.last_change_cpu_us,
            flow_limit=raw.flow_limit,
            megaflows=raw.n_megaflows,
            frozen=raw.n_frozen,
            pins=raw.n_pins,
        )

    def configure(self, limit: int = DEFAULT_LIMIT, max_idle_ms: int = DEFAULT_MAX_IDLE_MS) -> None:
        """At most so many; one that nothing hits goes after max_idle_ms."""
        err = new_error()
        check(lib.rs_revalidator_set(self._handle.raw, limit, max_idle_ms, err), err, "revalidator")

    @property
    def cache(self) -> CacheConfig:
        """How the caches are set."""
        raw = ffi.new("struct rs_cache_config *")
        lib.rs_cache_get(self._handle.raw, raw)
        return CacheConfig(raw.emc, raw.smc, raw.emc_insert_every)

    def set_cache(self, config: CacheConfig) -> None:
        """Switches caches on and off."""
        raw, err = ffi.new("struct rs_cache_config *"), new_error()
        raw.emc, raw.smc, raw.emc_insert_every = config.emc, config.smc, config.emc_insert_every
        check(lib.rs_cache_set(self._handle.raw, raw, err), err, "cache")
