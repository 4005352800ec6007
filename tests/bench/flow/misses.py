"""Row 4: a miss. The whole production pipeline is translated, the megaflow installed, the packet sent.

Both sides: CPU time of the thread over the packets, each of which misses: rx, extraction, lookups in vain,
translation, installation, actions, tx to a dummy port.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.flow import packets, programs
from tests.bench.flow.context import Run
from tests.bench.flow.peer import NoPeerError, Peer
from tests.bench.flow.result import Limit, Row, ratios
from tests.differential import ovn

CANDIDATES = 16_000
UPCALLS_MIN = 500  # That a turn of the peer must have had.
MISS = 0.98  # Share of its packets that must have been upcalls.
PEER_SECONDS = 0.1  # Its turn: before the file of packets begins anew.
LIMIT = "200000"
FOREVER_MS = "3600000"


@dataclass(frozen=True)
class Load:
    """The pipeline's files: rules, packets that come in on one port, and which of them miss in turn."""

    rules: Path
    frames: Path
    kept: Path
    in_port: int
    all_frames: list[bytes]

    def missing(self) -> list[bytes]:
        """The frames that make a megaflow each; known once miss_bench is ready."""
        return [self.all_frames[int(line)] for line in self.kept.read_text().split()]


def prepare(folder: Path) -> Load:
    """Writes the files."""
    rules = folder / "pipeline.txt"
    rules.write_text("\n".join(ovn.rules_without_tracking()) + "\n")
    in_port, frames = packets.pipeline_frames(CANDIDATES)
    path = packets.write_lines(folder / "frames.txt", in_port, frames)
    return Load(rules, path, folder / "kept.txt", in_port, frames)


@contextmanager
def _ours(load: Load) -> Iterator[subprocess.Popen[str]]:
    program = programs.build("miss_bench")
    words = [str(program), str(load.rules), ovn.TLV_MAP, str(load.frames), str(load.kept)]
    with programs.started(words) as child:
        assert child.stdout is not None and child.stderr is not None
        if child.stdout.readline() != "ready\n":
            raise programs.ProgramError(f"miss_bench: {child.stderr.read().strip()[-300:]}")
        yield child


def _round(child: subprocess.Popen[str]) -> dict[str, Any]:
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    found: dict[str, Any] = json.loads(child.stdout.readline())
    if not found["upcalls"] == found["megaflows"] == found["packets"]:
        raise programs.ProgramError(f"miss_bench: not every packet was a miss that was installed: {found}")
    return found


def load_peer(run: Run, load: Load) -> list[Row]:
    """Rules and ports of the pipeline. No rows."""
    if run.peer is None:
        return []
    run.progress.step("Open vSwitch loads the pipeline")
    run.peer.stop_replay()
    run.peer.add_sinks([port for port in range(1, ovn.N_PORTS + 1) if port != load.in_port])
    run.peer.add_tlv_map(ovn.TLV_MAP)
    run.peer.replace_flows(ovn.rules_without_tracking())
    run.peer.configure(max_idle=FOREVER_MS)
    run.peer.control.call("upcall/set-flow-limit", LIMIT)
    return []


def _peer_round(peer: Peer) -> float:
    """Nanoseconds a packet."""
    peer.control.call("revalidator/purge")
    found = peer.clear_and_count(PEER_SECONDS)
    if found.upcalls < UPCALLS_MIN or found.upcalls < MISS * found.packets:
        raise NoPeerError(f"its packets are no misses: {found}")
    return found.ns


def rows(run: Run, load: Load) -> list[Row]:
    """The peer has the pipeline loaded."""
    with _ours(load) as child:
        if run.peer:
            run.peer.replay(packets.write_pcap(run.folder / "misses.pcap", load.missing()), load.in_port)
        ours, theirs = run.rounds("misses", lambda: _round(child), _peer_round)
    rate = tuple(1e9 / each["ns"] for each in ours)
    peer = tuple(1e9 / ns for ns in theirs)
    what = "miss: the whole pipeline, megaflow installed"
    why = f"{ours[0]['packets']:,} packets, each an upcall and a megaflow"
    return [
        Row(what, "/s", Limit(">=", 100_000, "/s"), rate, peer, why=why, no_peer=run.no_peer),
        Row(
            "miss: against Open vSwitch",
            "/s",
            Limit(">=", 2, "× its rate"),
            rate,
            peer,
            ratios(rate, peer),
            no_peer=run.no_peer,
        ),
    ]
