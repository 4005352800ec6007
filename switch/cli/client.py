"""The other end of the daemon's socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from switch.control.errors import ControlError

_CONNECT_SECONDS = 5.0


class NoDaemon(ControlError):
    """Nobody answers at the socket."""


class Client:
    """One connection. A context manager."""

    def __init__(self, path: Path) -> None:
        """Raises NoDaemon if nobody listens there."""
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_CONNECT_SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            message = f"no switchd answers at {path}: {error.strerror or error}"
            raise NoDaemon("switch", message, "`ringside list` shows those that run") from None
        self._socket.settimeout(None)
        self._lines = self._socket.makefile("rb")
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up."""
        self._lines.close()
        self._socket.close()

    def call(self, verb: str, args: object = None) -> Any:
        """The result of a verb. Raises ControlError with what the daemon refused, NoDaemon if it hung up."""
        self._number += 1
        request = {"id": self._number, "verb": verb, "args": {} if args is None else args}
        with suppress(BrokenPipeError):  # The answer, if there is one, says why it hung up.
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        answer = self._read()
        if answer is None:
            raise NoDaemon("switch", f"the switchd at {self.path} hung up", "its log says why")
        if answer.get("ok"):
            return answer.get("result")
        error = answer.get("error") or {}
        raise ControlError(error.get("field", ""), error.get("message", ""), error.get("hint", ""))

    def events(self) -> Iterator[dict[str, Any]]:
        """What a streaming verb sends, until the daemon ends it."""
        while (event := self._read()) is not None:
            yield event
            if event.get("event") == "end":
                return

    def stop(self) -> None:
        """Asks for the end of a stream; the last event tells how it went."""
        self._socket.sendall(b"\n")

    def _read(self) -> dict[str, Any] | None:
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line else None
