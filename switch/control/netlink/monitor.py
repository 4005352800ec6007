"""Changes of devices as they happen: carrier, admin state, MTU, coming and going."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from switch.control.netlink.messages import RTM_DELLINK, RTM_NEWLINK, RTMGRP_LINK, Link, messages, parse_link

_RECEIVE = 1 << 18
_ROOM = 1 << 20


class LinkMonitor:
    """Calls `changed(link, gone)` in the event loop for every change of a device in this namespace.

    When the kernel had more news than the socket had room, `lost()` is called: the facts must be read
    again.
    """

    def __init__(self, changed: Callable[[Link, bool], None], lost: Callable[[], None]) -> None:
        self._changed = changed
        self._lost = lost
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_NETLINK, kind, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        self._socket.bind((0, RTMGRP_LINK))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """Stops listening."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        while True:
            try:
                data = self._socket.recv(_RECEIVE)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._lost()
                continue
            for kind, _, body in messages(data):
                link = parse_link(body) if kind in (RTM_NEWLINK, RTM_DELLINK) else None
                if link is not None:
                    self._changed(link, kind == RTM_DELLINK)
