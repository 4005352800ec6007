"""Where a lab's state lives, and who may work on it.

    RUNDIR/labs/<lab>/           RUNDIR = $RINGSIDE_RUNDIR or /run/ringside
        ledger.jsonl             things made, written before each is made (host/ledger.py)
        topology.json            what is up: the topology as applied
        lock.json                who works on it now (the lock itself is a flock on the folder)
        s1.yaml s1.sock s1.log   a switch's desired state, socket, log

The lock is on the folder, not on a file in it, so that nothing of it stays behind when the folder goes.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LockedError, Problem

DEFAULT_RUNDIR = Path("/run/ringside")


def run_dir() -> Path:
    """RUNDIR: state of switches and labs."""
    return Path(os.environ.get("RINGSIDE_RUNDIR") or DEFAULT_RUNDIR)


def labs_dir() -> Path:
    """The folder with one folder for each lab."""
    return run_dir() / "labs"


def lab_dir(lab: str) -> Path:
    """State folder of one lab."""
    return labs_dir() / lab


def switch_socket(folder: Path, switch: str) -> Path:
    """The socket of a switch's daemon, in the folder of its lab."""
    return folder / f"{switch}.sock"


def running_labs() -> list[str]:
    """Names of the labs that have a state folder: up, half-way up, or left by a crash."""
    try:
        return sorted(path.name for path in labs_dir().iterdir() if path.is_dir())
    except FileNotFoundError:
        return []


@contextmanager
def locked(lab: str, verb: str) -> Iterator[Path]:
    """Holds the lab's lock; makes its folder. Raises LockedError that names the holder.

    The folder is removed again on exit if nothing is in it.
    """
    path = lab_dir(lab)
    fd = _lock_folder(lab, path)
    holder = path / "lock.json"
    holder.write_text(json.dumps({"pid": os.getpid(), "verb": verb}))
    try:
        yield path
    finally:
        holder.unlink(missing_ok=True)
        remove_if_empty(path, labs_dir())
        if run_dir() == DEFAULT_RUNDIR:  # A folder that the user named is the user's.
            remove_if_empty(run_dir())
        os.close(fd)


def _lock_folder(lab: str, path: Path) -> int:
    while True:
        try:
            path.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_ino == path.stat().st_ino:
                return fd
        except BlockingIOError:
            os.close(fd)
            raise LockedError(_locked_by(lab, path)) from None
        except FileNotFoundError:
            pass  # Removed by the one who held the lock before us: it is a new folder's turn.
        os.close(fd)


def _locked_by(lab: str, path: Path) -> Problem:
    try:
        holder = json.loads((path / "lock.json").read_text())
        who = f"{holder['verb']} (pid {holder['pid']}) is at work on it"
    except (OSError, ValueError, KeyError):
        who = "another command is at work on it"
    return Problem(f"lab {lab}", who, "wait until it ends, or stop it (Ctrl-C undoes what it made)")


def is_locked(lab: str) -> bool:
    """True while some command works on the lab. Looks only: takes no lock that could be in anyone's way."""
    try:
        pid = int(json.loads((lab_dir(lab) / "lock.json").read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return False
    return Path(f"/proc/{pid}").exists()


def remove_if_empty(*paths: Path) -> None:
    """Removes the folders that are empty, in the order given."""
    for path in paths:
        try:
            path.rmdir()
        except OSError:
            return


def remove_lab_dir(lab: str) -> None:
    """Removes all state of a lab; the lock's holder does this last."""
    path = lab_dir(lab)
    for entry in path.iterdir() if path.is_dir() else ():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Writes a file so that a reader sees the old or the new text, never half of it."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)
