"""Commands that tasks run: exit codes come through, signals reach the child, and it is waited for."""

import os
import subprocess
import sys
from pathlib import Path

from lab.setup.process import run

ROOT = Path(__file__).resolve().parents[3]
# The child says when it is ready, and on SIGTERM undoes something before it ends with a code of its own.
CHILD = """
import signal, sys, pathlib
def undo(*_):
    pathlib.Path(sys.argv[1]).write_text("undone")
    sys.exit(7)
signal.signal(signal.SIGTERM, undo)
print("ready", flush=True)
signal.pause()
"""
PARENT = """
import sys
from pathlib import Path
from lab.setup.process import run
sys.exit(run([sys.executable, "-c", *sys.argv[1:]], cwd=Path(".")))
"""


def test_the_exit_code_comes_through() -> None:
    assert run(["sh", "-c", "exit 5"], cwd=ROOT) == 5


def test_a_child_killed_by_a_signal_has_the_shells_code() -> None:
    assert run(["sh", "-c", "kill -9 $$"], cwd=ROOT) == 137


def test_the_environment_is_added_to() -> None:
    assert run(["sh", "-c", 'test "$EXTRA" = 1 && test -n "$PATH"'], cwd=ROOT, env={"EXTRA": "1"}) == 0


def test_sigterm_reaches_the_child_and_its_undoing_is_waited_for(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    words = [sys.executable, "-c", PARENT, CHILD, str(mark)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.terminate()
        assert parent.wait(20) == 7
    assert mark.read_text() == "undone"
