"""Printing: tables for people, `--json` for scripts.

The tables are rich's, which is imported when the first one is made: what prints none (`--json`, `flow list`,
`version`) starts without it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from switch.control.errors import ControlError

_WIDTH = 10_000
"""Columns that a table may take. A row stays one line: grep and awk take it as such, and a number that rich
folds to fit a narrow terminal ("15" above "00") reads as another.
"""


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
    """An aligned table, as wide as its cells are; colour for a terminal only."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(width=_WIDTH, markup=False, emoji=False, highlight=False)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column.title, justify="right" if column.number else "left")
    for row in rows:
        table.add_row(*map(_cell, row))
    # Captured, not printed: a reader that has hung up is __main__'s business, and rich would exit with 1.
    with console.capture() as text:
        console.print(table)
    return "\n".join(line.rstrip() for line in text.get().splitlines())


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
