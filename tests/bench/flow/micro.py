"""The datapath alone: what extraction, a cache hit and a lookup cost a packet.

    python -m tests.bench.flow.micro [--samples N] [--no-instructions] [BENCH ...]

Builds flow_bench.c with the objects of the ordinary build and prints one JSON line for each bench.
Nanoseconds are the thread's own CPU time, median of many short samples taken in turns. Instructions are
counted by valgrind's callgrind, for machines whose counters are out of reach; they include the stubs for rx
and tx (about 35) and are null where valgrind is missing.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.flow import programs

BENCHES = (
    "extract_udp",
    "extract_tcp",
    "extract_vlan",
    "extract_ipv6",
    "emc_hit_udp",
    "emc_hit_tcp",
    "emc_hit_1000_flows",
    "emc_drop",
    "emc_drop_1000_flows",
    "megaflow_hit_20",
    "megaflow_drop_20",
    "dpcls_20",
)
ROUNDS = 10  # A sample is a fraction of a millisecond.


@dataclass(frozen=True)
class Figure:
    """What a packet costs in one bench. `ns_best`: of the best sample."""

    bench: str
    ns: float
    ns_best: float
    instructions: float | None
    samples: int
    megaflows: int
    subtables_per_lookup: float


def build() -> Path:
    """The program, built as far as that is needed. Raises BuildError with the compiler's words."""
    return programs.build("flow_bench")


def measure(program: Path, samples: int, rounds: int, benches: Sequence[str]) -> list[dict[str, float | str]]:
    """The program's own lines. Raises CalledProcessError when a bench does not do what it is for."""
    words = [str(program), str(samples), str(rounds), *benches]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def instructions(program: Path, bench: str) -> float | None:
    """Instructions a packet; None without valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    with tempfile.TemporaryDirectory(prefix="rs-callgrind-") as directory:
        words = [valgrind, "--tool=callgrind", f"--callgrind-out-file={directory}/out"]
        words += ["--toggle-collect=measure_rounds", str(program), "1", str(ROUNDS), bench]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    assert collected, f"callgrind said nothing: {shlex.join(words)}"
    packets: int = json.loads(done.stdout)["packets"]
    return int(collected[1]) / packets


def figures(samples: int = 300, benches: Sequence[str] = BENCHES, count: bool = True) -> list[Figure]:
    """Everything measured in one run."""
    program = build()
    names = list(Figure.__dataclass_fields__)
    found = []
    for line in measure(program, samples, ROUNDS, benches):
        each = instructions(program, str(line["bench"])) if count else None
        known = {**line, "instructions": None if each is None else round(each, 1)}
        found.append(Figure(**{name: known[name] for name in names}))  # type: ignore[arg-type]
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: one JSON line a bench."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.flow.micro")
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("benches", nargs="*", default=list(BENCHES))
    args = parser.parse_args(argv)
    for figure in figures(args.samples, args.benches, not args.no_instructions):
        print(json.dumps(asdict(figure)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
