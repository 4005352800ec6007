"""Reads topology files, shipped ones by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.errors import Problem, TopologyError, fail
from lab.topology.check import problems
from lab.topology.model import Topology
from lab.topology.resolve import resolve
from lab.topology.schema import parse

SHIPPED = Path(__file__).parent.parent / "topologies"
DEFAULT = "pair"


class _Loader(yaml.SafeLoader):
    """YAML in which a key given twice is an error: PyYAML would keep the last one and say nothing."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[object, object]:
    seen: dict[object, int] = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        line = key_node.start_mark.line + 1
        if key in seen:
            raise fail(
                f"{key} (line {line})", f"the name {key} is used twice: see line {seen[key]}", "rename one"
            )
        seen[key] = line
    return dict(loader.construct_pairs(node))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def shipped() -> list[str]:
    """Names of the topologies that come with the lab."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load(name_or_file: str | Path) -> Topology:
    """The topology of a shipped name or a file. Raises TopologyError, LabError."""
    path = Path(name_or_file)
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        path = SHIPPED / f"{name_or_file}.yaml"
        if not path.exists():
            near = difflib.get_close_matches(str(name_or_file), shipped(), n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise fail(
                f"topology {name_or_file}",
                "is neither a file nor one that comes with the lab",
                f"{hint}shipped: {', '.join(shipped())}; or name a .yaml file",
            )
    try:
        text = path.read_text()
    except OSError as error:
        raise fail(
            str(path),
            error.strerror or "cannot be read",
            "name a topology file, or one of " + ", ".join(shipped()),
        ) from None
    return loads(text, str(path))


def loads(text: str, source: str = "topology") -> Topology:
    """The topology of a YAML text. Raises TopologyError, LabError."""
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise fail(f"{source}, line {line}", f"is not YAML: {error.problem}", "mend that line") from None
    return from_document(document, source)


def from_document(document: object, source: str = "topology") -> Topology:
    """The topology of a document: what a YAML or JSON file holds. Raises TopologyError."""
    spec = parse(document, source)
    if found := problems(spec):
        raise TopologyError(*(Problem(one.where, one.found, one.way_out) for one in found))
    assert isinstance(document, Mapping)
    plain: dict[str, Any] = {str(key): value for key, value in document.items()}
    return resolve(spec, plain)
