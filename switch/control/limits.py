"""What this process may do: capabilities and locked memory, asked before the kernel says a bare EPERM."""

from __future__ import annotations

import resource
from pathlib import Path

from switch.control.errors import ControlError

CAPABILITIES = {
    12: "CAP_NET_ADMIN",
    13: "CAP_NET_RAW",
    14: "CAP_IPC_LOCK",
    21: "CAP_SYS_ADMIN",
    39: "CAP_BPF",
}
_NET_ADMIN, _NET_RAW, _IPC_LOCK, _SYS_ADMIN, _BPF = CAPABILITIES

UMEM_BYTES = 16384 * 4096
"""A umem of the default size: frames × bytes of each."""


def effective_capabilities() -> set[int]:
    """Numbers of the capabilities in force for this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            mask = int(line.split()[1], 16)
            return {bit for bit in range(64) if mask >> bit & 1}
    return set()


def check_permission(field: str, capabilities: set[int], needs_xdp: bool) -> None:
    """ControlError that names the capabilities which a port of this kind needs and the process lacks."""
    needed = [_NET_ADMIN]
    if needs_xdp:
        needed.append(_NET_RAW)
        if _SYS_ADMIN not in capabilities:  # It contains CAP_BPF; before 5.8 it was the only way.
            needed.append(_BPF)
    missing = [CAPABILITIES[each] for each in needed if each not in capabilities]
    if missing:
        what = "AF_XDP sockets" if needs_xdp else "making a device"
        message = f"no permission: {what} needs {', '.join(missing)}, which this process lacks"
        raise ControlError(field, message, "run as root, or give the service these capabilities", "EPERM")


def check_locked_memory(field: str, capabilities: set[int], limit: int, needed: int = UMEM_BYTES) -> None:
    """ControlError if `limit` (RLIMIT_MEMLOCK, bytes, -1 = none) cannot hold one more umem."""
    if _IPC_LOCK in capabilities or limit in (-1, resource.RLIM_INFINITY) or limit >= needed:
        return
    message = f"a umem locks {needed >> 20} MiB of memory, RLIMIT_MEMLOCK allows {limit >> 10} KiB"
    hint = f"`ulimit -l {needed >> 10}`, LimitMEMLOCK=infinity in the service's unit, or CAP_IPC_LOCK"
    raise ControlError(field, message, hint, "ENOBUFS")


def locked_memory_limit() -> int:
    """The soft limit in bytes, raised to the hard one where that is possible; -1 = none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
            soft = hard
        except (OSError, ValueError):  # Not fatal: the check that follows speaks of the limit in force.
            pass
    return soft
