"""What a lab is made from, on disk, so that the next command knows what is up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab import rundir
from lab.topology.load import from_document
from lab.topology.model import Topology

FILE = "topology.json"
BUILDING = "building"
UP = "up"


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


def save(folder: Path, state: State) -> None:
    """Writes a lab's state down."""
    document = {
        "phase": state.phase,
        "source": state.source,
        "datapath": state.datapath,
        "ofports": state.ofports,
        "document": state.topology.document,
    }
    rundir.write_atomically(folder / FILE, json.dumps(document, indent=1))


def load(lab: str) -> State | None:
    """The state of a lab; None if it has none, or one that cannot be read."""
    try:
        stored = json.loads((rundir.lab_dir(lab) / FILE).read_text())
    except (OSError, ValueError):
        return None
    topology = from_document(stored["document"])
    if stored["datapath"] is not None:
        topology = topology.with_datapath(stored["datapath"])
    return State(topology, stored["phase"], stored["source"], stored["datapath"], stored["ofports"])
