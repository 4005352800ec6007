"""Kernel versions: reading and ordering them. Used to name a kernel and to check claims, never to answer a
probe.

A distribution's release says little about what is in it: 5.14 of RHEL 9 carries XDP code of 6.x, and a
stable kernel carries faults and repairs of later ones. So the version is a key into tables of known faults,
not an answer.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class KernelVersion:
    """major.minor.patch of a release; what a distribution adds does not take part in the order."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse(release: str) -> KernelVersion:
    """Reads "6.1.0-18-amd64", "5.10" or "6.18.44-fc". Raises ValueError for what does not begin so."""
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", release)
    if match is None:
        raise ValueError(f"kernel release {release!r} does not begin with two numbers, as in 6.1.0")
    return KernelVersion(int(match[1]), int(match[2]), int(match[3] or 0))


def running() -> KernelVersion:
    """The running kernel's version."""
    return parse(os.uname().release)
