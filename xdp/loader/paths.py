"""Where sources and build output are. All output goes below `build/`, which git ignores."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Variant = Literal["release", "sanitize"]

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PROGRAMS = ROOT / "xdp" / "progs"
INCLUDE = ROOT / "xdp" / "include"
LOADER = ROOT / "xdp" / "loader"

EXTENSION = "_ringside_bpf"


def extension_path(variant: str) -> Path:
    """The compiled cffi extension of `variant`, whether or not it exists."""
    return BUILD / variant / f"{EXTENSION}.abi3.so"


def bpf_object_path(name: str) -> Path:
    """The compiled BPF object of `xdp/progs/<name>.bpf.c`, whether or not it exists."""
    return BUILD / "bpf" / f"{name}.bpf.o"
