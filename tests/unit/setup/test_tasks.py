"""The tasks as a person meets them: the list reads like a table of contents, words and exit codes come
through.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Stands in for the lab: shows the words that it was called with, and fails as it is told.
FAKE_LAB = (
    "import json, sys\ndef main(argv):\n    print(json.dumps(argv))\n    return 3 if 'fail' in argv else 0\n"
)
FAKE_BUILD = "class BuildError(Exception): pass\ndef ensure(variants): return []\n"


def invoke(*words: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "invoke", "--search-root", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "tasks.py", tmp_path)
    for name, text in {
        "lab/__init__": "",
        "lab/cli": FAKE_LAB,
        "lab/setup/__init__": "",
        "lab/setup/build": FAKE_BUILD,
    }.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_list_has_a_line_for_each_task() -> None:
    answer = invoke("--list")
    assert answer.returncode == 0
    lines = [line for line in answer.stdout.splitlines() if line.startswith("  ")]
    names = {line.split()[0] for line in lines}
    assert {
        "build",
        "check",
        "doctor",
        "format",
        "fuzz",
        "test.fast",
        "test.sanitize",
        "bench.smoke",
    } <= names
    lab = {f"lab.{verb}" for verb in ("up", "down", "status", "exec", "shell", "graph", "capture", "list")}
    assert lab <= names
    assert all(len(line.split()) > 3 and not line.startswith(" " * 10) for line in lines), (
        "one line each, with a text"
    )


def test_the_words_after_the_dashes_arrive_as_they_were_typed(tree: Path) -> None:
    words = ["sh", "-c", "echo \"a  b\" 'c' $HOME; exit 1", "", "--json", "--", "-x"]
    answer = invoke("lab.exec", "h1", "--", *words, root=tree)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == ["exec", "h1", "--", *words]


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["lab.up"], '["up"]'),
        (
            ["lab.up", "--topology", "vlan", "--datapath", "linux-bridge", "--name", "x", "--json"],
            '["up", "--topology", "vlan", "--datapath", "linux-bridge", "--name", "x", "--json"]',
        ),
        (["lab.down", "--all"], '["down", "--all"]'),
        (["lab.status", "--json"], '["status", "--json"]'),
        (["lab.shell", "h2", "--name", "x"], '["shell", "--name", "x", "h2"]'),
        (["lab.capture", "h1-s1", "--write", "f.pcapng"], '["capture", "-w", "f.pcapng", "h1-s1"]'),
    ],
)
def test_the_labs_flags_are_handed_on(tree: Path, words: list[str], called: str) -> None:
    assert invoke(*words, root=tree).stdout.strip() == called


def test_the_labs_exit_code_is_the_tasks(tree: Path) -> None:
    assert invoke("lab.exec", "fail", "--", "x", root=tree).returncode == 3


def test_a_failed_build_ends_the_task_with_its_words(tree: Path) -> None:
    text = "class BuildError(Exception): pass\ndef ensure(variants): raise BuildError('gcc said no')\n"
    (tree / "lab/setup/build.py").write_text(text)
    answer = invoke("lab.up", root=tree)
    assert answer.returncode == 1
    assert "gcc said no" in answer.stderr
    assert answer.stdout == ""


def test_an_unknown_task_is_an_error() -> None:
    answer = invoke("no-such-task")
    assert answer.returncode != 0
    assert "no-such-task" in answer.stderr
