"""Statistics of samples: median, p90, spread, and ratios that are formed per round.

The outlier rule is that there is none: every sample that was taken is counted. A busy neighbour shows in the
spread, where a reader can see it, and not in a choice that we made for him.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True)
class Summary:
    """What n samples say, in the samples' own unit."""

    n: int
    median: float
    p90: float
    low: float
    high: float
    q1: float
    q3: float

    @property
    def iqr(self) -> float:
        """Width of the middle half of the samples."""
        return self.q3 - self.q1


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` (0 to 100) of the samples lie, interpolated between neighbours.

    The lowest sample is the 0th percentile, the highest the 100th; between two ranks the line is straight
    (NumPy's default, R's type 7).

    Raises:
        ValueError: no samples, or a percentage that is none.
    """
    if not values:
        raise ValueError("percentile: there are no samples")
    if not 0 <= percent <= 100:
        raise ValueError(f"percent: {percent} is not within 0 to 100")
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def median(values: Sequence[float]) -> float:
    """The middle sample, or the mean of the two in the middle. Raises ValueError without samples."""
    return percentile(values, 50)


def summarize(values: Sequence[float]) -> Summary:
    """All figures of `Summary`. Raises ValueError without samples."""
    return Summary(
        n=len(values),
        median=median(values),
        p90=percentile(values, 90),
        low=min(values),
        high=max(values),
        q1=percentile(values, 25),
        q3=percentile(values, 75),
    )


def ratios_by_round(
    above: Sequence[Sequence[float]], below: Sequence[Sequence[float]]
) -> tuple[list[float], int]:
    """For each round, the median of its `above` samples over the median of its `below` samples.

    The two sides of a ratio were measured seconds apart, so what disturbs the machine for minutes cancels
    out.
    Returns the ratios and how many rounds have none: a side was not measured, or the lower side stood still.
    """
    ratios: list[float] = []
    missing = 0
    for over, under in zip_longest(above, below, fillvalue=()):
        base = median(under) if under else 0.0
        if over and base > 0:
            ratios.append(median(over) / base)
        else:
            missing += 1
    return ratios, missing
