"""The interface of what forwards in a switch node. Each datapath is one file with one value of `Datapath` in
it.

    refusals → start → (apply …) → stop          ports, alive: at any time between

A datapath finds its ports as devices in the node's namespace, made and owned by the lab; it takes hold of
them and lets go of them, and makes nothing outside of that namespace but files in the lab's folder.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import Problem
from lab.host.ledger import Ledger
from lab.topology.model import Link, Switch, Topology, Vlan


@dataclass(frozen=True)
class Port:
    """A port as the topology wants it."""

    device: str
    ofport: int
    mtu: int
    queues: int
    mode: str
    """auto, zero-copy, native or generic: the least that is accepted."""
    checksum: str
    """complete: senders finish them. software: the switch does."""
    vlan: Vlan | None


@dataclass(frozen=True)
class PortState:
    """A port as the datapath shows it."""

    device: str
    mode: str
    """How packets come and go: `native copy`, `kernel bridge` …"""
    queues: tuple[int, ...] = ()
    zero_copy: bool | None = None
    checksum: str = ""
    """The checksum policy in effect."""
    notes: tuple[str, ...] = ()
    """What a person should know: steps of the mode ladder that were not granted, and why."""


@dataclass(frozen=True)
class Node:
    """The place where a datapath runs."""

    lab: str
    switch: Switch
    netns: str
    folder: Path
    """The lab's state folder."""
    ledger: Ledger

    @property
    def name(self) -> str:
        """Name of the switch, and of its own interface if it has one."""
        return self.switch.name


@dataclass(frozen=True)
class Datapath:
    """What a datapath can do. All functions raise LabError."""

    name: str
    refusals: Callable[[Topology], list[Problem]]
    """What of this topology it cannot do on this machine; looks, changes nothing."""
    start: Callable[[Node, Sequence[Port]], None]
    """Forwards when it returns."""
    apply: Callable[[Node, Sequence[Port]], None]
    """Makes the ports the wanted ones; ports that stay are not disturbed."""
    ports: Callable[[Node], list[PortState]]
    stop: Callable[[Node], None]
    alive: Callable[[Node], bool]
    takes_offloads: bool
    """True if unfinished checksums of a sender are of no concern: the kernel forwards them as what they are.
    """


def ports_of(topology: Topology, switch: str, known: Mapping[str, int] | None = None) -> list[Port]:
    """Ports of a switch in the order of the file.

    A device keeps the OpenFlow port number it is `known` by; a new one gets the lowest number that is free.
    """
    links = topology.links_of(switch)
    devices = [link.end_at(switch).device for link in links]
    taken = {device: number for device, number in (known or {}).items() if device in devices}
    free = (number for number in itertools.count(1) if number not in taken.values())
    numbers = {device: taken[device] if device in taken else next(free) for device in devices}
    return [_port(switch, link, numbers[device]) for link, device in zip(links, devices, strict=True)]


def _port(switch: str, link: Link, number: int) -> Port:
    far = link.far_end(switch)
    # Between switches every packet has been completed by the switch that sends it.
    software = far.is_host and link.offload == "software"
    return Port(
        device=link.end_at(switch).device,
        ofport=number,
        mtu=link.mtu,
        queues=link.queues,
        mode=link.mode,
        checksum="software" if software else "complete",
        vlan=link.vlan,
    )
