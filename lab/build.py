"""Carries a plan out: namespaces, links, impairments, datapaths, in that order, each written down before it
is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab.datapaths import DATAPATHS
from lab.datapaths.base import Datapath, Node, ports_of
from lab.host import addr, ethtool, netns, qdisc, sysctl
from lab.host.ledger import Ledger
from lab.host.link import Session
from lab.plan import Plan, Seen
from lab.progress import Progress
from lab.topology.model import Link, Topology

THREADS = 8
# Nobody else is on these links: no search for duplicate addresses, an address works at once.
_HOST_SETTINGS = {
    "ipv6/conf/all/accept_dad": "0",
    "ipv6/conf/default/accept_dad": "0",
    "ipv6/conf/default/accept_ra": "0",
}


@dataclass
class Site:
    """A lab under construction: where its things go, and the netlink sockets into its namespaces."""

    lab: str
    folder: Path
    ledger: Ledger
    progress: Progress
    _sessions: dict[str, Session] = field(default_factory=dict)

    def namespace(self, node: str) -> str:
        """Name of a node's namespace."""
        return netns.name_of(self.lab, node)

    def session(self, node: str) -> Session:
        """A netlink socket in a node's namespace, opened once. For the main thread."""
        if node not in self._sessions:
            self._sessions[node] = Session(self.namespace(node), self.lab)
        return self._sessions[node]

    def close(self, *nodes: str) -> None:
        """Closes the sockets of some nodes, or of all."""
        for node in nodes or tuple(self._sessions):
            if session := self._sessions.pop(node, None):
                session.socket.close()

    def switch(self, topology: Topology, name: str) -> tuple[Datapath, Node]:
        """A switch's datapath and the place where it runs."""
        switch = topology.switches[name]
        node = Node(self.lab, switch, self.namespace(name), self.folder, self.ledger)
        return DATAPATHS[switch.datapath], node


def in_parallel(work: Callable[[str], object], names: Iterable[str]) -> None:
    """Does the work for each name in threads; raises the first error after all have ended."""
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work, name) for name in names]:
            done.result()


Ofports = Mapping[str, Mapping[str, int]]


def carry_out(site: Site, plan: Plan, old: Topology | None, new: Topology, ofports: Ofports) -> None:
    """Does every step of the plan. Raises LabError, OSError at the first failure; the caller undoes."""
    if old is not None:
        _take_down(site, plan, old, ofports)
    netns.prepare_dir()
    _say(site, plan, "make_nodes")
    in_parallel(lambda node: _make_node(site, node), plan.make_nodes)
    for name in plan.make_nodes:
        site.session(name).set("lo", state="up")
    _say(site, plan, "make_links", "settle", "gateways")
    for link in plan.make_links:
        _make_link(site, link)
    touched = (*plan.make_links, *plan.settle)
    for link in touched:
        _settle_addresses(site, link)
    in_parallel(lambda name: _settle_end(site, new, name), _host_ends(touched))
    for link in touched:
        _impair(site, link, was_made=link in plan.make_links)
    for host in plan.gateways:
        addr.set_gateway(site.session(host), str(new.hosts[host].gateway))
    _say(site, plan, "start", "apply")
    in_parallel(lambda name: _start(site, new, name, ofports), plan.start)
    for name in plan.apply:
        datapath, node = site.switch(new, name)
        datapath.apply(node, ports_of(new, name, ofports.get(name)))


def _say(site: Site, plan: Plan, *steps: str) -> None:
    for step in steps:
        if line := plan.line(step):
            site.progress.step(line)


def _take_down(site: Site, plan: Plan, old: Topology, ofports: Ofports) -> None:
    _say(site, plan, "stop", "let_go")
    for name in plan.stop:
        datapath, node = site.switch(old, name)
        datapath.stop(node)
    going = {link.nodes for link in plan.remove_links}
    for name in plan.let_go:
        datapath, node = site.switch(old, name)
        leaving = {link.end_at(name).device for link in old.links_of(name) if link.nodes in going}
        ports = ports_of(old, name, ofports.get(name))
        datapath.apply(node, [port for port in ports if port.device not in leaving])
    _say(site, plan, "remove_links", "remove_nodes")
    for link in plan.remove_links:
        _remove_link(site, link)
    for node_name in plan.remove_nodes:
        site.close(node_name)
        netns.remove(site.namespace(node_name))
        if entry := site.ledger.find("netns", name=site.namespace(node_name)):
            site.ledger.undone(entry.number)


def _remove_link(site: Site, link: Link) -> None:
    for end in link.ends:
        if netns.exists(site.namespace(end.node)):
            site.session(end.node).remove(end.device)
            site.session(end.node).remove(f"ifb-{end.device}")
    _forget_features(site, link)


def _make_node(site: Site, node: str) -> None:
    namespace = site.namespace(node)
    netns.create(namespace, site.ledger)
    sysctl.write(namespace, _HOST_SETTINGS)


