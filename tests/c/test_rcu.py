"""base/rcu.c: the scenarios of programs/rcu_torture.c, under ThreadSanitizer and under AddressSanitizer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests/c/programs/rcu_torture.c"
FLAGS = [
    "-std=gnu11",
    "-fno-strict-aliasing",
    "-O1",
    "-g",
    "-pthread",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Iswitch",
]
# gcc warns that ThreadSanitizer does not see fences: the test does not lean on them.
SANITIZERS = {"thread": ["-Wno-tsan"], "address,undefined": ["-fno-sanitize-recover=all"]}
SCENARIOS = ("alone", "in_order", "torture", "synchronizers", "without_memory", "forgotten_thread")
# This process may itself run under a sanitizer; the program brings its own.
OWN_RUNTIME = {"LD_PRELOAD": "", "ASAN_OPTIONS": "", "UBSAN_OPTIONS": "", "TSAN_OPTIONS": ""}
ENVIRONMENT = {**os.environ, **OWN_RUNTIME}


@pytest.fixture(scope="module", params=SANITIZERS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("rcu") / "rcu_torture"
    words = ["gcc", *FLAGS, *SANITIZERS[request.param], f"-fsanitize={request.param}", str(PROGRAM)]
    subprocess.run([*words, "-o", str(built)], cwd=ROOT, env=ENVIRONMENT, check=True)
    return built


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_freed_while_a_reader_may_hold_it(program: Path, scenario: str) -> None:
    done = subprocess.run(
        [str(program), scenario], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
