"""The flow engine beside Open vSwitch: `python -m tests.bench.flow.run [--json] [--quick]`.

Prints the table "Speed and memory to reach": our figures, those of the real Open vSwitch of the same run, the
figure to reach, and whether it is reached. README.md of this folder says what is measured, how, and what not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from lab.bench.guard import alone, interrupted_once
from lab.errors import LabError
from lab.host import facts
from lab.interrupt import Interrupted
from lab.progress import Progress
from switch.binding.ffi_build import BuildError
from tests.bench.flow import cache, changes, loading, misses, report
from tests.bench.flow.context import FULL, QUICK, Plan, Run
from tests.bench.flow.peer import NoPeerError, Peer, peer
from tests.bench.flow.programs import SOURCES, ProgramError, build
from tests.bench.flow.result import Row

WIDTH = 140  # Where no terminal says.
Part = Callable[[Run], list[Row]]


@contextmanager
def _peer_or_why(folder: Path, progress: Progress) -> Iterator[tuple[Peer | None, str | None]]:
    with ExitStack() as stack:
        try:
            found = stack.enter_context(peer(folder))
        except NoPeerError as error:
            progress.warn(f"Open vSwitch is left out: {error}")
            yield None, str(error)
        else:
            yield found, None


def _with_peer(part: Part, run: Run) -> list[Row]:
    """A part of the table. What the peer does not do costs its figures, not ours."""
    try:
        return part(run)
    except NoPeerError as error:
        run.progress.warn(f"Open vSwitch: {error}")
        return part(Run(run.plan, run.folder, run.progress, None, str(error)))


def measure(plan: Plan, progress: Progress) -> list[Row]:
    """All rows, in the order of the table. Raises ProgramError, BuildError."""
    for name in SOURCES:
        progress.step(f"building {name}")
        build(name)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rs-bench-flow-")))
        away = folder / "peer"
        away.mkdir()
        with _peer_or_why(away, progress) as (found, no_peer):
            run = Run(plan, folder, progress, found, no_peer)
            hits = _with_peer(cache.emc_rows, run)
            subtables = _with_peer(cache.subtable_rows, run)
            load = misses.prepare(folder)
            _with_peer(lambda run: misses.load_peer(run, load), run)
            missed = _with_peer(lambda run: misses.rows(run, load), run)
            changed = _with_peer(lambda run: changes.rows(run, load), run)
        alone_run = Run(plan, folder, progress, None, no_peer)
        instructions = cache.instruction_row(alone_run)
        loaded = loading.rows(alone_run)
    return [hits[0], instructions, *subtables, hits[1], *missed, *loaded, *changed]


def _circumstances(machine: dict[str, object], plan: Plan, load: Sequence[float]) -> list[str]:
    cpu = machine["cpu"]
    assert isinstance(cpu, dict)
    return [
        f"{cpu['model']}, {cpu['online']} cores{', virtual machine' if cpu['hypervisor'] else ''};"
        f" load average {load[0]:.1f} before, {os.getloadavg()[0]:.1f} after; {plan.rounds} rounds in turns",
        "times are CPU time of the threads that do the work: what others take of a core does not count",
    ]


def _run(as_json: bool, plan: Plan) -> None:
    progress = Progress()
    load = os.getloadavg()
    machine = facts.collect()
    rows = measure(plan, progress)
    settings = {"plan": asdict(plan), "load_average": {"before": load, "after": os.getloadavg()}}
    if as_json:
        print(json.dumps(report.document(rows, settings, machine), indent=1))
    else:
        width = None if sys.stdout.isatty() else WIDTH
        report.show(rows, _circumstances(machine, plan, load), Console(width=width))


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when measuring went well, whatever the figures; 1 with the error on stderr; 128 + signal."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.flow.run", description="The flow engine's table."
    )
    parser.add_argument("--json", action="store_true", help="one document on standard output")
    parser.add_argument("--quick", action="store_true", help="less of everything, under a minute")
    options = parser.parse_args(arguments)
    try:
        with interrupted_once(), alone():
            _run(options.json, QUICK if options.quick else FULL)
    except (LabError, ProgramError, BuildError, NoPeerError) as error:
        print(error, file=sys.stderr)
        return 1
    except Interrupted as stop:
        print("stopped; nothing is left", file=sys.stderr)
        return stop.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
