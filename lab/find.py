"""From what a person types (a node, a link, maybe a lab's name) to the lab that is meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from lab import rundir, state
from lab.errors import fail
from lab.host import netns
from lab.state import State, Summary

if TYPE_CHECKING:
    from lab.topology.model import Link


def labs_up() -> dict[str, Summary]:
    """Labs that are up."""
    found = {name: state.summary(name) for name in rundir.running_labs()}
    return {name: one for name, one in found.items() if one is not None and one.phase == state.UP}


def find_name(name: str | None) -> tuple[str, Summary]:
    """The lab of that name, or the only one that is up. Raises LabError."""
    found = labs_up()
    if not found:
        raise fail("lab", "none is up", "./invoke lab.up")
    if name is None and len(found) > 1:
        raise fail("lab", f"{len(found)} are up: {', '.join(found)}", "--name LAB says which")
    chosen = name if name is not None else next(iter(found))
    if chosen not in found:
        raise fail(f"lab {chosen}", "is not up", f"labs that are: {', '.join(found)}")
    return chosen, found[chosen]


def find_lab(name: str | None) -> tuple[str, State]:
    """The same, with all that the lab is made of. Raises LabError."""
    lab, _ = find_name(name)
    stored = state.load(lab)
    if stored is None:
        raise fail(f"lab {lab}", "went away this moment", "./invoke lab.status")
    return lab, stored


def find_node(node: str, name: str | None) -> tuple[str, Summary]:
    """The lab with this node. Raises LabError: none, or several and no name."""
    if name is not None:
        lab, known = find_name(name)
    else:
        found = labs_up()
        having = [lab for lab, known in found.items() if node in known.nodes]
        if len(having) > 1:
            raise fail(
                f"node {node}", f"is in {len(having)} labs: {', '.join(having)}", "--name LAB says which"
            )
        lab, known = (having[0], found[having[0]]) if having else find_name(None)
    _check_node(node, lab, known)
    return lab, known


def _check_node(node: str, lab: str, known: Summary) -> None:
    if node not in known.nodes:
        near = difflib.get_close_matches(node, known.nodes, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise fail(f"node {node}", f"lab {lab} has no such node", f"{hint}nodes: {', '.join(known.nodes)}")
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
    lab, stored = find_lab(find_node(one, name)[0])
    link = stored.topology.link_between(one, other)
    if link is None:
        known = ", ".join(link.name for link in stored.topology.links)
        raise fail(f"link {text}", f"lab {lab} has no such link", f"links: {known}")
    return lab, stored, link
