"""Reads packages.table, the one list of what this host must have (the launcher reads the same file)."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

TABLE = Path(__file__).with_name("packages.table")
MANAGERS = ("apt", "dnf", "zypper", "apk", "pacman")
USES = ("python", "build", "lab", "check", "peer", "vm")
# The folders where ip, ethtool and bpftool are, which a plain user's PATH often lacks.
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

_INSTALL = {
    "apt": "apt-get install -y --no-install-recommends",
    "dnf": "dnf install -y",
    "zypper": "zypper --non-interactive install --no-recommends",
    "apk": "apk add",
    "pacman": "pacman -S --needed --noconfirm",
}


class TableError(ValueError):
    """A line of packages.table that cannot be read: names the line, what was found and what is expected."""


@dataclass(frozen=True)
class Need:
    """One thing that this host must have."""

    name: str
    use: str
    probe: str
    packages: dict[str, tuple[str, ...]]

    def found(self) -> str | None:
        """Where the thing was found, or None."""
        for part in self.probe.split("|"):
            kind, _, what = part.partition(":")
            answer = _LOOK[kind](what)
            if answer is not None:
                return answer
        return None

    def way_out(self, manager: str | None) -> str:
        """The line that installs it, as root; or what to do where no package is known."""
        if manager is None or not self.packages[manager]:
            return f"install it by hand ({self.probe})"
        return f"{_INSTALL[manager]} {' '.join(self.packages[manager])}"


def _command(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=SBIN)


def _file(pattern: str) -> str | None:
    return next((str(path) for path in sorted(Path("/").glob(pattern.lstrip("/")))), None)


def _python(what: str) -> str | None:
    if what == "ensurepip":
        return sys.executable if find_spec("ensurepip") and find_spec("venv") else None
    if what == "headers":
        header = Path(sysconfig.get_path("include"), "Python.h")
        return str(header) if header.exists() else None
    return sys.executable


_LOOK = {"cmd": _command, "file": _file, "py": _python}


def read_table(text: str | None = None) -> tuple[Need, ...]:
    """The table's rows in their order. Raises TableError, which names the line that cannot be read."""
    lines = (TABLE.read_text() if text is None else text).splitlines()
    needs: list[Need] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#") or words[0] == "need":
            continue
        needs.append(_read_row(number, words))
    names = [need.name for need in needs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"packages.table: {', '.join(twice)} stands there twice; a need has one row")
    return tuple(needs)


def _read_row(number: int, words: list[str]) -> Need:
    columns = 3 + len(MANAGERS)
    where = f"packages.table, line {number} ({words[0]})"
    if len(words) != columns:
        raise TableError(
            f"{where}: {len(words)} columns, {columns} are expected; use - where there is no package"
        )
    name, use, probe, *packages = words
    if use not in USES:
        raise TableError(f"{where}: use is {use!r}, expected one of {', '.join(USES)}")
    unknown = [part for part in probe.split("|") if part.partition(":")[0] not in _LOOK]
    if unknown:
        raise TableError(f"{where}: unknown probe {unknown[0]!r}; known: {', '.join(_LOOK)}")
    split = (() if text == "-" else tuple(text.split(",")) for text in packages)
    return Need(name, use, probe, dict(zip(MANAGERS, split, strict=True)))


def manager() -> str | None:
    """This host's package manager, in the launcher's order of preference, or None."""
    commands = {"apt": "apt-get"}
    return next((name for name in MANAGERS if _command(commands.get(name, name))), None)
