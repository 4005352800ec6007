"""The socket file: made so that one daemon only has it, and that a dead one's file is in nobody's way.

A socket is bound under a name of its own and then given the real name by link(2), which fails if that is
taken. A taken name that nobody answers on is a dead daemon's and is removed.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from switch.control.errors import ControlError
from switch.control.fields import shown
from switch.control.rundir import alive

_BACKLOG = 64


class Listener:
    """A listening UNIX socket of mode 0600, and its file. `close()` removes the file if it is still ours."""

    def __init__(self, path: Path) -> None:
        """Raises ControlError if another daemon answers there, or the file cannot be made."""
        self.path = path
        own = path.with_name(f".{path.name}.{os.getpid()}")
        _check_length(own)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            own.unlink(missing_ok=True)
            self.socket.bind(str(own))
            own.chmod(0o600)
            self.socket.listen(_BACKLOG)
            self._take_name(own)
            self._inode = path.stat().st_ino
        except OSError as error:
            self.socket.close()
            message = f"{path}: {error.strerror or error}"
            raise ControlError("socket", message, "a place that can be written: --socket") from None
        except ControlError:
            self.socket.close()
            raise
        finally:
            with suppress(OSError):
                own.unlink(missing_ok=True)

    def _take_name(self, own: Path) -> None:
        for _ in range(3):
            try:
                os.link(own, self.path)
                return
            except FileExistsError:
                if alive(self.path):
                    break
                self.path.unlink(missing_ok=True)
        message = f"a switchd runs already: it answers at {self.path}"
        raise ControlError("socket", message, "another --name or --socket, or stop that one", "EADDRINUSE")

    def close(self) -> None:
        """Stops listening; removes the file."""
        self.socket.close()
        with suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()


def _check_length(path: Path) -> None:
    """ControlError if the path is longer than the kernel takes for a UNIX socket."""
    if len(str(path).encode()) > 107:
        raise ControlError("socket", f"{shown(str(path))} is longer than 107 bytes", "a shorter --socket")
