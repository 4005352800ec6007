"""Tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lab.host.qdisc import root_arguments
from lab.status import LabStatus, LinkStatus
from lab.topology.model import Impair
from lab.topology.reach import Expect
from lab.topology.units import show_delay, show_rate
from lab.verify import PingResult, Verdict, summary

_WIDE = 130
"""Columns that a table may take; a narrower terminal breaks its lines, and no cell is cut."""


def console() -> Console:
    """Standard output."""
    return Console(highlight=False, width=max(_WIDE, Console().width))


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        right = column.endswith(">")
        table.add_column(
            column.rstrip(">"), justify="right" if right else "left", no_wrap=True, header_style="dim"
        )
    return table


def links(status: LabStatus) -> Table:
    """Every link: ends, mode, queues, zero copy, offload policy, MTU."""
    shown = status.links
    extra = [
        name
        for name, used in (
            ("VLAN", any(one.link.vlan for one in shown)),
            ("impairment", any(any(one.link.impair) for one in shown)),
        )
        if used
    ]
    table = _table(
        "link", "devices", "XDP mode", "queue", "zero copy", "checksums", "MTU>", *extra, "addresses"
    )
    for one in shown:
        mtu = str(one.mtu) if one.mtu is not None else "gone"
        cells = [
            one.link.name,
            " ─ ".join(end.device for end in one.link.ends),
            *_ports(one),
            one.offload,
            mtu,
        ]
        if "VLAN" in extra:
            cells.append(str(one.link.vlan or ""))
        if "impairment" in extra:
            cells.append(_impairments(one))
        cells.append(", ".join(address for end in one.link.ends for address in end.addresses))
        table.add_row(*cells)
    return table


def _ports(one: LinkStatus) -> list[str]:
    """Mode, queues and zero copy of the ends that are ports; both, if they differ."""
    ports = [port for port in one.ports if port is not None]
    if not ports:
        hosts = all(end.is_host for end in one.link.ends)
        return ["veth" if hosts else "not alive", "", ""]
    copies = {None: "–", True: "yes", False: "no"}
    columns = (
        [port.mode for port in ports],
        [",".join(map(str, port.queues)) for port in ports],
        [copies[port.zero_copy] for port in ports],
    )
    return [" / ".join(dict.fromkeys(cells)) for cells in columns]


def _impairments(one: LinkStatus) -> str:
    there, back = (impairment(impair) for impair in one.link.impair)
    if there == back:
        return there
    a, b = (end.node for end in one.link.ends)
    return "; ".join(
        f"{a}→{b}: {text}" if way else f"{b}→{a}: {text}"
        for way, text in ((True, there), (False, back))
        if text
    )


def impairment(impair: Impair | None) -> str:
    """An impairment in words, with the qdisc that does it."""
    if impair is None:
        return ""
    words = []
    if impair.delay_us is not None:
        words.append(f"delay {show_delay(impair.delay_us)}")
    if impair.loss is not None:
        words.append(f"loss {impair.loss:g} %")
    if impair.rate is not None:
        words.append(show_rate(impair.rate))
    return f"{', '.join(words)} ({root_arguments(impair)[0]})"


def notes(status: LabStatus) -> list[str]:
    """Why a port's mode is not a better one: said once for all ports that share the reason."""
    said: dict[str, list[str]] = {}
    for one in status.links:
        for end, port in zip(one.link.ends, one.ports, strict=True):
            for note in port.notes if port else ():
                said.setdefault(note, []).append(f"{end.node}/{end.device}")
    return [f"{', '.join(ports)}: {note}" for note, ports in said.items()]


def nodes(status: LabStatus) -> Table:
    """Every node: kind, namespace, processes."""
    table = _table("node", "kind", "namespace", "alive", "processes")
    for node in status.nodes:
        running = ", ".join(f"{one.name} ({one.pid})" for one in node.processes)
        alive = Text("yes") if node.alive else Text("NO", style="bold red")
        table.add_row(node.name, node.kind, node.netns, alive, running)
    return table


def pings(results: Sequence[PingResult]) -> Table:
    """Every pair of hosts."""
    table = _table("ping", "address", "answers", "RTT min / avg>", "")
    for one in results:
        rtt = (
            f"{one.rtt_min:.3f} / {one.rtt_avg:.3f} ms"
            if one.rtt_min is not None and one.rtt_avg is not None
            else ""
        )
        table.add_row(
            f"{one.pair.source} → {one.pair.target}",
            one.pair.address,
            f"{one.received} of {one.sent}",
            rtt,
            _judged(one),
        )
    return table


def _judged(one: PingResult) -> str:
    if one.pair.expect is Expect.ISOLATED:
        return "isolated, as the VLANs want it" if one.holds else "NOT ISOLATED"
    if one.holds is None:
        return "by the switch's own rules"
    return "ok" if one.holds else "LOST"


def report(out: Console, status: LabStatus, verdict: Verdict | None) -> None:
    """What `lab.up` ends with."""
    out.print(links(status))
    for note in notes(status):
        out.print(f"  {note}", style="dim", soft_wrap=True)
    if verdict is not None:
        if verdict.pings:
            out.print()
            out.print(pings(verdict.pings))
        out.print()
        out.print(summary(verdict.tcp))
