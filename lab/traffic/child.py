"""Processes that a measurement starts: pinned to cores, gone when it goes, parked while others are
measured.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from lab.errors import CommandError, Problem

READY_TIMEOUT = 30.0


class Child:
    """A running program. `stdin` and `stdout` are pipes to it; what it says on stderr goes to a file
    without a name.
    """

    def __init__(self, process: subprocess.Popen[str], name: str, log: IO[bytes]) -> None:
        self._process = process
        self._log = log
        self._unread = b""
        self.name = name

    @property
    def pid(self) -> int:
        """Its process id, which is also that of the program itself (wrappers exec)."""
        return self._process.pid

    @property
    def stdin(self) -> IO[str]:
        """Where it reads commands."""
        assert self._process.stdin is not None
        return self._process.stdin

    def ask(self, line: str = "", *, sign: signal.Signals | None = None, timeout: float = 5.0) -> str:
        """Writes a line to it, or sends it a signal, and returns the next line that it prints.

        Raises CommandError: it ended, or did not answer within `timeout` seconds.
        """
        if sign is not None:
            self._process.send_signal(sign)
        else:
            self.stdin.write(line + "\n")
            self.stdin.flush()
        answer = self.next_line(timeout)
        if answer is None:
            raise CommandError(
                Problem(self.name, f"did not answer within {timeout:g} s; {self.last_words()}")
            )
        return answer

    def next_line(self, timeout: float) -> str | None:
        """The next line that it prints; None if none comes in time. Raises CommandError when it has ended."""
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        deadline = time.monotonic() + timeout
        while b"\n" not in self._unread:
            if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            chunk = os.read(fd, 65536)
            if not chunk:
                raise CommandError(Problem(self.name, f"has ended; {self.last_words()}"))
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode(errors="replace")

    def interrupt(self) -> None:
        """SIGUSR1, which ends a system call of a program that expects it."""
        self._process.send_signal(signal.SIGUSR1)

    def park(self) -> None:
        """Stops it where it stands: a busy-polling datapath would take the core from the one that is
        measured.
        """
        self._process.send_signal(signal.SIGSTOP)

    def unpark(self) -> None:
        """Lets it go on."""
        self._process.send_signal(signal.SIGCONT)

    def end(self, grace: float = 5.0) -> None:
        """SIGTERM, and SIGKILL after `grace` seconds. May be called twice."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def kill(self) -> None:
        """SIGKILL, at once."""
        self._process.kill()

    def last_words(self, lines: int = 8) -> str:
        """The end of what it wrote to stderr."""
        text = os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace").strip()
        return "it said:\n      " + "\n      ".join(text.splitlines()[-lines:]) if text else "it said nothing"


def start(
    argv: Sequence[str],
    *,
    name: str,
    cpus: Sequence[int],
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
) -> Child:
    """Starts a program on the given cores, in the network namespace where the calling thread is now.

    The kernel kills it when this process dies, however that comes about. It is in a session of its own, so
    that Ctrl-C reaches us alone and we end things in order.
    Raises CommandError if a program is not there.
    """
    wrapper = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", ",".join(map(str, cpus))]
    log = tempfile.TemporaryFile()  # noqa: SIM115 - the child writes to it as long as it runs
    try:
        process = subprocess.Popen(
            [*wrapper, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            bufsize=1,
            env={**os.environ, **(env or {})},
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    except FileNotFoundError as error:
        log.close()
        raise CommandError(Problem(error.filename, "is not installed", "./invoke doctor")) from error
    return Child(process, name, log)


def start_ready(
    argv: Sequence[str],
    *,
    name: str,
    cpus: Sequence[int],
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    timeout: float = READY_TIMEOUT,
) -> Child:
    """As `start`, with `--ready-fd N` added; returns when the program has written READY there.

    Raises CommandError with the program's last words when it ends before, or is not ready in time.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    try:
        try:
            child = start(
                [*argv, "--ready-fd", str(writer)],
                name=name,
                cpus=cpus,
                pass_fds=[*pass_fds, writer],
                env=env,
            )
        finally:
            os.close(writer)
        try:
            _wait_ready(reader, child, timeout)
        except BaseException:
            child.end()
            raise
        return child
    finally:
        os.close(reader)


def _wait_ready(reader: int, child: Child, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    said = b""
    while b"READY" not in said:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            raise CommandError(
                Problem(child.name, f"was not ready within {timeout:g} s; {child.last_words()}")
            )
        chunk = os.read(reader, 64)
        if not chunk:
            raise CommandError(Problem(child.name, f"ended before it was ready; {child.last_words()}"))
        said += chunk


def cpu_seconds(pid: int, tid: int | None = None) -> float:
    """Time that a thread (default: the process's first) has been on a core, in seconds; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/task/{tid or pid}/schedstat").read_text()
    except OSError:
        return 0.0
    return int(text.split()[0]) / 1e9


def thread_named(pid: int, prefix: str) -> int | None:
    """Id of the first thread of a process whose name begins with `prefix`."""
    for task in sorted(Path(f"/proc/{pid}/task").iterdir()):
        with contextlib.suppress(OSError):
            if (task / "comm").read_text().startswith(prefix):
                return int(task.name)
    return None
