"""Rooms: the network namespaces that one datapath is measured in. They have no names and end with us.

    outside                     inside
    gen0 ───────────────────── in0 ┐
                                   │ datapath under test
    sink0 ──────────────────── out0┘

A room is a pair of namespaces that only descriptors of this process (and processes started in them) hold.
When the last of those is gone, even by SIGKILL, the kernel takes the namespaces and their devices away: there
is nothing to find and clean up later. The same holds for files: the bench lives in a mount namespace with an
empty /run of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import Problem, UnsupportedError
from lab.host import command, netns, syscalls

GEN, SINK = "gen0", "sink0"
IN, OUT = "in0", "out0"
GEN_MAC = bytes.fromhex("02000000000a")
SINK_MAC = bytes.fromhex("02000000000b")
_IPV6_OFF = Path("/proc/sys/net/ipv6/conf")


@dataclass(frozen=True)
class Room:
    """Descriptors of a room's two namespaces; they are open while the room is."""

    name: str
    outside: int
    inside: int

    @contextmanager
    def entered(self, where: int) -> Iterator[None]:
        """Moves this thread into the namespace of descriptor `where`, and back at the end.

        A child that is started meanwhile stays in that namespace.
        """
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            syscalls.setns(where, syscalls.CLONE_NEWNET)
            try:
                yield
            finally:
                syscalls.setns(home, syscalls.CLONE_NEWNET)
        finally:
            os.close(home)


def make_room(name: str, stack: ExitStack) -> Room:
    """Makes both namespaces and the two veth pairs between them; closing `stack` gives them up.

    Raises:
        UnsupportedError: not root.
        CommandError: a device was refused; carries ip's words.
    """
    room = Room(name, _new_namespace(stack), _new_namespace(stack))
    there = f"netns /proc/{os.getpid()}/fd/{room.inside}"
    queues = "numtxqueues 1 numrxqueues 1"
    pairs = ((GEN, GEN_MAC, IN), (SINK, SINK_MAC, OUT))
    with room.entered(room.outside):
        for near, mac, far in pairs:
            _batch(
                f"link add {near} address {mac.hex(':')} {queues} type veth peer name {far} {queues} {there}",
                f"link set {near} up",
            )
    with room.entered(room.inside):
        _batch(f"link set {IN} up", f"link set {OUT} up")
    return room


def private_files() -> None:
    """Gives this process, and those it starts, a /run of its own that nobody else sees and that ends with
    them.

    Raises UnsupportedError if not root, or if this tree itself lies below /run.
    """
    if Path(__file__).is_relative_to("/run"):
        raise UnsupportedError(
            Problem(str(Path(__file__).parent), "lies below /run, which the bench hides", "move it")
        )
    try:
        syscalls.unshare(_CLONE_NEWNS)
    except PermissionError as error:
        raise UnsupportedError(_not_root(error)) from error
    command.run(["mount", "--make-rprivate", "/"])
    command.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "ringside-bench", "/run"])


_CLONE_NEWNS = 0x00020000


def _not_root(error: OSError) -> Problem:
    return Problem("namespaces", f"cannot be made: {error.strerror}", "run as root, or with CAP_SYS_ADMIN")


def _new_namespace(stack: ExitStack) -> int:
    def make() -> int:
        syscalls.unshare(syscalls.CLONE_NEWNET)
        for which in ("all", "default"):  # or the kernel sends router solicitations into the counters
            knob = _IPV6_OFF / which / "disable_ipv6"
            if knob.exists():
                knob.write_text("1")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    try:
        fd = netns.in_thread(make)
    except PermissionError as error:
        raise UnsupportedError(_not_root(error)) from error
    stack.callback(os.close, fd)
    return fd


def _batch(*lines: str) -> None:
    command.run(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n")
