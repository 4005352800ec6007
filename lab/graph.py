"""A drawing of a lab: as text for the terminal, as SVG by graphviz."""

from __future__ import annotations

import json
from pathlib import Path

from lab.errors import fail
from lab.host import command
from lab.show import impairment
from lab.topology.model import Link, Topology


def as_text(topology: Topology, title: str) -> str:
    """A tree: switches with what hangs on them. Links back to a node already drawn are shown with its name
    only.
    """
    lines = [title]
    drawn: set[str] = set()
    for node in (*topology.switches, *topology.hosts):
        if node not in drawn:
            lines += ["", _label(topology, node)]
            drawn.add(node)
            lines += _branches(topology, node, None, "", drawn)
    return "\n".join(lines)


def _branches(topology: Topology, node: str, came_by: Link | None, indent: str, drawn: set[str]) -> list[str]:
    links = [link for link in topology.links_of(node) if link is not came_by]
    lines = []
    for position, link in enumerate(links):
        last = position == len(links) - 1
        far = link.far_end(node).node
        known = far in drawn
        drawn.add(far)
        detail = _details(link)
        name = f"{far} (above)" if known else _label(topology, far)
        address = "" if known else " ".join(link.end_at(far).addresses)
        cells = [cell for cell in (name, address, f"[{detail}]" if detail else "") if cell]
        lines.append(f"{indent}{'└──' if last else '├──'} {'  '.join(cells)}")
        if not known:
            lines += _branches(topology, far, link, indent + ("    " if last else "│   "), drawn)
    return lines


def _label(topology: Topology, node: str) -> str:
    switch = topology.switches.get(node)
    return node if switch is None else f"{node} ({switch.datapath})"


def _details(link: Link) -> str:
    words = [str(link.vlan)] if link.vlan else []
    if link.mtu != 1500:
        words.append(f"MTU {link.mtu}")
    if link.queues != 1:
        words.append(f"{link.queues} queues")
    there, back = (impairment(impair) for impair in link.impair)
    if there == back and there:
        words.append(there)
    else:
        one, other = (end.node for end in link.ends)
        words += [f"{one}→{other} {there}"] if there else []
        words += [f"{other}→{one} {back}"] if back else []
    return ", ".join(words)


def as_dot(topology: Topology, title: str) -> str:
    """The same in graphviz's language."""
    quote = json.dumps  # Escapes as dot wants it.
    lines = [
        "graph lab {",
        f'  label={quote(title)}; labelloc=t; fontname="sans-serif";',
        "  layout=neato; overlap=false; splines=true;",
        '  node [fontname="sans-serif", fontsize=11]; edge [fontname="sans-serif", fontsize=9];',
    ]
    for host in topology.hosts:
        addresses = [address for link in topology.links_of(host) for address in link.end_at(host).addresses]
        lines.append(f"  {quote(host)} [shape=ellipse, label={quote(chr(10).join([host, *addresses]))}];")
    for name, switch in topology.switches.items():
        label = quote(f"{name}\n{switch.datapath}")
        lines.append(
            f'  {quote(name)} [shape=box, style="filled,rounded", fillcolor="#dde8f5", label={label}];'
        )
    for link in topology.links:
        one, other = link.ends
        devices = f"headlabel={quote(other.device)}, taillabel={quote(one.device)}"
        lines.append(
            f"  {quote(one.node)} -- {quote(other.node)} [{devices}, label={quote(_details(link))}, len=2];"
        )
    return "\n".join([*lines, "}", ""])


def write_svg(topology: Topology, title: str, file: Path) -> None:
    """Draws an SVG file. Raises LabError if graphviz is not there or the file cannot be written."""
    if command.require("dot"):
        raise fail(
            "dot", "is not installed; it draws the SVG", "install graphviz, or leave --svg out for text"
        )
    drawn = command.run(["dot", "-Tsvg"], stdin=as_dot(topology, title)).stdout
    try:
        file.write_text(drawn)
    except OSError as error:
        raise fail(str(file), error.strerror or "cannot be written", "name another file") from None
