"""Raw forwarding, side by side: `python -m lab.bench.smoke [--json] [--rounds N] [--flows 1|1000] [--dut
NAME]…`.

64-byte packets go veth → datapath → veth. The datapaths take turns in every round, in rotating order, so that
what disturbs the machine disturbs all of them; every figure stands beside the generator's own ceiling of the
same run. README.md of this folder says what is measured, and what not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from rich.console import Console

from lab.bench import dut_bridge, dut_none, dut_ovs, dut_plain, dut_ringside, report, rooms
from lab.bench.dut_base import Dut
from lab.bench.guard import alone, interrupted_once
from lab.bench.lane import Cores, Lane, Turn, open_lane
from lab.bench.result import CEILING, Measured, Outcome, document, judge
from lab.bench.schedule import rotated
from lab.errors import LabError, Problem, UnsupportedError
from lab.host import facts
from lab.interrupt import Interrupted
from lab.measure.packet_rate import SamplePlan
from lab.progress import Progress
from lab.traffic.frames import FCS, PacketSpec
from lab.traffic.xdp_live import BATCH, LiveSettings
from xdp.loader.errors import LoaderError

# What --dut takes. The first is always measured: without the ceiling one measures the generator.
DUTS: dict[str, Callable[[], Dut]] = {
    CEILING: dut_none.NoDut,
    "ringside": dut_ringside.one_rule,
    "ringside-normal": dut_ringside.normal,
    "plain": dut_plain.PlainForwarder,
    "bridge": dut_bridge.LinuxBridge,
    "bridge-inline": lambda: dut_bridge.LinuxBridge("generator"),
    "ovs-afxdp": dut_ovs.one_rule,
    "ovs-afxdp-normal": dut_ovs.normal,
}
USUAL = ("ringside", "ringside-normal", "plain", "bridge", "bridge-inline")


def choose_cores(allowed: Sequence[int]) -> Cores:
    """One core for the load, one for the datapath: the first two that we may run on.

    Raises UnsupportedError when there is only one: load and datapath would take it from each other.
    """
    if len(allowed) < 2:
        raise UnsupportedError(
            Problem(
                "cores",
                f"{len(allowed)} may be used, 2 are needed",
                "give the process more (taskset, cpuset)",
            )
        )
    return Cores(generator=allowed[0], dut=allowed[1])


def measure(
    options: argparse.Namespace, cores: Cores, progress: Progress
) -> tuple[list[Measured], dict[str, Any]]:
    """Opens a lane for each datapath and takes all turns. Leaves nothing behind.

    A datapath that this host cannot run is left out, and that is told, unless it was asked for by name: then,
    as for all that fails, LabError or LoaderError is raised.
    """
    spec = PacketSpec(rooms.GEN_MAC, rooms.SINK_MAC, flows=options.flows)
    plan = SamplePlan(options.sample, options.samples)
    load = LiveSettings(cores.generator, batch=options.batch)
    os.sched_setaffinity(0, set(os.sched_getaffinity(0)) - {cores.generator})
    lanes: list[Lane] = []
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        for name in (CEILING, *(options.dut or USUAL)):
            progress.step(f"starting: {name}")
            try:
                lanes.append(open_lane(DUTS[name](), spec, cores, load, stack))
            except UnsupportedError as error:
                if name in (CEILING, *options.dut):
                    raise
                left_out[name] = str(error)
                progress.warn(f"{name} is left out: {error}")
        turns = _rounds(lanes, plan, options.rounds, progress)
        settings = _settings(options, spec, plan, cores, lanes[0]) | {"left_out": left_out}
        return [_measured(lane, turns[lane.dut.name]) for lane in lanes], settings


def _rounds(
    lanes: Sequence[Lane], plan: SamplePlan, rounds: int, progress: Progress
) -> dict[str, list[Turn]]:
    turns: dict[str, list[Turn]] = {lane.dut.name: [] for lane in lanes}
    for number in range(rounds):
        for lane in rotated(lanes, number):
            turn = lane.take_turn(plan)
            turns[lane.dut.name].append(turn)
            rates = "  ".join(f"{sample.delivered / 1e6:.3f}" for sample in turn.rate.samples)
            progress.step(f"round {number + 1}/{rounds}  {lane.dut.title:<24} {rates} Mpps")
    return turns


def _measured(lane: Lane, turns: Sequence[Turn]) -> Measured:
    return Measured(lane.dut.name, lane.dut.title, lane.dut.settings, lane.checked, tuple(turns))


def _settings(
    options: argparse.Namespace, spec: PacketSpec, plan: SamplePlan, cores: Cores, lane: Lane
) -> dict[str, Any]:
    return {
        "rounds": options.rounds,
        "plan": asdict(plan),
        "flows": options.flows,
        "wire_bytes": spec.size,
        "frame_bytes": spec.size - FCS,
        "cores": asdict(cores),
        "generator": lane.generator_settings,
        "load_average": list(os.getloadavg()),
    }


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.05 <= seconds <= 10:
        raise argparse.ArgumentTypeError(f"{seconds:g} is not within 0.05 to 10 seconds")
    return seconds


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line. Ends the process, as argparse does, when it is wrong."""
    first_line = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(
        prog="python -m lab.bench.smoke", description=first_line.partition(":")[0]
    )
    names = sorted(set(DUTS) - {CEILING})
    add = parser.add_argument
    add("--json", action="store_true", help="one document on standard output")
    add("--rounds", type=_at_least_one, default=5, help="turns of each datapath (default 5)")
    add("--sample", type=_seconds, default=0.4, help="seconds a sample (default 0.4)")
    add("--samples", type=_at_least_one, default=3, help="samples kept a turn (default 3)")
    add("--flows", type=int, choices=(1, 1000), default=1, help="UDP flows, sent in turn (default 1)")
    batch_help = f"frames of a generator's round (default {BATCH})"
    add("--batch", type=int, choices=range(1, 257), default=BATCH, metavar="1..256", help=batch_help)
    dut_help = f"measure only these; repeatable: {', '.join(names)}"
    add("--dut", action="append", choices=names, metavar="NAME", help=dut_help)
    options = parser.parse_args(arguments)
    options.dut = list(dict.fromkeys(options.dut or ()))
    return options


def _run(options: argparse.Namespace) -> None:
    progress = Progress()
    cores = choose_cores(sorted(os.sched_getaffinity(0)))
    machine = facts.collect()
    rooms.private_files()
    duts, settings = measure(options, cores, progress)
    outcome: Outcome = judge(duts, settings["left_out"])
    if options.json:
        print(json.dumps(document(outcome, machine, settings), indent=1))
    else:
        report.show(outcome, machine, settings, Console())


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when measuring went well, whatever the figures; 1 with the error on stderr; 128 +
    signal.
    """
    options = parse(arguments)
    try:
        with interrupted_once(), alone():
            _run(options)
    except (LabError, LoaderError) as error:
        print(error, file=sys.stderr)
        return 1
    except Interrupted as stop:
        print("stopped; nothing is left", file=sys.stderr)
        return stop.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
