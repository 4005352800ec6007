"""From what a person types to the lab that is meant."""

from pathlib import Path

import pytest

from lab import state
from lab.errors import LabError
from lab.find import find_lab, find_link, find_node
from lab.rundir import lab_dir
from lab.topology.load import load


@pytest.fixture(autouse=True)
def own_run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGSIDE_RUNDIR", str(tmp_path))


def pretend(lab: str, topology: str = "pair", phase: str = state.UP) -> None:
    """The state of a lab, without the lab."""
    lab_dir(lab).mkdir(parents=True)
    state.save(lab_dir(lab), state.State(load(topology), phase, topology))


def test_no_lab_is_up() -> None:
    with pytest.raises(LabError, match=r"(?s)lab: none is up.*lab\.up"):
        find_lab(None)


def test_the_only_lab_needs_no_name() -> None:
    pretend("one")
    assert find_lab(None)[0] == "one"


def test_several_labs_need_a_name() -> None:
    pretend("one")
    pretend("two")
    with pytest.raises(LabError, match=r"(?s)2 are up: one, two.*--name"):
        find_lab(None)
    assert find_lab("two")[0] == "two"


def test_half_built_lab_is_not_up() -> None:
    pretend("one", phase=state.BUILDING)
    with pytest.raises(LabError, match="none is up"):
        find_lab(None)


def test_node_that_several_labs_have() -> None:
    pretend("one")
    pretend("two", "trio")
    with pytest.raises(LabError, match=r"(?s)node h1: is in 2 labs: one, two.*--name LAB"):
        find_node("h1", None)


def test_unknown_node_lists_those_there_are() -> None:
    pretend("one")
    with pytest.raises(LabError, match=r"(?s)node h9: lab one has no such node.*nodes: h1, h2, s1"):
        find_node("h9", None)


def test_node_whose_namespace_is_gone() -> None:
    pretend("one-that-is-not")
    with pytest.raises(
        LabError, match=r"(?s)its namespace rs-one-that-is-not-h1 is gone.*lab\.up makes it again"
    ):
        find_node("h1", None)


@pytest.mark.parametrize("text", ["h1", ""])
def test_link_needs_two_ends(text: str) -> None:
    with pytest.raises(LabError, match="write both ends, such as h1-s1"):
        find_link(text, None)
