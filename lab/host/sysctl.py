"""Kernel settings of one network namespace."""

from __future__ import annotations

from pathlib import Path

from lab.host import netns

_ROOT = Path("/proc/sys/net")


def write(namespace: str, settings: dict[str, str]) -> None:
    """Writes settings, such as {"ipv6/conf/eth0/disable_ipv6": "1"}. One that this kernel has not is passed
    over.
    """

    def work() -> None:
        for name, value in settings.items():
            path = _ROOT / name
            if path.exists():
                path.write_text(value)

    netns.inside(namespace, work)


def read(namespace: str, name: str) -> str | None:
    """The value of a setting, None if this kernel has it not."""

    def work() -> str | None:
        path = _ROOT / name
        return path.read_text().strip() if path.exists() else None

    return netns.inside(namespace, work)
