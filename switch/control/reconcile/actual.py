"""What is there now, as a value that the plan can compare with what is wanted."""

from __future__ import annotations

from dataclasses import dataclass

from switch.control.model import Poll, Port


@dataclass(frozen=True)
class ActualPort:
    """One open port. `spec`: as it was asked for, with changes made since.

    `stale` says in words why the port must be opened anew though nobody asked for a change ("its device
    was removed and made again"); "" if it is well.
    """

    spec: Port
    ofport: int
    stale: str = ""


@dataclass(frozen=True)
class Actual:
    """One switch. `flows`: the texts that the table was filled from, None if changed since."""

    poll: Poll
    ports: tuple[ActualPort, ...] = ()
    flows: tuple[str, ...] | None = None

    def port(self, name: str) -> ActualPort | None:
        """The open port of that name."""
        return next((port for port in self.ports if port.spec.name == name), None)
