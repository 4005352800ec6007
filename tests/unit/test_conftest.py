"""The host comparison itself: it must see what is left, and wait for what is going."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.host import netns
from tests import conftest


def test_what_goes_away_by_itself_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([{"device a", "device b"}, {"device a"}])
    monkeypatch.setattr(conftest, "host_state", lambda: next(states))
    assert conftest.leftovers({"device a"}) == []


def test_what_stays_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        conftest, "host_state", lambda: {"device a", "namespace rs-x", "mount /run/netns/rs-x"}
    )
    assert conftest.leftovers({"device a"}, patience=0) == ["mount /run/netns/rs-x", "namespace rs-x"]


def test_a_process_of_a_lab_is_seen_until_it_ends() -> None:
    child = subprocess.Popen(["sleep", "60"], env={"RINGSIDE_LAB": "conftest", "PATH": "/usr/bin:/bin"})
    try:
        assert any(line.startswith(f"process {child.pid} ") for line in conftest.host_state())
    finally:
        child.kill()
        child.wait()
    assert not any(line.startswith(f"process {child.pid} ") for line in conftest.host_state())


@pytest.mark.netns
def test_a_named_namespace_is_seen() -> None:
    before = conftest.host_state()
    netns.prepare_dir()
    subprocess.run(["ip", "netns", "add", "rs-conftest-x"], check=True)
    try:
        assert "namespace rs-conftest-x" in conftest.leftovers(before, patience=0)
    finally:
        subprocess.run(["ip", "netns", "del", "rs-conftest-x"], check=True)
        netns.release_dir()
    assert not any("rs-conftest-x" in line for line in conftest.host_state())


def test_tests_have_a_run_folder_of_their_own(private_run_folder: Path) -> None:
    assert private_run_folder.is_dir()
    assert os.environ["RINGSIDE_RUNDIR"] == str(private_run_folder)
