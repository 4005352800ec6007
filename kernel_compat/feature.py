"""What is asked of a kernel, and how it answers: yes, no, or could not tell, always with the evidence.

A version number is never the question: distributions backport both features and faults. `since` is what a
reader wants to know and what a test checks against real kernels; no answer is taken from it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "no", "unknown"]

# Errors that say "you may not", which tells nothing about what the kernel can do.
NOT_PERMITTED = frozenset({errno.EPERM, errno.EACCES})
AS_ROOT = "run as root"


@dataclass(frozen=True)
class Outcome:
    """An answer, what it rests on (errno, length, path), and what would change it."""

    answer: Answer
    evidence: str
    way_out: str = ""

    @property
    def firm(self) -> bool:
        """Whether the answer is conclusive, and so may be remembered."""
        return self.answer != "unknown"


@dataclass(frozen=True)
class Feature:
    """One thing that a kernel may or may not have.

    `probe` tries it and answers. It runs in a throw-away network namespace when `sandboxed`; it may
    then make devices freely and need not undo anything. `option` is the kernel option that its absence
    points to.
    """

    name: str
    since: str
    what_for: str
    probe: Callable[[], Outcome]
    option: str = ""
    sandboxed: bool = True


def yes(evidence: str) -> Outcome:
    """It works: the probe did it."""
    return Outcome("yes", evidence)


def no(evidence: str, way_out: str = "") -> Outcome:
    """It does not, and the evidence is conclusive."""
    return Outcome("no", evidence, way_out)


def unknown(evidence: str, way_out: str = "") -> Outcome:
    """Could not tell, and why."""
    return Outcome("unknown", evidence, way_out)


def errno_name(number: int) -> str:
    """EPERM for 1; the bare number where the kernel's errno has no name here (524 is ENOTSUPP)."""
    if number == 524:
        return "ENOTSUPP"
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, str(number))


def from_errno(number: int, step: str, absent: Collection[int], way_out: str = "") -> Outcome:
    """The outcome of a system call that answered `number` (0 = success); errors in `absent` mean that it
    lacks.
    """
    if number == 0:
        return yes(f"{step}: ok")
    said = f"{step}: {errno_name(number)} ({os.strerror(number)})"
    if number in NOT_PERMITTED and number not in absent:
        return unknown(said, AS_ROOT)
    return no(said, way_out) if number in absent else unknown(said, way_out)


def ask(feature: Feature) -> Outcome:
    """Runs the probe here and now. A probe that fails in a way of its own answers "unknown" and says how."""
    try:
        outcome = feature.probe()
    except OSError as error:
        # A kernel without the socket family has nothing that stands on it either.
        outcome = from_errno(error.errno or errno.EIO, str(error.filename or "probe"), {errno.EAFNOSUPPORT})
    except Exception as error:  # a probe must never end the survey
        outcome = unknown(f"the probe itself failed: {type(error).__name__}: {error}")
    if outcome.answer == "no" and feature.option and not outcome.way_out:
        return Outcome("no", outcome.evidence, f"a kernel with {feature.option} (since {feature.since})")
    return outcome
