"""The micro benchmark of the datapath builds, and measures the stage that each bench names."""

from __future__ import annotations

import subprocess

import pytest

from tests.bench.flow import micro


def test_every_bench_runs_and_reaches_its_stage() -> None:
    # A bench whose packets miss the stage that it is for ends the program with an error.
    found = {figure.bench: figure for figure in micro.figures(samples=2, count=False)}
    assert tuple(found) == micro.BENCHES
    assert all(figure.ns >= figure.ns_best > 0 for figure in found.values())
    assert found["emc_hit_udp"].megaflows == 1
    assert found["megaflow_hit_20"].megaflows > 100


def test_instructions_are_counted() -> None:
    program = micro.build()
    found = micro.instructions(program, "extract_udp")
    if found is None:
        pytest.skip("valgrind is missing")
    assert 20 < found < 2000


def test_an_unknown_bench_is_refused() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        micro.measure(micro.build(), 1, 1, ["no_such_bench"])
