"""Which hosts can talk to each other, told from the topology alone: `up` then proves it by pings.

A packet's way through the switches is followed with its VLAN. Tags: `None` is a packet without one.
"""

from __future__ import annotations

import enum
import ipaddress
import itertools
from dataclasses import dataclass

from lab.topology.model import Link, Topology, Vlan


class Expect(enum.Enum):
    """What a ping between two hosts should show."""

    TALK = "talk"
    ISOLATED = "isolated"
    UNKNOWN = "unknown"
    """The switch has rules of its own: only trying tells."""


@dataclass(frozen=True)
class Pair:
    """Two hosts and the address of the second that the first pings."""

    source: str
    target: str
    address: str
    expect: Expect


def host_pairs(topology: Topology) -> list[Pair]:
    """All pairs of hosts that share an IPv4 or IPv6 subnet, in order."""
    pairs = []
    for source, target in itertools.combinations(topology.hosts, 2):
        address = _shared_subnet(topology, source, target)
        if address is not None:
            pairs.append(Pair(source, target, address, _expect(topology, source, target)))
    return pairs


def _shared_subnet(topology: Topology, source: str, target: str) -> str | None:
    for here in _interfaces(topology, source):
        for there in _interfaces(topology, target):
            if there.ip in here.network and here.version == there.version:
                return str(there.ip)
    return None


def _interfaces(topology: Topology, host: str) -> list[ipaddress.IPv4Interface | ipaddress.IPv6Interface]:
    return [
        ipaddress.ip_interface(text)
        for link in topology.links_of(host)
        for text in link.end_at(host).addresses
    ]


def _expect(topology: Topology, source: str, target: str) -> Expect:
    if any(switch.flows is not None for switch in topology.switches.values()):
        return Expect.UNKNOWN
    there = target in reached(topology, source) and source in reached(topology, target)
    return Expect.TALK if there else Expect.ISOLATED


def reached(topology: Topology, source: str) -> set[str]:
    """Hosts that an untagged frame sent by `source` can reach without a tag (a host takes no other)."""
    hosts: set[str] = set()
    seen: set[tuple[str, int | None]] = set()
    ways: list[tuple[Link, str, int | None]] = []
    for link in topology.links_of(source):
        ways.append((link, link.far_end(source).node, None))
    while ways:
        link, node, tag = ways.pop()
        if node in topology.hosts:
            if tag is None:
                hosts.add(node)
            continue
        entered, vlan = enters(link.vlan, tag)
        if not entered or (node, vlan) in seen:
            continue
        seen.add((node, vlan))
        for out in topology.links_of(node):
            leaves_it, out_tag = leaves(out.vlan, vlan)
            if out is not link and leaves_it:
                ways.append((out, out.far_end(node).node, out_tag))
    return hosts - {source}


def enters(port: Vlan | None, tag: int | None) -> tuple[bool, int | None]:
    """(does a frame with this tag enter the switch by this port, its VLAN inside; None: none)."""
    if port is None:
        return True, tag
    if port.access is not None:
        return tag is None, port.access
    vlan = port.native if tag is None else tag
    return vlan in port.trunk, vlan


def leaves(port: Vlan | None, vlan: int | None) -> tuple[bool, int | None]:
    """(does a frame of this VLAN leave by this port, the tag it then has; None: none)."""
    if port is None:
        return True, vlan
    if port.access is not None:
        return vlan == port.access, None
    return vlan in port.trunk, None if vlan == port.native else vlan
