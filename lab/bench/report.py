"""The tables that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lab.bench.result import CEILING, UNDISTURBED, Measured, Outcome, Ratio
from lab.measure.stats import Summary


def show(outcome: Outcome, facts: Mapping[str, Any], settings: Mapping[str, Any], console: Console) -> None:
    """Prints figures, ratios, and what they hold for."""
    console.print(_figures(outcome))
    if outcome.ratios:
        console.print(_ratios(outcome))
    for verdict in outcome.verdicts:
        if verdict.holds is None:
            console.print(f"could not tell: {verdict.row}: {verdict.why}", style="yellow", markup=False)
    console.print(_circumstances(outcome, facts, settings), style="dim", markup=False, highlight=False)


def _figures(outcome: Outcome) -> Table:
    table = _table("64-byte packets, veth → datapath → veth, Mpps")
    table.add_column("datapath")
    for name in ("median", "p90", "min – max", "n", "core", "checks"):
        table.add_column(name, justify="right", no_wrap=True)
    for dut in outcome.duts:
        found = dut.summary()
        table.add_row(
            dut.title,
            _mega(found.median),
            _mega(found.p90),
            f"{_mega(found.low)} – {_mega(found.high)}",
            str(found.n),
            _share(dut),
            "–" if dut.name == CEILING else _agreement(dut),
            end_section=dut.name == CEILING,
        )
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)


def _ratios(outcome: Outcome) -> Table:
    table = _table("Ratios, formed per round: median (min – max)")
    table.add_column("datapath / yardstick")
    table.add_column("of the rates", justify="right", no_wrap=True)
    table.add_column("per core second", justify="right", no_wrap=True)
    titles = {dut.name: dut.title for dut in outcome.duts}
    for ratio in outcome.ratios:
        table.add_row(_ratio_title(ratio, titles), _spread(ratio.summary), _spread(ratio.per_core_summary))
    return table


def _ratio_title(ratio: Ratio, titles: Mapping[str, str]) -> str:
    return f"{titles[ratio.above]} / {titles[ratio.below]}"


def _circumstances(outcome: Outcome, facts: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    plan, cores, flows = settings["plan"], settings["cores"], settings["flows"]
    virtual = ", virtual machine" if facts["cpu"]["hypervisor"] else ""
    lines = [
        f"{settings['rounds']} rounds, order rotating; a turn: {plan['discard']} sample discarded, then"
        f" {plan['count']} of {plan['seconds']:g} s; {flows} flow{'s' if flows > 1 else ''};"
        f" {settings['wire_bytes']} bytes: {settings['frame_bytes']} and a wire's FCS of 4",
        f"generator on core {cores['generator']} (SCHED_FIFO, batch {settings['generator']['batch']}),"
        f" datapath on core {cores['dut']}; kernel {facts['kernel']['release']},"
        f" {facts['cpu']['model']}, {facts['cpu']['online']} cores{virtual}",
        "checks: packets arrive as sent, byte for byte; the datapath's counters and the sink's agree",
        "the load is an overload: what a datapath cannot take is dropped in front of it",
    ]
    shares = [share for dut in outcome.duts for share in dut.core_shares()]
    if shares and min(shares) < UNDISTURBED:
        lines.append(
            f"core: share of its core that the datapath had. Others ran there (least {min(shares):.0%}),"
            " so compare per core second, or run again on a quiet machine"
        )
    return "\n".join(lines)


def _share(dut: Measured) -> str:
    shares = dut.core_shares()
    return f"{sum(shares) / len(shares):.0%}" if shares else "–"


def _agreement(dut: Measured) -> str:
    return "ok" if not dut.unexplained else f"{dut.unexplained} off"


def _mega(rate: float) -> str:
    return f"{rate / 1e6:.3f}"


def _spread(found: Summary | None) -> str:
    return f"{found.median:.2f} ({found.low:.2f} – {found.high:.2f})" if found else "–"
