"""Each fuzz target builds and runs for a moment over its seeds; `./invoke fuzz` runs them for longer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.setup import fuzzing

ROOT = Path(__file__).resolve().parents[2]
TARGETS = fuzzing.targets(ROOT)
SECONDS = 3


def has_libfuzzer(directory: Path) -> bool:
    source = directory / "empty.c"
    source.write_text("int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n > 9; }\n")
    command = ["clang", "-fsanitize=fuzzer,address", str(source), "-o", str(directory / "empty")]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.timeout(400)  # The first one compiles the C that all share.
@pytest.mark.parametrize("target", TARGETS, ids=lambda path: path.stem)
def test_a_target_finds_nothing_in_a_few_seconds(target: Path, tmp_path: Path) -> None:
    if shutil.which("clang") is None or not has_libfuzzer(tmp_path):
        pytest.skip("clang with its libFuzzer runtime is missing")
    program = fuzzing.compile_target(ROOT, target, tmp_path)
    seeds = ROOT / "tests/fuzz/corpus" / target.stem
    assert any(seeds.iterdir())
    fresh = tmp_path / "corpus"
    fresh.mkdir()
    words = [
        str(program),
        f"-max_total_time={SECONDS}",
        f"-artifact_prefix={tmp_path}/",
        str(fresh),
        str(seeds),
    ]
    environment = {**os.environ, **fuzzing.OWN_RUNTIME}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr[-4000:]
    assert any(fresh.iterdir()), "the fuzzer found no new path: it did not run"
