"""Instructions of the peer's PMD thread for a packet, counted by valgrind's callgrind, by object file.

A virtual machine's performance counters are out of reach as a rule, so the daemon runs under valgrind: as it
is until packets flow and the exact match cache has learned them, then counted for a few seconds. How many
packets that were, callgrind says too: the pcap driver's rx function was called so many times, and gives a
full batch of 32 each time.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.flow.peer import DAEMON, SMALL_MB, NoPeerError, Peer, PmdStats, peer

BATCH = 32
PACKETS_MIN = 10_000
DRIVER = "librte_net_pcap"
_OBJECT = re.compile(r"(c?)ob=\((\d+)\)(?: (.*))?$")
_COST = re.compile(r"[+\-*\d]\S* (\d+)$")


@dataclass
class Profile:
    """What one thread executed: instructions by object file, and calls into each from others."""

    instructions: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)


def parse(lines: Iterable[str]) -> Profile:
    """A callgrind output file of one thread. Instructions of a called function are its own."""
    found = Profile()
    names: dict[str, str] = {}
    here = callee = ""
    called = False  # The next line of costs is of what was called.
    for raw in lines:
        line = raw.rstrip("\n")
        if match := _OBJECT.match(line):
            of_callee, number, name = match.groups()
            names.setdefault(number, name or "")
            if of_callee:
                callee = names[number]
            else:
                here = callee = names[number]
        elif line.startswith("fn="):
            callee = here
        elif line.startswith("calls="):
            if callee != here:
                found.calls[callee] += int(line.removeprefix("calls=").split()[0])
            called = True
        elif match := _COST.match(line):
            if not called:
                found.instructions[here] += int(match[1])
            else:
                callee = here
            called = False
    return found


@dataclass(frozen=True)
class PeerInstructions:
    """A packet's instructions: the daemon's own, the driver's, those of all objects together."""

    daemon: float
    driver: float
    total: float
    packets: int


def per_packet(profile: Profile) -> PeerInstructions:
    """Raises NoPeerError when the profile is not of a PMD that received packets."""
    packets = BATCH * sum(n for name, n in profile.calls.items() if DRIVER in name)
    if packets < PACKETS_MIN:
        raise NoPeerError(f"callgrind saw {packets} packets only")

    def share(part: str) -> float:
        return sum(n for name, n in profile.instructions.items() if part in name) / packets

    return PeerInstructions(
        share(DAEMON.name), share(DRIVER), profile.instructions.total() / packets, packets
    )


def why_not() -> str | None:
    """What is missing, None if nothing is."""
    for program in ("valgrind", "callgrind_control"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    free = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    if free and int(free[1]) < SMALL_MB * 1024:
        return f"{int(free[1]) // 1024} MB of memory are free, {SMALL_MB} are needed"
    return None


def _under(run: Path) -> list[str]:
    options = ["--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes", "--fair-sched=try"]
    return ["valgrind", *options, f"--callgrind-out-file={run}/callgrind.%p"]


def _switch_counting(pid: int, on: bool) -> None:
    words = ["callgrind_control", "-i", "on" if on else "off", str(pid)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if done.returncode or "OK" not in done.stdout:
        raise NoPeerError(f"callgrind_control: {(done.stderr or done.stdout).strip()[-200:]}")


def _count(found: Peer, pcap: Path, rules: list[str], seconds: float) -> PmdStats:
    found.configure(emc_insert_inv_prob="1")
    found.replace_flows(rules)
    found.replay(pcap)
    warm = found.measure(1.0, settle=1.0)
    if warm.emc < 0.99 * warm.packets or not warm.packets:
        raise NoPeerError(f"packets miss the exact match cache: {warm}")
    _switch_counting(found.pid, True)
    time.sleep(seconds)
    _switch_counting(found.pid, False)
    return warm


def measure(run: Path, pcap: Path, rules: list[str], seconds: float = 2.0) -> PeerInstructions:
    """What a packet of the file costs that hits the exact match cache. Raises NoPeerError."""
    reason = why_not()
    if reason is not None:
        raise NoPeerError(reason)
    with peer(run, _under(run)) as found:
        _count(found, pcap, rules, seconds)
    # The daemon has ended, so each of its threads has written a file. The PMD's is the one that works.
    profiles = [parse(path.read_text().splitlines()) for path in run.glob("callgrind.*-*")]
    return per_packet(max(profiles, key=lambda each: each.instructions.total(), default=Profile()))
