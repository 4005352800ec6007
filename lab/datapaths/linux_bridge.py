"""The kernel's own bridge as a switch: the baseline, and the way to a lab where there is no AF_XDP.

VLANs are the bridge's vlan_filtering. The kernel gives an untagged packet on a port without VLANs a VLAN all
the same; it gets one that the topology does not use, so that it stays apart from the numbered ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from lab.datapaths.base import Datapath, Node, Port, PortState
from lab.errors import LabError, Problem
from lab.host import addr, link, sysctl
from lab.host.command import run
from lab.topology.model import LINUX_BRIDGE, Topology, Vlan

MAX_VLAN = 4094


def _refusals(topology: Topology) -> list[Problem]:
    ours = [name for name, switch in topology.switches.items() if switch.datapath == LINUX_BRIDGE]
    with_vlan = [
        f"links[{index}].vlan"
        for index, one in enumerate(topology.links)
        if one.vlan is not None and any(name in one.nodes for name in ours)
    ]
    found = [
        Problem(f"switches.{name}.flows", "a Linux bridge has no flow table", "datapath: ringside")
        for name in ours
        if topology.switches[name].flows is not None
    ]
    if with_vlan and not _has_vlan_filtering():
        found.append(
            Problem(
                with_vlan[0],
                "this kernel's bridge knows no VLANs (CONFIG_BRIDGE_VLAN_FILTERING is not set)",
                "datapath: ringside, whose VLANs need nothing of the kernel",
            )
        )
    return found


def _has_vlan_filtering() -> bool:
    probe = ["unshare", "-n", "ip", "link", "add", "name", "probe", "type", "bridge", "vlan_filtering", "1"]
    return run(probe, check=False).returncode == 0


def _start(node: Node, ports: Sequence[Port]) -> None:
    with link.session(node.netns, node.lab) as net:
        net.make(node.name, "bridge")
        sysctl.write(node.netns, {f"ipv6/conf/{node.name}/accept_dad": "0"})
        if not node.switch.addresses:
            sysctl.write(node.netns, {f"ipv6/conf/{node.name}/disable_ipv6": "1"})
        net.set(node.name, state="up")
    _apply(node, ports)


def _apply(node: Node, ports: Sequence[Port]) -> None:
    with link.session(node.netns, node.lab) as net:
        devices = net.devices()
        bridge = devices[node.name].index
        wanted = {port.device for port in ports}
        for device in devices.values():
            if device.master == bridge and device.name not in wanted:
                net.set(device.name, master=0)
        for port in ports:
            if devices[port.device].master != bridge:
                net.set(port.device, master=bridge)
        addr.settle(net, node.name, node.switch.addresses)
    _settle_vlans(node, ports)


def _settle_vlans(node: Node, ports: Sequence[Port]) -> None:
    used = {vid for port in ports if port.vlan for vid in (port.vlan.access, *port.vlan.trunk) if vid}
    filtering = bool(used)
    if not filtering and not _filters(node):
        return
    run(
        [
            "ip",
            "-n",
            node.netns,
            "link",
            "set",
            "dev",
            node.name,
            "type",
            "bridge",
            "vlan_filtering",
            "1" if filtering else "0",
        ]
    )
    if not filtering:
        return
    untagged = next(vid for vid in range(MAX_VLAN, 0, -1) if vid not in used)
    for device, vlan in [(port.device, port.vlan) for port in ports] + [(node.name, None)]:
        target = ["dev", device, *(["self"] if device == node.name else [])]
        run(["bridge", "-n", node.netns, "vlan", "del", "vid", f"1-{MAX_VLAN}", *target], check=False)
        for words in vlan_words(vlan, untagged):
            run(["bridge", "-n", node.netns, "vlan", "add", *words, *target])


def vlan_words(vlan: Vlan | None, untagged: int) -> list[list[str]]:
    """Arguments of `bridge vlan add` for a port; `untagged` stands for no VLAN."""
    if vlan is None:
        return [["vid", f"1-{MAX_VLAN}"], ["vid", str(untagged), "pvid", "untagged"]]
    if vlan.access is not None:
        return [["vid", str(vlan.access), "pvid", "untagged"]]
    return [["vid", str(vid), *(["pvid", "untagged"] if vid == vlan.native else [])] for vid in vlan.trunk]


def _filters(node: Node) -> bool:
    shown = json.loads(run(["ip", "-n", node.netns, "-d", "-j", "link", "show", "dev", node.name]).stdout)
    return bool(shown[0]["linkinfo"]["info_data"].get("vlan_filtering"))


def _ports(node: Node) -> list[PortState]:
    with link.session(node.netns, node.lab) as net:
        devices = net.devices()
    bridge = devices.get(node.name)
    return [
        PortState(device.name, "kernel bridge", tuple(range(device.queues)), checksum="kernel's own")
        for device in devices.values()
        if bridge is not None and device.master == bridge.index
    ]


def _stop(node: Node) -> None:
    with link.session(node.netns, node.lab) as net:
        net.remove(node.name)


def _alive(node: Node) -> bool:
    try:
        with link.session(node.netns, node.lab) as net:
            return node.name in net.devices()
    except (LabError, OSError):
        return False


DATAPATH = Datapath(
    name=LINUX_BRIDGE,
    refusals=_refusals,
    start=_start,
    apply=_apply,
    ports=_ports,
    stop=_stop,
    alive=_alive,
    takes_offloads=True,
)
