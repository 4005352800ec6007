"""What has to be done so that a lab becomes what a topology says. Pure: looks at values, touches nothing.

The steps come in the order of `Plan`'s fields: a switch lets go of a port before its device goes, and takes
hold of one after its device has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from lab.datapaths.base import Port, ports_of
from lab.topology.model import Link, Switch, Topology


@dataclass(frozen=True)
class Seen:
    """What is there now."""

    nodes: frozenset[str] = frozenset()
    """Nodes whose namespace exists."""
    devices: frozenset[tuple[str, str]] = frozenset()
    """(node, device)."""
    forwarding: frozenset[str] = frozenset()
    """Switches whose datapath is alive."""


@dataclass(frozen=True)
class Plan:
    """Steps, in the order in which they are to be done."""

    stop: tuple[str, ...] = ()
    """Switches whose datapath ends."""
    let_go: tuple[str, ...] = ()
    """Switches that keep running and lose a port."""
    remove_links: tuple[Link, ...] = ()
    remove_nodes: tuple[str, ...] = ()
    make_nodes: tuple[str, ...] = ()
    make_links: tuple[Link, ...] = ()
    settle: tuple[Link, ...] = ()
    """Links that stay and change: MTU, addresses, offloads, impairment."""
    gateways: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    apply: tuple[str, ...] = ()
    """Switches that keep running and get other ports, VLANs, rules or addresses."""

    @property
    def is_empty(self) -> bool:
        """Nothing to do."""
        return not any(getattr(self, field.name) for field in fields(self))

    def line(self, step: str) -> str | None:
        """One of the steps (a field's name) for people; None if there is nothing to do in it."""
        names = ", ".join(_name(one) for one in getattr(self, step))
        return f"{_WORDS[step]} {names}" if names else None

    def lines(self) -> list[str]:
        """The plan for people, one step a line."""
        return [line for step in _WORDS if (line := self.line(step)) is not None]


_WORDS = {
    "stop": "stop switch",
    "let_go": "take ports off",
    "remove_links": "remove link",
    "remove_nodes": "remove node",
    "make_nodes": "add node",
    "make_links": "add link",
    "settle": "change link",
    "gateways": "set gateway of",
    "start": "start switch",
    "apply": "change switch",
}


def _name(step: str | Link) -> str:
    return step if isinstance(step, str) else step.name


Ofports = Mapping[str, Mapping[str, int]]


def make_plan(old: Topology | None, new: Topology, seen: Seen, ofports: Ofports) -> Plan:
    """The way from `old` (what was applied, if anything) and `seen` (what is left of it) to `new`."""
    old_nodes, new_nodes = _nodes(old) if old else {}, _nodes(new)
    old_links, old_switches = (old.links, old.switches) if old else ((), {})
    fresh = {
        node for node, kind in new_nodes.items() if node not in seen.nodes or old_nodes.get(node) != kind
    }
    kept = {link.nodes: link for link in old_links if _stays(link, new, seen, fresh)}
    remove = tuple(link for link in old_links if link.nodes not in kept)
    make = tuple(link for link in new.links if link.nodes not in kept)
    settle = tuple(
        link for link in new.links if link.nodes in kept and _settles(old, new, kept[link.nodes], link)
    )
    restart = [name for name in new.switches if name in fresh or _must_restart(old, new, name, seen)]
    runs_on = [name for name in new.switches if name not in restart]
    let_go = tuple(name for name in runs_on if any(name in link.nodes for link in remove))
    ending = [name for name in old_switches if name not in new.switches or name in restart]
    gone = [node for node in old_nodes if node not in new_nodes or node in fresh]
    return Plan(
        stop=tuple(name for name in ending if name in seen.nodes),
        let_go=let_go,
        remove_links=remove,
        remove_nodes=tuple(node for node in gone if node in seen.nodes),
        make_nodes=tuple(node for node in new_nodes if node in fresh),
        make_links=make,
        settle=settle,
        gateways=_gateways(old, new, fresh, (*make, *settle)),
        start=tuple(restart),
        apply=tuple(name for name in runs_on if name in let_go or _switch_differs(old, new, name, ofports)),
    )


def _nodes(topology: Topology) -> dict[str, str]:
    """Every namespace: node → kind."""
    return {
        **dict.fromkeys(topology.hosts, "host"),
        **dict.fromkeys(topology.switches, "switch"),
        **dict.fromkeys(topology.wires, "wire"),
    }


def _stays(link: Link, new: Topology, seen: Seen, fresh: set[str]) -> bool:
    wanted = new.link_between(*(end.node for end in link.ends))
    if wanted is None or link.nodes & fresh or link.wire != wanted.wire or wanted.wire in fresh:
        return False
    shape = {(end.node, end.device, end.mac) for end in link.ends}
    if shape != {(end.node, end.device, end.mac) for end in wanted.ends} or link.queues != wanted.queues:
        return False
    return all((end.node, end.device) in seen.devices for end in wanted.ends)


def _settles(old: Topology | None, new: Topology, before: Link, after: Link) -> bool:
    """Whether something changed that the link's own devices depend on; the rest is the switch's."""

    def own(topology: Topology, link: Link) -> object:
        ends = {end.node: (end.addresses, out) for end, out in zip(link.ends, link.impair, strict=True)}
        # Offloads follow from the datapath.
        datapaths = {
            name: topology.switches[name].datapath for name in link.nodes if name in topology.switches
        }
        return link.mtu, link.offload, datapaths, ends

    return old is not None and own(old, before) != own(new, after)


def _must_restart(old: Topology | None, new: Topology, name: str, seen: Seen) -> bool:
    if old is None or name not in old.switches or name not in seen.forwarding:
        return True
    before, after = old.switches[name], new.switches[name]
    return (before.datapath, before.poll) != (after.datapath, after.poll)


def _switch_differs(old: Topology | None, new: Topology, name: str, ofports: Ofports) -> bool:
    if old is None:
        return True

    def own(switch: Switch) -> object:
        return switch.flows, switch.addresses

    def ports(topology: Topology) -> dict[str, Port]:
        return {port.device: port for port in ports_of(topology, name, ofports.get(name))}

    return own(old.switches[name]) != own(new.switches[name]) or ports(old) != ports(new)


def _gateways(
    old: Topology | None, new: Topology, fresh: set[str], touched: tuple[Link, ...]
) -> tuple[str, ...]:
    return tuple(
        name
        for name, host in new.hosts.items()
        if host.gateway is not None
        and (
            name in fresh
            or any(name in link.nodes for link in touched)
            or old is None
            or old.hosts[name].gateway != host.gateway
        )
    )
