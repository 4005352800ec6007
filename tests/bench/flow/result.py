"""Rows of the table: what was measured of us and of the peer, and whether the figure to reach is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lab.measure.stats import Summary, summarize
from lab.measure.verdict import Verdict

Sign = Literal["<=", "<", ">="]
_SIGNS = {"<=": "≤", "<": "<", ">=": "≥"}


@dataclass(frozen=True)
class Limit:
    """A figure to reach. bound None: the peer's figure of the same run."""

    sign: Sign
    bound: float | None
    unit: str

    def text(self) -> str:
        """As the table says it."""
        if self.bound is None:
            return f"{_SIGNS[self.sign]} Open vSwitch's"
        return f"{_SIGNS[self.sign]} {figure(self.bound)} {self.unit}".rstrip()

    def holds(self, value: float, bound: float) -> bool:
        """Does a value keep within it?"""
        return {"<=": value <= bound, "<": value < bound, ">=": value >= bound}[self.sign]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `ours` and `peer` are samples, a round each, in `unit`; `value` those that the limit is held against,
    None = ours. `why`: what a reader should know of it. `unknown`: why this run cannot tell, None if it can.
    """

    what: str
    unit: str
    limit: Limit
    ours: tuple[float, ...] = ()
    peer: tuple[float, ...] = ()
    value: tuple[float, ...] | None = None
    why: str = ""
    unknown: str | None = None
    no_peer: str | None = None  # Why the peer has no figure.

    def measured(self) -> tuple[float, ...]:
        """The samples that the limit is held against."""
        return self.ours if self.value is None else self.value

    def verdict(self) -> Verdict:
        """Whether the median keeps within the limit."""
        samples = self.measured()
        bound = self.limit.bound
        if bound is None and self.peer:
            bound = summarize(self.peer).median
        value = summarize(samples).median if samples else None
        unknown = self.unknown
        if value is None or bound is None:
            unknown = unknown or self.no_peer or "nothing was measured"
        holds = None if unknown or value is None or bound is None else self.limit.holds(value, bound)
        parts = (unknown, _spread_of(samples), self.why, self._peer_part())
        why = "; ".join(part for part in parts if part)
        return Verdict(self.what, value, self.limit.unit, self.limit.text(), holds, why)

    def notes(self) -> str:
        """What the table's columns do not say."""
        parts = (self.unknown, self.why, self.no_peer and f"no figure of Open vSwitch: {self.no_peer}")
        return "; ".join(part for part in parts if part)

    def _peer_part(self) -> str:
        if self.peer:
            return f"Open vSwitch: {spread(self.peer)} {self.unit}".rstrip()
        return f"no figure of Open vSwitch: {self.no_peer}" if self.no_peer else ""

    def document(self) -> dict[str, Any]:
        """The row with all its samples, for JSON."""
        return {
            "row": self.what,
            "unit": self.unit,
            "ours": list(self.ours),
            "peer": list(self.peer),
            "value": list(self.measured()),
            "reach": self.limit.text(),
            "no_peer": self.no_peer,
        }


def ratios(above: Sequence[float], below: Sequence[float]) -> tuple[float, ...]:
    """Round by round, so that what disturbs the machine for longer cancels out."""
    return tuple(a / b for a, b in zip(above, below, strict=False) if b > 0)


def figure(value: float) -> str:
    """Three or four digits that matter, thousands apart."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


def spread(samples: Sequence[float]) -> str:
    """Median, and least to most where they differ."""
    found: Summary = summarize(samples)
    if found.n == 1 or found.low == found.high:
        return figure(found.median)
    return f"{figure(found.median)} ({figure(found.low)} – {figure(found.high)})"


def _spread_of(samples: Sequence[float]) -> str:
    if not samples:
        return ""
    found = summarize(samples)
    return f"median of {found.n}, {figure(found.low)} – {figure(found.high)}"
