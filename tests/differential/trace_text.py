"""What two traces of the same packet have to agree in: for each pass through the datapath, the megaflow and
the actions.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

LOCAL = 65534


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


def _flood_in_order(found: re.Match[str]) -> str:
    numbers = sorted(int(word) for word in found.group(0).strip(",").split(","))
    return ",".join(str(number) for number in numbers if number != LOCAL)


def in_order(actions: str) -> str:
    """Neighbouring outputs by number, without the bridge's own port: Open vSwitch floods in the order of a
    hash table, and to br0 too, which our switch has only where it was configured.
    """
    text = re.sub(r"(?<![\w.:=/(-])\d+(?:,\d+)+(?=,|\)|$)", _flood_in_order, actions)
    return (
        re.sub(rf"(^|,|\(){LOCAL}(?=,|\)|$)", r"\1", text).replace(",,", ",").replace("(,", "(").strip(",")
        or "drop"
    )


def passes(trace: str, ports: Mapping[int, int] | None = None) -> list[Pass]:
    """The passes of a trace's text, in order; outputs renumbered by `ports`."""
    found, megaflow = [], ""
    for line in trace.splitlines():
        if line.startswith("Megaflow: "):
            megaflow = line.removeprefix("Megaflow: ")
        elif line.startswith("Datapath actions: "):
            actions = renumbered(line.removeprefix("Datapath actions: "), ports or {})
            found.append(Pass(_neutral(megaflow), in_order(_neutral(actions))))
    return found


def tables(trace: str) -> set[int]:
    """Tables in which a rule was found."""
    return {int(number) for number in re.findall(r"^ *(\d+)\. (?!No match)", trace, re.MULTILINE)}


def fields_of(megaflow: str) -> dict[str, str]:
    """Fields of a megaflow's text, by name; words alone ("tcp6") have an empty value."""
    words = (word.partition("=") for word in megaflow.split(","))
    return {name: value for name, _, value in words}


_V6_PROTOCOLS = ("ipv6", "tcp6", "udp6", "sctp6", "icmp6")


def _network(text: str) -> ipaddress.IPv6Network:
    return ipaddress.IPv6Network(text, strict=False)


def is_explained(ours: str, theirs: str) -> bool:
    """Whether two megaflows of the same packet are the same, or differ in a way that has its reason:

    - IPv6: we have prefix tries over ipv6_src and ipv6_dst, Open vSwitch 3.1 has them over IPv4 addresses
      only. So ours may look at fewer bits of these, and at nothing else of a rule that they rule out.
    """
    found, expected = fields_of(ours), fields_of(theirs)
    if found == expected:
        return True
    if not any(word in expected for word in _V6_PROTOCOLS):
        return False
    for name, value in found.items():
        if name in _V6_PROTOCOLS:
            continue
        if name not in expected:
            return False
        if name in ("ipv6_src", "ipv6_dst"):
            if not _network(expected[name]).subnet_of(_network(value)):
                return False
        elif value != expected[name]:
            return False
    return True
