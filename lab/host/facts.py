"""Facts of the machine that belong beside every figure: kernel, processor, mitigations, versions, commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).resolve().parents[2]
_TOOLS = {
    "ip": ["ip", "-V"],
    "ethtool": ["ethtool", "--version"],
    "iperf3": ["iperf3", "--version"],
    "tcpdump": ["tcpdump", "--version"],
    "bpftool": ["bpftool", "version"],
    "clang": ["clang", "--version"],
    "gcc": ["gcc", "--version"],
}


def collect() -> dict[str, Any]:
    """Everything, as a document for JSON. What cannot be told is None."""
    return {
        "kernel": {
            "release": platform.release(),
            "version": platform.version(),
            "machine": platform.machine(),
        },
        "cpu": _cpu(),
        "mitigations": _mitigations(),
        "memory_bytes": _memory(),
        "distribution": _distribution(),
        "python": platform.python_version(),
        "versions": _versions(),
        "commit": _commit(),
    }


def _cpu() -> dict[str, Any]:
    text = _read("/proc/cpuinfo") or ""
    return {
        "model": _field(text, "model name"),
        "microcode": _field(text, "microcode"),
        "online": os.cpu_count(),
        "hypervisor": "hypervisor" in (_field(text, "flags") or "").split(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "smt": _read("/sys/devices/system/cpu/smt/control"),
    }


def _mitigations() -> dict[str, str]:
    folder = Path("/sys/devices/system/cpu/vulnerabilities")
    try:
        return {path.name: path.read_text().strip() for path in sorted(folder.iterdir())}
    except OSError:
        return {}


def _memory() -> int | None:
    match = re.search(r"^MemTotal:\s+(\d+) kB", _read("/proc/meminfo") or "", re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _distribution() -> str | None:
    match = re.search(r'^PRETTY_NAME="?([^"\n]*)', _read("/etc/os-release") or "", re.MULTILINE)
    return match[1] if match else None


def _versions() -> dict[str, str | None]:
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(_TOOLS, pool.map(_first_line, _TOOLS.values()), strict=True))


def _first_line(argv: list[str]) -> str | None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else None


def _commit() -> dict[str, Any] | None:
    def git(*words: str) -> str:
        argv = ["git", "-C", str(_PROJECT), *words]
        return subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout.strip()

    try:
        return {"id": git("rev-parse", "HEAD"), "modified": bool(git("status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def _field(text: str, name: str) -> str | None:
    match = re.search(rf"^{name}\s*:\s*(.*)$", text, re.MULTILINE)
    return match[1] if match else None
