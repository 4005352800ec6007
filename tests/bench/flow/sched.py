"""Other people's processes, and ours: who had a core for how long, and who is to have it first."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def prefer(pid: int) -> None:
    """Lets the session of a process go before the machine's other ones, where the kernel groups them
    (autogroup) and we may; both sides of a comparison. Otherwise nothing happens: CPU time is counted.
    """
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("-20\n")


def thread_named(pid: int, prefix: str) -> int:
    """The thread of a process whose name begins so. Raises ProcessLookupError."""
    for entry in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            if (entry / "comm").read_text().startswith(prefix):
                return int(entry.name)
    raise ProcessLookupError(f"process {pid} has no thread {prefix}*")


def schedule_of(pid: int, thread: int) -> tuple[int, int]:
    """Nanoseconds that a thread has been on a core, and that it has waited for one."""
    ran, waited, _ = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()
    return int(ran), int(waited)
