"""Network namespaces: making them, and giving them names as `ip netns` does."""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from pathlib import Path

from kernel_compat.feature import Feature, Outcome, from_errno, yes
from kernel_compat.sandbox import _libc as libc

MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2


def _mount(source: str, target: str, kind: str | None, flags: int) -> int:
    answer = libc.mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), None
    )
    return 0 if answer == 0 else ctypes.get_errno()


def _private() -> int:
    """Keeps what is mounted from here on out of other mount namespaces.

    In a chroot "/" is no mount point and cannot be made private (EINVAL); what we mount is unmounted at
    once anyway.
    """
    refusal = _mount("none", "/", None, MS_REC | MS_PRIVATE)
    return 0 if refusal == errno.EINVAL else refusal


def _make() -> Outcome:
    return yes("unshare(network namespace): ok")  # the sandbox that we run in is one


def _name() -> Outcome:
    refusal = _private()
    with tempfile.TemporaryDirectory() as folder:
        handle = Path(folder, "net")
        handle.touch()
        refusal = refusal or _mount("/proc/self/ns/net", str(handle), None, MS_BIND)
        if not refusal:
            libc.umount2(os.fsencode(handle), MNT_DETACH)
    return from_errno(refusal, "mount --bind /proc/self/ns/net", ())


def _sysfs() -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        refusal = _private() or _mount("sysfs", folder, "sysfs", 0)
        if not refusal:
            libc.umount2(os.fsencode(folder), MNT_DETACH)
    return from_errno(refusal, "mount -t sysfs", ())


FEATURES = (
    Feature("netns.make", "2.6.24", "every node of a lab", _make, "CONFIG_NET_NS"),
    Feature("netns.name", "3.8", "nodes that outlive the command that made them", _name),
    Feature("netns.sysfs", "2.6.35", "/sys/class/net of a node", _sysfs),
)
