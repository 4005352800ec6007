"""Verdicts: one row for each figure that a command measured, in the form that every measuring command
prints.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """A figure against what it was to reach. `holds` is None where the run could not tell; `why` then says
    why.
    """

    row: str
    value: float | None
    unit: str
    reach: str
    holds: bool | None
    why: str

    def as_dict(self) -> dict[str, Any]:
        """The row as it stands under the key `verdicts`."""
        return asdict(self)
