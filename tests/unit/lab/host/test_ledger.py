"""The ledger tells, after any end of its writer, everything that may be there."""

from pathlib import Path

from lab.host.ledger import FILE, Ledger


def kinds(ledger: Ledger) -> list[tuple[str, dict[str, object]]]:
    return [(entry.kind, entry.what) for entry in ledger.entries()]


def test_what_was_intended_is_found_by_the_next_reader(tmp_path: Path) -> None:
    writer = Ledger(tmp_path)
    writer.intend("netns", name="rs-t-h1")
    number = writer.intend("process", role="switchd")
    writer.amend(number, pid=7, start=8)
    assert kinds(Ledger(tmp_path)) == [
        ("netns", {"name": "rs-t-h1"}),
        ("process", {"role": "switchd", "pid": 7, "start": 8}),
    ]


def test_it_is_on_disk_before_the_thing_is_made(tmp_path: Path) -> None:
    Ledger(tmp_path).intend("netns", name="rs-t-h1")
    assert "rs-t-h1" in (tmp_path / FILE).read_text()


def test_what_was_undone_is_gone(tmp_path: Path) -> None:
    writer = Ledger(tmp_path)
    first = writer.intend("netns", name="a")
    writer.intend("netns", name="b")
    writer.undone(first)
    assert [what["name"] for _, what in kinds(Ledger(tmp_path))] == ["b"]


def test_numbers_are_never_used_twice_by_a_later_writer(tmp_path: Path) -> None:
    first = Ledger(tmp_path).intend("netns", name="a")
    second = Ledger(tmp_path).intend("netns", name="b")
    assert second > first
    Ledger(tmp_path).undone(first)
    assert [what["name"] for _, what in kinds(Ledger(tmp_path))] == ["b"]


def test_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    Ledger(tmp_path).intend("netns", name="a")
    with (tmp_path / FILE).open("a") as file:
        file.write('{"n": 2, "kind": "netns", "wh')
    assert [what["name"] for _, what in kinds(Ledger(tmp_path))] == ["a"]


def test_entries_by_kind_and_value(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.intend("process", node="s1", pid=1)
    ledger.intend("process", node="s1", pid=2)
    ledger.intend("netns", name="x")
    assert [entry.what["pid"] for entry in ledger.entries("process")] == [1, 2]
    found = ledger.find("process", node="s1")
    assert found is not None
    assert found.what["pid"] == 2
    assert ledger.find("process", node="s2") is None


def test_no_folder_is_an_empty_ledger(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "nowhere").entries() == []
