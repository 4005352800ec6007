"""Questions to the kernel about devices: one socket, one question at a time, answers as values."""

from __future__ import annotations

import array
import errno
import fcntl
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from switch.control.netlink.messages import (
    NLMSG_DONE,
    NLMSG_ERROR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    Link,
    alias_request,
    default_route_devices,
    error_code,
    link_request,
    messages,
    parse_link,
    route_request,
)

_RECEIVE = 1 << 18
_SIOCETHTOOL, _ETHTOOL_GCHANNELS = 0x8946, 0x3C


class Netlink:
    """A route netlink socket in the namespace of the thread that made it. A context manager."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def link(self, name: str) -> Link | None:
        """The device of that name in this namespace, None if there is none. Raises OSError otherwise."""
        try:
            for kind, body in self._ask(link_request(self._next(), name), dump=False):
                if kind == RTM_NEWLINK:
                    return parse_link(body)
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
        return None

    def links(self) -> list[Link]:
        """All devices of this namespace."""
        answers = self._ask(link_request(self._next()), dump=True)
        found = (parse_link(body) for kind, body in answers if kind == RTM_NEWLINK)
        return [link for link in found if link is not None]

    def default_route_devices(self) -> set[int]:
        """The ifindexes of the devices that a default route, IPv4 or IPv6, leaves by."""
        found: set[int] = set()
        for family in (socket.AF_INET, socket.AF_INET6):
            for kind, body in self._ask(route_request(self._next(), family), dump=True):
                if kind == RTM_NEWROUTE:
                    found |= default_route_devices(body)
        return found

    def set_alias(self, ifindex: int, alias: str) -> None:
        """Gives the device an alias: the owner tag by which it is known to be ours. Raises OSError."""
        for _ in self._ask(alias_request(self._next(), ifindex, alias), dump=False):
            pass

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _ask(self, message: bytes, dump: bool) -> Iterator[tuple[int, bytes]]:
        self._socket.send(message)
        while True:
            for kind, sequence, body in messages(self._socket.recv(_RECEIVE)):
                if sequence != self._sequence:
                    continue  # Left over from a question whose answer was not read to the end.
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    code = error_code(body)
                    if code:
                        raise OSError(code, errno.errorcode.get(code, "netlink error"))
                    return
                yield kind, body
                if not dump:
                    return


def queues_in_use(device: str) -> int | None:
    """Receive queues that the driver serves now (ethtool -l); None if it has no notion of channels."""
    # struct ethtool_channels: cmd, then max and current counts of rx, tx, other, combined.
    channels = array.array("I", [_ETHTOOL_GCHANNELS, *[0] * 8])
    address, _ = channels.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            fcntl.ioctl(sock.fileno(), _SIOCETHTOOL, struct.pack("@16sP16x", device.encode(), address))
        except OSError:
            return None
    rx, combined = channels[5], channels[8]
    return (rx + combined) or None
