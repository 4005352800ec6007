"""From what a person types (a node, a link, maybe a lab's name) to the lab that is meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from lab import rundir, state
from lab.errors import fail
from lab.host import netns
from lab.state import State
from lab.topology.model import Link


def labs() -> Iterator[tuple[str, State]]:
    """Labs that are up."""
    for name in rundir.running_labs():
        stored = state.load(name)
        if stored is not None and stored.phase == state.UP:
            yield name, stored


def find_lab(name: str | None) -> tuple[str, State]:
    """The lab of that name, or the only one that is up. Raises LabError."""
    found = dict(labs())
    if not found:
        raise fail("lab", "none is up", "./invoke lab.up")
    if name is None and len(found) > 1:
        raise fail("lab", f"{len(found)} are up: {', '.join(found)}", "--name LAB says which")
    chosen = name if name is not None else next(iter(found))
    if chosen not in found:
        raise fail(f"lab {chosen}", "is not up", f"labs that are: {', '.join(found)}")
    return chosen, found[chosen]


def find_node(node: str, name: str | None) -> tuple[str, State]:
    """The lab with this node. Raises LabError: none, or several and no name."""
    if name is not None:
        lab, stored = find_lab(name)
        _check_node(node, lab, stored)
        return lab, stored
    found = dict(labs())
    having = [lab for lab, stored in found.items() if node in stored.topology.nodes]
    if len(having) > 1:
        raise fail(f"node {node}", f"is in {len(having)} labs: {', '.join(having)}", "--name LAB says which")
    lab, stored = (having[0], found[having[0]]) if having else find_lab(None)
    _check_node(node, lab, stored)
    return lab, stored


def _check_node(node: str, lab: str, stored: State) -> None:
    nodes = stored.topology.nodes
    if node not in nodes:
        near = difflib.get_close_matches(node, nodes, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise fail(f"node {node}", f"lab {lab} has no such node", f"{hint}nodes: {', '.join(nodes)}")
    if not netns.exists(netns.name_of(lab, node)):
        raise fail(
            f"node {node}",
            f"its namespace {netns.name_of(lab, node)} is gone",
            "./invoke lab.up makes it again",
        )


def find_link(text: str, name: str | None) -> tuple[str, State, Link]:
    """The link written as `h1-s1`, in either order. Raises LabError."""
    one, dash, other = text.replace(":", "-").partition("-")
    if not dash:
        raise fail(f"link {text}", "is not the name of a link", "write both ends, such as h1-s1")
    lab, stored = find_node(one, name)
    link = stored.topology.link_between(one, other)
    if link is None:
        known = ", ".join(link.name for link in stored.topology.links)
        raise fail(f"link {text}", f"lab {lab} has no such link", f"links: {known}")
    return lab, stored, link
