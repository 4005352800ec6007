"""Brings a lab up, or makes a running one what its topology says now; on failure it is as it was before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lab import rundir, state
from lab.build import Ofports, Site, carry_out, look
from lab.datapaths import DATAPATHS
from lab.datapaths.base import ports_of
from lab.errors import LabError, Problem, TopologyError, fail
from lab.host import command, netns, process, qdisc
from lab.host.ledger import FILE as LEDGER_FILE
from lab.host.ledger import Ledger
from lab.interrupt import as_exceptions, put_off
from lab.plan import Plan, make_plan
from lab.progress import Progress
from lab.teardown import teardown
from lab.topology.check import lab_name_problem
from lab.topology.load import load
from lab.topology.model import Topology
from lab.verify import Verdict, verify

PROGRAMS = ("ip", "tc", "ethtool", "ping", "nstat")


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    source: str
    lab: str | None = None
    datapath: str | None = None
    keep: bool = False
    """A lab that does not work stays up, to be looked at."""
    check: bool = True
    """Prove by pings and TCP that it works."""


@dataclass(frozen=True)
class Result:
    """What came of it."""

    lab: str
    topology: Topology
    plan: Plan
    verdict: Verdict | None
    seconds: float


def up(request: Request, progress: Progress) -> Result:
    """Brings the lab up. Raises LabError; then nothing is left of what this call made (unless `keep`)."""
    topology = load(request.source)
    if request.datapath is not None:
        topology = topology.with_datapath(request.datapath)
    lab = request.lab or topology.name
    preflight(lab, topology)
    with as_exceptions(), rundir.locked(lab, "lab.up") as folder:
        clean_leftovers(lab, folder, progress)
        return _settle(lab, folder, topology, request, progress)


def preflight(lab: str, topology: Topology) -> None:
    """Everything that can be known to fail before anything is made. Raises LabError with all of it."""
    if os.geteuid() != 0:
        raise fail("lab.up", "needs root: it makes network namespaces and devices", "sudo ./invoke lab.up")
    if problem := lab_name_problem(lab, "--name"):
        raise TopologyError(problem)
    if os.environ.get(process.TAG):
        raise fail("lab.up", f"this shell runs inside lab {os.environ[process.TAG]}", "leave it first")
    found = command.require(*PROGRAMS)
    for datapath in DATAPATHS.values():
        found += datapath.refusals(topology)
    wanting = [
        f"links[{index}].impair"
        for index, link in enumerate(topology.links)
        if any(impair is not None and impair.needs_netem for impair in link.impair)
    ]
    if wanting and not found and not qdisc.has_netem():
        found.append(qdisc.netem_missing(wanting[0]))
    if found:
        raise LabError(*found)


def clean_leftovers(lab: str, folder: Path, progress: Progress) -> None:
    """Removes what a command that was killed has left of this lab. The caller holds its lock."""
    known = state.load(lab)
    if known is not None and known.phase == state.UP:
        return
    names = netns.names(lab)
    if known is None and not names and not (folder / LEDGER_FILE).exists():
        return
    progress.warn(f"lab {lab}: a lab.up that did not end has left things; removing them first")
    left = teardown(lab, progress)
    for problem in left.strangers:
        progress.warn(str(problem))
    if left.failed:
        raise LabError(*left.failed)


def _settle(lab: str, folder: Path, topology: Topology, request: Request, progress: Progress) -> Result:
    known = state.load(lab)
    old = known.topology if known else None
    site = Site(lab, folder, Ledger(folder), progress)
    before = known.ofports if known else {}
    target = state.State(
        topology, state.BUILDING, request.source, request.datapath, _ofports(topology, before)
    )
    try:
        plan = make_plan(old, topology, look(site, old or topology), target.ofports)
        if plan.is_empty:
            return Result(lab, topology, plan, None, progress.seconds)
        state.save(folder, target)
        with _undoing(site, known, target, request.keep):
            carry_out(site, plan, old, topology, target.ofports)
            verdict = _prove(lab, topology, request, progress)
        state.save(folder, replace(target, phase=state.UP))
        return Result(lab, topology, plan, verdict, progress.seconds)
    finally:
        site.close()


def _ofports(topology: Topology, before: Ofports) -> dict[str, dict[str, int]]:
    return {
        name: {port.device: port.ofport for port in ports_of(topology, name, before.get(name))}
        for name in topology.switches
    }


class NotProved(LabError):
    """The lab is built, but it does not do what its topology says."""


def _prove(lab: str, topology: Topology, request: Request, progress: Progress) -> Verdict | None:
    if not request.check:
        return None
    progress.step("ping between all hosts, then one TCP transfer")
    verdict = verify(lab, topology)
    if verdict.problems:
        raise NotProved(*verdict.problems)
    return verdict


@contextmanager
def _undoing(site: Site, known: state.State | None, target: state.State, keep: bool) -> Iterator[None]:
    """If its body fails, puts everything back as it was before: no lab, or the lab that ran."""
    try:
        yield
    except BaseException as error:
        if keep and isinstance(error, NotProved):
            state.save(site.folder, replace(target, phase=state.UP))
            raise
        with put_off():
            site.progress.step(f"undo: {type(error).__name__}")
            for problem in _go_back(site, known, target):
                site.progress.warn(str(problem))
        raise


def _go_back(site: Site, known: state.State | None, target: state.State) -> list[Problem]:
    if known is None:
        site.close()
        left = teardown(site.lab, site.progress)
        return [*left.failed, *left.strangers]
    half = _both(known.topology, target.topology)
    try:
        plan = make_plan(half, known.topology, look(site, half), known.ofports)
        carry_out(site, plan, half, known.topology, known.ofports)
    except (LabError, OSError) as error:
        return [
            Problem(f"lab {site.lab}", f"could not be put back: {error}", "./invoke lab.down, then lab.up")
        ]
    state.save(site.folder, known)
    return []


def _both(known: Topology, target: Topology) -> Topology:
    """A lab on its way from one to the other: it may have things of both."""
    added = {link.nodes for link in target.links}
    return replace(
        target,
        hosts={**known.hosts, **target.hosts},
        switches={**known.switches, **target.switches},
        links=(*target.links, *(link for link in known.links if link.nodes not in added)),
    )
