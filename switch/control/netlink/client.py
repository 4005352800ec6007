"""Questions to the kernel about devices; answers as values.

pyroute2 runs an event loop of its own inside each call, so a `Netlink` cannot be used where a loop runs
already: it lives in the control thread. Importing pyroute2 takes 0.2 s: only the daemon comes here, never
a command that talks to it.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pyroute2.ethtool.ioctl import IoctlEthtool, NotSupportedError
from pyroute2.iproute.linux import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

_IFF_UP, _IFF_LOOPBACK, _IFF_LOWER_UP = 0x1, 0x8, 0x10000
_RTN_UNICAST, _RT_TABLE_LOCAL = 1, 255


@dataclass(frozen=True)
class Link:
    """A network device as rtnetlink describes it.

    `kind` is "veth", "tun", "bridge" …; "" for hardware. `mac` "" if it has none. `rx_queues`: what the
    driver made room for (less may be in use). `peer_ifindex`: a veth's other end, 0 = none; in another
    network namespace if `peer_elsewhere`.
    """

    ifindex: int
    name: str
    kind: str
    mtu: int
    mac: str
    flags: int
    rx_queues: int
    master: int = 0
    peer_ifindex: int = 0
    peer_elsewhere: bool = False
    alias: str = ""

    @property
    def admin_up(self) -> bool:
        """`ip link set … up` was given."""
        return bool(self.flags & _IFF_UP)

    @property
    def up(self) -> bool:
        """Packets can flow: administratively up, with carrier."""
        return self.admin_up and bool(self.flags & _IFF_LOWER_UP)

    @property
    def loopback(self) -> bool:
        """It is `lo`."""
        return bool(self.flags & _IFF_LOOPBACK)


def read_link(message: Any) -> Link:
    """A device out of pyroute2's RTM_NEWLINK or RTM_DELLINK."""
    info = message.get_attr("IFLA_LINKINFO")
    mac = message.get_attr("IFLA_ADDRESS")
    return Link(
        ifindex=message["index"],
        name=message.get_attr("IFLA_IFNAME") or "",
        kind=(info.get_attr("IFLA_INFO_KIND") if info else None) or "",
        mtu=message.get_attr("IFLA_MTU") or 0,
        mac=mac if isinstance(mac, str) else "",  # An address that is no MAC (a tunnel's) comes as bytes.
        flags=message["flags"],
        rx_queues=message.get_attr("IFLA_NUM_RX_QUEUES") or 1,
        master=message.get_attr("IFLA_MASTER") or 0,
        peer_ifindex=message.get_attr("IFLA_LINK") or 0,
        peer_elsewhere=message.get_attr("IFLA_LINK_NETNSID") is not None,
        alias=message.get_attr("IFLA_IFALIAS") or "",
    )


def ways_out(message: Any) -> set[int]:
    """The ifindexes by which a default route (pyroute2's RTM_NEWROUTE) leaves; empty for any other route."""
    table = message.get_attr("RTA_TABLE") or message["table"]
    if message["dst_len"] != 0 or message["type"] != _RTN_UNICAST or table == _RT_TABLE_LOCAL:
        return set()
    device = message.get_attr("RTA_OIF")
    hops = message.get_attr("RTA_MULTIPATH") or ()
    return {hop["oif"] for hop in hops} | (set() if device is None else {device})


class Netlink:
    """A route netlink socket in the namespace of the thread that made it, for that thread. A context
    manager.
    """

    def __init__(self) -> None:
        self._route = IPRoute()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the socket."""
        self._route.close()

    def link(self, name: str) -> Link | None:
        """The device of that name in this namespace, None if there is none. Raises OSError otherwise."""
        try:
            with _refusals():
                return next((read_link(each) for each in self._route.link("get", ifname=name)), None)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return None
            raise

    def links(self) -> list[Link]:
        """All devices of this namespace. Raises OSError."""
        with _refusals():
            return [read_link(each) for each in self._route.get_links()]

    def default_route_devices(self) -> set[int]:
        """The ifindexes of the devices that a default route, IPv4 or IPv6, of any table leaves by. Raises
        OSError.
        """
        # Not get_default_routes(): pyroute2 0.9.7 ends that at the first buffer without a default route.
        found: set[int] = set()
        with _refusals():
            for family in (socket.AF_INET, socket.AF_INET6):
                for route in self._route.route("dump", family=family):
                    found |= ways_out(route)
        return found

    def set_alias(self, ifindex: int, alias: str) -> None:
        """Gives the device an alias: the owner tag by which it is known to be ours. Raises OSError."""
        with _refusals():
            self._route.link("set", index=ifindex, ifalias=alias)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the kernel refuses, as the OSError that every other system call would raise."""
    try:
        yield
    except NetlinkError as error:
        raise OSError(error.code, error.args[1]) from error


def queues_in_use(device: str) -> int | None:
    """Receive queues that the driver serves now (ethtool -l); None if it has no notion of channels."""
    try:
        with closing(IoctlEthtool(device)) as ethtool:
            channels = ethtool.get_channels()
    except (OSError, NotSupportedError):
        return None
    return (channels.rx_count + channels.combined_count) or None
