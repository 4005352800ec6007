"""Row 5: the production rule set, loaded. Time from decoded form, and what it adds to the resident memory."""

from __future__ import annotations

import os
import re
import select
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.flow import programs
from tests.bench.flow.context import Run
from tests.bench.flow.result import Limit, Row
from tests.bench.flow.sched import prefer
from tests.differential import ovn, ovs

MEGA = 1e6


@dataclass(frozen=True)
class Loading:
    """Seconds of CPU time, and megabytes."""

    seconds: float
    resident: float
    rules: int


def parse(lines: list[str]) -> Loading:
    """What classifier_bench says."""
    found = {
        words[0]: float(words[1]) for words in map(str.split, lines) if len(words) > 1 and words[1] != "-nan"
    }
    return Loading(found["load_time"], found["resident"], int(found["load_rules"]))


def _ours(run: Run, rules: Path) -> Loading:
    nothing = run.folder / "nothing.txt"
    nothing.touch()
    program = programs.build("classifier_bench")
    return parse(programs.output([str(program), str(rules), str(nothing), ovn.TLV_MAP]))


def _resident(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 / MEGA if found else 0.0


def _cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _peer() -> Loading:
    """A fresh ovs-vswitchd with dummy ports. The time is its own, not that of ovs-ofctl, which parses."""
    with tempfile.TemporaryDirectory(prefix="rs-bench-load-", ignore_cleanup_errors=True) as folder:
        with ovs.open_vswitch(Path(folder), 0) as switch:
            pid = int((Path(folder) / "ovs-vswitchd.pid").read_text())
            prefer(pid)
            switch.add_ports(1, ovn.N_PORTS)
            switch.add_tlv_map(ovn.TLV_MAP)
            seconds, resident = _cpu_seconds(pid), _resident(pid)
            switch.load_flows(ovn.rules())
            time.sleep(0.2)  # What it still does then.
            found = Loading(_cpu_seconds(pid) - seconds, _resident(pid) - resident, len(ovn.rules()))
            handle = os.pidfd_open(pid)
        select.select([handle], [], [], 10)  # Until then it writes into the folder.
        os.close(handle)
    return found


def why_not() -> str | None:
    """What is missing for the peer."""
    try:
        ovs.tool("ovs-vswitchd")
    except AssertionError as error:
        return str(error)
    return None


def rows(run: Run) -> list[Row]:
    """The peer of this row is Debian's ordinary daemon, without DPDK."""
    rules = run.folder / "rules.txt"
    rules.write_text("\n".join(ovn.rules()) + "\n")
    no_peer = why_not()
    run.progress.step("loading: ours")
    ours = [_ours(run, rules) for _ in range(run.plan.rounds)]
    theirs = []
    for number in range(run.plan.loads if no_peer is None else 0):
        run.progress.step(f"loading: Open vSwitch, {number + 1}/{run.plan.loads}")
        theirs.append(_peer())
    what = f"loading {ours[0].rules:,} rules"
    return [
        Row(
            f"{what}: time",
            "s",
            Limit("<=", 1, "s"),
            tuple(each.seconds for each in ours),
            tuple(each.seconds for each in theirs),
            why="CPU time from decoded form; of Open vSwitch's daemon, from a bundle's messages",
            no_peer=no_peer,
        ),
        Row(
            f"{what}: resident memory added",
            "MB",
            Limit("<=", None, "MB"),
            tuple(each.resident for each in ours),
            tuple(each.resident for each in theirs),
            no_peer=no_peer,
        ),
    ]
