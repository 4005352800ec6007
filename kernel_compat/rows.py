"""The doctor's rows: what is asked of a host beyond the kernel's features, and how features make a lab
possible.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kernel_compat.feature import AS_ROOT, Answer, Feature, Outcome
from kernel_compat.probes import bpf_host

ROOT = Path(__file__).resolve().parents[1]
TOPOLOGIES = ROOT / "lab" / "topologies"

# What each thing that a lab can be told to do stands on; each name is a feature's.
_NODES = ("netns.make", "netns.name", "link.veth")
_AF_XDP = ("af_xdp.socket", "af_xdp.umem_64m", "af_xdp.copy")
DATAPATHS: dict[str, tuple[str, ...]] = {
    "ringside": (*_NODES, *_AF_XDP, "xdp.load", "xdp.link_generic", "tun.tap"),
    "linux-bridge": (*_NODES, "link.bridge"),
}
IMPAIRMENTS: dict[str, tuple[str, ...]] = {
    "delay": ("tc.netem",),
    "loss": ("tc.netem",),
    "rate": ("tc.tbf",),
}
# Better with them, possible without.
OPTIONAL = {
    "VLANs on the datapath linux-bridge": ("link.bridge_vlan",),
    "native XDP on veth": ("xdp.link_native",),
    "port to port without a copy in userspace": ("af_xdp.shared_umem",),
    "checksums left to the kernel": ("af_xdp.tx_metadata",),
    "jumbo frames in native mode": ("xdp.frags", "af_xdp.multi_buffer"),
    "impairment of what a host receives": ("link.ifb", "tc.mirred"),
}


@dataclass(frozen=True)
class Row:
    """One line of the survey: the answer, what it rests on, and what to do about it."""

    group: str
    what: str
    answer: Answer
    evidence: str
    way_out: str = ""


def features(group: str, asked: Iterable[Feature], answers: Mapping[str, Outcome]) -> list[Row]:
    """A row for each feature that was asked."""
    return [
        Row(
            group,
            f"{one.name}: {one.what_for}",
            answers[one.name].answer,
            answers[one.name].evidence,
            answers[one.name].way_out,
        )
        for one in asked
    ]


def combined(group: str, what: str, needs: Iterable[str], answers: Mapping[str, Outcome]) -> Row:
    """A row that is yes when all features in `needs` are; otherwise it names those that are not."""
    lacking = [(name, answers[name]) for name in needs if answers[name].answer != "yes"]
    if not lacking:
        return Row(group, what, "yes", "everything it stands on is there")
    answer: Answer = "no" if any(outcome.answer == "no" for _, outcome in lacking) else "unknown"
    ways = dict.fromkeys(outcome.way_out for _, outcome in lacking if outcome.way_out)
    evidence = "; ".join(dict.fromkeys(f"{name}: {outcome.evidence}" for name, outcome in lacking))
    return Row(group, what, answer, evidence, "; ".join(ways))


def permissions() -> list[Row]:
    """Who we are and what we may."""
    group = "permissions"
    uid = os.geteuid()
    rows = [Row(group, "root", "yes" if uid == 0 else "no", f"uid {uid}", "" if uid == 0 else AS_ROOT)]
    for name in ("CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_BPF", "CAP_IPC_LOCK"):
        held = bpf_host.has_capability(getattr(bpf_host, name))
        mask = f"CapEff {bpf_host.capabilities():#x}"
        rows.append(
            Row(group, name, "yes" if held else "no", mask, "" if held else f"run as root, or grant {name}")
        )
    folder = Path(os.environ.get("RINGSIDE_RUNDIR", "/run/ringside"))
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    may = os.access(nearest, os.W_OK)
    way_out = "" if may else "run as root, or set RINGSIDE_RUNDIR to a folder of yours"
    rows.append(
        Row(
            group,
            f"the run folder {folder}",
            "yes" if may else "no",
            f"{nearest} is writable: {may}",
            way_out,
        )
    )
    return rows


def _uses(topology: Any, keys: Iterable[str]) -> Iterator[str]:
    """Which of `keys` occur anywhere in a topology's document."""
    if isinstance(topology, dict):
        yield from (key for key in keys if key in topology)
        topology = list(topology.values())
    if isinstance(topology, list):
        for part in topology:
            yield from _uses(part, keys)


def topologies(answers: Mapping[str, Outcome], folder: Path = TOPOLOGIES) -> list[Row]:
    """A row for each shipped topology on our own datapath."""
    rows = []
    for path in sorted(folder.glob("*.yaml")):
        links = yaml.safe_load(path.read_text()).get("links", [])
        needs = dict.fromkeys(DATAPATHS["ringside"])
        for impairment in _uses(links, IMPAIRMENTS):
            needs |= dict.fromkeys(IMPAIRMENTS[impairment])
        rows.append(combined("lab", f"topology {path.stem}", needs, answers))
    return rows


def lab(answers: Mapping[str, Outcome]) -> list[Row]:
    """What the lab can be told to do here."""
    rows = [combined("lab", f"datapath {name}", needs, answers) for name, needs in DATAPATHS.items()]
    rows += topologies(answers)
    rows += [combined("lab", f"impairment: {name}", needs, answers) for name, needs in IMPAIRMENTS.items()]
    rows += [combined("lab", name, needs, answers) for name, needs in OPTIONAL.items()]
    return rows


def machines() -> list[Row]:
    """Virtual machines and real network cards."""
    kvm = Path("/dev/kvm")
    usable = os.access(kvm, os.R_OK | os.W_OK)
    rows = [
        Row(
            "VM and NIC",
            "/dev/kvm",
            # That it opens does not say that it can boot a stock kernel: only a trial boot does.
            "unknown" if usable else "no",
            f"{kvm} can be opened; whether it boots a kernel, only a trial tells"
            if usable
            else f"no usable {kvm}",
            "" if usable else "guests run without it, some 10 times slower",
        )
    ]
    file = ROOT / "lab" / "hardware.toml"
    rows.append(
        Row(
            "VM and NIC",
            "a real network card for experiments",
            "yes" if file.exists() else "no",
            str(file.relative_to(ROOT)) if file.exists() else "lab/hardware.toml is not there",
            "" if file.exists() else "name the cards that may be used in lab/hardware.toml",
        )
    )
    return rows


def disk() -> Row:
    """Room for .venv and build/, which take some 300 MB."""
    free = shutil.disk_usage(ROOT).free >> 20
    enough = free >= 500
    way_out = "" if enough else "make room: .venv and build/ take some 300 MB"
    return Row("build tools", "room on the disk", "yes" if enough else "no", f"{free} MiB free", way_out)
