"""The C code again, built with AddressSanitizer and UBSan: the same tests, in a process of their own.

`./invoke test.sanitize` runs the whole suite so; this part of it belongs in every fast run: doors, cache,
tables, checksums, ports with forged descriptors, packet cases, and a switchd that forwards.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.setup import build, sanitizer

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "tests/c",
    "tests/packets",
    "tests/integration/test_switchd_traffic.py",
    # These bring sanitizers of their own.
    *(f"--ignore=tests/c/test_{name}.py" for name in ("fuzz_targets", "rcu", "frozen", "tables_torture")),
)


@pytest.mark.timeout(500)
@pytest.mark.skipif(
    os.environ.get("RINGSIDE_VARIANT") == "sanitize", reason="this run is on that build already"
)
def test_the_sanitizers_find_nothing() -> None:
    build.ensure(("sanitize",))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", *PARTS],
        cwd=ROOT,
        env={**os.environ, **sanitizer.environment(), "RINGSIDE_EXAMPLES": "few"},
        capture_output=True,
        text=True,
        timeout=480,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert " passed" in done.stdout.splitlines()[-1]
