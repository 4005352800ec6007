"""The device under a port: its facts, and the doors that keep the switch from taking the wrong one.

Each door is a function that raises ControlError naming the device, what was found, and the way out. They
are asked in the order of `check_device`, cheapest and most certain first; nothing has been touched by
then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from switch.control.errors import ControlError
from switch.control.fields import near
from switch.control.model import MAX_QUEUES, Port
from switch.control.netlink.client import Link, Netlink, queues_in_use

FRAME_ROOM = 4096 - 256
"""Bytes of a umem frame that a packet may fill: the kernel keeps XDP_PACKET_HEADROOM."""
MAX_MTU = FRAME_ROOM - 14 - 4
"""Largest MTU that any mode can carry: Ethernet header and one VLAN tag come on top."""


@dataclass(frozen=True)
class Device:
    """What a port needs to know of its device. `queues`: how many receive queues are in use."""

    link: Link
    queues: int


def read_device(netlink: Netlink, port: Port) -> Device:
    """Facts of the port's device. Raises ControlError if there is none of that name in this namespace."""
    name = port.device_name
    link = netlink.link(name)
    if link is None:
        names = [each.name for each in netlink.links() if not each.loopback]
        hint = near(name, names) if names else "there is none but lo in this network namespace: `ip link`"
        raise ControlError(name, "no such device in this network namespace", hint, "ENODEV")
    return Device(link, queues_in_use(name) or link.rx_queues)


def check_device(netlink: Netlink, port: Port, device: Device) -> None:
    """All doors but the one that asks for XDP programs (the ladder's). Raises ControlError."""
    check_not_default_route(device.link, netlink.default_route_devices())
    if device.link.master:
        master = next((each for each in netlink.links() if each.ifindex == device.link.master), None)
        refuse_master(device.link, master)
    check_queues(port, device)
    check_mtu(port, device.link)


def check_not_default_route(link: Link, default_devices: set[int]) -> None:
    """Taking the device that the default route leaves by would cut this host off."""
    if link.ifindex in default_devices:
        message = "carries the default route: taking it would cut this host off"
        hint = "use another device, or do it in a network namespace of its own"
        raise ControlError(link.name, message, hint)


def refuse_master(link: Link, master: Link | None) -> None:
    """A device that belongs to a bridge, bond, team or Open vSwitch is somebody's already."""
    who = f"{master.kind or 'device'} {master.name}" if master else f"device {link.master}"
    hint = f"take it out first: ip link set {link.name} nomaster"
    if master is not None and master.kind == "openvswitch":
        hint = f"take it out of its bridge first: ovs-vsctl del-port {link.name}"
    raise ControlError(link.name, f"is in use as a port of {who}", hint, "EBUSY")


def wanted_queues(port: Port, device: Device) -> tuple[int, ...]:
    """The queues that the port is to take: those it names, or all."""
    return tuple(range(device.queues)) if port.queues is None else port.queues


def check_queues(port: Port, device: Device) -> None:
    """Queues that the device has not, or more than a port can take."""
    name, have = device.link.name, device.queues
    beyond = [queue for queue in wanted_queues(port, device) if queue >= have]
    if beyond:
        there = "queue 0 only" if have == 1 else f"queues 0 to {have - 1}"
        message = f"queue {', '.join(map(str, beyond))} asked for, there is {there}"
        hint = f"queues: all, or more of them: ethtool -L {name} combined N (veth: rx N tx N)"
        raise ControlError(name, message, hint, "EINVAL")
    if have > MAX_QUEUES and port.queues is None:
        message = f"has {have} receive queues, a port takes {MAX_QUEUES} at most"
        raise ControlError(name, message, f"fewer of them: ethtool -L {name} combined {MAX_QUEUES}", "E2BIG")


def check_mtu(port: Port, link: Link) -> None:
    """An MTU that no frame can hold, or a port's `mtu` beyond its device's."""
    if link.mtu > MAX_MTU:
        message = f"MTU {link.mtu} is more than a frame holds in any mode ({MAX_MTU})"
        raise ControlError(link.name, message, f"ip link set {link.name} mtu {MAX_MTU} (or less)", "ERANGE")
    if port.mtu is not None and port.mtu > link.mtu:
        message = f"mtu {port.mtu} asked for, the device has {link.mtu}"
        raise ControlError(link.name, message, f"ip link set {link.name} mtu {port.mtu}, or leave `mtu` out")


def check_free_name(name: str, links: Sequence[Link]) -> None:
    """A tap or internal port makes its device: nobody else's may have the name."""
    taken = next((link for link in links if link.name == name), None)
    if taken is not None:
        message = f"a {taken.kind or 'network'} device of that name exists already"
        raise ControlError(name, message, f"another name, or remove it: ip link del {name}", "EEXIST")
