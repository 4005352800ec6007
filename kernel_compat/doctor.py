"""`./invoke doctor`: what this host can and cannot run, row by row, with the evidence and the way out.

Nothing is changed: kernel features are tried in a network namespace that dies with the survey. Without
root the rows that need it say so. Exit code 0 whenever the survey went through, whatever its answers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kernel_compat import rows, version
from kernel_compat.feature import Feature, Outcome
from kernel_compat.probes import ALL_FEATURES
from kernel_compat.rows import Row
from kernel_compat.sandbox import command, survey
from lab.setup import build, packages

FORMAT = 1
COLOURS = {"yes": "green", "no": "red", "unknown": "yellow"}
# Tools whose version is worth knowing in a report, and how to ask it.
VERSIONS = {
    "gcc": "--version",
    "clang": "--version",
    "bpftool": "version",
    "ip": "-V",
    "ethtool": "--version",
}
GROUPS = {
    "python": "build tools",
    "build": "build tools",
    "check": "build tools",
    "lab": "packages",
    "peer": "peers",
    "vm": "VM and NIC",
}


def _version_of(name: str, path: str) -> str:
    if name not in VERSIONS:
        return path
    lines = command(path, VERSIONS[name]).stdout.strip().splitlines()
    return f"{path}: {lines[0]}" if lines else path


def package_rows() -> list[Row]:
    """A row for each need of the package table."""
    manager = packages.manager()
    found: list[Row] = []
    for need in packages.read_table():
        path = need.found()
        group = GROUPS[need.use]
        if path:
            found.append(Row(group, need.name, "yes", _version_of(need.name, path)))
        else:
            found.append(Row(group, need.name, "no", f"looked for {need.probe}", need.way_out(manager)))
    return found


def build_rows() -> list[Row]:
    """A row for each product: is what is compiled made from what is in the tree?"""
    found = []
    for product in build.products(build.VARIANTS):
        current = product.is_current(build.ROOT, build.BUILD)
        evidence = "its stamp fits the sources" if current else "not built, or its sources changed"
        way_out = "" if current else "./invoke build" + (" --sanitize" if "sanitize" in product.name else "")
        found.append(
            Row("build tools", f"compiled: {product.name}", "yes" if current else "no", evidence, way_out)
        )
    return found


def all_rows(answers: Mapping[str, Outcome], asked: Sequence[Feature] = ALL_FEATURES) -> list[Row]:
    """The whole survey, group by group."""
    found = [*package_rows(), rows.disk(), *build_rows(), *rows.permissions()]
    found += rows.features("kernel", asked, answers)
    found += [*rows.lab(answers), *rows.machines()]
    order = ["build tools", "packages", "permissions", "kernel", "lab", "peers", "VM and NIC"]
    return sorted(found, key=lambda row: order.index(row.group))


def document(found: Sequence[Row]) -> dict[str, object]:
    """The survey as one JSON document; `lab` tells whether the default lab can run here."""
    default = next((row.answer for row in found if row.what == "topology pair"), "unknown")
    return {
        "format": FORMAT,
        "kernel": str(version.running()),
        "release": os.uname().release,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "lab": default,
        "rows": [asdict(row) for row in found],
    }


def print_table(found: Sequence[Row], console: Console) -> None:
    """The survey for people: a table with a section for each group, then the count of answers."""
    title = f"Linux {os.uname().release} ({platform.machine()})"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading, ratio in (("what", 5), ("answer", 1), ("evidence", 6), ("way out", 5)):
        table.add_column(heading, ratio=ratio, overflow="fold", no_wrap=heading == "answer", min_width=7)
    group = ""
    for row in found:
        if row.group != group:
            table.add_section()
            table.add_row(f"[bold]{escape(row.group)}[/bold]")
            group = row.group
        colour = COLOURS[row.answer]
        answer = f"[{colour}]{row.answer}[/{colour}]"
        table.add_row(escape(row.what), answer, escape(row.evidence), escape(row.way_out))
    console.print(table)
    counts = {name: sum(row.answer == name for row in found) for name in COLOURS}
    console.print(", ".join(f"{count} {name}" for name, count in counts.items()))


def main(argv: Sequence[str] | None = None) -> int:
    """Surveys and prints. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="doctor", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="one document on standard output")
    options = parser.parse_args(argv)
    found = all_rows(survey(ALL_FEATURES))
    if options.json:
        json.dump(document(found), sys.stdout, indent=2)
        print()
    else:
        console = Console()
        print_table(found, Console(width=max(console.width, 120)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
