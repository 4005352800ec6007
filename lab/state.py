"""What a lab is made from, on disk, so that the next command knows what is up.

Reading it back in full takes the topology's checks, and those a fifth of a second of imports; the `Summary`
that most commands need is in the file as plain values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import rundir

if TYPE_CHECKING:
    from lab.topology.model import Topology

FILE = "topology.json"
BUILDING = "building"
UP = "up"
HOST = "host"
# A file without them is another version's: as good as none, so that lab.down is the way out.
_KEYS = {"phase", "nodes", "source", "datapath", "ofports", "document"}


@dataclass(frozen=True)
class State:
    """A lab as it was last applied."""

    topology: Topology
    phase: str
    source: str
    """Shipped name or file that it came from."""
    datapath: str | None = None
    """Datapath that was put in place of the file's."""
    ofports: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Switch → device → OpenFlow port number."""


@dataclass(frozen=True)
class Summary:
    """What there is in a lab."""

    phase: str
    nodes: Mapping[str, str]
    """Node → `host`, or the datapath of a switch."""


def save(folder: Path, state: State) -> None:
    """Writes a lab's state down."""
    topology = state.topology
    document = {
        "phase": state.phase,
        "nodes": {
            **dict.fromkeys(topology.hosts, HOST),
            **{name: switch.datapath for name, switch in topology.switches.items()},
        },
        "source": state.source,
        "datapath": state.datapath,
        "ofports": state.ofports,
        "document": topology.document,
    }
    rundir.write_atomically(folder / FILE, json.dumps(document, indent=1))


def _read(lab: str) -> dict[str, Any] | None:
    try:
        stored: object = json.loads((rundir.lab_dir(lab) / FILE).read_text())
    except (OSError, ValueError):
        return None
    return stored if isinstance(stored, dict) and _KEYS.issubset(stored) else None


def summary(lab: str) -> Summary | None:
    """What there is in a lab; None if it has no state, or none that can be read."""
    stored = _read(lab)
    return None if stored is None else Summary(stored["phase"], stored["nodes"])


def load(lab: str) -> State | None:
    """The state of a lab; None if it has none, or one that cannot be read."""
    from lab.topology.load import from_document

    stored = _read(lab)
    if stored is None:
        return None
    topology = from_document(stored["document"])
    if stored["datapath"] is not None:
        topology = topology.with_datapath(stored["datapath"])
    return State(topology, stored["phase"], stored["source"], stored["datapath"], stored["ofports"])
