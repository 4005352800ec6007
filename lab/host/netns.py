"""Network namespaces under names, as iproute2 keeps them, so that `ip netns exec rs-pair-h1 …` works.

iproute2 makes /run/netns a mount of itself, shared, before it puts the first name there: unmounting a name
then reaches every mount namespace. We do the same, write down that it was us, and take it back when the last
name is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from lab.host import syscalls
from lab.host.ledger import Ledger
from lab.rundir import DEFAULT_RUNDIR, remove_if_empty, write_atomically

T = TypeVar("T")

NETNS_DIR = Path("/run/netns")
PREFIX = "rs-"
# One for the machine, wherever a lab's own state is: /run/netns is the machine's too.
_MOUNT_RECORD = DEFAULT_RUNDIR / "netns-mount.json"


def name_of(lab: str, node: str) -> str:
    """Name of a node's namespace: `rs-<lab>-<node>`. A node's name has no dash, so it can be taken apart
    again.
    """
    return f"{PREFIX}{lab}-{node}"


def path_of(name: str) -> Path:
    """The file that stands for a namespace."""
    return NETNS_DIR / name


def names(lab: str | None = None) -> list[str]:
    """Our namespaces: all, or those of one lab."""
    try:
        found = sorted(path.name for path in NETNS_DIR.iterdir())
    except FileNotFoundError:
        return []
    return [name for name in found if name.startswith(PREFIX) and lab in (None, lab_of(name))]


def lab_of(name: str) -> str:
    """The lab that a namespace belongs to."""
    return name.removeprefix(PREFIX).rpartition("-")[0]


def exists(name: str) -> bool:
    """True if the name stands for a namespace (after a crash it may be an empty file)."""
    try:
        return path_of(name).stat().st_dev != NETNS_DIR.stat().st_dev
    except FileNotFoundError:
        return False


def create(name: str, ledger: Ledger) -> None:
    """Makes a namespace. Raises OSError (EEXIST: the name is taken)."""
    ledger.intend("netns", name=name)
    path = path_of(name)
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))

    def make() -> None:
        syscalls.unshare(syscalls.CLONE_NEWNET)
        syscalls.mount("/proc/thread-self/ns/net", str(path), syscalls.MS_BIND)

    in_thread(make)


def remove(name: str) -> None:
    """Takes the name away; the kernel ends the namespace when no process is left in it."""
    path = path_of(name)
    with suppress(OSError):  # EINVAL: never mounted. ENOENT: not there at all.
        syscalls.umount(str(path))
    path.unlink(missing_ok=True)


def inside(name: str, work: Callable[[], T]) -> T:
    """Runs `work` in a thread that has moved into the namespace; its /proc/sys/net is that namespace's."""

    def enter() -> T:
        with entered(name):
            return work()

    return in_thread(enter)


@contextmanager
def entered(name: str) -> Iterator[None]:
    """Within it the calling thread is in the namespace: for opening sockets, which then stay there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        fd = os.open(path_of(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            syscalls.setns(fd, syscalls.CLONE_NEWNET)
        finally:
            os.close(fd)
        yield
    finally:
        syscalls.setns(home, syscalls.CLONE_NEWNET)
        os.close(home)


def in_thread(work: Callable[[], T]) -> T:
    """Runs `work` in a thread that ends with it: what it does to its own namespaces ends with it too."""
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    try:
        thread.join()
    except BaseException:  # Ctrl-C: what the thread makes must be there before anybody undoes it.
        thread.join()
        raise
    if errors:
        raise errors[0]
    return results[0]


def prepare_dir() -> None:
    """Makes /run/netns the shared mount that iproute2 would make of it, if it is not one yet."""
    with _directory_lock():
        made_dir = not NETNS_DIR.exists()
        mounted = _is_mount()
        if (made_dir or not mounted) and not _MOUNT_RECORD.exists():
            _MOUNT_RECORD.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(_MOUNT_RECORD, json.dumps({"made_dir": made_dir, "made_mount": not mounted}))
        NETNS_DIR.mkdir(mode=0o755, exist_ok=True)
        if not mounted:
            syscalls.mount(str(NETNS_DIR), str(NETNS_DIR), syscalls.MS_BIND | syscalls.MS_REC)
            syscalls.mount("", str(NETNS_DIR), syscalls.MS_SHARED | syscalls.MS_REC)


def release_dir() -> None:
    """Undoes `prepare_dir` when no name is left, ours or anybody's."""
    with _directory_lock():
        try:
            record = json.loads(_MOUNT_RECORD.read_text())
        except (FileNotFoundError, ValueError):
            return
        if NETNS_DIR.exists():
            if any(NETNS_DIR.iterdir()):
                return
            if record.get("made_mount") and _is_mount():
                syscalls.umount(str(NETNS_DIR))
            if record.get("made_dir"):
                with suppress(OSError):  # Something lay under the mount.
                    NETNS_DIR.rmdir()
        _MOUNT_RECORD.unlink(missing_ok=True)
        remove_if_empty(_MOUNT_RECORD.parent)


def _is_mount() -> bool:
    """Whether something is mounted on /run/netns: its mount is another than its parent's.

    Not by the list of mounts, which also has those that a later mount on /run hides.
    """
    return NETNS_DIR.exists() and _mount_id(NETNS_DIR) != _mount_id(NETNS_DIR.parent)


def _mount_id(path: Path) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lines = Path(f"/proc/thread-self/fdinfo/{fd}").read_text().splitlines()
    finally:
        os.close(fd)
    return next(line for line in lines if line.startswith("mnt_id:"))


@contextmanager
def _directory_lock() -> Iterator[None]:
    """One at a time; the lock is on /run itself, so that no file of it stays behind."""
    fd = os.open(NETNS_DIR.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
