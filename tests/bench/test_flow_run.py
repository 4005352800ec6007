"""The table of the flow engine: what is read from programs and the peer, and what verdicts it leads to."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from lab.progress import Progress
from tests.bench.flow import callgrind, changes, loading, packets, peer, report, run
from tests.bench.flow.context import QUICK, Plan, Run
from tests.bench.flow.programs import ProgramError, output
from tests.bench.flow.result import Limit, Row, figure, ratios, spread

ROOT = Path(__file__).resolve().parents[2]
STATS = """pmd thread numa_id 0 core_id 1:
  packets received: 1128672
  simple match hits: 0
  emc hits: 32
  megaflow hits: 1128640
  avg. subtable lookups per megaflow hit: 10.37
  miss with success upcall: 4
  avg processing cycles per packet: 1162.93 (1312569/1128672)
main thread:
  packets received: 7
"""
PERF = "  - Upcalls:                 10304  ( 99.7 %, 17.1 us/upcall)\n"


def test_the_peers_own_counts_are_those_of_its_pmd() -> None:
    found = peer.parse(STATS, PERF)
    assert (found.packets, found.emc, found.megaflow, found.upcalls) == (1128672, 32, 1128640, 4)
    assert (found.subtables, found.cycles, found.us_per_upcall) == (10.37, 1162.93, 17.1)


def test_a_packet_costs_the_time_that_the_thread_had_a_core() -> None:
    assert peer.PmdStats(100, 0, 0, 0, 0, 0, 0, 0, cpu_ns=4200).ns == 42
    assert peer.PmdStats(0, 0, 0, 0, 0, 0, 0, 0, cpu_ns=4200).ns == 0


PROFILE = """events: Ir
ob=(1) /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk
fl=(1) ???
fn=(1) 0x1234
0 400000
+3 80000
cob=(2) /usr/lib/dpdk/librte_net_pcap.so.23.0
cfi=(1)
cfn=(2) 0x77
calls=1000 0
0 999999
* 20000

fn=(3)
5 12000
calls=9 0
0 111

ob=(2)
fn=(2)
0 96000
cob=(3) /lib/libc.so.6
cfn=(4) memcpy
calls=32000 0
0 64000

