"""Telling the service manager how things stand (sd_notify(3)): one datagram, no library."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> bool:
    """Sends `state` ("READY=1", "STOPPING=1") where NOTIFY_SOCKET says; False if nobody asked or listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(state.encode(), address)
        except OSError:
            return False
    return True
