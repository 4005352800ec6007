"""What the lab raises: each error names the thing at fault, what was found there, and the way out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    where: str
    """A field path (`links[1].mtu`), a device, a file or a program."""
    found: str
    way_out: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.found}"
        return f"{text}\n    way out: {self.way_out}" if self.way_out else text


class LabError(Exception):
    """Something that the user can do something about. Carries one or more problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class TopologyError(LabError):
    """The topology file is wrong; `problems` has a field path each."""


class CommandError(LabError):
    """A program failed; the problem carries its standard error."""


class LockedError(LabError):
    """Another command is at work on the same lab."""


class UnsupportedError(LabError):
    """This kernel or this datapath cannot do what was asked for."""


def fail(where: str, found: str, way_out: str = "") -> LabError:
    """A LabError with one problem, to be raised."""
    return LabError(Problem(where, found, way_out))
