"""NORMAL against a simple learning switch, and what must hold for any rules and any traffic."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from switch.binding.port import VlanConfig, VlanMode
from switch.binding.switch import SwitchConfig
from tests.differential.frames import MACS, damaged, frame, simple_frame
from tests.differential.learning_switch import LearningSwitch
from tests.differential.linear_classifier import Rule, rules
from tests.differential.rig import NORMAL, Outcome, rig

PORTS = 4
vid = st.sampled_from([1, 10, 20, 30])
vlan_config = st.one_of(
    st.just(VlanConfig()),
    st.builds(lambda tag: VlanConfig(VlanMode.ACCESS, tag), vid),
    st.builds(lambda v: VlanConfig(VlanMode.TRUNK, 0, v), st.frozensets(st.sampled_from([0, 1, 10, 20]))),
    st.builds(lambda tag, v: VlanConfig(VlanMode.NATIVE, tag, v), vid, st.frozensets(vid)),
)
vlan_configs = st.lists(vlan_config, min_size=PORTS, max_size=PORTS)
tag = st.one_of(st.none(), st.none(), st.sampled_from([0, 1, 10, 20, 30, 99]))
source = st.sampled_from([*MACS[:4], "01:00:5e:00:00:01"])
target = st.sampled_from([*MACS[:4], "ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:02", "01:80:c2:00:00:10"])
packet = st.tuples(st.integers(1, PORTS), st.builds(simple_frame, source, target, tag, st.integers(0, 7)))
any_actions = st.one_of(
    st.sampled_from(["drop", "NORMAL", "FLOOD", "IN_PORT", "LOCAL"]),
    st.lists(st.sampled_from(["output:1", "2", "NORMAL", "FLOOD", "IN_PORT", "output:200"]), min_size=1).map(
        ",".join
    ),
)


@given(vlan_configs, st.lists(packet, min_size=1, max_size=40))
def test_normal_does_what_a_learning_switch_does(
    vlans: list[VlanConfig], packets: list[tuple[int, bytes]]
) -> None:
    model = LearningSwitch(vlans)
    with rig(PORTS, [NORMAL], vlans) as r:
        for in_port, data in packets:
            before = r.drops(in_port)
            expected = model.exchange(in_port, data)
            assert r.exchange(in_port, data) == expected
            if not expected:
                assert r.drops(in_port).get(model.dropped, 0) == before.get(model.dropped, 0) + 1
        learned = {(e.vlan, bytes.fromhex(e.mac.replace(":", ""))): e.ofport for e in r.switch.fdb}
        assert learned == model.learned


@st.composite
def traffic(draw: st.DrawFn) -> list[tuple[int, list[bytes]]]:
    """Bursts on ports, out of a handful of different frames: building those is what takes the time."""
    pool = draw(st.lists(st.one_of(frame(), damaged()), min_size=1, max_size=5))
    burst = st.lists(st.sampled_from(pool), min_size=1, max_size=40)
    return draw(st.lists(st.tuples(st.integers(1, PORTS), burst), min_size=1, max_size=6))


@given(rules(any_actions, most=8), vlan_configs, traffic())
def test_packets_and_frames_are_conserved(
    table: list[Rule], vlans: list[VlanConfig], bursts: list[tuple[int, list[bytes]]]
) -> None:
    small = SwitchConfig("s1", threaded=False, umem_frames=256)  # So that copies run out of frames, too.
    with rig(PORTS, [r.text for r in table], vlans, small) as r:
        sent: dict[int, int] = {}
        injected: dict[int, int] = {}
        for in_port, frames in bursts:
            r.inject(in_port, *frames)
            injected[in_port] = injected.get(in_port, 0) + len(frames)
            r.settle()
            r.assert_balanced()
            for port, taken in r.take().items():
                sent[port] = sent.get(port, 0) + len(taken)
        stats = r.switch.stats()
        assert {p: s.tx_packets for p, s in stats.ports.items() if s.tx_packets} == sent
        assert {p: s.received for p, s in stats.ports.items() if s.received} == injected
        hits = stats.pmd.cache_hits + stats.pmd.upcalls
        runts = sum(s.drops["rx_runt"] for s in stats.ports.values())
        assert stats.pmd.packets == hits
        assert sum(injected.values()) == hits + runts  # The ports drop runts before the PMD sees them.
        r.assert_no_frame_lost()


@settings(max_examples=50)
@given(rules(any_actions, most=8), vlan_configs, traffic())
def test_cached_answers_are_the_answers(
    table: list[Rule], vlans: list[VlanConfig], bursts: list[tuple[int, list[bytes]]]
) -> None:
    """Twice the same traffic, packet by packet: once with the cache, once with every answer asked for."""
    texts = [r.text for r in table]

    def run(forget: bool) -> tuple[list[Outcome], list[tuple[str, int, int]], int]:
        outcomes = []
        with rig(PORTS, texts, vlans) as r:
            for in_port, frames in bursts:
                for data in frames:
                    if forget:
                        r.switch.flows.replace(texts)  # Nothing changes but the generation.
                    outcomes.append(r.exchange(in_port, data))
            counters = [(rule.text, rule.packets, rule.bytes) for rule in r.switch.flows]
            return outcomes, counters, r.switch.stats().pmd.upcalls

    cached, counted, asked = run(forget=False)
    fresh, counted_fresh, asked_fresh = run(forget=True)
    assert cached == fresh
    assert counted == counted_fresh
    assert asked <= asked_fresh


def test_a_burst_of_one_flow_is_asked_for_once() -> None:
    with rig(2, ["in_port=1,actions=output:2"]) as r:
        r.exchange(1, *[simple_frame(MACS[0], MACS[1])] * 300)
        pmd = r.switch.stats().pmd
        assert (pmd.upcalls, pmd.cache_hits, pmd.packets) == (1, 299, 300)
        assert [rule.packets for rule in r.switch.flows] == [300]


def test_order_within_a_flow_is_kept() -> None:
    flows = [
        [simple_frame(MACS[0], MACS[1], sport=1000 + f)[:-4] + bytes([f, 0, 0, i]) for i in range(60)]
        for f in range(5)
    ]
    mixed = [flows[f][i] for i in range(60) for f in range(5)]
    with rig(2) as r:
        out = r.exchange(1, *mixed)[2]
        for expected in flows:
            assert [data for data in out if data in expected] == expected
