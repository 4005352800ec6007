"""Takes a lab away, whatever state it is in, and nothing that is not its own.

What is taken away is what the ledger says, and what carries the owner's tag: processes with
RINGSIDE_LAB=<lab> in their environment, namespaces named rs-<lab>-…. Devices, qdiscs, addresses, XDP programs
and sockets go with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab import rundir
from lab.errors import Problem, fail
from lab.host import netns, process
from lab.host.ledger import Ledger
from lab.host.undo import Step, undo
from lab.progress import Progress


@dataclass(frozen=True)
class Left:
    """What a teardown left behind."""

    failed: tuple[Problem, ...] = ()
    """Things of ours that could not be removed."""
    strangers: tuple[Problem, ...] = ()
    """Other people's processes in our namespaces."""


def teardown(lab: str, progress: Progress) -> Left:
    """Removes everything of a lab; says what it left. The caller holds the lab's lock.

    Raises LabError, before anything is touched, if this command itself runs inside the lab.
    """
    ours = _processes(lab)
    inside = [one for one in ours if one.pid in process.ancestors()]
    if inside:
        raise fail(
            f"lab {lab}",
            f"this command runs inside it (process {inside[0].pid}, {inside[0].name})",
            "leave the lab's shell first",
        )
    if ours:
        progress.step(f"end {', '.join(sorted({f'{one.name} ({one.pid})' for one in ours}))}")
    failed = process.end(ours, lab)
    # A child that was born while its parent ended.
    failed += process.end(_processes(lab), lab)
    names = netns.names(lab)
    if names:
        progress.step(f"remove {', '.join(names)}")
    strangers = [_stranger(name, one) for name in names for one in process.in_namespace(netns.path_of(name))]
    failed += undo([Step("/run/netns", netns.release_dir), *(_removal(name) for name in names)])
    rundir.remove_lab_dir(lab)
    return Left(tuple(failed), tuple(strangers))


def _removal(namespace: str) -> Step:
    return Step(f"namespace {namespace}", lambda: netns.remove(namespace))


def _processes(lab: str) -> list[process.Process]:
    """By the tag, which the ledger's own processes carry too."""
    found = {one.pid: one for one in process.tagged(lab)}
    for entry in Ledger(rundir.lab_dir(lab)).entries("process"):
        if "pid" in entry.what:
            one = process.Process(entry.what["pid"], entry.what["start"], str(entry.what.get("role", "")))
            if process.is_alive(one):
                found.setdefault(one.pid, one)
    return list(found.values())


def _stranger(namespace: str, one: process.Process) -> Problem:
    return Problem(
        f"namespace {namespace}",
        f"process {one.pid} ({one.name}) is in it and is not the lab's: left alone",
        "the namespace ends when that process does",
    )
