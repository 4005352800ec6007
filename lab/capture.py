"""tcpdump at one end of a link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from lab.enter import enter
from lab.errors import Problem, UnsupportedError, fail
from lab.find import find_link
from lab.host import command
from lab.topology.model import RINGSIDE


def capture(text: str, name: str | None, file: str | None, more: Sequence[str]) -> NoReturn:
    """Becomes a tcpdump on the link, at an end where it sees packets. Raises LabError, UnsupportedError.

    AF_XDP takes packets before tcpdump could see them, and sends past it: at a switch's port tcpdump sees
    nothing. So the host's end is looked at; a link between two ringside switches has none, and `ringside
    capture` is the way.
    """
    lab, stored, link = find_link(text, name)
    if problems := command.require("tcpdump"):
        raise fail(problems[0].where, problems[0].found, problems[0].way_out)
    switches = stored.topology.switches
    ends = [end for end in link.ends if end.is_host]
    ends += [end for end in link.ends if not end.is_host and switches[end.node].datapath != RINGSIDE]
    if not ends:
        one = link.ends[0]
        raise UnsupportedError(
            Problem(
                f"link {link.name}",
                "both ends are ports of AF_XDP switches: tcpdump sees nothing there",
                f"./invoke lab.exec {one.node} -- ringside capture {one.device} -w FILE.pcapng",
            )
        )
    # -U: a reader of the file sees each packet at once.
    words = ["-w", file, "-U"] if file is not None else ["-n", "-e", "-l"]
    enter(ends[0].node, lab, ["tcpdump", "-i", ends[0].device, *words, *more])
