"""Who has an XDP program on a device: asked of the kernel, changed by nobody.

A device is looked up in the network namespace of the calling thread. Programs and links have numbers
that hold for the whole machine, but the kernel tells a link's device only inside its own namespace.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xdp.loader.errors import AttachError, LoaderError, general_hint
from xdp.loader.ffi import ffi, lib, text

OWNER_PREFIX = "rs_"
"""Every program and map of ours is named with it; nothing else should be."""

NO_DEVICE_HINT = "the device must be in the network namespace of the calling thread"

_SIOCGIFMTU = 0x8921
_MODES = {1: "native", 2: "generic", 3: "offload", 4: "several"}


@dataclass(frozen=True)
class Holder:
    """A process that keeps a link alive."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command})"


@dataclass(frozen=True)
class ProgramInfo:
    """An XDP program found on a device.

    `link_id` is None for one attached over netlink (`ip link set … xdp`), which no process holds.
    `ours` tells that its name carries our owner tag.
    """

    id: int
    name: str
    mode: str
    ours: bool
    link_id: int | None
    holders: tuple[Holder, ...]


def _exists(ifindex: int) -> bool:
    try:
        return bool(socket.if_indextoname(ifindex))
    except OSError:
        return False


def device_name(ifindex: int) -> str:
    """The device's name in this thread's namespace, or `ifindex N` when there is none."""
    try:
        return socket.if_indextoname(ifindex)
    except OSError:
        return f"ifindex {ifindex}"


def device_mtu(ifindex: int) -> int | None:
    """The device's MTU in bytes; None when it cannot be read.

    By ioctl: /sys/class/net shows the namespace in which sysfs was mounted, not this thread's.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            request = struct.pack("16si12x", socket.if_indextoname(ifindex).encode(), 0)
            answer = fcntl.ioctl(sock.fileno(), _SIOCGIFMTU, request)
        except OSError:
            return None
    return int(struct.unpack("16si12x", answer)[1])


def program_name(prog_id: int) -> str | None:
    """The program's name as the kernel keeps it (15 characters, may be empty); None when it has gone.

    Raises:
        LoaderError: no permission to ask.
    """
    fd = lib.bpf_prog_get_fd_by_id(prog_id)
    if fd < 0:
        if -fd == errno.ENOENT:
            return None
        raise LoaderError(f"program {prog_id}", "cannot be asked about", hint=general_hint(-fd), errno=-fd)
    try:
        info = ffi.new("struct bpf_prog_info *")
        size = ffi.new("uint32_t *", ffi.sizeof("struct bpf_prog_info"))
        return "" if lib.bpf_obj_get_info_by_fd(fd, info, size) else text(info.name)
    finally:
        os.close(fd)


def foreign_program(ifindex: int) -> ProgramInfo | None:
    """The XDP program that is on the device now, anybody's, ours included; None when it is free.

    Where native and generic or hardware programs are there at once, the first in the order native,
    generic, offload is described, and `mode` is "several".

    Raises:
        AttachError: there is no such device in this thread's namespace.
        LoaderError: no permission to ask for the program's name.
    """
    options = ffi.new("struct bpf_xdp_query_opts *")
    options.sz = ffi.sizeof("struct bpf_xdp_query_opts")
    # libbpf answers "no program" for a device that is not there, so that is asked first.
    error = -lib.bpf_xdp_query(ifindex, 0, options) if _exists(ifindex) else errno.ENODEV
    if error:
        raise AttachError(
            device_name(ifindex),
            "cannot be asked for its XDP program",
            hint=NO_DEVICE_HINT if error == errno.ENODEV else general_hint(error),
            errno=error,
        )
    prog_id = options.drv_prog_id or options.skb_prog_id or options.hw_prog_id or options.prog_id
    if not prog_id:
        return None
    name = program_name(prog_id)
    if name is None:  # detached since the question before
        return None
    link_id = _link_of(prog_id, ifindex)
    return ProgramInfo(
        id=prog_id,
        name=name,
        mode=_MODES.get(options.attach_mode, "unknown"),
        ours=name.startswith(OWNER_PREFIX),
        link_id=link_id,
        holders=link_holders(link_id) if link_id is not None else (),
    )


def _link_ids() -> Iterator[int]:
    following = ffi.new("uint32_t *")
    current = 0
    while not lib.bpf_link_get_next_id(current, following):
        current = following[0]
        yield current


def _link_facts(link_id: int) -> Any:
    """The link's facts, or None when it has gone meanwhile."""
    fd = lib.bpf_link_get_fd_by_id(link_id)
    if fd < 0:
        return None
    try:
        facts = ffi.new("struct bpf_link_facts *")
        return None if lib.bpf_link_facts_read(fd, facts) else facts
    finally:
        os.close(fd)


def _link_of(prog_id: int, ifindex: int) -> int | None:
    for link_id in _link_ids():
        facts = _link_facts(link_id)
        if facts and facts.is_xdp and facts.prog_id == prog_id and facts.ifindex == ifindex:
            return link_id
    return None


def link_holders(link_id: int) -> tuple[Holder, ...]:
    """The processes with a descriptor of the link, as far as /proc lets us see; none for a pinned link."""
    wanted = f"link_id:\t{link_id}\n"
    found = (_holder(pid, wanted) for pid in os.listdir("/proc") if pid.isdecimal())  # noqa: PTH208
    return tuple(holder for holder in found if holder)


def _holder(pid: str, wanted: str) -> Holder | None:
    """Process `pid`, if a description of one of its descriptors has the line `wanted`."""
    process = Path("/proc", pid)
    try:
        for entry in (process / "fdinfo").iterdir():
            if _has_line(entry, wanted):
                return Holder(int(pid), (process / "comm").read_text().strip())
    except OSError:  # it has gone, or is none of our business
        return None
    return None


def _has_line(entry: Path, wanted: str) -> bool:
    try:
        return wanted in entry.read_text()
    except OSError:  # this descriptor was closed meanwhile; the process may hold others
        return False
