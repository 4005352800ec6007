"""ofproto/frozen.c: scenarios of programs/frozen_torture.c under ThreadSanitizer and AddressSanitizer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests/c/programs/frozen_torture.c"
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
SCENARIOS = (
    "same_state_same_id",
    "each_part_counts",
    "unused_states_linger",
    "ids_run_out_and_come_back",
    "torture",
)
# This process may itself run under a sanitizer; the program brings its own.
OWN_RUNTIME = {"LD_PRELOAD": "", "ASAN_OPTIONS": "", "UBSAN_OPTIONS": "", "TSAN_OPTIONS": ""}
ENVIRONMENT = {**os.environ, **OWN_RUNTIME}


@pytest.fixture(scope="module", params=SANITIZERS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("frozen") / "frozen_torture"
    words = ["gcc", *FLAGS, *SANITIZERS[request.param], f"-fsanitize={request.param}", str(PROGRAM)]
    subprocess.run([*words, "-o", str(built)], cwd=ROOT, env=ENVIRONMENT, check=True)
    return built


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_frozen_state_is_found_by_its_id_as_long_as_a_packet_may_come_with_it(
    program: Path, scenario: str
) -> None:
    done = subprocess.run(
        [str(program), scenario], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