ob=(3)
fn=(4)
0 64000
""".splitlines()


def test_instructions_are_counted_where_they_are_executed() -> None:
    found = callgrind.per_packet(callgrind.parse(PROFILE))
    assert found.packets == 1000 * callgrind.BATCH
    assert found.daemon == 512_000 / 32_000
    assert found.driver == 96_000 / 32_000
    assert found.total == 672_000 / 32_000


def test_a_thread_that_received_hardly_anything_is_refused() -> None:
    with pytest.raises(peer.NoPeerError, match="0 packets only"):
        callgrind.per_packet(callgrind.Profile())


@pytest.mark.parametrize(
    ("sign", "value", "holds"),
    [("<=", 60.0, True), ("<=", 60.1, False), ("<", 60.0, False), (">=", 60.0, True), (">=", 59.9, False)],
)
def test_the_median_is_held_against_the_limit(sign: str, value: float, holds: bool) -> None:
    row = Row("what", "ns", Limit(sign, 60, "ns"), (1.0, value, 1e9))  # type: ignore[arg-type]
    assert row.verdict().holds is holds
    assert row.verdict().value == value


def test_without_a_bound_the_peer_is_the_limit() -> None:
    limit = Limit("<", None, "MB")
    assert Row("memory", "MB", limit, (40.0,), (137.0,)).verdict().holds is True
    assert Row("memory", "MB", limit, (137.0,), (137.0,)).verdict().holds is False
    alone = Row("memory", "MB", limit, (40.0,), no_peer="it is not installed").verdict()
    assert alone.holds is None
    assert alone.value == 40
    assert alone.why.startswith("it is not installed")


def test_what_a_run_cannot_tell_is_null_with_the_reason() -> None:
    row = Row("P99", "", Limit("<", 2, "×"), (1.0,), unknown="others took the core")
    assert row.verdict().holds is None
    assert row.verdict().why.startswith("others took the core")
    assert Row("ratio", "", Limit(">=", 2, "×"), (1.0,), value=(), no_peer="gone").verdict().holds is None


def test_ratios_are_formed_within_a_round() -> None:
    assert ratios([10, 4], [5, 1]) == (2, 4)
    assert ratios([10, 4], [0, 1]) == (4,)


def test_figures_are_short() -> None:
    assert [figure(value) for value in (0.9513, 3.0, 12.34, 60.0, 137.2, 102919)] == [
        "0.95",
        "3",
        "12.3",
        "60",
        "137",
        "102,919",
    ]
    assert spread([2.0, 1.0, 3.0]) == "2 (1 – 3)"


def window(changes_in_it: int, **more: object) -> str:
    usual = {"packets": 90, "disturbed": 10, "lost": 0, "p99_us": 30.0}
    return json.dumps({"kind": "window", "changes": changes_in_it} | usual | more)


def change(revalidated: int, cpu_us: float) -> str:
    times = {"cpu_us": cpu_us, "true_after_us": 2 * cpu_us}
    return json.dumps({"kind": "change", "revalidated": revalidated, "killed": 0} | times)


END = json.dumps({"kind": "end", "drops": 0, "megaflows": 10000, "rules": 102919, "probes": 9})


def rows_of(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Row]:
    monkeypatch.setattr(changes, "_ours", lambda run, load: changes.parse(lines))
    plan = Run(QUICK, Path(), Progress(quiet=True), None, "no peer")
    return {row.what.partition(": ")[2]: row for row in changes.rows(plan, None)}  # type: ignore[arg-type]


def test_revalidation_is_judged_where_it_had_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [window(0), change(9999, 80_000), change(1, 5_000), change(9999, 120_000), window(3), END]
    row = rows_of(lines, monkeypatch)["revalidation"]
    assert list(row.ours) == [80, 120]
    assert "concern few or none of them: 5 ms" in row.why
    assert row.verdict().holds is True


def test_a_lost_packet_and_a_slow_one_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [window(0), change(9999, 1), window(2, lost=1, p99_us=61.0), END]
    holds = {name: row.verdict().holds for name, row in rows_of(lines, monkeypatch).items()}
    assert (holds["packets lost"], holds["P99 latency"]) == (False, False)
    lines = [window(0), change(9999, 1), window(2, disturbed=30, p99_us=61.0), END]
    assert rows_of(lines, monkeypatch)["P99 latency"].verdict().holds is None


def test_a_change_bench_that_ended_early_is_an_error() -> None:
    with pytest.raises(ProgramError, match="ended early"):
        changes.parse([window(0)])


def test_loading_is_read_from_the_classifiers_bench() -> None:
    lines = ["load_rules 102919 rules", "load_time 0.104 s", "resident 39.7 MB", "lookups -nan a packet"]
    assert loading.parse(lines) == loading.Loading(0.104, 39.7, 102919)


def test_rules_for_subtables_look_at_what_their_number_says() -> None:
    frame = bytearray(64)
    frame[0:12] = bytes.fromhex("020000000001020000000002")
    frame[26:38] = bytes([10, 1, 2, 3, 10, 5, 7, 9]) + (1111).to_bytes(2, "big") + (80).to_bytes(2, "big")
    first, second = packets.subtable_rules([bytes(frame), bytes(frame)])
    assert first == "table=0,priority=1,ip,nw_dst=10.5.0.0/16,actions=resubmit(,6)"
    assert second == (
        "table=6,priority=1,udp,nw_dst=10.5.7.9/16,tp_src=1111,dl_dst=02:00:00:00:00:01,actions=drop"
    )


def test_rules_that_come_and_go_are_of_the_network_that_the_frames_are_of() -> None:
    in_port, frames = packets.pipeline_frames(50)
    assert len({*frames}) == 50
    assert in_port > 0
    near, far = packets.passing_rules()
    assert near.startswith("table=16,")
    assert "nw_dst=10.255.77.1,actions=conjunction(" in near
    assert near.partition("metadata=")[2].partition(",")[0] == far.partition("metadata=")[2].partition(",")[0]


def test_a_program_that_fails_says_so() -> None:
    with pytest.raises(ProgramError, match="status 3: no good"):
        output([sys.executable, "-c", "import sys; sys.stderr.write('no good'); sys.exit(3)"])


ROWS = [
    Row("EMC hit", "ns", Limit("<=", 60, "ns a packet"), (20.0, 21.0, 19.0), (41.0,), why="it depends"),
    Row("ratio", "Mpps", Limit(">=", 1.5, "× its rate"), (8.0,), value=(), no_peer="no hugepages"),
]


def test_the_document_has_verdicts_in_the_projects_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plans: list[Plan] = []

    def measure(plan: Plan, _: Progress) -> list[Row]:
        plans.append(plan)
        return ROWS

    monkeypatch.setattr(run, "measure", measure)
    assert run.main(["--json", "--quick"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert plans == [QUICK]
    for verdict in document["verdicts"]:
        assert list(verdict) == ["row", "value", "unit", "reach", "holds", "why"]
    assert [verdict["holds"] for verdict in document["verdicts"]] == [True, None]
    assert "no hugepages" in document["verdicts"][1]["why"]


def test_the_table_shows_both_sides_the_limit_and_whether_it_is_kept() -> None:
    console = Console(width=140, record=True, file=io.StringIO())
    report.show(ROWS, ["two cores"], console)
    text = console.export_text()
    for word in ("20 (19 – 21)", "41", "≤ 60 ns a packet", "yes", "?", "no hugepages", "two cores"):
        assert word in text


def test_a_bench_that_fails_is_an_error_with_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(plan: Plan, progress: Progress) -> list[Row]:
        raise ProgramError("miss_bench: not every packet was a miss")

    monkeypatch.setattr(run, "measure", measure)
    assert run.main([]) == 1
    assert "not every packet was a miss" in capsys.readouterr().err


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl")
def test_nothing_is_left_when_it_is_stopped() -> None:
    pages = peer.HUGEPAGES.read_text()
    runner = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.flow.run", "--quick"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert runner.stderr is not None
    for line in runner.stderr:
        if "20 subtables: round 1" in line:
            break
    runner.send_signal(signal.SIGINT)
    runner.stderr.read()
    assert runner.wait(60) == 128 + signal.SIGINT
    assert peer.HUGEPAGES.read_text() == pages
    assert not list(Path("/tmp").glob("rs-bench-flow-*"))
