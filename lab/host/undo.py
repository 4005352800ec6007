"""Steps that undo what was done: run in reverse order, each of them tried whatever the others do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lab.errors import LabError, Problem


@dataclass(frozen=True)
class Step:
    """One thing to undo."""

    what: str
    run: Callable[[], object]


def undo(steps: Iterable[Step]) -> list[Problem]:
    """Runs the steps, the last made first. Returns what could not be undone, and why; raises nothing of its
    own.
    """
    left: list[Problem] = []
    for step in reversed(list(steps)):
        try:
            step.run()
        except LabError as error:
            left.extend(error.problems)
        except OSError as error:
            left.append(Problem(step.what, f"could not be undone: {error.strerror or error}"))
    return left
