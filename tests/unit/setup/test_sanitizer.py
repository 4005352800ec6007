"""The sanitizers' harness must be able to fail: code with a known fault dies under it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.setup import fuzzing, sanitizer

FAULTS = {
    "heap-buffer-overflow": "int fault(int n) { char *p = malloc(8); int r = p[n + 7]; free(p); return r; }",
    "signed integer overflow": "int fault(int n) { return 0x7fffffff + n; }",
}
SOUND = "int fault(int n) { return n; }"
FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-shared", "-fPIC", "-g")


def call(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Compiles `code`, loads it into a Python as the tests load the switch, and calls fault(1)."""
    source, library = folder / "fault.c", folder / "fault.so"
    source.write_text(f"#include <stdlib.h>\n{code}\n")
    subprocess.run(["gcc", *FLAGS, str(source), "-o", str(library)], check=True)
    text = f"import ctypes; print(ctypes.CDLL({str(library)!r}).fault(1))"
    env = {**os.environ, **sanitizer.environment()}
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=env)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_the_process_and_is_named(tmp_path: Path, fault: str) -> None:
    answer = call(tmp_path, FAULTS[fault])
    assert answer.returncode != 0
    assert fault in answer.stderr


def test_sound_code_runs(tmp_path: Path) -> None:
    answer = call(tmp_path, SOUND)
    assert (answer.returncode, answer.stdout) == (0, "1\n"), answer.stderr


def test_a_missing_runtime_says_what_to_install() -> None:
    with pytest.raises(RuntimeError, match=r"libno-such\.so"):
        sanitizer.library("libno-such.so")


FUZZ_TARGET = """
#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volatile uint8_t read = size > 1 && data[0] == 'R' ? data[size] : 0;
    return read * 0;
}
"""


@pytest.fixture
def fuzz_tree(tmp_path: Path) -> Path:
    (tmp_path / "tests/fuzz").mkdir(parents=True)
    (tmp_path / "switch").mkdir()
    return tmp_path


@pytest.mark.peer("clang")
def test_a_fuzz_target_that_reads_past_the_end_is_caught(fuzz_tree: Path) -> None:
    (fuzz_tree / "tests/fuzz/reader.c").write_text(FUZZ_TARGET)
    with pytest.raises(fuzzing.FuzzError, match="reader ended with code"):
        fuzzing.run(fuzz_tree, seconds=20)
    assert list((fuzz_tree / "build/fuzz").glob("reader-crash-*"))


def test_an_unknown_fuzz_target_names_those_there_are(fuzz_tree: Path) -> None:
    (fuzz_tree / "tests/fuzz/reader.c").write_text(FUZZ_TARGET)
    with pytest.raises(fuzzing.FuzzError, match=r"no fuzz target 'writer'.*there are: reader"):
        fuzzing.targets(fuzz_tree, "writer")
