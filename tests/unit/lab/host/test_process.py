"""Only the very processes that carry the lab's tag are ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.host import process

LAB = f"unit{os.getpid()}"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
)
PLAIN = "import signal; print('up', flush=True); signal.pause()"


@contextmanager
def running(code: str, lab: str | None) -> Iterator[subprocess.Popen[str]]:
    env = {key: value for key, value in os.environ.items() if key != process.TAG}
    if lab is not None:
        env[process.TAG] = lab
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        yield child
    finally:
        child.kill()
        child.communicate()


def look(child: subprocess.Popen[str]) -> process.Process:
    found = process.look(child.pid)
    assert found is not None
    return found


def test_tagged_process_is_found_and_ended() -> None:
    with running(PLAIN, LAB) as child:
        found = process.tagged(LAB)
        assert [one.pid for one in found] == [child.pid]
        assert process.end(found, LAB) == []
        assert process.tagged(LAB) == []


def test_process_that_ignores_sigterm_is_killed() -> None:
    with running(STUBBORN, LAB) as child:
        assert process.end([look(child)], LAB, grace=0.2) == []
        assert not process.is_alive(process.Process(child.pid, 0))
        assert process.look(child.pid) is None


@pytest.mark.parametrize("lab", [None, LAB + "x"])
def test_process_of_somebody_else_is_left_alone(lab: str | None) -> None:
    with running(PLAIN, lab) as child:
        assert process.end([look(child)], LAB) == []
        assert process.is_alive(look(child))


def test_pid_that_was_used_anew_is_left_alone() -> None:
    with running(PLAIN, LAB) as child:
        earlier = process.Process(child.pid, look(child).start - 1)
        assert process.end([earlier], LAB) == []
        assert process.is_alive(look(child))


def test_ancestors_reach_from_here_to_the_first_process() -> None:
    assert {os.getpid(), os.getppid(), 1} <= process.ancestors()
