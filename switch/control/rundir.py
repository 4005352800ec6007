"""Where sockets are, and how one is found. Used by the daemon and by the command; imports next to
nothing.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from switch.control.errors import ControlError

DEFAULT_RUNDIR = Path("/run/ringside")


def run_dir() -> Path:
    """The run directory: environment RINGSIDE_RUNDIR, else /run/ringside."""
    return Path(os.environ.get("RINGSIDE_RUNDIR") or DEFAULT_RUNDIR)


def default_socket(name: str) -> Path:
    """Where the daemon of that name listens unless told otherwise."""
    return run_dir() / f"{name}.sock"


def sockets() -> dict[str, Path]:
    """All socket files by name: "s1" for the run directory's own, "pair/s1" for the switch s1 of lab
    pair.
    """
    root = run_dir()
    found = {path.stem: path for path in sorted(root.glob("*.sock"))}
    found.update({f"{path.parent.name}/{path.stem}": path for path in sorted(root.glob("labs/*/*.sock"))})
    return found


def alive(path: Path) -> bool:
    """True if a process accepts connections there; a stale file, or none, is False."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except PermissionError:
            return True
    return True


def find_socket(name: str | None, path: str | None) -> Path:
    """The socket to talk to: --socket, --switch, environment RINGSIDE_SOCKET, else the only daemon there is.

    A name may leave the lab out where that is not ambiguous. Raises ControlError with the field "switch".
    """
    path = path or (None if name else os.environ.get("RINGSIDE_SOCKET"))
    if path:
        return Path(path)
    running = {key: each for key, each in sockets().items() if alive(each)}
    if name is not None:
        fits = {key: each for key, each in running.items() if key == name or key.split("/")[-1] == name}
        running_names = ", ".join(running) or "none"
        if not fits:
            message = f"no switchd {name!r} found in {run_dir()}"
            raise ControlError("switch", message, f"running: {running_names}")
        running = {name: fits[name]} if name in fits else fits
    if not running:
        hint = "start one: `./invoke lab.up`, or `ringside switchd --name s1`"
        raise ControlError("switch", f"no switchd found in {run_dir()}", hint)
    if len(running) > 1:
        raise ControlError("switch", f"several are running: {', '.join(running)}", "choose one: -s NAME")
    return next(iter(running.values()))
