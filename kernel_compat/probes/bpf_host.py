"""What the host offers around BPF and locked memory, outside any namespace: read, never changed."""

from __future__ import annotations

import resource
from pathlib import Path

from kernel_compat.feature import Feature, Outcome, no, unknown, yes

BTF = Path("/sys/kernel/btf/vmlinux")
BPFFS = Path("/sys/fs/bpf")
BPF_FS_MAGIC = "bpf"
CAP_NET_ADMIN, CAP_IPC_LOCK, CAP_SYS_ADMIN, CAP_BPF = 12, 14, 21, 39


def capabilities() -> int:
    """The effective capabilities of this process, as a bit mask."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))


def has_capability(number: int) -> bool:
    """Whether this process holds the capability."""
    return bool(capabilities() >> number & 1)


def _btf() -> Outcome:
    if not BTF.exists():
        return no(f"{BTF} is not there")
    try:
        with BTF.open("rb") as file:
            magic = file.read(2)
    except PermissionError:
        return unknown(f"{BTF} may not be read", "run as root")
    return (
        yes(f"{BTF}, {BTF.stat().st_size >> 10} KiB")
        if magic in (b"\x9f\xeb", b"\xeb\x9f")
        else no("bad magic")
    )


def _bpffs() -> Outcome:
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    if any(point == str(BPFFS) and kind == BPF_FS_MAGIC for _, point, kind, *_ in mounts):
        return yes(f"mounted on {BPFFS}")
    return no(
        f"not mounted on {BPFFS}",
        f"mount -t bpf bpf {BPFFS} (nothing of ours is pinned, so nothing needs it)",
    )


def _jit() -> Outcome:
    path = Path("/proc/sys/net/core/bpf_jit_enable")
    try:
        value = path.read_text().strip()
    except PermissionError:
        return unknown(f"{path} may not be read", "run as root")
    except FileNotFoundError:
        return yes(f"{path} is not there: compiled in for good (CONFIG_BPF_JIT_ALWAYS_ON), or no JIT at all")
    return (
        yes(f"{path} = {value}") if value != "0" else no(f"{path} = 0", "sysctl -w net.core.bpf_jit_enable=1")
    )


def _memlock() -> Outcome:
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    text = "unlimited" if soft == resource.RLIM_INFINITY else f"{soft >> 20} MiB"
    if has_capability(CAP_IPC_LOCK):
        return yes(f"CAP_IPC_LOCK is held, so RLIMIT_MEMLOCK ({text}) does not bind")
    if soft == resource.RLIM_INFINITY or soft >= 128 << 20:
        return yes(f"RLIMIT_MEMLOCK is {text}")
    return no(f"RLIMIT_MEMLOCK is {text}, CAP_IPC_LOCK is not held", "run as root, or raise it (ulimit -l)")


FEATURES = (
    Feature("host.btf", "4.18", "BPF programs with type information", _btf, "CONFIG_DEBUG_INFO_BTF", False),
    Feature("host.bpffs", "4.4", "pinned BPF objects", _bpffs, "", False),
    Feature("host.bpf_jit", "3.0", "XDP programs at full speed", _jit, "CONFIG_BPF_JIT", False),
    Feature("host.locked_memory", "4.18", "umems, which are locked memory", _memlock, "", False),
)
