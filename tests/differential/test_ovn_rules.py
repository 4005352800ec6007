"""The production-size rule set in both switches: 102,919 rules, and packets that go deep into them. What each
packet comes to, pass by pass, is the same: datapath actions, and the bits that decided.

EXPLAINED lists what is allowed to differ, and nothing else is.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from switch.binding.switch import Switch, SwitchConfig
from tests.differential import ours, ovn
from tests.differential.ovs import Ovs, open_vswitch
from tests.differential.trace_text import Pass, passes, tables

pytestmark = [
    pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl"),
    pytest.mark.timeout(300),
]
PACKETS = 1200


@dataclass(frozen=True)
class Pair:
    """Both switches with the rules loaded."""

    ours: Switch
    ovs: Ovs


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rs-ovn-")))
        peer = stack.enter_context(open_vswitch(run, 1))
        peer.add_ports(2, ovn.N_PORTS)
        peer.ofctl("add-tlv-map", ovn.TLV_MAP)
        peer.load_flows(ovn.rules())
        engine = stack.enter_context(Switch(SwitchConfig("br0", threaded=False, umem_frames=4096)))
        ours.open_ports(engine, ovn.N_PORTS)
        stack.callback(ours.clear_tlv_map, engine)
        ours.add_tlv_map(engine, ovn.TLV_MAP)
        ours.load_flows(engine, ovn.rules())
        yield Pair(engine, peer)


def test_all_rules_are_there(pair: Pair) -> None:
    assert len(pair.ours.flows) == len(ovn.rules()) == 102_919


def test_rules_are_printed_as_open_vswitch_prints_them(pair: Pair) -> None:
    assert ours.dump_flows(pair.ours) == pair.ovs.dump_flows()


def test_packets_come_to_the_same_actions_by_the_same_bits(pair: Pair) -> None:
    ports = pair.ovs.datapath_ports()
    reached: Counter[int] = Counter()
    wrong: list[tuple[str, tuple[str, ...], list[Pass], list[Pass]]] = []
    for flow, states in ovn.packets(PACKETS, seed=1):
        theirs = pair.ovs.trace(flow, states)
        found, expected = passes(ours.trace(pair.ours, flow, states)), passes(theirs, ports)
        reached.update(tables(theirs))
        if found != expected:
            wrong.append((flow, states, found, expected))
    assert len(reached) >= 30, f"only {len(reached)} tables were reached: {sorted(reached)}"
    assert not wrong, f"{len(wrong)} of {PACKETS} differ; the first: {wrong[0]}"
