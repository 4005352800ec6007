"""Takes labs away: one by name, or all."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from lab import rundir
from lab.errors import LabError, Problem, fail
from lab.host import netns
from lab.interrupt import put_off
from lab.progress import Progress
from lab.teardown import teardown


@dataclass(frozen=True)
class Result:
    """What was taken away."""

    labs: tuple[str, ...]
    strangers: tuple[Problem, ...]


def traces() -> list[str]:
    """Names of all labs of which something is there: a state folder, or a namespace."""
    return sorted({*rundir.running_labs(), *(netns.lab_of(name) for name in netns.names())})


def down(lab: str | None, every: bool, progress: Progress) -> Result:
    """Removes a lab: the named one, or the only one there is; or, with `every`, all. None there is no error.

    Raises LabError: several labs and no name, or something that cannot be removed.
    """
    if os.geteuid() != 0:
        raise fail("lab.down", "needs root: it removes network namespaces", "sudo ./invoke lab.down")
    there = traces()
    if lab is None and not every and len(there) > 1:
        raise fail("lab.down", f"{len(there)} labs are there: {', '.join(there)}", "--name LAB, or --all")
    labs = [lab] if lab is not None else there
    failed: list[Problem] = []
    strangers: list[Problem] = []
    for name in labs:
        with rundir.locked(name, "lab.down"), put_off():
            left = teardown(name, progress)
        failed += left.failed
        strangers += left.strangers
    if failed:
        raise LabError(*failed)
    return Result(tuple(name for name in labs if name in there), tuple(strangers))


def report(lab: str | None, every: bool, as_json: bool) -> int:
    """lab.down: `down`, and what came of it, said. Imports little, and so is quick."""
    progress = Progress()
    result = down(lab, every, progress)
    for stranger in result.strangers:
        progress.warn(str(stranger))
    if as_json:
        document = {"down": result.labs, "strangers": [str(one) for one in result.strangers]}
        print(json.dumps(document, indent=2))
    elif result.labs:
        print(f"down: {', '.join(result.labs)} ({progress.seconds:.1f} s)")
    else:
        print("no lab was up" if lab is None else f"lab {lab} was not up")
    return 0
