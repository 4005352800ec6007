"""The verbs that print: each calls one function and shows what it returns, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from lab import show
from lab.find import find_lab
from lab.graph import as_text, write_svg
from lab.host import facts
from lab.progress import Progress
from lab.state import State
from lab.status import LabStatus, as_document, lab_status, labs_there
from lab.topology.load import load, shipped
from lab.up import Request
from lab.up import up as bring_up
from lab.verify import Verdict
from lab.verify import verify as prove


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=2))


def up(options: argparse.Namespace) -> int:
    """lab.up"""
    request = Request(options.topology, options.name, options.datapath, options.keep, not options.no_check)
    progress = Progress()
    result = bring_up(request, progress)
    lab, stored = find_lab(result.lab)
    status = lab_status(lab, stored)
    if options.json:
        _print_json(
            {
                **as_document(status),
                "changed": result.plan.lines(),
                "seconds": round(result.seconds, 3),
                **_verdict_document(result.verdict),
            }
        )
        return 0
    out = show.console()
    show.report(out, status, result.verdict)
    out.print()
    done = "is up already; nothing to do" if result.plan.is_empty else f"is up after {result.seconds:.1f} s"
    out.print(f"lab {lab} {done}.", style="bold", end=" ")
    out.print(f"Next: ./invoke lab.exec {stored.topology.nodes[0]} -- COMMAND, lab.status, lab.down")
    return 0


def _verdict_document(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {}
    tcp = verdict.tcp
    return {
        "pings": [
            {
                "source": ping.pair.source,
                "target": ping.pair.target,
                "address": ping.pair.address,
                "expect": ping.pair.expect.value,
                "sent": ping.sent,
                "received": ping.received,
                "rtt_min_ms": ping.rtt_min,
                "rtt_avg_ms": ping.rtt_avg,
                "holds": ping.holds,
            }
            for ping in verdict.pings
        ],
        "tcp": None
        if tcp is None
        else {
            "source": tcp.source,
            "target": tcp.target,
            "bits_per_second": tcp.bits_per_second,
            "seconds": tcp.seconds,
            "retransmits": tcp.retransmits,
            "holds": tcp.problem is None,
        },
    }


def verify(options: argparse.Namespace) -> int:
    """lab.verify: exit code 1 if something does not work."""
    lab, stored = find_lab(options.name)
    verdict = prove(lab, stored.topology)
    if options.json:
        _print_json(_verdict_document(verdict))
    else:
        show.report(show.console(), lab_status(lab, stored), verdict)
        for problem in verdict.problems:
            Progress().warn(str(problem))
    return 1 if verdict.problems else 0


def status(options: argparse.Namespace) -> int:
    """lab.status"""
    there = [(lab, phase) for lab, phase in labs_there() if options.name in (None, lab)]
    full = [_full_status(lab, phase) for lab, phase in there]
    if options.json:
        _print_json({"facts": facts.collect(), "labs": [as_document(one) for one in full]})
        return 0
    out = show.console()
    if not full:
        out.print("no lab is up; ./invoke lab.up brings one up")
    for one in full:
        out.print(f"lab {one.lab}: {one.phase}", style="bold")
        if one.stored is not None:
            out.print(f"topology {one.stored.topology.name} from {one.stored.source}", style="dim")
            out.print(show.nodes(one))
            out.print()
            out.print(show.links(one))
            for note in show.notes(one):
                out.print(f"  {note}", style="dim", soft_wrap=True)
        out.print()
    return 0


def _full_status(lab: str, phase: str) -> LabStatus:
    from lab import state

    stored = state.load(lab)
    if phase != "up" or stored is None:
        return LabStatus(lab, phase, None)
    return lab_status(lab, stored)


def list_all(options: argparse.Namespace) -> int:
    """lab.list"""
    topologies = {name: _describe(name) for name in shipped()}
    there = dict(labs_there())
    if options.json:
        _print_json({"topologies": topologies, "labs": there})
        return 0
    width = max(len(name) for name in (*topologies, *there))
    print("topologies (lab.up --topology NAME):")
    for name, text in topologies.items():
        print(f"  {name:{width}}  {text}")
    print("labs:")
    for name, phase in there.items():
        print(f"  {name:{width}}  {phase}")
    if not there:
        print("  none")
    return 0


def _describe(name: str) -> str:
    """The first line of a shipped topology's head."""
    from lab.topology.load import SHIPPED

    return (SHIPPED / f"{name}.yaml").read_text().splitlines()[0].lstrip("# ")


def graph(options: argparse.Namespace) -> int:
    """lab.graph"""
    if options.topology is not None:
        topology, title = load(options.topology), f"{options.topology} (topology)"
    else:
        lab, stored = _running_or_default(options.name)
        topology, title = stored.topology, f"{lab}: {stored.phase}"
    if options.svg is not None:
        write_svg(topology, title, Path(options.svg))
        print(f"wrote {options.svg}")
    else:
        print(as_text(topology, title))
    return 0


def _running_or_default(name: str | None) -> tuple[str, State]:
    return find_lab(name)