def _make_link(site: Site, link: Link) -> None:
    one, other = link.ends
    if link.wire is None:
        _veth(site, (one.node, one.device), (other.node, other.device), link)
    else:
        for end in link.ends:
            _veth(site, (end.node, end.device), (link.wire, end.node), link)
            _quiet(site, link.wire, end.node)
            site.session(link.wire).set(
                end.node, mtu=link.mtu, ifalias=site.session(link.wire).alias, state="up"
            )
        qdisc.redirect(site.namespace(link.wire), one.node, other.node)
        qdisc.redirect(site.namespace(link.wire), other.node, one.node)
    for end in link.ends:
        if not end.is_host:
            _quiet(site, end.node, end.device)
        session = site.session(end.node)
        session.set(end.device, address=end.mac, mtu=link.mtu, ifalias=session.alias)


def _veth(site: Site, one: tuple[str, str], other: tuple[str, str], link: Link) -> None:
    node, device = one
    peer_node, peer_device = other
    site.session(node).make_veth(device, peer_device, site.namespace(peer_node), link.queues)


def _quiet(site: Site, node: str, device: str) -> None:
    """The kernel behind a switch's port says nothing of its own there: no neighbour discovery, no reports."""
    sysctl.write(site.namespace(node), {f"ipv6/conf/{device}/disable_ipv6": "1"})


def _settle_addresses(site: Site, link: Link) -> None:
    for end in link.ends:
        session = site.session(end.node)
        session.set(end.device, mtu=link.mtu, state="up")
        if end.is_host:
            addr.settle(session, end.device, end.addresses)


def _host_ends(links: Iterable[Link]) -> list[str]:
    return [f"{end.node}/{end.device}" for link in links for end in link.ends if end.is_host]


def _settle_end(site: Site, topology: Topology, name: str) -> None:
    """Offloads of a host's end: what its switch cannot take is switched off, the rest is as it was."""
    node, device = name.split("/")
    link = next(link for link in topology.links_of(node) if link.end_at(node).device == device)
    namespace = site.namespace(node)
    limited = _limits_offloads(topology, link.far_end(node).node)
    before = _features_before(site, namespace, device, limited)
    if before is None:
        return
    managed = ethtool.beyond_af_xdp([*before])
    off = managed if limited else []
    checksums = [name for name in ethtool.TX_CHECKSUM if name in before]
    if limited and link.offload != "software":
        off = [*off, *checksums]
    settings = {feature: before[feature] and feature not in off for feature in (*checksums, *managed)}
    ethtool.set_features(namespace, device, settings)


def _limits_offloads(topology: Topology, far: str) -> bool:
    """True if the node at the other end takes packets as they are on a wire: whole, finished, tag inside."""
    switch = topology.switches.get(far)
    return switch is not None and not DATAPATHS[switch.datapath].takes_offloads


def _features_before(site: Site, namespace: str, device: str, needed: bool) -> dict[str, bool] | None:
    """The features as they were before the lab touched them; written down the first time they are needed."""
    entry = site.ledger.find("features", netns=namespace, device=device)
    if entry is None and not needed:
        return None
    if entry is None:
        before = ethtool.features(namespace, device)
        site.ledger.intend("features", netns=namespace, device=device, before=before)
        return before
    stored: dict[str, bool] = entry.what["before"]
    return stored


def _forget_features(site: Site, link: Link) -> None:
    for end in link.ends:
        if entry := site.ledger.find("features", netns=site.namespace(end.node), device=end.device):
            site.ledger.undone(entry.number)


def _impair(site: Site, link: Link, was_made: bool) -> None:
    if was_made and not any(link.impair):
        return
    if link.wire is not None:
        for end, impair in zip(link.ends[::-1], link.impair, strict=True):
            qdisc.set_egress(site.namespace(link.wire), end.node, impair)
        return
    for end, out, back in zip(link.ends, link.impair, link.impair[::-1], strict=True):
        if end.is_host:
            qdisc.set_egress(site.namespace(end.node), end.device, out)
            if not link.far_end(end.node).is_host:  # Else the other host's own egress does it.
                qdisc.set_ingress(site.session(end.node), end.device, back)


def _start(site: Site, topology: Topology, name: str, ofports: Ofports) -> None:
    datapath, node = site.switch(topology, name)
    datapath.start(node, ports_of(topology, name, ofports.get(name)))
    site.progress.step(f"switch {name} forwards ({datapath.name})")


def look(site: Site, topology: Topology) -> Seen:
    """What is there of a topology's things."""
    nodes = [node for node in (*topology.nodes, *topology.wires) if netns.exists(site.namespace(node))]
    devices = {
        (node, name)
        for node in nodes
        for name, device in site.session(node).devices().items()
        if device.alias == site.session(node).alias
    }
    forwarding = []
    for name in topology.switches:
        datapath, place = site.switch(topology, name)
        if name in nodes and datapath.alive(place):
            forwarding.append(name)
    return Seen(frozenset(nodes), frozenset(devices), frozenset(forwarding))
