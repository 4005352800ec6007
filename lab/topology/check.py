"""What can be wrong with a topology whose every field is well-formed. Each check yields problems with a field
path.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator

from lab.errors import Problem
from lab.topology.model import NATIVE_MTU, RINGSIDE, UMEM_MTU
from lab.topology.resolve import IPV6_MIN_MTU
from lab.topology.schema import BOTH, LinkSpec, TopologySpec

MAX_DEVICE_NAME = 15
"""IFNAMSIZ less the closing NUL."""
MAX_AUTO_HOSTS = 254
_NODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LAB = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_RESERVED = ("lo", "all", "default")


def problems(spec: TopologySpec) -> list[Problem]:
    """Everything that is wrong, in the order of the file."""
    found = [*_topology_name(spec), *_nodes(spec), *_gateways(spec)]
    for index, link in enumerate(spec.links):
        path = f"links[{index}]"
        if bad_ends := list(_ends(spec, index, link)):
            found += bad_ends
            continue
        found += [*_mtu(spec, path, link), *_vlan(spec, path, link), *_impair(path, link)]
        found += _link_addresses(spec, path, link)
    return found or [*_duplicate_addresses(spec), *_loops(spec), *_auto_addresses(spec)]


def lab_name_problem(name: str, where: str) -> Problem | None:
    """What is wrong with the name of a lab."""
    if _LAB.fullmatch(name):
        return None
    return Problem(
        where, f"found {name!r}", "letters, digits, '_', '.', '-', at most 32, a letter or digit first"
    )


def _topology_name(spec: TopologySpec) -> Iterator[Problem]:
    if problem := lab_name_problem(spec.name, "name"):
        yield problem


def _nodes(spec: TopologySpec) -> Iterator[Problem]:
    for kind, nodes in (("hosts", spec.hosts), ("switches", spec.switches)):
        for name in nodes:
            path = f"{kind}.{name}"
            if not _NODE.fullmatch(name) or name in _RESERVED:
                yield Problem(
                    path,
                    "is no name for a node",
                    "letters, digits and '_', a letter first; not " + ", ".join(_RESERVED),
                )
            elif len(name) > MAX_DEVICE_NAME:
                yield Problem(
                    path,
                    f"has {len(name)} letters; devices are named after it, and the kernel takes 15",
                    f"shorten it, for instance to {name[:MAX_DEVICE_NAME]}",
                )
    for name in spec.hosts:
        if name in spec.switches:
            yield Problem(
                f"switches.{name}", f"the name {name} is used twice: hosts.{name} has it too", "rename one"
            )
    if not spec.hosts:
        yield Problem("hosts", "there is none", "add one, such as {h1: {}}")


def _gateways(spec: TopologySpec) -> Iterator[Problem]:
    for name, host in spec.hosts.items():
        if host.gateway is not None:
            try:
                ipaddress.ip_address(host.gateway)
            except ValueError as error:
                yield Problem(f"hosts.{name}.gateway", str(error), "write an address, such as 10.0.0.254")
    for name, switch in spec.switches.items():
        for index, address in enumerate(switch.addresses):
            yield from _address(f"switches.{name}.addresses[{index}]", address)


def _ends(spec: TopologySpec, index: int, link: LinkSpec) -> Iterator[Problem]:
    known = [*spec.hosts, *spec.switches]
    for position, node in enumerate(link.ends):
        if node not in known:
            near = difflib.get_close_matches(node, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            yield Problem(
                f"links[{index}].ends[{position}]",
                f"leads to {node!r}, which is neither host nor switch",
                f"{hint}nodes: {', '.join(known)}",
            )
    if link.ends[0] == link.ends[1]:
        yield Problem(f"links[{index}].ends", f"links {link.ends[0]} with itself", "name two nodes")
    for earlier in range(index):
        if set(spec.links[earlier].ends) == set(link.ends):
            yield Problem(
                f"links[{index}].ends",
                f"{' and '.join(link.ends)} are linked twice: see links[{earlier}]",
                "link two nodes once; for a second path put a switch on it",
            )


def _mtu(spec: TopologySpec, path: str, link: LinkSpec) -> Iterator[Problem]:
    switches = [end for end in link.ends if end in spec.switches]
    if not any(spec.switches[end].datapath == RINGSIDE for end in switches):
        return
    who = f"of switch {switches[0]} (datapath ringside, 4096-byte umem frames)"
    if link.mtu > UMEM_MTU:
        yield Problem(
            f"{path}.mtu",
            f"found {link.mtu}; AF_XDP {who} carries {UMEM_MTU} at most",
            f"use {NATIVE_MTU} or less, or datapath: linux-bridge",
        )
    elif link.mtu > NATIVE_MTU and link.mode in ("native", "zero-copy"):
        yield Problem(
            f"{path}.mtu",
            f"found {link.mtu}; mode {link.mode} {who} carries {NATIVE_MTU} at most",
            f"use {NATIVE_MTU} or less, or mode: generic",
        )


def _vlan(spec: TopologySpec, path: str, link: LinkSpec) -> Iterator[Problem]:
    vlan = link.vlan
    if vlan is None:
        return
    if not any(end in spec.switches for end in link.ends):
        yield Problem(
            f"{path}.vlan", "no end of this link is a switch: nothing would look at it", "leave it out"
        )
    if (vlan.access is None) == (vlan.trunk is None):
        yield Problem(
            f"{path}.vlan",
            "has both access and trunk" if vlan.access else "has neither access nor trunk",
            "write {access: 10} or {trunk: [10, 20]}",
        )
    elif vlan.access is not None and vlan.native is not None:
        yield Problem(
            f"{path}.vlan.native", "an access port has no native VLAN", "leave it out, or make it a trunk"
        )
    elif vlan.trunk is not None and vlan.native is not None and vlan.native not in vlan.trunk:
        yield Problem(
            f"{path}.vlan.native", f"{vlan.native} is not among trunk {list(vlan.trunk)}", "add it there"
        )


def _impair(path: str, link: LinkSpec) -> Iterator[Problem]:
    one, other = link.ends
    directions = (f"{one}->{other}", f"{other}->{one}")
    for key in link.impair:
        if key != BOTH and key not in directions:
            yield Problem(
                f"{path}.impair.{key}", "is no direction of this link", f"write {' or '.join(directions)}"
            )


def _link_addresses(spec: TopologySpec, path: str, link: LinkSpec) -> Iterator[Problem]:
    hosts = [end for end in link.ends if end in spec.hosts]
    for key, addresses in link.addresses.items():
        if key == BOTH and len(hosts) != 1:
            yield Problem(
                f"{path}.addresses",
                f"this link has {len(hosts)} hosts: whose are they?",
                f"write {{{hosts[0]}: […], {hosts[1]}: […]}}" if hosts else "leave it out",
            )
        elif key != BOTH and key not in hosts:
            yield Problem(
                f"{path}.addresses.{key}",
                "is not a host at an end of this link",
                f"hosts here: {', '.join(hosts) or 'none'}",
            )
        for index, address in enumerate(addresses):
            where = f"{path}.addresses{'' if key == BOTH else '.' + key}[{index}]"
            yield from _address(where, address, link.mtu)


def _address(where: str, text: str, mtu: int = IPV6_MIN_MTU) -> Iterator[Problem]:
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError as error:
        yield Problem(where, str(error), "write an address with its prefix length, such as 10.0.0.1/24")
        return
    if "/" not in text:
        yield Problem(
            where, f"{text} has no prefix length", f"write {text}/{24 if interface.version == 4 else 64}"
        )
    elif interface.ip.is_multicast or interface.ip.is_unspecified or interface.ip.is_loopback:
        yield Problem(
            where, f"{interface.ip} is not an address that a host can have", "write one such as 10.0.0.1/24"
        )
    elif interface.version == 6 and mtu < IPV6_MIN_MTU:
        yield Problem(
            where, f"IPv6 needs an MTU of {IPV6_MIN_MTU}, this link has {mtu}", "raise mtu, or leave it out"
        )


def _all_addresses(spec: TopologySpec) -> Iterator[tuple[str, str]]:
    for name, switch in spec.switches.items():
        for index, address in enumerate(switch.addresses):
            yield f"switches.{name}.addresses[{index}]", address
    for index, link in enumerate(spec.links):
        for key, addresses in link.addresses.items():
            for position, address in enumerate(addresses):
                yield f"links[{index}].addresses{'' if key == BOTH else '.' + key}[{position}]", address


def _duplicate_addresses(spec: TopologySpec) -> Iterator[Problem]:
    seen: dict[object, str] = {}
    for path, text in _all_addresses(spec):
        address = ipaddress.ip_interface(text).ip
        if address in seen:
            yield Problem(path, f"{address} is used twice: see {seen[address]}", "give each end its own")
        seen.setdefault(address, path)


def _auto_addresses(spec: TopologySpec) -> Iterator[Problem]:
    if len(spec.hosts) > MAX_AUTO_HOSTS and not all(link.addresses for link in spec.links):
        yield Problem(
            "hosts",
            f"{len(spec.hosts)} hosts, and addresses given by themselves (10.0.0.N/24) end at "
            f"{MAX_AUTO_HOSTS}",
            "write addresses at the links",
        )


def _loops(spec: TopologySpec) -> Iterator[Problem]:
    group = {name: name for name in spec.switches}
    for index, link in enumerate(spec.links):
        one, other = link.ends
        if one not in group or other not in group:
            continue
        if group[one] == group[other] and not all(spec.switches[end].flows for end in link.ends):
            yield Problem(
                f"links[{index}].ends",
                f"closes a loop of switches through {one} and {other}; NORMAL floods, "
                "and without a spanning tree a broadcast would go round for ever",
                "leave this link out, or give these switches flows of their own",
            )
        old, new = group[one], group[other]
        group = {name: new if of == old else of for name, of in group.items()}
