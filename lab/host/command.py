"""Runs programs. A program that fails is an error that carries what it wrote to standard error."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.errors import CommandError, Problem

TIMEOUT = 30.0
"""Seconds after which a program that should be quick is given up."""


def run(
    argv: Sequence[str],
    *,
    netns: str | None = None,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
    timeout: float = TIMEOUT,
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, in a network namespace if one is named.

    `env` is added to the environment. Raises CommandError: not there, not in time, or (with `check`) exit
    code ≠ 0.
    """
    full = in_netns(netns, argv)
    try:
        done = subprocess.run(
            full,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **(env or {})},
        )
    except FileNotFoundError:
        raise CommandError(missing(full[0])) from None
    except subprocess.TimeoutExpired:
        raise CommandError(Problem(shlex.join(full), f"did not end within {timeout:g} s")) from None
    if check and done.returncode != 0:
        raise CommandError(Problem(shlex.join(full), _failure(done.returncode, done.stderr or done.stdout)))
    return done


def in_netns(netns: str | None, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` in a named namespace (with the right /sys; the pid stays)."""
    return [*(["ip", "netns", "exec", netns] if netns else []), *argv]


def missing(program: str) -> Problem:
    """A program that is not installed."""
    return Problem(program, "is not installed", "./invoke doctor names the package")


def require(*programs: str) -> list[Problem]:
    """The programs that are not there."""
    return [missing(program) for program in programs if shutil.which(program) is None]


def _failure(code: int, output: str) -> str:
    ended = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
    lines = [line for line in output.strip().splitlines() if line.strip()]
    return f"{ended}: {' / '.join(lines[-4:])}" if lines else f"{ended}, without a word"


def start(argv: Sequence[str], *, netns: str, log: Path, env: Mapping[str, str], ready_fd: int) -> int:
    """Starts a program in the background, in a session of its own; returns its pid.

    `ready_fd` is the writing end of a pipe that the program inherits under the same number.
    Its output goes to `log`. Raises CommandError if it cannot be started.
    """
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                in_netns(netns, argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **env},
                pass_fds=(ready_fd,),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise CommandError(missing(error.filename)) from None
    process.returncode = 0  # It outlives us on purpose: the object's destructor need not warn of it.
    return process.pid


def wait_ready(read_fd: int, what: str, log: Path, timeout: float) -> None:
    """Waits until the program at the other end of the pipe writes READY.

    Raises CommandError with the last lines of its log when it ends before, or takes longer than `timeout`
    seconds.
    """
    deadline = time.monotonic() + timeout
    said = b""
    while b"READY" not in said:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([read_fd], [], [], left)[0]:
            raise CommandError(
                Problem(what, f"was not ready within {timeout:g} s; {_tail(log)}", f"see {log}")
            )
        chunk = os.read(read_fd, 64)
        if not chunk:
            raise CommandError(Problem(what, f"ended before it was ready; {_tail(log)}"))
        said += chunk


def _tail(log: Path, lines: int = 12) -> str:
    try:
        text = log.read_text(errors="replace").strip()
    except OSError:
        text = ""
    return (
        "its log ends:\n      " + "\n      ".join(text.splitlines()[-lines:]) if text else "its log is empty"
    )
