"""What is up, and how it is: nodes, links as their datapaths show them, processes, facts of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab import rundir
from lab.build import Site
from lab.datapaths.base import PortState
from lab.down import traces
from lab.errors import LabError
from lab.host import ethtool, netns, process
from lab.host.ledger import Ledger
from lab.host.link import session
from lab.progress import Progress
from lab.state import State
from lab.topology.model import Link


@dataclass(frozen=True)
class LinkStatus:
    """A link as it is."""

    link: Link
    ports: tuple[PortState | None, PortState | None]
    """The datapath's view of each end; None: a host, or a switch that does not answer."""
    mtu: int | None
    """In effect at the first end; None if the device is gone."""
    offload: str
    """What is done about checksums, and where."""


@dataclass(frozen=True)
class NodeStatus:
    """A node as it is."""

    name: str
    kind: str
    netns: str
    alive: bool
    processes: tuple[process.Process, ...]


@dataclass(frozen=True)
class LabStatus:
    """A lab as it is."""

    lab: str
    phase: str
    """up, building, or left over."""
    stored: State | None
    nodes: tuple[NodeStatus, ...] = ()
    links: tuple[LinkStatus, ...] = ()


def labs_there() -> list[tuple[str, str]]:
    """(name, phase) of every lab of which anything is there."""
    return [(name, _phase(name)) for name in traces()]


def _phase(lab: str) -> str:
    from lab import state

    if rundir.is_locked(lab):
        return "being worked on"
    stored = state.load(lab)
    return "up" if stored is not None and stored.phase == state.UP else "left over: lab.down removes it"


def lab_status(lab: str, stored: State) -> LabStatus:
    """Looks at every node and link."""
    site = Site(lab, rundir.lab_dir(lab), Ledger(rundir.lab_dir(lab)), Progress(quiet=True))
    topology = stored.topology
    ports: dict[tuple[str, str], PortState] = {}
    alive: set[str] = set()
    for name in topology.switches:
        datapath, node = site.switch(topology, name)
        if netns.exists(node.netns) and datapath.alive(node):
            try:
                ports |= {(name, port.device): port for port in datapath.ports(node)}
                alive.add(name)
            except LabError:
                continue  # Alive as a process, dead as a switch: it shows as not alive.
    alive |= {host for host in topology.hosts if netns.exists(netns.name_of(lab, host))}
    ours = process.tagged(lab)
    nodes = (
        NodeStatus(
            name,
            topology.switches[name].datapath if name in topology.switches else "host",
            netns.name_of(lab, name),
            name in alive,
            tuple(one for one in ours if process.environment_of(one.pid, process.NODE_TAG) == name),
        )
        for name in topology.nodes
    )
    links = (_link_status(lab, link, ports) for link in topology.links)
    return LabStatus(lab, _phase(lab), stored, tuple(nodes), tuple(links))


def _link_status(lab: str, link: Link, ports: dict[tuple[str, str], PortState]) -> LinkStatus:
    one, other = (ports.get((end.node, end.device)) for end in link.ends)
    first = link.ends[0]
    mtu = None
    if netns.exists(netns.name_of(lab, first.node)):
        with session(netns.name_of(lab, first.node), lab) as net:
            device = net.devices().get(first.device)
            mtu = device.mtu if device else None
    return LinkStatus(link, (one, other), mtu, _offload(lab, link, one or other))


def _offload(lab: str, link: Link, port: PortState | None) -> str:
    """The checksum policy, as the devices and the switch show it."""
    host = next((end for end in link.ends if end.is_host), None)
    if port is None:
        return "kernel's own" if all(end.is_host for end in link.ends) else "?"
    if host is None or port.mode.startswith("kernel") or not netns.exists(netns.name_of(lab, host.node)):
        return port.checksum
    features = ethtool.active(netns.name_of(lab, host.node), host.device)
    sender = "on" if features.get("tx-checksum-ip-generic") else "off"
    return f"{port.checksum}, {host.node} tx {sender}"


def as_document(status: LabStatus) -> dict[str, Any]:
    """A lab's status for JSON."""
    stored = status.stored
    return {
        "lab": status.lab,
        "phase": status.phase,
        "topology": stored.topology.name if stored else None,
        "source": stored.source if stored else None,
        "nodes": [
            {
                "name": node.name,
                "kind": node.kind,
                "netns": node.netns,
                "alive": node.alive,
                "processes": [{"pid": one.pid, "name": one.name} for one in node.processes],
            }
            for node in status.nodes
        ],
        "links": [link_document(link) for link in status.links],
    }


def link_document(status: LinkStatus) -> dict[str, Any]:
    """A link's status for JSON."""
    return {
        "name": status.link.name,
        "mtu": status.mtu,
        "vlan": str(status.link.vlan) if status.link.vlan else None,
        "offload": status.offload,
        "ends": [
            {
                "node": end.node,
                "device": end.device,
                "mac": end.mac,
                "addresses": list(end.addresses),
                "mode": port.mode if port else None,
                "queues": list(port.queues) if port else None,
                "zero_copy": port.zero_copy if port else None,
                "notes": list(port.notes) if port else [],
                "impair_towards_peer": _impair_document(impair),
            }
            for end, port, impair in zip(status.link.ends, status.ports, status.link.impair, strict=True)
        ],
    }


def _impair_document(impair: Any) -> dict[str, Any] | None:
    if impair is None:
        return None
    return {"delay_us": impair.delay_us, "loss_percent": impair.loss, "rate_bits": impair.rate}
