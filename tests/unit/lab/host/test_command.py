"""Programs that fail say why."""

import os
from pathlib import Path

import pytest

from lab.errors import CommandError
from lab.host import command


def test_failure_carries_standard_error() -> None:
    with pytest.raises(CommandError, match="failed with exit code 3: first / second"):
        command.run(["sh", "-c", "echo first >&2; echo second >&2; exit 3"])


def test_failure_by_signal_is_told() -> None:
    with pytest.raises(CommandError, match="was ended by signal 9, without a word"):
        command.run(["sh", "-c", "kill -9 $$"])


def test_program_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="no-such-program: is not installed"):
        command.run(["no-such-program"])


def test_program_that_does_not_end() -> None:
    with pytest.raises(CommandError, match=r"did not end within 0\.1 s"):
        command.run(["sleep", "60"], timeout=0.1)


def test_end_before_readiness_shows_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("starting\ncannot: no such device\n")
    read_fd, write_fd = os.pipe()
    os.close(write_fd)
    with pytest.raises(
        CommandError, match=r"(?s)ended before it was ready; its log ends:.*cannot: no such device"
    ):
        command.wait_ready(read_fd, "program", log, 10)
    os.close(read_fd)


def test_no_readiness_in_time(tmp_path: Path) -> None:
    read_fd, write_fd = os.pipe()
    with pytest.raises(CommandError, match=r"was not ready within 0\.1 s; its log is empty"):
        command.wait_ready(read_fd, "program", tmp_path / "log", 0.1)
    os.close(read_fd)
    os.close(write_fd)


def test_readiness_in_pieces(tmp_path: Path) -> None:
    read_fd, write_fd = os.pipe()
    for piece in (b"REA", b"DY\n"):
        os.write(write_fd, piece)
    command.wait_ready(read_fd, "program", tmp_path / "log", 10)
    os.close(read_fd)
    os.close(write_fd)
