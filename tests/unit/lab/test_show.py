"""Tables say what is."""

import io

from rich.console import Console

from lab import show
from lab.datapaths.base import PortState
from lab.status import LabStatus, LinkStatus
from lab.topology.load import loads
from lab.topology.reach import Expect, Pair
from lab.verify import PingResult, TcpResult, Verdict

TEXT = "name: t\nhosts: {h1: , h2: }\nswitches: {s1: }\nlinks: [{ends: [h1, s1]}, {ends: [h2, s1]%s}]"


def text_of(status: LabStatus, verdict: Verdict | None = None) -> str:
    out = io.StringIO()
    show.report(Console(file=out, width=220), status, verdict)
    return out.getvalue()


def status(extra: str = "", *notes: str) -> LabStatus:
    port = PortState("h1", "native copy", (0, 1), False, "complete", notes)
    links = tuple(
        LinkStatus(link, (None, port), 1500, "complete, h1 tx off") for link in loads(TEXT % extra).links
    )
    return LabStatus("t", "up", None, (), links)


def test_link_row() -> None:
    row = text_of(status()).splitlines()[1]
    assert row.split("  ")[0] == "h1-s1"
    cells = "h1-s1 eth0 ─ h1 native copy 0,1 no complete, h1 tx off 1500 10.0.0.1/24, fd00::1/64"
    assert row.split() == cells.split()


def test_vlan_and_impairment_have_columns_only_where_there_are_some() -> None:
    assert "VLAN" not in text_of(status())
    shown = text_of(status(", vlan: 10, impair: {h2->s1: {rate: 1mbit}}"))
    assert "access 10" in shown
    assert "h2→s1: 1 Mbit/s (tbf)" in shown


def test_reason_for_a_lower_mode_is_said_once() -> None:
    shown = text_of(status("", "zero copy refused: EOPNOTSUPP"))
    assert shown.count("EOPNOTSUPP") == 1
    assert "s1/h1, s1/h2: zero copy refused: EOPNOTSUPP" in shown


def ping(expect: Expect, received: int) -> PingResult:
    return PingResult(Pair("h1", "h2", "10.0.0.2", expect), 3, received, 0.1, 0.2)


def test_pings_are_judged_by_what_was_expected() -> None:
    tcp = TcpResult("h1", "h2", 1.5e9, 3, 1.0)
    shown = text_of(status(), Verdict((ping(Expect.TALK, 3), ping(Expect.ISOLATED, 0)), tcp))
    assert "ok" in shown
    assert "isolated, as the VLANs want it" in shown
    assert "TCP h1 → h2: 1.5 Gbit/s over 1.0 s, 3 retransmits" in shown


def test_what_does_not_work_is_a_problem() -> None:
    assert (
        Verdict((ping(Expect.TALK, 3), ping(Expect.ISOLATED, 0), ping(Expect.UNKNOWN, 1)), None).problems
        == []
    )
    lost, leaked = Verdict((ping(Expect.TALK, 2), ping(Expect.ISOLATED, 1)), None).problems
    assert lost.found == "2 of 3 answers"
    assert leaked.found.startswith("1 answers, but the VLANs should keep the two apart")
