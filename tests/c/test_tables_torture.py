"""Classifier and OpenFlow state: the scenarios of programs/tables_torture.c under the sanitizers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OFPROTO = ROOT / "switch/ofproto"
PROGRAM = ROOT / "tests/c/programs/tables_torture.c"
FLAGS = ["-std=gnu11", "-fno-strict-aliasing", "-O1", "-g", "-pthread", "-ffunction-sections"]
INCLUDE = ["-Iswitch", "-Itests/c/support"]
PARTS = ("classifier*", "trie", "ofproto*", "rule*", "flow_mod", "learned_cookies", "group", "group_mod",
         "group_hash", "meter", "match", "mf*", "ofpact", "ofp_error", "port_names")  # fmt: skip
WRAPPED = "".join(f",--wrap={name}" for name in ("malloc", "calloc", "realloc", "aligned_alloc"))
# Texts are never asked for: what prints them is left out.
LINK = [f"-Wl,--gc-sections{WRAPPED}"]
# gcc warns that ThreadSanitizer does not see fences: the test does not lean on them.
SANITIZERS = {"thread": ["-Wno-tsan"], "address,undefined": ["-fno-sanitize-recover=all"]}
# This process may itself run under a sanitizer; the program brings its own.
OWN_RUNTIME = {"LD_PRELOAD": "", "ASAN_OPTIONS": "", "UBSAN_OPTIONS": "", "TSAN_OPTIONS": ""}
ENVIRONMENT = {**os.environ, **OWN_RUNTIME}


@pytest.fixture(scope="module", params=SANITIZERS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("tables") / "tables_torture"
    sources = [PROGRAM, ROOT / "tests/c/support/tables.c", ROOT / "switch/datapath/base/rcu.c"]
    sources += [ROOT / "switch/datapath/flow/miniflow.c"]
    sources += [source for part in PARTS for source in sorted(OFPROTO.glob(f"{part}.c"))]
    words = ["gcc", *FLAGS, *INCLUDE, *SANITIZERS[request.param], f"-fsanitize={request.param}"]
    subprocess.run(
        [*words, *map(str, sources), *LINK, "-o", str(built)], cwd=ROOT, env=ENVIRONMENT, check=True
    )
    return built


@pytest.mark.parametrize("scenario", ["no_memory_changes_nothing", "a_reader_beside_a_writer"])
def test_tables_stand_what_may_come(program: Path, scenario: str) -> None:
    done = subprocess.run(
        [str(program), scenario], env=ENVIRONMENT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
