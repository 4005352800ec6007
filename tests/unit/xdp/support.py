"""What the tests of xdp/ share: a private network namespace, veth pairs, a bare socket, built programs."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyroute2 import IPRoute

from xdp.loader import compile as bpf_compile
from xdp.loader import object as bpf_object
from xdp.loader import paths

CLONE_NEWNET = 0x40000000
AF_XDP = 44
SOL_XDP = 283
XDP_RX_RING, XDP_UMEM_REG, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_STATISTICS = 2, 4, 5, 6, 7
XDP_COPY = 2
FRAME_SIZE, FRAMES = 4096, 64

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def private_netns() -> Iterator[None]:
    """Moves this thread into a nameless network namespace; the kernel frees it with its last user."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
        try:
            yield
        finally:
            if _libc.setns(home, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns back home")
    finally:
        os.close(home)


def wait_until(holds: Callable[[], bool], seconds: float = 5) -> None:
    """Polls until `holds()`, or fails after `seconds`: for what the kernel finishes a moment later."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"did not come true within {seconds} s"
        os.sched_yield()


@dataclass(frozen=True)
class Veth:
    """A veth pair that is up; interface indexes of both ends."""

    near: int
    far: int
    near_name: str
    far_name: str


def make_veth(near: str = "v0", far: str = "v1", mtu: int = 1500) -> Veth:
    with IPRoute() as route:
        route.link("add", ifname=near, kind="veth", mtu=mtu, peer={"ifname": far, "mtu": mtu})
        pair = Veth(socket.if_nametoindex(near), socket.if_nametoindex(far), near, far)
        for index in (pair.near, pair.far):
            # Silent: no IPv6 neighbour discovery that would be counted among the packets.
            Path(f"/proc/sys/net/ipv6/conf/{socket.if_indextoname(index)}/disable_ipv6").write_text("1")
            route.link("set", index=index, state="up")
    return pair


def netlink_attach(ifindex: int, prog_fd: int) -> None:
    """Attaches as `ip link set … xdpdrv` does: without a link, so nobody holds it. -1 detaches."""
    with IPRoute() as route:
        route.link("set", index=ifindex, xdp={"attrs": [["IFLA_XDP_FD", prog_fd], ["IFLA_XDP_FLAGS", 4]]})


def delete_device(ifindex: int) -> None:
    with IPRoute() as route:
        route.link("del", index=ifindex)


def built(name: str) -> Path:
    """The object of xdp/progs/NAME.bpf.c, compiled if it is not."""
    return bpf_compile.compile_program(paths.PROGRAMS / f"{name}.bpf.c").path


def built_from_text(folder: Path, name: str, source: str) -> Path:
    """The object compiled from `source`."""
    file = folder / f"{name}.bpf.c"
    file.write_text(source)
    return bpf_compile.compile_program(file, output=folder / f"{name}.bpf.o").path


def loaded(name: str) -> bpf_object.BpfObject:
    return bpf_object.open(built(name)).load()


class XskSocket:
    """An AF_XDP socket in copy mode on one queue, with rings but nothing in its fill ring.

    So whatever a program redirects to it is counted by the kernel as lost for want of a buffer.
    """

    def __init__(self, ifindex: int | None, queue: int = 0) -> None:
        self._memory = mmap.mmap(-1, FRAME_SIZE * FRAMES)
        self.socket = socket.socket(AF_XDP, socket.SOCK_RAW, 0)
        keep = ctypes.c_char.from_buffer(self._memory)
        register = struct.pack("=QQIIII", ctypes.addressof(keep), FRAME_SIZE * FRAMES, FRAME_SIZE, 0, 0, 0)
        del keep
        self.socket.setsockopt(SOL_XDP, XDP_UMEM_REG, register)
        for ring in (XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING):
            self.socket.setsockopt(SOL_XDP, ring, struct.pack("=i", FRAMES))
        if ifindex is not None:
            address = struct.pack("=HHIII", AF_XDP, XDP_COPY, ifindex, queue, 0)
            if _libc.bind(self.socket.fileno(), address, len(address)):
                error = ctypes.get_errno()
                raise OSError(error, os.strerror(error))

    @property
    def fd(self) -> int:
        return self.socket.fileno()

    def lost(self) -> int:
        """Frames that reached the socket and found no buffer: rx_fill_ring_empty_descs."""
        answer = self.socket.getsockopt(SOL_XDP, XDP_STATISTICS, 48)
        return int(struct.unpack("=6Q", answer)[4])

    def close(self) -> None:
        self.socket.close()
        self._memory.close()
