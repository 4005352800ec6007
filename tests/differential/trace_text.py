"""What two traces of the same packet have to agree in: for each pass through the datapath, the megaflow and
the actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Pass:
    """A pass of a packet: deciding bits and actions; ids that a switch gives out are neutral."""

    megaflow: str
    actions: str


def _neutral(text: str) -> str:
    """Without what each switch numbers for itself: recirculation ids, the handler of packet-ins."""
    text = re.sub(r"recirc\(0x[0-9a-f]+\)", "recirc(N)", text)
    text = re.sub(r"recirc_id=0x[0-9a-f]+", "recirc_id=N", text)
    text = re.sub(r"(?<=userspace\(pid=)\d+", "N", text)
    return re.sub(r"(?<=,)recirc_id=\d+", "recirc_id=N", text)


def renumbered(actions: str, ports: Mapping[int, int]) -> str:
    """Outputs by another numbering of ports."""

    def other(found: re.Match[str]) -> str:
        number = int(found.group(0))
        return str(ports.get(number, number))

    return re.sub(r"(?<![\w.:=/(-])\d+(?=,|\)|$)", other, actions)


def passes(trace: str, ports: Mapping[int, int] | None = None) -> list[Pass]:
    """The passes of a trace's text, in order; outputs renumbered by `ports`."""
    found, megaflow = [], ""
    for line in trace.splitlines():
        if line.startswith("Megaflow: "):
            megaflow = line.removeprefix("Megaflow: ")
        elif line.startswith("Datapath actions: "):
            actions = renumbered(line.removeprefix("Datapath actions: "), ports or {})
            found.append(Pass(_neutral(megaflow), _neutral(actions)))
    return found


def tables(trace: str) -> set[int]:
    """Tables in which a rule was found."""
    return {int(number) for number in re.findall(r"^ *(\d+)\. (?!No match)", trace, re.MULTILINE)}


def field_names(megaflow: str) -> dict[str, str]:
    """Fields of a megaflow's text, by name."""
    words = (word.partition("=") for word in megaflow.split(","))
    return {name: value for name, _, value in words}
