"""Devices of a namespace, by netlink. Devices live and die with their namespace: the ledger has that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyroute2.iproute.linux import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from lab.errors import Problem, UnsupportedError, fail
from lab.host import netns

OWNER = "ringside:"
"""Start of the alias of every device that a lab has made."""


@dataclass(frozen=True)
class Device:
    """A device as the kernel shows it."""

    name: str
    index: int
    mac: str
    mtu: int
    up: bool
    alias: str
    kind: str
    queues: int
    master: int | None


class Session:
    """A netlink socket in one namespace. Used by one thread."""

    def __init__(self, namespace: str, lab: str) -> None:
        self.namespace = namespace
        self.alias = OWNER + lab
        # Not IPRoute(netns=…), which forks: a child of ours would answer Ctrl-C with an undoing of its own.
        with netns.entered(namespace):
            self.socket = IPRoute()
            self.socket.link_lookup(ifname="lo")  # Only the first question opens the socket.

    def devices(self) -> dict[str, Device]:
        """All devices by name."""
        found = (_device(message) for message in self.socket.get_links())
        return {device.name: device for device in found}

    def index(self, name: str) -> int:
        """Number of a device. Raises LabError if it is not there."""
        found: list[int] = self.socket.link_lookup(ifname=name)
        if not found:
            raise fail(
                f"{self.namespace}/{name}", "there is no such device", "./invoke lab.down, then lab.up"
            )
        return found[0]

    def make_veth(self, name: str, peer: str, peer_namespace: str, queues: int) -> None:
        """Makes a veth pair, one end here, the other at once in its own namespace."""
        fd = os.open(netns.path_of(peer_namespace), os.O_RDONLY | os.O_CLOEXEC)
        shape = {"num_tx_queues": queues, "num_rx_queues": queues}
        try:
            self._link("add", name, kind="veth", **shape, peer={"ifname": peer, "net_ns_fd": fd, **shape})
        finally:
            os.close(fd)

    def make(self, name: str, kind: str, **options: Any) -> None:
        """Makes a device (bridge, ifb) with the owner's tag."""
        self._link("add", name, kind=kind, **options)
        self.set(name, ifalias=self.alias)

    def set(self, name: str, **settings: Any) -> None:
        """Changes settings: state, mtu, address, ifalias, master."""
        self.socket_link("set", name, index=self.index(name), **settings)

    def remove(self, name: str) -> None:
        """Removes a device; if it is not there, all is well."""
        for index in self.socket.link_lookup(ifname=name):
            self.socket_link("del", name, index=index)

    def _link(self, command: str, name: str, **settings: Any) -> None:
        self.socket_link(command, name, ifname=name, **settings)

    def socket_link(self, command: str, name: str, **settings: Any) -> None:
        """A link request whose errors name the device. Raises LabError."""
        try:
            self.socket.link(command, **settings)
        except NetlinkError as error:
            code, text = error.args[0], error.args[-1]
            where = f"{self.namespace}/{name}"
            if code == 95:  # EOPNOTSUPP
                kind = settings.get("kind", "this setting")
                problem = Problem(where, f"this kernel cannot make it: {text} ({kind})", "./invoke doctor")
                raise UnsupportedError(problem) from None
            shown = {key: value for key, value in settings.items() if key not in ("ifname", "index")}
            raise fail(where, f"the kernel refused link {command} {shown}: {text}") from None


@contextmanager
def session(namespace: str, lab: str) -> Iterator[Session]:
    """A netlink socket in a namespace, closed at the end."""
    opened = Session(namespace, lab)
    try:
        yield opened
    finally:
        opened.socket.close()


def _device(message: Any) -> Device:
    info = message.get_attr("IFLA_LINKINFO")
    return Device(
        name=message.get_attr("IFLA_IFNAME"),
        index=message["index"],
        mac=message.get_attr("IFLA_ADDRESS") or "",
        mtu=message.get_attr("IFLA_MTU") or 0,
        up=bool(message["flags"] & 1),
        alias=message.get_attr("IFLA_IFALIAS") or "",
        kind=info.get_attr("IFLA_INFO_KIND") if info else "",
        queues=message.get_attr("IFLA_NUM_RX_QUEUES") or 1,
        master=message.get_attr("IFLA_MASTER"),
    )
