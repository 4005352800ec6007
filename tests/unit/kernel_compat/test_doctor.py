"""The doctor's rows: what they say follows from the answers, and the document is one that a script can
read.
"""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from kernel_compat import doctor, rows
from kernel_compat.feature import Outcome, no, unknown, yes
from kernel_compat.probes import ALL_FEATURES
from kernel_compat.rows import Row

EVERYTHING = {one.name: yes("ok") for one in ALL_FEATURES}


def answers(**changed: Outcome) -> dict[str, Outcome]:
    return EVERYTHING | {name.replace("__", "."): outcome for name, outcome in changed.items()}


def by_what(found: list[Row]) -> dict[str, Row]:
    return {row.what: row for row in found}


def test_every_named_need_is_a_feature() -> None:
    for table in (rows.DATAPATHS, rows.IMPAIRMENTS, rows.OPTIONAL):
        for needs in table.values():
            assert set(needs) <= set(EVERYTHING)


def test_with_everything_there_everything_runs() -> None:
    assert {row.answer for row in rows.lab(EVERYTHING)} == {"yes"}


def test_without_netem_only_delay_and_loss_are_gone() -> None:
    lacking = no("tc qdisc add netem: Specified qdisc kind is unknown.", "a kernel with CONFIG_NET_SCH_NETEM")
    found = by_what(rows.lab(answers(tc__netem=lacking)))
    assert found["impairment: delay"].answer == "no"
    assert found["impairment: delay"].way_out == "a kernel with CONFIG_NET_SCH_NETEM"
    assert "kind is unknown" in found["impairment: loss"].evidence
    assert found["impairment: rate"].answer == "yes"
    assert found["topology pair"].answer == "yes"


def test_what_could_not_be_told_is_not_a_no() -> None:
    refused = unknown("unshare: EPERM", "run as root")
    row = rows.combined(
        "lab", "x", ("netns.make", "link.veth"), answers(netns__make=refused, link__veth=refused)
    )
    assert row.answer == "unknown"
    assert row.way_out == "run as root"
    assert (
        rows.combined(
            "lab", "x", ("netns.make", "link.veth"), answers(netns__make=refused, link__veth=no("n"))
        ).answer
        == "no"
    )


def test_a_topology_needs_what_its_links_ask_for(tmp_path: Path) -> None:
    text = "name: slow\nlinks:\n  - {ends: [h1, s1], impair: {h1: {delay: 5ms}}}\n"
    (tmp_path / "slow.yaml").write_text(text)
    (row,) = rows.topologies(answers(tc__netem=no("absent")), tmp_path)
    assert (row.what, row.answer) == ("topology slow", "no")
    (row,) = rows.topologies(answers(tc__tbf=no("absent")), tmp_path)
    assert row.answer == "yes"


def test_every_shipped_topology_has_its_row() -> None:
    shipped = {f"topology {path.stem}" for path in rows.TOPOLOGIES.glob("*.yaml")}
    assert "topology pair" in shipped
    assert shipped <= set(by_what(rows.lab(EVERYTHING)))


def test_a_no_says_what_to_do() -> None:
    for row in [
        *doctor.package_rows(),
        *doctor.build_rows(),
        *rows.permissions(),
        *rows.machines(),
        rows.disk(),
    ]:
        assert row.evidence
        assert row.answer != "no" or row.way_out, row


def test_the_document_is_one_json_text() -> None:
    document = json.loads(json.dumps(doctor.document(doctor.all_rows(EVERYTHING))))
    assert document["format"] == doctor.FORMAT
    assert document["lab"] == "yes"
    assert {"group", "what", "answer", "evidence", "way_out"} == set(document["rows"][0])
    assert {row["answer"] for row in document["rows"]} <= {"yes", "no", "unknown"}


def test_the_table_shows_brackets_as_they_are() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    doctor.print_table([Row("lab", "a [bold]what[/bold]", "no", "evidence [x]", "out")], console)
    text = console.export_text()
    assert "a [bold]what[/bold]" in text
    assert "evidence [x]" in text
    assert "0 yes, 1 no, 0 unknown" in text


@pytest.mark.parametrize(
    "group", ["build tools", "packages", "permissions", "kernel", "lab", "peers", "VM and NIC"]
)
def test_every_group_has_rows(group: str) -> None:
    assert any(row.group == group for row in doctor.all_rows(EVERYTHING))
