"""Traffic in a lab, and what the switch counts of it."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.lab.harness import Lab

IPERF_PORT = 5201


def flood(lab: Lab, source: str, address: str, count: int) -> tuple[int, int]:
    """`ping -f`: (packets sent, packets received)."""
    done = lab.exec(source, "ping", "-f", "-q", "-c", str(count), address, check=False)
    match = re.search(r"(\d+) packets transmitted, (\d+) received", done.stdout)
    assert match is not None, done.stdout + done.stderr
    return int(match[1]), int(match[2])


def iperf(lab: Lab, server: str, client: str, *words: str, address: str = "") -> dict[str, Any]:
    """One second of iperf3 to the server's first address, or to `address`; its JSON document."""
    listening = lab.background(server, "iperf3", "-s", "-1", "-p", str(IPERF_PORT), "--forceflush")
    try:
        assert listening.stdout is not None
        said = ""
        while "listening" not in said:
            line = listening.stdout.readline()
            assert line, f"iperf3 -s ended: {said}"
            said += line
        to = ("-c", address or lab.address(server), "-p", str(IPERF_PORT), "--connect-timeout", "5000")
        done = lab.exec(client, "iperf3", "-t", "1", "-J", *to, *words, check=False)
        document: dict[str, Any] = json.loads(done.stdout)
        assert "error" not in document, document["error"]
        return document
    finally:
        listening.terminate()
        listening.communicate()


def stats(lab: Lab, switch: str = "s1") -> dict[str, Any]:
    """`ringside stats --json`, asked for as a user does."""
    document: dict[str, Any] = json.loads(lab.exec(switch, "ringside", "stats", "--json").stdout)
    return document


def show(lab: Lab, switch: str = "s1") -> dict[str, Any]:
    """`ringside show --json`."""
    document: dict[str, Any] = json.loads(lab.exec(switch, "ringside", "show", "--json").stdout)
    return document


def assert_balance(lab: Lab, *switches: str) -> None:
    """Every port: what came in went out, was delivered, or was dropped under a name. To the packet."""
    for switch in switches or ("s1",):
        for name, port in stats(lab, switch)["ports"].items():
            came = port["received"] + port["copies"]
            went = port["sent"] + port["delivered"] + sum(port["drops"].values())
            assert came == went, f"{switch}/{name}: {port}"
            assert port["balance"]["holds"], f"{switch}/{name}: {port}"
