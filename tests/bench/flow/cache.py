"""Rows 1 to 3: what hits in the caches, and in the classifier, cost.

Both sides: packets come out of memory, each copied into a buffer of the pool; it is extracted, looked up,
dropped, and its buffer goes back. Ours besides: without the copy, sent to a port that only counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.bench.flow import callgrind, micro, packets, programs
from tests.bench.flow.context import Run
from tests.bench.flow.peer import DAEMON, NoPeerError, Peer, PmdStats
from tests.bench.flow.result import Limit, Row, ratios, spread

EMC_RULES = [
    "priority=1,udp,tp_dst=80,actions=drop"
]  # With a port in it: else there is a way past the cache.
OURS = ("emc_hit_udp", "emc_hit_1000_flows", "emc_drop", "emc_drop_1000_flows")
STAGE = 0.99  # Share of the peer's packets that must have been served by the stage that is measured.
Sample = dict[str, dict[str, float]]


def _sample(run: Run, program: Path, benches: Sequence[str]) -> Sample:
    words = [str(program), str(run.plan.samples), str(micro.ROUNDS), *benches]
    return {line["bench"]: line for line in map(json.loads, programs.output(words))}


def _frames(program: Path, bench: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in programs.output([str(program), "frames", bench])]


def _pcap(run: Run, program: Path, bench: str) -> Path:
    return packets.write_pcap(run.folder / f"{bench}.pcap", _frames(program, bench))


def _turn(run: Run, peer: Peer, stage: str) -> PmdStats:
    found = peer.measure(run.plan.peer_seconds)
    hits = getattr(found, stage)
    if hits < STAGE * found.packets or not found.packets:
        raise NoPeerError(f"its packets are not served by {stage}: {found}")
    return found


def _ns(samples: Sequence[Sample], bench: str) -> tuple[float, ...]:
    return tuple(sample[bench]["ns"] for sample in samples)


def emc_rows(run: Run) -> list[Row]:
    """Hits in the exact match cache: one flow, and a thousand."""
    program = micro.build()
    if run.peer:
        run.peer.configure(emc_insert_inv_prob="1")
        run.peer.replace_flows(EMC_RULES)
    theirs: dict[str, list[PmdStats]] = {}
    samples: list[Sample] = []
    for bench in ("emc_drop", "emc_drop_1000_flows"):
        if run.peer:
            run.peer.replay(_pcap(run, program, bench))
            run.peer.measure(0.5)  # Learns.
        found = run.rounds(bench, lambda: _sample(run, program, OURS), lambda peer: _turn(run, peer, "emc"))
        samples += found[0]
        theirs[bench] = found[1]
    peer_one, peer_many = (tuple(each.ns for each in theirs[bench]) for bench in theirs)
    return [_hit_row(run, samples, peer_one), _many_row(run, samples, peer_one, peer_many)]


def _hit_row(run: Run, samples: Sequence[Sample], peer: tuple[float, ...]) -> Row:
    bare, whole = _ns(samples, "emc_hit_udp"), _ns(samples, "emc_drop")
    why = f"with a copy of each packet, as Open vSwitch's port makes one: {spread(whole)} ns"
    limit = Limit("<=", 60, "ns a packet")
    return Row("EMC hit, extract to actions", "ns", limit, bare, peer, why=why, no_peer=run.no_peer)


def _many_row(
    run: Run, samples: Sequence[Sample], peer_one: tuple[float, ...], peer_many: tuple[float, ...]
) -> Row:
    ours = ratios(_ns(samples, "emc_drop"), _ns(samples, "emc_drop_1000_flows"))
    bare = ratios(_ns(samples, "emc_hit_udp"), _ns(samples, "emc_hit_1000_flows"))
    why = f"packets copied; without the copy: {spread(bare)}"
    what = "1,000 flows with random addresses against one"
    peer = ratios(peer_one, peer_many)
    return Row(
        what, "of the rate", Limit(">=", 0.95, "of the rate"), ours, peer, why=why, no_peer=run.no_peer
    )


def subtable_rows(run: Run) -> list[Row]:
    """Hits in the classifier, the cache switched off."""
    program = micro.build()
    frames = _frames(program, "megaflow_drop_20")
    if run.peer:
        run.peer.stop_replay()
        run.peer.configure(emc_insert_inv_prob="0")
        run.peer.replace_flows(packets.subtable_rules(frames))
        run.peer.replay(packets.write_pcap(run.folder / "subtables.pcap", frames))
        run.peer.measure(1.5)  # Its subtables are ranked once a second.
    ours, theirs = run.rounds(
        "20 subtables",
        lambda: _sample(run, program, ("megaflow_drop_20", "dpcls_20")),
        lambda peer: _turn(run, peer, "megaflow"),
    )
    lookup = tuple(1e3 / ns for ns in _ns(ours, "dpcls_20"))
    whole = tuple(1e3 / ns for ns in _ns(ours, "megaflow_drop_20"))
    peer = tuple(1e3 / each.ns for each in theirs)
    searched = f"{ours[-1]['megaflow_drop_20']['subtables_per_lookup']:.1f} subtables a lookup"
    if theirs:
        searched += f", Open vSwitch {theirs[-1].subtables:.1f}"
    what = "megaflow hit with 20 subtables"
    why = f"the lookup alone, in batches of 32; {searched}"
    million = Limit(">=", 10, "M lookups/s")
    why_ratio = f"the whole way, from the copy of a packet to its drop; {searched}"
    return [
        Row(f"{what}: lookups of a core", "M/s", million, lookup, why=why),
        Row(
            f"{what}: against Open vSwitch",
            "Mpps",
            Limit(">=", 1.5, "× its rate"),
            whole,
            peer,
            ratios(whole, peer),
            why=why_ratio,
            no_peer=run.no_peer,
        ),
    ]


def instruction_row(run: Run) -> Row:
    """Instructions of a packet that hits the cache, of the whole way on both sides."""
    program = micro.build()
    run.progress.step("instructions of ours, under callgrind")
    own = [micro.instructions(program, bench) for bench in ("emc_drop", "emc_hit_udp")]
    what, limit = "EMC hit, instructions", Limit("<", None, "instructions a packet")
    ours = tuple(each for each in own[:1] if each is not None)
    if not ours:
        return Row(what, "", limit, no_peer="valgrind is not installed")
    if run.no_peer or not run.plan.peer_instructions:
        return Row(what, "", limit, ours, no_peer=run.no_peer or "left out by --quick")
    run.progress.step("instructions of Open vSwitch, under callgrind")
    try:
        folder = run.folder / "callgrind"
        folder.mkdir()
        found = callgrind.measure(folder, _pcap(run, program, "emc_drop"), EMC_RULES)
    except NoPeerError as error:
        return Row(what, "", limit, ours, no_peer=str(error))
    why = (
        f"the whole of ours, with the copy of each packet (without: {own[1]:.0f}), against the object"
        f" {DAEMON.name} alone, without DPDK's driver ({found.driver:.0f}) and the C library:"
        f" all together {found.total:.0f}; {found.packets:,} packets"
    )
    return Row(what, "", limit, ours, (found.daemon,), why=why)
