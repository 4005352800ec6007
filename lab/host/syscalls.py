"""The four system calls that Python 3.11 does not offer. Errors are OSError with the errno and the path."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SHARED = 1 << 20
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)


def mount(source: str, target: str, flags: int) -> None:
    """Mounts without a file system type: binding and propagation."""
    _check(_libc.mount(source.encode(), target.encode(), b"none", ctypes.c_ulong(flags), None), target)


def umount(target: str) -> None:
    """Unmounts lazily: who still looks into it may go on."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), target)


def setns(fd: int, kind: int) -> None:
    """Moves the calling thread into the namespace of `fd`."""
    _check(_libc.setns(fd, kind), f"namespace fd {fd}")


def unshare(flags: int) -> None:
    """Gives the calling thread namespaces of its own."""
    _check(_libc.unshare(flags), "unshare")
