"""Proves that a lab works: a ping between all hosts, and one TCP transfer, which also proves the checksum
policy.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.errors import CommandError, Problem
from lab.host import command, netns, process
from lab.topology.model import Topology
from lab.topology.reach import Expect, Pair, host_pairs
from lab.topology.units import show_rate

PINGS = 3
TCP_PORT = 5199
"""Not iperf3's own, which a user may have taken in the host."""
TCP_SECONDS = 1
PATIENCE = 5.0
"""Seconds that an answer may take where there should be one: a machine may be busy with something else."""
ISOLATED_PATIENCE = 0.4
"""Seconds that are waited for an answer where there should be none."""
_PARALLEL = 6
_RTT = re.compile(r"= ([\d.]+)/([\d.]+)/([\d.]+)/")
_RECEIVED = re.compile(r"(\d+) received")


@dataclass(frozen=True)
class PingResult:
    """What a ping between two hosts showed. Times in milliseconds."""

    pair: Pair
    sent: int
    received: int
    rtt_min: float | None = None
    rtt_avg: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether it showed what the topology promises; None where it promises nothing."""
        if self.pair.expect is Expect.UNKNOWN:
            return None
        return self.received == (self.sent if self.pair.expect is Expect.TALK else 0)


@dataclass(frozen=True)
class TcpResult:
    """One TCP transfer."""

    source: str
    target: str
    bits_per_second: float = 0.0
    retransmits: int = 0
    seconds: float = 0.0
    problem: Problem | None = None


@dataclass(frozen=True)
class Verdict:
    """All that was tried."""

    pings: tuple[PingResult, ...]
    tcp: TcpResult | None

    @property
    def problems(self) -> list[Problem]:
        """What does not work."""
        found = [_ping_problem(ping) for ping in self.pings if ping.holds is False]
        if self.tcp is not None and self.tcp.problem is not None:
            found.append(self.tcp.problem)
        return found


def verify(lab: str, topology: Topology) -> Verdict:
    """Pings between all pairs of hosts, then TCP between the first two that can talk."""
    pairs = host_pairs(topology)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        pings = tuple(pool.map(lambda pair: _ping(lab, topology, pair), pairs))
    talking = next(
        (ping.pair for ping in pings if ping.received and ping.pair.expect is not Expect.ISOLATED), None
    )
    return Verdict(pings, _tcp(lab, topology, talking) if talking else None)


def _environment(lab: str, node: str) -> dict[str, str]:
    return {process.TAG: lab, process.NODE_TAG: node}


def delays_there_and_back(topology: Topology) -> float:
    """Seconds that an answer takes at most for the delays that links are made to have."""
    delays = [one.delay_us or 0 for link in topology.links for one in link.impair if one is not None]
    return 2 * sum(delays) / 1e6


def _has_loss(topology: Topology) -> bool:
    return any(one is not None and one.loss for link in topology.links for one in link.impair)


def _ping(lab: str, topology: Topology, pair: Pair) -> PingResult:
    isolated = pair.expect is Expect.ISOLATED
    count = 2 if isolated else PINGS
    patience = (ISOLATED_PATIENCE if isolated else PATIENCE) + delays_there_and_back(topology)
    words = ["ping", "-n", "-q", "-c", str(count), "-i", "0.02", "-W", f"{patience:.2f}", pair.address]
    namespace, env = netns.name_of(lab, pair.source), _environment(lab, pair.source)
    # A link that is made to lose packets loses pings too: there, one that comes back is proof enough.
    lossy = _has_loss(topology) and not isolated
    for _ in range(4 if lossy else 1):
        output = command.run(words, netns=namespace, check=False, env=env).stdout
        match = _RECEIVED.search(output)
        received = int(match[1]) if match else 0
        if received:
            break
    rtt = _RTT.search(output)
    sent = max(received, 1) if lossy else count
    return PingResult(pair, sent, received, float(rtt[1]) if rtt else None, float(rtt[2]) if rtt else None)


def _ping_problem(ping: PingResult) -> Problem:
    pair = ping.pair
    where = f"ping {pair.source} → {pair.target} ({pair.address})"
    if pair.expect is Expect.ISOLATED:
        return Problem(
            where,
            f"{ping.received} answers, but the VLANs should keep the two apart",
            "look at `ringside show` and the links' vlan",
        )
    return Problem(
        where,
        f"{ping.received} of {ping.sent} answers",
        "./invoke lab.up --keep leaves the lab up; then `ringside stats` names the drops",
    )


def _tcp(lab: str, topology: Topology, pair: Pair) -> TcpResult:
    if problems := command.require("iperf3"):
        return TcpResult(pair.source, pair.target, problem=problems[0])
    target = netns.name_of(lab, pair.target)
    before = _bad_checksums(lab, pair)
    server = _server(lab, pair.target, target)
    try:
        done = command.run(
            [
                "iperf3",
                "-c",
                pair.address,
                "-p",
                str(TCP_PORT),
                "-t",
                str(TCP_SECONDS),
                "-J",
                "--connect-timeout",
                str(round(1000 * (2 * PATIENCE + delays_there_and_back(topology)))),
            ],
            netns=netns.name_of(lab, pair.source),
            check=False,
            env=_environment(lab, pair.source),
            timeout=25,
        )
        return _tcp_result(lab, pair, done.stdout, before)
    except CommandError as error:
        return _tcp_failed(lab, pair, error.problems[0].found, before)
    finally:
        server.kill()
        server.communicate()


def _server(lab: str, node: str, namespace: str) -> subprocess.Popen[str]:
    """An iperf3 server for one transfer, listening when this returns."""
    server = subprocess.Popen(
        command.in_netns(namespace, ["iperf3", "-s", "-1", "-p", str(TCP_PORT), "--forceflush"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **_environment(lab, node)},
    )
    assert server.stdout is not None
    for line in server.stdout:
        if "listening" in line:
            return server
    said, _ = server.communicate()
    raise CommandError(Problem(f"iperf3 -s in {node}", f"did not start: {said.strip()}"))


def _tcp_result(lab: str, pair: Pair, output: str, before: int) -> TcpResult:
    try:
        answer = json.loads(output)
        end = answer["end"]
        received = end["sum_received"]
        bits, seconds = float(received["bits_per_second"]), float(received["seconds"])
        retransmits = int(end["sum_sent"].get("retransmits", 0))
    except (ValueError, KeyError):
        said = output if "{" not in output else json.loads(output).get("error", "no result")
        return _tcp_failed(lab, pair, f"iperf3: {said.strip() or 'no answer'}", before)
    if bits <= 0:
        return _tcp_failed(lab, pair, "connected, but not a byte arrived", before)
    return TcpResult(pair.source, pair.target, bits, retransmits, seconds)


def _tcp_failed(lab: str, pair: Pair, what: str, before: int) -> TcpResult:
    bad = _bad_checksums(lab, pair) - before
    if bad:
        hint = f"{bad} segments arrived with a wrong checksum: a link's offload policy is wrong (lab.status)"
    else:
        hint = "no segment had a wrong checksum: it is not the offload policy; `ringside stats` names drops"
    return TcpResult(
        pair.source, pair.target, problem=Problem(f"TCP {pair.source} → {pair.target}", what, hint)
    )


def _bad_checksums(lab: str, pair: Pair) -> int:
    """TCP segments with a wrong checksum that either host has seen since it was made."""
    return sum(_counter(netns.name_of(lab, node), "TcpInCsumErrors") for node in (pair.source, pair.target))


def _counter(namespace: str, name: str) -> int:
    done = command.run(["nstat", "-a", "-s", "-z", "-j", name], netns=namespace, check=False)
    try:
        return int(json.loads(done.stdout)["kernel"].get(name, 0))
    except (ValueError, KeyError):
        return 0


def summary(tcp: TcpResult | None) -> str:
    """The TCP transfer in one line."""
    if tcp is None:
        return "TCP: no two hosts that can talk"
    if tcp.problem is not None:
        return f"TCP {tcp.source} → {tcp.target}: FAILED"
    return (
        f"TCP {tcp.source} → {tcp.target}: {show_rate(tcp.bits_per_second)} over {tcp.seconds:.1f} s, "
        f"{tcp.retransmits} retransmits"
    )


def lossless(pings: Sequence[PingResult]) -> bool:
    """True if every pair showed what it should."""
    return all(ping.holds is not False for ping in pings)
