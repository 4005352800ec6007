"""Row 6: one rule changes, under 102,919 rules and 10,000 megaflows, while packets are forwarded."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.flow import packets, programs
from tests.bench.flow.context import Run
from tests.bench.flow.misses import Load
from tests.bench.flow.peer import Peer
from tests.bench.flow.result import Limit, Row, ratios, spread
from tests.differential import ovn

MEGAFLOWS = 10_000
RATE = 10_000  # Packets a second.
DISTURBED = 0.2  # Share of a window's packets that may have waited for a PMD that had lost its core.
REVALIDATION = re.compile(r"dump duration : (\d+)ms")


@dataclass(frozen=True)
class Changes:
    """What change_bench said."""

    changes: list[dict[str, Any]]
    quiet: list[dict[str, Any]]  # Windows without changes.
    changing: list[dict[str, Any]]
    end: dict[str, Any]

    @property
    def lost(self) -> int:
        """Packets that never came, and packets that were dropped under a name."""
        return int(sum(window["lost"] for window in self.quiet + self.changing) + self.end["drops"])

    def by_weight(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Changes after which half of the megaflows or more were translated again, and the others."""
        half = self.end["megaflows"] / 2
        heavy = [each for each in self.changes if each["revalidated"] + each["killed"] >= half]
        return heavy, [each for each in self.changes if each not in heavy]

    def disturbed(self) -> float:
        """The largest share, of all windows, of packets that say nothing."""
        shares = [w["disturbed"] / max(1, w["packets"] + w["disturbed"]) for w in self.quiet + self.changing]
        return float(max(shares))

    def p99(self, windows: Sequence[dict[str, Any]]) -> tuple[float, ...]:
        """Of each window, µs."""
        return tuple(float(window["p99_us"]) for window in windows)


def parse(lines: Sequence[str]) -> Changes:
    """Raises ProgramError when a part is missing."""
    found = [json.loads(line) for line in lines]
    windows = [each for each in found if each["kind"] == "window"]
    ends = [each for each in found if each["kind"] == "end"]
    changes = [each for each in found if each["kind"] == "change"]
    if not ends or not windows or not changes:
        raise programs.ProgramError("change_bench: it ended early")
    quiet = [each for each in windows if each["changes"] == 0]
    return Changes(changes, quiet, [each for each in windows if each["changes"]], ends[0])


def _ours(run: Run, load: Load) -> Changes:
    program = programs.build("change_bench")
    numbers = [str(n) for n in (MEGAFLOWS, run.plan.windows, run.plan.changes, RATE)]
    words = [str(program), str(load.rules), ovn.TLV_MAP, str(load.frames), *numbers, *packets.passing_rules()]
    return parse(programs.output(words, seconds=200))


def _slowest_dump(peer: Peer, seconds: float) -> float:
    """ms of the longest walk over all megaflows within a time; regular ones, without a change, are short."""
    longest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        found = REVALIDATION.search(peer.control.call("upcall/show"))
        longest = max(longest, float(found[1]) if found else 0.0)
        time.sleep(0.01)
    return longest


def _theirs(run: Run, load: Load, peer: Peer) -> list[float]:
    """The peer has the pipeline loaded."""
    peer.replay(packets.write_pcap(run.folder / "changes.pcap", load.missing()[:MEGAFLOWS]), load.in_port)
    peer.control.call("revalidator/purge")
    time.sleep(1.0)
    rule = packets.passing_rules()[1]
    found = []
    for _ in range(run.plan.windows):
        peer.ofctl("add-flow", rule)
        found.append(_slowest_dump(peer, 1.0))
        peer.ofctl("del-flows", "--strict", rule.rpartition(",actions=")[0])
        time.sleep(0.6)  # A regular dump is the last one then.
    peer.stop_replay()
    return found


def rows(run: Run, load: Load) -> list[Row]:
    """The peer has the pipeline loaded. It stands still while ours is measured."""
    theirs: list[float] = []
    if run.peer:
        run.progress.step("changes: Open vSwitch's revalidation")
        theirs = _theirs(run, load, run.peer)
    run.progress.step("changes: ours, windows without and with them in turns")
    if run.peer:
        with run.peer.paused():
            found = _ours(run, load)
    else:
        found = _ours(run, load)
    return [_time_row(run, found, theirs), *_forwarding_rows(found)]


def _time_row(run: Run, found: Changes, theirs: Sequence[float]) -> Row:
    heavy, light = found.by_weight()
    why = (
        f"CPU time of the revalidator where nearly all of {found.end['megaflows']:,} megaflows must be"
        f" translated again (true everywhere after {_ms(heavy, 'true_after_us')} ms), under"
        f" {found.end['rules']:,} rules; where the rule can concern few or none of them:"
        f" {_ms(light, 'cpu_us')} ms; Open vSwitch: the longest dump after it"
    )
    ours = tuple(each["cpu_us"] / 1e3 for each in heavy)
    limit = Limit("<=", 100, "ms")
    return Row(
        "change of one rule: revalidation", "ms", limit, ours, tuple(theirs), why=why, no_peer=run.no_peer
    )


def _ms(changes: Sequence[dict[str, Any]], name: str) -> str:
    return spread([each[name] / 1e3 for each in changes]) if changes else "–"


def _forwarding_rows(found: Changes) -> list[Row]:
    quiet, changing = found.p99(found.quiet), found.p99(found.changing)
    n = sum(window["packets"] + window["disturbed"] for window in found.quiet + found.changing)
    share = found.disturbed()
    unknown = None
    if share > DISTURBED:
        unknown = f"others took the PMD's core during {share:.0%} of a window's packets"
    why = (
        f"P99 {spread(changing)} µs during {len(found.changes)} changes, {spread(quiet)} µs without;"
        f" packets left out because others had the PMD's core: at most {share:.1%} of a window"
    )
    lost = Limit("<=", 0, "packets lost")
    return [
        Row(
            "change of one rule: packets lost",
            "",
            lost,
            (float(found.lost),),
            why=f"of {n:,}, {RATE:,} a second",
        ),
        Row(
            "change of one rule: P99 latency",
            "× without",
            Limit("<", 2, "× without changes"),
            ratios(changing, quiet),
            why=why,
            unknown=unknown,
        ),
    ]
