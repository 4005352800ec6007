"""Labs for tests: brought up as a user does it, by the command, under names of this run's own."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.host import netns, process
from lab.rundir import run_dir

TIMEOUT = 90
_numbers = itertools.count(1)


def new_name() -> str:
    """A name that no other lab on this machine has."""
    return f"t{os.getpid()}-{next(_numbers)}"


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, **(extra or {})}


def run_lab(
    *words: str, check: bool = True, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`python -m lab WORDS`."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", *words],
        capture_output=True, text=True, timeout=TIMEOUT, env=environment(env),
    )  # fmt: skip
    if check and done.returncode != 0:
        raise AssertionError(f"lab {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


@dataclass(frozen=True)
class Lab:
    """A lab that is up, or may be."""

    name: str

    def up(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run_lab("up", "--name", self.name, *words, check=check)

    def up_document(self, *words: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.up("--json", *words).stdout)
        return document

    def down(self, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run_lab("down", "--name", self.name, check=check)

    def exec(self, node: str, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run_lab("exec", "--name", self.name, node, "--", *argv, check=check)

    def status(self) -> dict[str, Any]:
        """The lab's own part of `lab status --json`."""
        document = json.loads(run_lab("status", "--json", "--name", self.name).stdout)
        labs: list[dict[str, Any]] = document["labs"]
        assert [one["lab"] for one in labs] == [self.name]
        return labs[0]

    def netns(self, node: str) -> str:
        return netns.name_of(self.name, node)

    def background(self, node: str, *argv: str) -> subprocess.Popen[str]:
        """A command in a node that runs on; its output is to be read."""
        return subprocess.Popen(
            [sys.executable, "-m", "lab", "exec", "--name", self.name, node, "--", *argv],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
        )  # fmt: skip

    def address(self, host: str) -> str:
        """First address of a host's eth0."""
        shown = json.loads(self.exec(host, "ip", "-j", "-4", "address", "show", "dev", "eth0").stdout)
        return str(shown[0]["addr_info"][0]["local"])

    @property
    def folder(self) -> Path:
        return run_dir() / "labs" / self.name


@contextmanager
def lab() -> Iterator[Lab]:
    """A name for a lab; whatever of it is there at the end is taken away."""
    made = Lab(new_name())
    try:
        yield made
    finally:
        made.down()


@contextmanager
def running(*words: str) -> Iterator[Lab]:
    """A lab that is up."""
    with lab() as made:
        made.up(*words)
        yield made


def topology_file(folder: Path, text: str) -> str:
    path = folder / "topology.yaml"
    path.write_text(text)
    return str(path)


def host_state(lab_name: str | None = None) -> dict[str, list[str]]:
    """What a lab must leave as it found it. Sections with other people's things are cut down to those of
    `lab_name` where the host is shared (RINGSIDE_SHARED_HOST=1).
    """
    state = {
        "ip -br link": _lines("ip", "-br", "link"),
        "ip netns": sorted(path.name for path in netns.NETNS_DIR.iterdir())
        if netns.NETNS_DIR.is_dir()
        else ["-"],
        "bpftool link": _lines("bpftool", "link"),
        "bpftool net": _lines("bpftool", "net"),
        "ethtool -k": [line for device in _devices() for line in _lines("ethtool", "-k", device)],
        "mounts": sorted(_mounts()),
        "run folder": sorted(str(path) for path in run_dir().rglob("*")) if run_dir().exists() else ["-"],
        "processes": [str(one) for one in process.tagged(lab_name)] if lab_name else [],
    }
    if os.environ.get("RINGSIDE_SHARED_HOST"):
        own = netns.name_of(lab_name or "", "")
        state["ip netns"] = [name for name in state["ip netns"] if lab_name and name.startswith(own)]
        state["mounts"] = [line for line in state["mounts"] if lab_name and own in line]
        state["bpftool link"] = []  # Those of other people come and go; ours are seen in the processes.
    return state


def _lines(*argv: str) -> list[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=20).stdout.splitlines()


def _devices() -> list[str]:
    return sorted(path.name for path in Path("/sys/class/net").iterdir())


def _mounts() -> Sequence[str]:
    # Without the ids, which the kernel counts up.
    return [" ".join(line.split()[4:]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
