"""In which order the datapaths take their turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def rotated(items: Sequence[T], round_number: int) -> list[T]:
    """The items, begun one further on in each round, so that over the rounds each is first, second, … equally
    often.
    """
    at = round_number % len(items) if items else 0
    return [*items[at:], *items[:at]]
