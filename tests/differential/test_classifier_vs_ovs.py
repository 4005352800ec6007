"""Random tables in both switches: overlapping prefixes, ports, priorities and conjunctions with few values.

Each packet finds the same rule there, by the same bits.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from switch.binding.switch import Switch, SwitchConfig
from tests.differential import ours
from tests.differential.ovs import Ovs, open_vswitch
from tests.differential.trace_text import passes

pytestmark = pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")

SETS, PACKETS = 25, 40
ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.1.1", "10.128.0.1", "192.168.0.1")
ETHERNET = ("02:00:00:00:00:01", "03:00:00:00:00:01")
PORTS = ("80", "81", "443", "1025")
CONJUNCTIONS = range(1, 6)

FIELDS: dict[str, Callable[[random.Random], str]] = {
    "nw_src": lambda r: r.choice(ADDRESSES) + r.choice(("", "", "/8", "/9", "/24", "/31")),
    "nw_dst": lambda r: r.choice(ADDRESSES) + r.choice(("", "", "/8", "/16", "/24")),
    "tcp_src": lambda r: r.choice(("80", "81", "0x50/0xfff0", "1024/0xfc00")),
    "tcp_dst": lambda r: r.choice(("80", "81", "443", "0x50/0xfff0")),
    "in_port": lambda r: r.choice("12"),
    "dl_dst": lambda r: r.choice((ETHERNET[0], "01:00:00:00:00:00/01:00:00:00:00:00")),
    "metadata": lambda r: r.choice("01"),
    "reg0": lambda r: r.choice(("0", "0/1")),
}


def match(r: random.Random) -> str:
    names = r.sample(sorted(FIELDS), r.choice((0, 1, 1, 2, 2, 3)))
    return ",".join(["tcp", *(f"{name}={FIELDS[name](r)}" for name in names)])


def table(r: random.Random) -> list[str]:
    """Rules without ties: direct ones have a priority of their own, each conjunction one for its clauses."""
    rules: dict[tuple[str, int], str] = {}
    clauses = {number: r.choice((2, 2, 3)) for number in CONJUNCTIONS}
    pool = [match(r) for _ in range(r.randint(2, 8))]
    for _ in range(r.randint(3, 25)):
        words, number = r.choice(pool), r.choice(CONJUNCTIONS)
        of = clauses[number]
        rules[words, 100 * number] = f"conjunction({number},{r.randint(1, of)}/{of})"
    own = 0
    for number in CONJUNCTIONS:
        for _ in range(r.choice((0, 1, 1, 2))):
            own += 1
            words = f"{r.choice([*pool, 'tcp', 'tcp'])},conj_id={number}"
            rules[words, r.randint(0, 6) * 100 + own] = f"output:{r.randint(1, 4)}"
    for _ in range(r.randint(0, 8)):
        own += 1
        words = r.choice([*pool, match(r)])
        rules[words, r.randint(0, 6) * 100 + own] = f"output:{r.randint(1, 4)},set_queue:{own},output:1"
    return [f"priority={p},{words},actions={actions}" for (words, p), actions in rules.items()]


def packet(r: random.Random) -> str:
    ends = f"dl_dst={r.choice(ETHERNET)},nw_src={r.choice(ADDRESSES)},nw_dst={r.choice(ADDRESSES)}"
    return (
        f"in_port={r.choice('12')},tcp,{ends},nw_ttl=64,tcp_src={r.choice(PORTS)},tcp_dst={r.choice(PORTS)}"
    )


@dataclass(frozen=True)
class Pair:
    """Both switches, with four ports each."""

    ours: Switch
    ovs: Ovs

    def load(self, rules: list[str]) -> None:
        self.ovs.ofctl("del-flows")
        self.ovs.load_flows(rules)
        self.ours.flows.delete()
        ours.load_flows(self.ours, rules)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rs-cls-")))
        peer = stack.enter_context(open_vswitch(run, 4))
        engine = stack.enter_context(Switch(SwitchConfig("br0", threaded=False, umem_frames=4096)))
        ours.open_ports(engine, 4)
        yield Pair(engine, peer)


@pytest.mark.parametrize("seed", range(SETS))
def test_each_packet_finds_the_same_rule_by_the_same_bits(pair: Pair, seed: int) -> None:
    r = random.Random(seed)
    rules = table(r)
    pair.load(rules)
    ports = pair.ovs.datapath_ports()
    for _ in range(PACKETS):
        flow = packet(r)
        found = passes(ours.trace(pair.ours, flow))
        expected = passes(pair.ovs.trace(flow), ports)
        assert found == expected, "\n".join([flow, *rules])
