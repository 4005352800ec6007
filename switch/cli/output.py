"""Printing: tables for people, `--json` for scripts.

The tables are made here, not by rich: 100,000 rules take that 46 s, this 1 s; and importing it is what
would keep `ringside show` from starting in a tenth of a second.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from switch.control.errors import ControlError

GAP = "   "


@dataclass(frozen=True)
class Column:
    """A column: its title, and whether it holds numbers (right-aligned)."""

    title: str
    number: bool = False


def print_json(value: Any) -> None:
    """One document on standard output."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def table_text(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> str:
    """An aligned table without borders: what a person reads and grep still can."""
    titles = [column.title for column in columns]
    cells = [titles, *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        GAP.join(
            text.rjust(width) if column.number else text.ljust(width)
            for text, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join([_bold(lines[0]), "─" * (sum(widths) + len(GAP) * (len(widths) - 1)), *lines[1:]])


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Prints a table; `empty` instead if it has no rows."""
    listed = list(rows)
    print(table_text(columns, listed) if listed else empty)


def print_error(error: ControlError) -> None:
    """An error, to standard error, in red where that is a terminal."""
    red, plain = ("\033[31m", "\033[0m") if sys.stderr.isatty() and "NO_COLOR" not in os.environ else ("", "")
    print(f"{red}ringside: {error}{plain}", file=sys.stderr)
    if error.hint:
        print(f"  way out: {error.hint}", file=sys.stderr)


def number(value: float) -> str:
    """A count with thin groups: 12345678 → "12,345,678"."""
    return f"{value:,.0f}"


def rate(value: float) -> str:
    """A rate of packets: 1234567.8 → "1.235 M", 999 → "999"."""
    if value >= 1e6:
        return f"{value / 1e6:.3f} M"
    return f"{value / 1e3:.1f} k" if value >= 1e4 else f"{value:.0f}"


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    return number(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)
