"""What can go wrong here, and what to do about it.

Every exception of this package is a `LoaderError`. It names the thing concerned (`field`: a device,
file, map or program), says what was found (`message`), and gives the way out (`hint`). `errno` is the
kernel's own number, 0 when the kernel was not asked.
"""

from __future__ import annotations

import errno as errno_module
import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass


def errno_name(number: int) -> str:
    """`1` -> `EPERM`. A number that Python does not know comes back as `errno 524`."""
    if number == errno_module.EOPNOTSUPP:  # ENOTSUP is the same number; the kernel's own word is this one
        return "EOPNOTSUPP"
    return errno_module.errorcode.get(number, f"errno {number}")


def errno_text(number: int) -> str:
    """`1` -> `EPERM (Operation not permitted)`."""
    if number == 524:  # ENOTSUPP: kernel-internal, yet it reaches userspace; libc has no text for it
        return "ENOTSUPP (not supported by the kernel)"
    return f"{errno_name(number)} ({os.strerror(number)})"


class LoaderError(Exception):
    """Base of all errors of the loader; see the module's text for what the attributes mean.

    `details` are lines that somebody else said: a compiler, libbpf, the verifier.
    """

    def __init__(
        self, field: str, message: str, *, hint: str = "", errno: int = 0, details: str = ""
    ) -> None:
        super().__init__(field, message, hint, errno)
        self.field = field
        self.message = message
        self.hint = hint
        self.errno = errno
        self.details = details

    @property
    def errno_name(self) -> str:
        """The symbolic name of `errno`, or an empty string when there is none."""
        return errno_name(self.errno) if self.errno else ""

    def __str__(self) -> str:
        lines = [f"{self.field}: {self.message}" + (f": {errno_text(self.errno)}" if self.errno else "")]
        lines += [f"  | {line}" for line in self.details.splitlines()]
        lines += [f"  {line}" for line in self.hint.splitlines()]
        return "\n".join(lines)


class BuildError(LoaderError):
    """A compiler, a header or a built file is missing, or the compiler refused a source."""


class ObjectError(LoaderError):
    """A BPF object cannot be opened or loaded, or holds no program or map of that name."""


class VerifierError(LoaderError):
    """The kernel's verifier refused a program. `details` are the lines that matter, `log` is all it said."""

    def __init__(self, field: str, message: str, *, hint: str, errno: int, details: str, log: str) -> None:
        super().__init__(field, message, hint=hint, errno=errno, details=details)
        self.log = log


class MapError(LoaderError):
    """A map operation was refused, or does not fit the map's kind or sizes."""


class RunError(LoaderError):
    """A test run of a program was refused."""


@dataclass(frozen=True)
class Step:
    """One rung of the mode ladder. `errno` is 0 for the rung that held."""

    step: str
    errno: int
    message: str


class AttachError(LoaderError):
    """No permitted mode could be attached. `steps` are the attempts, in order."""

    def __init__(
        self, field: str, message: str, *, hint: str = "", errno: int = 0, steps: Sequence[Step] = ()
    ) -> None:
        super().__init__(field, message, hint=hint, errno=errno)
        self.steps = tuple(steps)


class ForeignProgram(LoaderError):
    """The device already carries an XDP program. It is named and left alone."""

    def __init__(self, field: str, message: str, *, hint: str, errno: int, prog_id: int, name: str) -> None:
        super().__init__(field, message, hint=hint, errno=errno)
        self.prog_id = prog_id
        self.name = name


def permission_hint() -> str:
    """What to do about EPERM from bpf(2)."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    hint = "run as root, or with CAP_BPF and CAP_NET_ADMIN (before kernel 5.8: CAP_SYS_ADMIN)"
    if os.geteuid() == 0 and soft != resource.RLIM_INFINITY:
        hint += (
            f"; as root on a kernel before 5.11 the cause can be the limit of locked memory,"
            f" now {soft >> 10} KiB: ulimit -l unlimited"
        )
    return hint


def general_hint(number: int) -> str:
    """The way out for an errno whose meaning does not depend on the call; empty when there is none."""
    hints = {
        errno_module.EPERM: permission_hint(),
        errno_module.ENOMEM: "free memory, or raise the limit of locked memory: ulimit -l unlimited",
        errno_module.ENOSYS: "this kernel has no bpf(2): it needs CONFIG_BPF_SYSCALL",
    }
    return hints.get(number, "")
