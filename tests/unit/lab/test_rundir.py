"""One command at a time works on a lab, and its lock leaves nothing behind."""

import os
from pathlib import Path

import pytest

from lab import rundir
from lab.errors import LockedError


@pytest.fixture(autouse=True)
def own_run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGSIDE_RUNDIR", str(tmp_path / "run"))
    return tmp_path / "run"


def test_second_command_is_told_of_the_first() -> None:
    busy = rf"lab one: lab.up \(pid {os.getpid()}\) is at work on it"
    with rundir.locked("one", "lab.up"):
        with pytest.raises(LockedError, match=busy), rundir.locked("one", "lab.down"):
            pass
        assert rundir.is_locked("one")
        with rundir.locked("two", "lab.up"):
            pass
    assert not rundir.is_locked("one")


def test_nothing_stays_behind(own_run_dir: Path) -> None:
    with rundir.locked("one", "lab.up"):
        assert rundir.running_labs() == ["one"]
    assert list(own_run_dir.iterdir()) == []


def test_state_stays(own_run_dir: Path) -> None:
    with rundir.locked("one", "lab.up") as folder:
        (folder / "state").write_text("")
    assert [path.name for path in (own_run_dir / "labs" / "one").iterdir()] == ["state"]


def test_folder_removed_by_its_holder_can_be_locked_anew() -> None:
    with rundir.locked("one", "lab.down"):
        rundir.remove_lab_dir("one")
    with rundir.locked("one", "lab.up") as folder:
        assert folder.is_dir()
