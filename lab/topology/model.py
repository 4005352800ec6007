"""A topology: plain values with everything decided (devices' names, addresses, MACs), no side effects.

    Topology ── hosts    {h1: Host}
             ── switches {s1: Switch(datapath)}
             ── links    (Link(ends=(End(h1, eth0, 10.0.0.1/24), End(s1, h1)), mtu, vlan, impair …), …)

A host's end of a link is eth0, eth1 …; a switch's end has the name of the node at the other end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

RINGSIDE = "ringside"
LINUX_BRIDGE = "linux-bridge"

NATIVE_MTU = 3498
"""Largest MTU of a veth with a native XDP program that does not take fragments (4 KiB pages)."""
UMEM_MTU = 3822
"""Largest MTU that fits a 4096-byte umem frame: 256 bytes of headroom, Ethernet header and one tag off."""


@dataclass(frozen=True)
class Host:
    """A network namespace whose kernel talks."""

    name: str
    gateway: str | None = None


@dataclass(frozen=True)
class Poll:
    """How the ringside datapath waits for packets."""

    mode: str = "adaptive"
    spin_us: int = 100
    cpu: int | None = None


@dataclass(frozen=True)
class Switch:
    """A network namespace in which a datapath forwards."""

    name: str
    datapath: str = RINGSIDE
    poll: Poll = Poll()
    flows: tuple[str, ...] | None = None
    addresses: tuple[str, ...] = ()
    """Addresses of the switch's own interface in its kernel; none: it has no such interface."""


@dataclass(frozen=True)
class Vlan:
    """What a link's switch ends carry: an access VLAN, or a trunk with, maybe, a native one."""

    access: int | None = None
    trunk: tuple[int, ...] = ()
    native: int | None = None

    def __str__(self) -> str:
        if self.access is not None:
            return f"access {self.access}"
        native = f", native {self.native}" if self.native is not None else ""
        return f"trunk {','.join(map(str, self.trunk))}{native}"


@dataclass(frozen=True)
class Impair:
    """What happens to packets in one direction: microseconds, per cent, bits a second."""

    delay_us: int | None = None
    loss: float | None = None
    rate: int | None = None

    @property
    def needs_netem(self) -> bool:
        """A rate alone is a token bucket; everything else is netem's."""
        return self.delay_us is not None or self.loss is not None


@dataclass(frozen=True)
class End:
    """One end of a link."""

    node: str
    device: str
    mac: str
    is_host: bool
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A veth pair between two nodes."""

    ends: tuple[End, End]
    mtu: int = 1500
    queues: int = 1
    mode: str = "auto"
    offload: str = "auto"
    vlan: Vlan | None = None
    impair: tuple[Impair | None, Impair | None] = (None, None)
    """[0]: from ends[0] to ends[1]; [1]: the other way."""

    @property
    def name(self) -> str:
        """`h1-s1`; node names have no dash in them."""
        return f"{self.ends[0].node}-{self.ends[1].node}"

    @property
    def nodes(self) -> frozenset[str]:
        """Names of the two nodes."""
        return frozenset(end.node for end in self.ends)

    @property
    def wire(self) -> str | None:
        """Name of the extra hop that impairs a link between switches, if it needs one.

        AF_XDP takes packets before a qdisc could see them and sends past the qdisc, on both ends of such a
        link; so the impairment gets a namespace of its own in the middle, where the kernel forwards.
        """
        if any(self.impair) and not any(end.is_host for end in self.ends):
            return f"{self.ends[0].node}~{self.ends[1].node}"
        return None

    def end_at(self, node: str) -> End:
        """The end at this node. KeyError if the link does not touch it."""
        for end in self.ends:
            if end.node == node:
                return end
        raise KeyError(node)

    def far_end(self, node: str) -> End:
        """The end that is not at this node."""
        return self.ends[1] if self.ends[0].node == node else self.ends[0]


@dataclass(frozen=True)
class Topology:
    """Hosts, switches and links, in the order of the file."""

    name: str
    hosts: Mapping[str, Host]
    switches: Mapping[str, Switch]
    links: tuple[Link, ...]
    document: Mapping[str, Any]
    """What it was made from, so that it can be written down and made again."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of all nodes: hosts, then switches."""
        return (*self.hosts, *self.switches)

    @property
    def wires(self) -> tuple[str, ...]:
        """Names of the extra hops (Link.wire)."""
        return tuple(link.wire for link in self.links if link.wire)

    def links_of(self, node: str) -> tuple[Link, ...]:
        """Links that touch the node, in order."""
        return tuple(link for link in self.links if node in link.nodes)

    def link_between(self, one: str, other: str) -> Link | None:
        """The link between two nodes."""
        return next((link for link in self.links if link.nodes == {one, other}), None)

    def with_datapath(self, datapath: str) -> Topology:
        """The same, every switch with this datapath."""
        switches = {
            name: replace(
                switch,
                datapath=datapath,
                # Rules in OpenFlow's words mean nothing to a Linux bridge.
                flows=switch.flows if datapath == RINGSIDE else None,
            )
            for name, switch in self.switches.items()
        }
        return replace(self, switches=switches)
