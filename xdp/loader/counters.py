"""The counters of xdp/include/stats.h, read into values."""

from __future__ import annotations

from dataclasses import dataclass

from xdp.loader.maps import Map
from xdp.loader.run import ACTIONS


@dataclass(frozen=True)
class Count:
    """Packets, and their bytes from the first of Ethernet to the last of payload."""

    packets: int
    bytes: int


def read_count(counters: Map, key: int = 0) -> Count:
    """Entry `key` of a map of `struct rs_counter`, summed over the CPUs.

    Raises:
        MapError: the map is of another make, or has no such entry.
    """
    packets, length = counters.counters(key)
    return Count(packets, length)


def read_actions(counters: Map) -> dict[str, Count]:
    """A map of counters by XDP action (rs_actions), keyed by the action's name. Raises as `read_count`."""
    return {name: read_count(counters, number) for number, name in enumerate(ACTIONS)}


KINDS = ("other", "truncated", "arp", "icmp", "tcp", "udp", "fragment")
"""What parse_drop.bpf.c tells apart, in the order of its `enum rs_kind`."""


def read_kinds(counters: Map) -> dict[str, Count]:
    """The counters of parse_drop (rs_kinds), keyed by name. Raises as `read_count`."""
    return {name: read_count(counters, number) for number, name in enumerate(KINDS)}
