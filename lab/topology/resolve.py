"""From the file's words to a Topology: what the file leaves open is decided here.

Addresses that are not given: hosts of one segment (switches linked to each other, or two hosts back to back)
share 10.0.S.0/24 and fd00:0:0:S::/64, S counted from 0; host number N of the file gets N. MACs say the same:
02:00:00:00:N:I is interface I of host N; 02:01:00:00:N:I faces it on the switch; 02:02:00:00:A:B is the end
at switch A of its link to switch B. A second reading gives the same values: captures are comparable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.topology.model import End, Host, Impair, Link, Poll, Switch, Topology, Vlan
from lab.topology.schema import BOTH, ImpairSpec, LinkSpec, SwitchSpec, TopologySpec

IPV6_MIN_MTU = 1280


def resolve(spec: TopologySpec, document: Mapping[str, Any]) -> Topology:
    """Makes the Topology of a spec that `check` found nothing wrong with."""
    numbers = {name: index for index, name in enumerate(spec.hosts, start=1)}
    segments = _segments(spec)
    used: dict[str, int] = {}
    links = []
    for index, link in enumerate(spec.links):
        # How many links of each end came before: eth0, eth1 … of a host.
        ports = {node: used.get(node, 0) for node in link.ends}
        used |= {node: port + 1 for node, port in ports.items()}
        one, other = (
            _host_end(link, node, numbers[node], ports[node], segments[index])
            if node in spec.hosts
            else _switch_end(spec, node, far, numbers.get(far), ports[far])
            for node, far in (link.ends, link.ends[::-1])
        )
        links.append(_link(link, (one, other)))
    return Topology(
        name=spec.name,
        hosts={name: Host(name, host.gateway) for name, host in spec.hosts.items()},
        switches={name: _switch(name, switch) for name, switch in spec.switches.items()},
        links=tuple(links),
        document=document,
    )


def _host_end(link: LinkSpec, host: str, number: int, port: int, segment: int) -> End:
    return End(host, f"eth{port}", _mac(0, number, port), True, _addresses(link, host, number, segment))


def _switch_end(spec: TopologySpec, switch: str, far: str, host_number: int | None, far_port: int) -> End:
    if host_number is not None:
        return End(switch, far, _mac(1, host_number, far_port), False)
    order = list(spec.switches)
    return End(switch, far, _mac(2, order.index(switch) + 1, order.index(far) + 1), False)


def _link(spec: LinkSpec, ends: tuple[End, End]) -> Link:
    there, back = (f"{one.node}->{other.node}" for one, other in (ends, ends[::-1]))
    return Link(
        ends=ends,
        mtu=spec.mtu,
        queues=spec.queues,
        mode=spec.mode,
        offload=spec.offload,
        vlan=Vlan(spec.vlan.access, spec.vlan.trunk or (), spec.vlan.native) if spec.vlan else None,
        impair=(_impair(spec, there), _impair(spec, back)),
    )


def _impair(spec: LinkSpec, direction: str) -> Impair | None:
    found: ImpairSpec | None = spec.impair.get(direction, spec.impair.get(BOTH))
    if found is None or found == ImpairSpec():
        return None
    return Impair(found.delay, found.loss, found.rate)


def _switch(name: str, spec: SwitchSpec) -> Switch:
    poll = Poll(spec.poll.mode, spec.poll.spin_us, spec.poll.cpu)
    return Switch(name, spec.datapath, poll, spec.flows, spec.addresses)


def _mac(kind: int, number: int, port: int) -> str:
    return f"02:{kind:02x}:00:{number >> 8:02x}:{number & 255:02x}:{port:02x}"


def _addresses(link: LinkSpec, host: str, number: int, segment: int) -> tuple[str, ...]:
    given = link.addresses.get(host, link.addresses.get(BOTH))
    if given is not None:
        return given
    v6 = f"fd00::{number:x}/64" if segment == 0 else f"fd00:0:0:{segment:x}::{number:x}/64"
    # Below 1280 bytes the kernel takes IPv6 off the device.
    return (
        (f"10.0.{segment}.{number}/24", v6) if link.mtu >= IPV6_MIN_MTU else (f"10.0.{segment}.{number}/24",)
    )


def _segments(spec: TopologySpec) -> list[int]:
    """Number of each link's segment, in order of first appearance."""
    parent: dict[str, str] = {name: name for name in spec.switches}

    def root(node: str) -> str:
        while parent[node] != node:
            node = parent[node]
        return node

    for link in spec.links:
        one, other = link.ends
        if one in parent and other in parent:
            parent[root(one)] = root(other)
    numbers: dict[str, int] = {}
    result = []
    for index, link in enumerate(spec.links):
        switch = next((end for end in link.ends if end in parent), None)
        key = root(switch) if switch is not None else f"link {index}"
        result.append(numbers.setdefault(key, len(numbers)))
    return result
