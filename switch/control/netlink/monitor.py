"""Changes of devices as they happen: carrier, admin state, MTU, coming and going."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from pyroute2.netlink.rtnl import RTMGRP_LINK
from pyroute2.netlink.rtnl.iprsocket import IPRSocket

from switch.control.netlink.client import Link, read_link

_ROOM = 1 << 20


class LinkMonitor:
    """Calls `changed(link, gone)` in the event loop for every change of a device in this namespace.

    When the kernel had more news than the socket had `room` (bytes), `lost()` is called: the facts must be
    read again.

    pyroute2's IPRSocket, and not its AsyncIPRoute: that one reads the socket by itself, and is of no use any
    more after an overrun.
    """

    def __init__(
        self, changed: Callable[[Link, bool], None], lost: Callable[[], None], room: int = _ROOM
    ) -> None:
        self._changed = changed
        self._lost = lost
        self._socket = IPRSocket(rcvbuf=room)
        self._socket.bind(RTMGRP_LINK)
        self._socket.socket.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """Stops listening."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        while True:
            try:
                messages = self._socket.get()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._lost()
                continue
            for message in messages:
                self._take(message)

    def _take(self, message: dict[str, object]) -> None:
        # A device that joins or leaves a bridge is told a second time, as family AF_BRIDGE: leaving reads as
        # RTM_DELLINK then, and yet the device is there.
        if message["event"] in ("RTM_NEWLINK", "RTM_DELLINK") and message["family"] == socket.AF_UNSPEC:
            self._changed(read_link(message), message["event"] == "RTM_DELLINK")
