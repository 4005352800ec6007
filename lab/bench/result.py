"""What came out of a run: figures for each datapath, ratios, verdicts, and the document that holds them
all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lab.bench.lane import Turn
from lab.measure.stats import Summary, ratios_by_round, summarize
from lab.measure.verdict import Verdict

FORMAT = 1
HEADROOM = (
    1.5  # the generator must be able to do this much more than the quickest datapath, or it was measured
)
UNDISTURBED = 0.9  # share of its core that a busy datapath has when nothing else runs there
REACH = "printed, with spread (the issue asks no threshold)"
CEILING = "ceiling"
YARDSTICKS = ("plain", "bridge", "bridge-inline", "ovs-afxdp")


@dataclass(frozen=True)
class Measured:
    """One datapath's turns, a round each, and what is told about it."""

    name: str
    title: str
    settings: Mapping[str, object]
    checked: int
    turns: tuple[Turn, ...]

    def rates(self) -> list[list[float]]:
        """Delivered packets a second, for each round the samples that count."""
        return [[sample.delivered for sample in turn.rate.samples] for turn in self.turns]

    def rates_per_core_second(self) -> list[list[float]]:
        """The same for each second that the datapath's thread had a core; rounds are empty where it has
        none.
        """
        return [
            [rate for s in turn.rate.samples if (rate := s.per_core_second) is not None]
            for turn in self.turns
        ]

    def core_shares(self) -> list[float]:
        """Share of its core that its thread had, sample by sample."""
        return [s.core_share for turn in self.turns for s in turn.rate.samples if s.core_share is not None]

    def summary(self) -> Summary:
        """Of all samples of all rounds, packets a second."""
        return summarize([rate for turn in self.rates() for rate in turn])

    @property
    def unexplained(self) -> int:
        """Packets sent by its own count that neither arrived nor were counted as dropped, over all turns."""
        return sum(abs(turn.unexplained) for turn in self.turns)


@dataclass(frozen=True)
class Ratio:
    """One datapath over another, formed per round. `per_core` compares packets for each second of core
    time.
    """

    above: str
    below: str
    rounds: tuple[float, ...]
    per_core: tuple[float, ...]
    missing: int

    @property
    def summary(self) -> Summary | None:
        """Over the rounds; None when no round has a ratio."""
        return summarize(self.rounds) if self.rounds else None

    @property
    def per_core_summary(self) -> Summary | None:
        """As `summary`, per core time; None where one of the two has no thread of its own."""
        return summarize(self.per_core) if self.per_core else None


@dataclass(frozen=True)
class Outcome:
    """A whole run."""

    duts: tuple[Measured, ...]
    ratios: tuple[Ratio, ...]
    verdicts: tuple[Verdict, ...]


def judge(duts: Sequence[Measured], left_out: Mapping[str, str]) -> Outcome:
    """Forms the ratios of our switch's rows to each yardstick present, and a verdict for each.

    A datapath that was left out, with the reason, gets a verdict that could not be reached.
    """
    known = {dut.name: dut for dut in duts}
    ours = [dut for dut in duts if dut.name.startswith("ringside")]
    pairs = [(dut, known[name]) for dut in ours for name in YARDSTICKS if name in known]
    ratios = tuple(_ratio(above, below) for above, below in pairs)
    verdicts = tuple(
        _verdict(ratio, above, below, known.get(CEILING))
        for ratio, (above, below) in zip(ratios, pairs, strict=True)
    )
    absent = tuple(
        Verdict(name, None, "ratio", REACH, None, f"left out: {why}") for name, why in left_out.items()
    )
    return Outcome(tuple(duts), ratios, verdicts + absent)


def _ratio(above: Measured, below: Measured) -> Ratio:
    rounds, missing = ratios_by_round(above.rates(), below.rates())
    per_core, _ = ratios_by_round(above.rates_per_core_second(), below.rates_per_core_second())
    return Ratio(above.name, below.name, tuple(rounds), tuple(per_core), missing)


def _verdict(ratio: Ratio, above: Measured, below: Measured, ceiling: Measured | None) -> Verdict:
    doubts = [*_doubts(above, ceiling), *_doubts(below, ceiling)]
    if ratio.missing:
        doubts.append(f"{ratio.missing} rounds have no ratio")
    row, found = f"{above.title} / {below.title}", ratio.summary
    if found is None:
        return Verdict(row, None, "ratio", REACH, None, "; ".join(doubts) or "no round was measured")
    why = f"median of {found.n} rounds, each the ratio of medians; spread {found.low:.2f} to {found.high:.2f}"
    core = ratio.per_core_summary
    if core:
        why += f"; for each second of core time {core.median:.2f} ({core.low:.2f} to {core.high:.2f})"
    return Verdict(
        row, round(found.median, 3), "ratio", REACH, None if doubts else True, "; ".join([why, *doubts])
    )


def _doubts(dut: Measured, ceiling: Measured | None) -> list[str]:
    """Reasons not to believe a datapath's figures."""
    doubts = []
    if not dut.checked:
        doubts.append(f"{dut.title}: content not checked")
    if dut.core_shares() and min(dut.core_shares()) < UNDISTURBED:
        doubts.append(f"{dut.title}: had its core for as little as {min(dut.core_shares()):.0%} of a sample")
    if dut.unexplained:
        doubts.append(
            f"{dut.title}: {dut.unexplained} packets unexplained between its counters and the sink's"
        )
    if ceiling is None:
        doubts.append("the generator's ceiling was not measured")
    elif ceiling.summary().median < HEADROOM * dut.summary().median and dut.name != "bridge-inline":
        doubts.append(f"{dut.title}: the generator's ceiling is less than {HEADROOM} times its rate")
    return doubts


def document(outcome: Outcome, facts: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Everything as one document for JSON; rates in packets a second."""
    return {
        "format": FORMAT,
        "verdicts": [verdict.as_dict() for verdict in outcome.verdicts],
        "duts": {dut.name: _dut_document(dut) for dut in outcome.duts},
        "ratios": [_ratio_document(ratio) for ratio in outcome.ratios],
        "settings": dict(settings),
        "facts": dict(facts),
    }


def _dut_document(dut: Measured) -> dict[str, Any]:
    return {
        "title": dut.title,
        "settings": dict(dut.settings),
        "summary_pps": asdict(dut.summary()),
        "content_checked_packets": dut.checked,
        "unexplained_packets": dut.unexplained,
        "turns": [asdict(turn) | {"unexplained": turn.unexplained} for turn in dut.turns],
    }


def _ratio_document(ratio: Ratio) -> dict[str, Any]:
    found, core = ratio.summary, ratio.per_core_summary
    return asdict(ratio) | {
        "summary": asdict(found) if found else None,
        "per_core_summary": asdict(core) if core else None,
    }
