"""The table that a person reads, and the document that a program does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.bench.flow.result import Row, figure, spread

_WORDS = {True: "[green]yes[/green]", False: "[red]no[/red]", None: "[yellow]?[/yellow]"}


def show(rows: Sequence[Row], circumstances: Sequence[str], console: Console) -> None:
    """Prints the table, then what is to be known of its rows, then what they hold for."""
    title = "The flow engine: median (least – most)"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("what", min_width=24)
    for name in ("ours", "Open vSwitch", "unit", "ratio", "reach", "holds"):
        table.add_column(name, justify="left" if name in ("unit", "reach") else "right", no_wrap=True)
    for row in rows:
        verdict = row.verdict()
        ratio = "" if verdict.value is None or row.value is None else figure(verdict.value)
        ours, peer = (spread(side) if side else "–" for side in (row.ours, row.peer))
        table.add_row(row.what, ours, peer, row.unit, ratio, row.limit.text(), _WORDS[verdict.holds])
    console.print(table)
    for row in rows:
        if notes := row.notes():
            console.print(f"{row.what}: {notes}", style="dim", markup=False, highlight=False)
    for line in circumstances:
        console.print(line, style="dim", markup=False, highlight=False)


def document(rows: Sequence[Row], settings: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "benchmark": "flow",
        "verdicts": [row.verdict().as_dict() for row in rows],
        "rows": [row.document() for row in rows],
        "settings": dict(settings),
        "machine": dict(machine),
    }
