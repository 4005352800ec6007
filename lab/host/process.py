"""Processes that belong to a lab, and how they are ended.

A process of ours carries RINGSIDE_LAB=<lab> in its environment; its children inherit it. Before a signal goes
out, the process is pinned by a pidfd and looked at again, so that a pid that was used anew meanwhile is never
hit.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.errors import Problem

TAG = "RINGSIDE_LAB"
NODE_TAG = "RINGSIDE_NODE"
GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True)
class Process:
    """One process, told apart from later ones with the same pid by its start time (ticks since boot)."""

    pid: int
    start: int
    name: str = ""


def start_time(pid: int) -> int | None:
    """Start time in clock ticks since boot; None if there is no such process, or only its remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else int(fields[19])


def look(pid: int) -> Process | None:
    """The process with this pid, if it is alive."""
    start = start_time(pid)
    return None if start is None else Process(pid, start, _name(pid))


def is_alive(process: Process) -> bool:
    """True while this very process runs."""
    return start_time(process.pid) == process.start


def environment_of(pid: int, name: str) -> str | None:
    """A variable in a process's environment as it was started with."""
    try:
        block = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    prefix = name.encode() + b"="
    return next(
        (item[len(prefix) :].decode() for item in block.split(b"\0") if item.startswith(prefix)), None
    )


def tagged(lab: str) -> list[Process]:
    """All processes of a lab, by their owner tag."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and environment_of(int(entry.name), TAG) == lab:
            process = look(int(entry.name))
            if process is not None:
                found.append(process)
    return found


def in_namespace(netns: Path) -> list[Process]:
    """All processes in a network namespace, whoever they belong to."""
    try:
        inode = netns.stat().st_ino
    except OSError:
        return []
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if Path(f"/proc/{entry.name}/ns/net").stat().st_ino == inode:
                process = look(int(entry.name))
                if process is not None:
                    found.append(process)
    return found


def ancestors() -> set[int]:
    """This process, its parent, and so on up."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            break
        pid = int(stat[stat.rindex(")") + 2 :].split()[1])
    return found


def end(processes: Iterable[Process], lab: str, grace: float = GRACE) -> list[Problem]:
    """Ends processes: SIGTERM to all, SIGKILL after `grace` seconds to those that are left.

    Only processes that still carry the lab's tag are touched. Returns those that could not be ended.
    """
    pinned = {fd: process for process in processes if (fd := _pin(process, lab)) is not None}
    try:
        for sign, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            for fd in pinned:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(fd, sign)
            for fd in _wait(list(pinned), wait):
                os.close(fd)
                del pinned[fd]
        return [
            Problem(f"process {p.pid} ({p.name})", "does not end, not even by SIGKILL")
            for p in pinned.values()
        ]
    finally:
        for fd in pinned:
            os.close(fd)


def _pin(process: Process, lab: str) -> int | None:
    """A pidfd of the process, if it is the one that was meant and ours."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return None
    if start_time(process.pid) == process.start and environment_of(process.pid, TAG) == lab:
        return fd
    os.close(fd)
    return None


def _wait(fds: list[int], seconds: float) -> list[int]:
    """Those of the pidfds whose process ended within the time."""
    ended: list[int] = []
    waiting = select.poll()
    for fd in fds:
        waiting.register(fd, select.POLLIN)
    deadline = time.monotonic() + seconds
    while len(ended) < len(fds) and (left := deadline - time.monotonic()) > 0:
        for fd, _ in waiting.poll(left * 1000):
            waiting.unregister(fd)
            ended.append(fd)
            _reap(fd)
    return ended


def _reap(fd: int) -> None:
    with contextlib.suppress(ChildProcessError):  # Not a child of ours.
        os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG)


def _name(pid: int) -> str:
    """The command; of a Python module, the module and its first word, for all of those are `python`."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "?"
    if name.startswith("python") and "-m" in words:
        return " ".join(words[words.index("-m") + 1 :][:2]).strip()
    return name
