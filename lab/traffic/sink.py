"""The far end: an XDP program that counts and drops (xdp/progs/rx_drop.bpf.c)."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from xdp.loader import attach, counters, paths
from xdp.loader import object as bpf_object


class DropSink:
    """Counts what reaches a device, and drops it before the kernel's stack sees it."""

    def __init__(self, device: str, stack: ExitStack) -> None:
        """Attaches to `device` of this thread's network namespace, natively; closing `stack` detaches.

        Raises:
            LoaderError: the object is not built, or the device does not take it.
        """
        loaded = stack.enter_context(bpf_object.open(paths.bpf_object_path("rx_drop")))
        loaded.load()
        program = loaded.program("rs_rx_drop")
        stack.enter_context(attach.attach_xdp(program.fd, socket.if_nametoindex(device)))
        self._count = loaded.map("rs_count")

    def delivered(self) -> int:
        """Packets counted since the sink was made."""
        return counters.read_count(self._count).packets
