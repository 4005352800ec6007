"""A whole switch with all its threads under ThreadSanitizer, and under AddressSanitizer with leak check."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from switch.binding.ffi_build import c_sources

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests/c/programs/switch_torture.c"
FLAGS = [
    "-std=gnu11",
    "-fno-strict-aliasing",
    "-O1",
    "-g",
    "-pthread",
    "-Wall",
    "-Wextra",
    f"-I{ROOT}/switch",
]
# gcc warns that ThreadSanitizer does not see fences: rcu.c has its own test for what leans on them.
SANITIZERS = {"thread": ["-Wno-tsan"], "address,undefined": ["-fno-sanitize-recover=all"]}
OWN_RUNTIME = {"LD_PRELOAD": "", "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "", "TSAN_OPTIONS": ""}
ENVIRONMENT = {**os.environ, **OWN_RUNTIME}


def compiled(flags: list[str], source: Path, into: Path) -> Path:
    obj = into / f"{str(source.relative_to(ROOT)).replace('/', '.')}.o"
    subprocess.run(["gcc", *flags, "-c", str(source), "-o", str(obj)], env=ENVIRONMENT, check=True)
    return obj


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_packets_changes_and_readers_meet_without_a_race_or_a_leak(sanitizer: str, tmp_path: Path) -> None:
    flags = [*FLAGS, *SANITIZERS[sanitizer], f"-fsanitize={sanitizer}"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = pool.map(lambda source: compiled(flags, source, tmp_path), [*c_sources(), PROGRAM])
        words = ["gcc", *flags, *map(str, objects), "-o", str(tmp_path / "torture")]
    subprocess.run(words, env=ENVIRONMENT, check=True)
    done = subprocess.run(
        [str(tmp_path / "torture")], env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
