"""What Python can pass wrong: refused at the door with a reason, and nothing is half done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from switch.binding import ffi as native
from switch.binding.errors import SwitchError
from switch.binding.port import PortConfig, PortType, VlanConfig, VlanMode
from switch.binding.switch import Switch, SwitchConfig
from tests.differential.frames import MACS, simple_frame
from tests.differential.rig import NORMAL, rig

CONFIG = SwitchConfig("s1", threaded=False)
PORT = PortConfig("h9", PortType.DUMMY)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a" * 16}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"umem_frames": 10}, "umem_frames"),
        ({"mac_entries": 1 << 30}, "mac_entries"),
        ({"cpu": -5}, "cpu"),
    ],
)
def test_a_switch_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(SwitchError) as caught:
        Switch(replace(CONFIG, **change))  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "h1"}, "name"),
        ({"ofport": 1}, "ofport"),
        ({"ofport": 256}, "ofport"),
        ({"mtu": 10}, "mtu"),
        ({"mtu": 9000}, "mtu"),
        ({"queues": ()}, "queues"),
        ({"vlan": VlanConfig(VlanMode.ACCESS, 0)}, "vlan"),
        ({"vlan": VlanConfig(VlanMode.ACCESS, 4095)}, "vlan"),
        ({"vlan": VlanConfig(VlanMode.TRUNK, 5)}, "vlan"),
    ],
)
def test_a_port_is_refused_and_leaves_nothing(change: dict[str, object], field: str) -> None:
    with rig(1) as r:
        with pytest.raises(SwitchError) as caught:
            r.switch.open_port(replace(PORT, **change))  # type: ignore[arg-type]
        assert caught.value.field == field
        assert [p.ofport for p in r.switch.ports()] == [1]
        r.switch.open_port(PORT)


def test_255_ports_and_no_more() -> None:
    with rig(0) as r:
        for i in range(255):
            r.switch.open_port(PortConfig(f"p{i}", PortType.DUMMY))
        with pytest.raises(SwitchError, match="all 255"):
            r.switch.open_port(PORT)


def test_a_flood_over_255_ports_reaches_all_and_is_not_cached() -> None:
    with rig(255, config=replace(CONFIG, umem_frames=4096)) as r:
        frame = simple_frame(MACS[0], "ff:ff:ff:ff:ff:ff")
        assert r.outputs(1, frame) == list(range(2, 256))
        assert r.outputs(1, frame) == list(range(2, 256))
        assert r.switch.stats().pmd.cache_entries == 0
        r.assert_balanced()


def test_too_many_actions_are_a_named_drop() -> None:
    with rig(255, ["actions=FLOOD,FLOOD,FLOOD"], config=replace(CONFIG, umem_frames=4096)) as r:
        assert r.outputs(1, simple_frame(MACS[0], MACS[1])) == []
        assert r.drops(1) == {"too_many_actions": 1}


def test_replacing_rules_is_all_or_nothing_and_keeps_counters() -> None:
    with rig(2, ["priority=5,in_port=1,actions=output:2", NORMAL]) as r:
        r.exchange(1, simple_frame(MACS[0], MACS[1]))
        before = list(r.switch.flows)
        with pytest.raises(SwitchError) as caught:
            r.switch.flows.replace([NORMAL, "priority=5,in_port=77777,actions=drop"])
        assert caught.value.field == "flows[1].in_port"
        assert [rule.text for rule in r.switch.flows] == [rule.text for rule in before]
        r.switch.flows.replace(
            [NORMAL, "priority=5,in_port=1,actions=output:2", "priority=5,in_port=1,actions=output:2"]
        )
        assert [rule.packets for rule in r.switch.flows] == [1, 0]
        r.switch.flows.replace(["priority=5,in_port=1,actions=drop"])
        assert [rule.packets for rule in r.switch.flows] == [0]


def test_deleting_rules_strictly_and_not() -> None:
    table = [
        "priority=9,tcp,actions=drop",
        "priority=8,ip,actions=drop",
        "priority=7,arp,actions=drop",
        NORMAL,
    ]
    with rig(1, table) as r:
        with pytest.raises(SwitchError, match="strict"):
            r.switch.flows.delete("priority=9,tcp")
        assert r.switch.flows.delete("priority=8,tcp", strict=True) == 0
        assert r.switch.flows.delete("priority=7,arp", strict=True) == 1
        assert r.switch.flows.delete("ip") == 2
        assert len(r.switch.flows) == 1
        assert r.switch.flows.delete() == 1
        assert r.switch.flows.delete() == 0


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("in_port=1", "nothing to do"),
        ("actions=output:h7", "no port 'h7'"),
        ("actions=output:0", "no port '0'"),
        ("actions=drop,1", "drop stands beside"),
        ("actions=resubmit(,1)", "no action 'resubmit"),
        ("actions=mod_vlan_vid:5", "no action 'mod_vlan_vid"),
        ("actions=" + "1," * 257, "more than 256"),
    ],
)
def test_actions_are_refused(rule: str, word: str) -> None:
    with rig(1) as r, pytest.raises(SwitchError) as caught:
        r.switch.flows.add(rule)
    assert word in caught.value.message
    assert caught.value.hint


def test_traces_want_a_port() -> None:
    with rig(1) as r:
        with pytest.raises(SwitchError, match="in_port"):
            r.switch.trace_flow("tcp")
        with pytest.raises(SwitchError, match="no port 9"):
            r.switch.trace_packet(9, bytes(60))
        with pytest.raises(SwitchError, match="4096"):
            r.switch.trace_packet(1, bytes(5000))
        assert "rx_runt" in r.switch.trace_packet(1, b"abc")


def test_tracing_changes_nothing() -> None:
    with rig(2) as r:
        r.switch.trace_packet(1, simple_frame(MACS[0], MACS[1]))
        assert list(r.switch.fdb) == []
        assert [rule.packets for rule in r.switch.flows] == [0]


def test_a_closed_switch_says_so() -> None:
    with rig(1) as r:
        pass
    for use in (r.switch.stats, r.switch.poll, r.ports[0].info, r.switch.fdb.flush):
        with pytest.raises(SwitchError, match="closed"):
            use()
    r.switch.close()


def test_c_refuses_null() -> None:
    ffi, lib = native.ffi, native.lib
    null, err = ffi.NULL, ffi.new("struct rs_error *")
    assert lib.rs_switch_create(null, null, err) == -22
    assert lib.rs_port_open(null, null, null, err) == -22
    assert lib.rs_port_start(null, 1, err) == -19
    assert lib.rs_flow_add(null, b"actions=drop", err) == -22
    assert lib.rs_flow_replace(null, null, 0, err) == -22
    assert lib.rs_flow_get(null, 0, null, 0, null) == -22
    assert lib.rs_stats(null, null, 0, null) == 0
    assert lib.rs_fdb_list(null, null, 0) == 0
    assert lib.rs_trace_flow(null, b"tcp", null, 0, err) == -22
    assert lib.rs_capture_read(null, null, null, 0) == -22
    assert lib.rs_switch_poll(null) == -22
    lib.rs_switch_destroy(null)
    assert lib.rs_drop_name(lib.RS_N_DROPS) == null
