"""What Python can pass wrong: refused at the door with a reason, and nothing is half done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from switch.binding import ffi as native
from switch.binding.errors import SwitchError
from switch.binding.port import PortConfig, PortType, VlanConfig, VlanMode
from switch.binding.switch import Switch, SwitchConfig
from switch.binding.table import FlowCommand, TableConfig, TableMiss
from switch.binding.trace import TraceOptions
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
        ({"ofport": 1024}, "ofport"),
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


def test_1023_ports_and_no_more() -> None:
    with rig(0) as r:
        for i in range(1023):
            r.switch.open_port(PortConfig(f"p{i}", PortType.DUMMY))
        with pytest.raises(SwitchError, match="all 1023"):
            r.switch.open_port(PORT)


def test_a_flood_over_300_ports_reaches_all() -> None:
    with rig(300, config=replace(CONFIG, umem_frames=4096)) as r:
        frame = simple_frame(MACS[0], "ff:ff:ff:ff:ff:ff")
        assert r.outputs(1, frame) == list(range(2, 301))
        assert r.outputs(1, frame) == list(range(2, 301))
        r.assert_balanced()


def test_more_actions_than_64_kb_are_a_named_drop() -> None:
    floods = ",".join(["FLOOD"] * 30)
    with rig(300, [f"actions={floods}"], config=replace(CONFIG, umem_frames=4096)) as r:
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
        same = ["priority=5,in_port=1,actions=output:2", "in_port=1,priority=5 actions=2"]
        assert r.switch.flows.replace([NORMAL, *same]) == 0
        assert [rule.packets for rule in r.switch.flows] == [1, 0]
        assert r.switch.flows.replace(["priority=5,in_port=1,actions=drop"]) == 2
        assert r.outputs(1, simple_frame(MACS[0], MACS[1])) == []


def test_of_two_equal_matches_in_a_replacement_the_last_counts() -> None:
    with rig(3, []) as r:
        assert (
            r.switch.flows.replace(["in_port=1,actions=2", "in_port=2,actions=1", "in_port=1,actions=3"]) == 2
        )
        assert r.outputs(1, simple_frame(MACS[0], MACS[1])) == [3]


def test_a_replacement_is_all_or_nothing_when_a_later_rule_refers_to_what_is_not_there() -> None:
    with rig(2, [NORMAL]) as r:
        with pytest.raises(SwitchError) as caught:
            r.switch.flows.replace(["table=1,actions=2", "priority=7,actions=group:9"])
        assert (caught.value.field, caught.value.ofperr) == ("flows[1].group", "OFPBAC_BAD_OUT_GROUP")
        assert [rule.text for rule in r.switch.flows] == ["priority=0 actions=NORMAL"]


def test_a_bundle_is_all_or_nothing_and_lines_are_not() -> None:
    changes = "# two\nadd priority=7,arp,actions=drop\n\n  delete ip\nnonsense=1,actions=drop\n"
    with rig(1, ["priority=9,tcp,actions=drop", NORMAL]) as r:
        with pytest.raises(SwitchError) as caught:
            r.switch.flows.apply(changes, bundle=True)
        assert caught.value.field.startswith("flows[2].")
        assert [rule.priority for rule in r.switch.flows] == [9, 0]
        with pytest.raises(SwitchError):
            r.switch.flows.apply(changes)
        assert [rule.priority for rule in r.switch.flows] == [7, 0]
        assert r.switch.flows.apply("arp", FlowCommand.DELETE, bundle=True) == 1
        assert [rule.priority for rule in r.switch.flows] == [0]


def test_deleting_and_modifying_rules_strictly_and_not() -> None:
    table = [
        "priority=9,tcp,actions=drop",
        "priority=8,ip,actions=drop",
        "priority=7,arp,actions=drop",
        NORMAL,
    ]
    with rig(1, table) as r:
        with pytest.raises(SwitchError, match="strict"):
            r.switch.flows.delete("priority=9,tcp")
        assert r.switch.flows.modify("ip,actions=output:1") == 2
        assert r.switch.flows.modify("priority=9,ipv6,cookie=0/1,actions=drop", strict=True) == 0
        assert [rule.text.split("actions=")[1] for rule in r.switch.flows][:2] == ["output:1", "output:1"]
        assert r.switch.flows.delete("priority=8,tcp", strict=True) == 0
        assert r.switch.flows.delete("priority=7,arp", strict=True) == 1
        assert r.switch.flows.delete("ip") == 2
        assert len(r.switch.flows) == 1
        assert r.switch.flows.delete() == 1
        assert r.switch.flows.delete() == 0


@pytest.mark.parametrize(
    ("rule", "field", "ofperr"),
    [
        ("in_port=1", "actions", ""),
        ("actions=output:h7", "output", ""),
        ("actions=drop,1", "drop", ""),
        ("nw_src=10.0.0.1,actions=drop", "nw_src", "OFPBMC_BAD_PREREQ"),
        ("actions=group:5", "group", "OFPBAC_BAD_OUT_GROUP"),
        ("actions=meter:5,1", "meter", "OFPMMFC_INVALID_METER"),
        ("table=3,actions=goto_table:2", "goto_table", "OFPBIC_BAD_TABLE_ID"),
        ("udp,actions=set_field:1->tcp_dst", "tcp_dst", "OFPBAC_MATCH_INCONSISTENT"),
    ],
)
def test_rules_are_refused_with_field_way_out_and_openflows_name(rule: str, field: str, ofperr: str) -> None:
    with rig(1) as r, pytest.raises(SwitchError) as caught:
        r.switch.flows.add(rule)
    assert (caught.value.field, caught.value.ofperr) == (field, ofperr)
    assert caught.value.hint


def test_a_full_table_refuses_or_evicts_and_never_forgets_its_rules() -> None:
    limited = ["priority=1,hard_timeout=9,arp,actions=drop", "priority=2,importance=5,ip,actions=drop"]
    with rig(1, limited) as r:
        r.switch.flows.configure(0, TableConfig(max_flows=2))
        with pytest.raises(SwitchError) as caught:
            r.switch.flows.add("priority=3,ipv6,actions=drop")
        assert caught.value.ofperr == "OFPFMFC_TABLE_FULL"
        assert [rule.priority for rule in r.switch.flows] == [2, 1]
        r.switch.flows.configure(0, TableConfig(max_flows=2, evict=True, name="first"))
        r.switch.flows.add("priority=3,ipv6,importance=1,actions=drop")
        assert [rule.priority for rule in r.switch.flows] == [3, 2]
        stats = r.switch.flows.table(0)
        assert (stats.flows, stats.config) == (2, TableConfig(2, True, TableMiss.VERSION, "first"))


@pytest.mark.parametrize(
    ("table", "config", "field"),
    [(255, TableConfig(), "table"), (0, TableConfig(name="a" * 32), "name")],
)
def test_tables_are_refused(table: int, config: TableConfig, field: str) -> None:
    with rig(1) as r, pytest.raises(SwitchError) as caught:
        r.switch.flows.configure(table, config)
    assert caught.value.field == field


def test_dumps_are_ovs_ofctls_and_filters_choose() -> None:
    rules = [
        "table=1,cookie=0x5,idle_timeout=10,hard_timeout=20,importance=3,send_flow_rem,priority=10,ip,actions=2",
        "priority=7,in_port=1,arp,actions=output:2",
    ]
    with rig(2, rules) as r:
        flows = r.switch.flows
        assert list(flows.lines(stats=False)) == [
            " priority=7,arp,in_port=1 actions=output:2",
            " cookie=0x5, table=1, idle_timeout=10, hard_timeout=20, send_flow_rem importance=3, "
            "priority=10,ip actions=output:2",
        ]
        assert list(flows.lines("in_port=1", stats=False, names=True)) == [
            " priority=7,arp,in_port=h1 actions=output:h2"
        ]
        r.switch.warp(3700)
        (line,) = flows.lines("cookie=5/-1")
        assert line.startswith(" cookie=0x5, duration=3.7")
        assert "table=1, n_packets=0, n_bytes=0, idle_timeout=10" in line
        assert ", idle_age=3, priority=10" in line
        assert list(flows.lines("table=1")) == [line]
        assert list(flows.lines("out_port=1")) == []
        assert [rule.table for rule in flows.rules("out_port=2")] == [0, 1]
        with pytest.raises(SwitchError):
            list(flows.lines("nonsense"))


def test_a_dump_is_of_one_moment_and_outlives_its_rules() -> None:
    with rig(1, [f"priority={i},actions=drop" for i in range(5, 0, -1)]) as r:
        rules = r.switch.flows.rules()
        assert next(rules).priority == 5
        r.switch.flows.delete()
        for _ in range(3):
            r.switch.poll()
        assert [rule.text for rule in rules] == [f"priority={i} actions=drop" for i in (4, 3, 2, 1)]


def test_what_is_being_read_when_the_switch_closes_says_so() -> None:
    with rig(2, [f"priority={i},actions=2" for i in range(1, 2500)]) as r:
        rules, lines = r.switch.flows.rules(), r.switch.flows.lines()
        next(rules)
        next(lines)
        r.exchange(1, *[simple_frame(MACS[0], MACS[1])] * 3)
        megaflows = r.switch.megaflows.lines()
    for reader in (rules, lines, megaflows):
        with pytest.raises(SwitchError, match="closed"):
            list(reader)


def test_the_bridges_own_port_is_local_in_texts() -> None:
    with rig(1) as r:
        r.switch.flows.add("priority=4,in_port=LOCAL,actions=1")
        r.switch.flows.add("priority=3,in_port=65534,ip,actions=1")
        lines = list(r.switch.flows.lines(stats=False))
        assert lines[0] == " priority=4,in_port=LOCAL actions=output:1"
        assert lines[1] == " priority=3,ip,in_port=LOCAL actions=output:1"


def test_traces_want_a_port() -> None:
    with rig(1) as r:
        with pytest.raises(SwitchError, match="in_port"):
            r.switch.trace_flow("tcp")
        with pytest.raises(SwitchError, match="no port 9"):
            r.switch.trace_packet(9, bytes(60))
        with pytest.raises(SwitchError, match="no port 9"):
            r.switch.trace_flow("in_port=9,tcp")
        with pytest.raises(SwitchError, match="5000 bytes"):
            r.switch.trace_packet(1, bytes(5000))
        with pytest.raises(SwitchError, match="rx_runt"):
            r.switch.trace_packet(1, b"abc")
        with pytest.raises(SwitchError, match="no connection state"):
            r.switch.trace_flow("in_port=1", TraceOptions(ct_next=["trk,old"]))
        with pytest.raises(SwitchError, match="nonsense"):
            r.switch.trace_flow("in_port=1", TraceOptions(actions="nonsense"))


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
    assert lib.rs_flow_mod(null, b"", 0, err) == -22
    assert lib.rs_flows_apply(null, null, 0, 0, False, err) == -22
    assert lib.rs_flow_replace(null, null, 0, err) == -22
    assert lib.rs_flow_dump_open(null, b"", False, null, err) == -22
    assert lib.rs_flow_dump_lines(null, 1, True, null) == -22
    assert lib.rs_flow_dump_next(null, null, null) == -22
    lib.rs_flow_dump_close(null)
    assert lib.rs_stats(null, null, 0, null) == 0
    assert lib.rs_fdb_list(null, null, 0) == 0
    assert lib.rs_trace_flow(null, b"tcp", null, null, err) == -22
    assert lib.rs_trace_packet(null, 1, null, 0, null, null, err) == -19
    assert lib.rs_capture_read(null, null, null, 0) == -22
    assert lib.rs_switch_poll(null) == -22
    lib.rs_switch_destroy(null)
    assert lib.rs_drop_name(lib.RS_N_DROPS) == null


def test_c_refuses_null_in_the_doors_of_the_flow_engine() -> None:
    ffi, lib = native.ffi, native.lib
    null, err = ffi.NULL, ffi.new("struct rs_error *")
    assert lib.rs_table_set(null, 0, null, err) == -22
    assert lib.rs_table_stats(null, 0, null) == -22
    assert lib.rs_group_mod(null, b"", 0, err) == -22
    assert lib.rs_group_dump(null, 0, False, False, null, err) == -22
    assert lib.rs_meter_mod(null, b"", 0, err) == -22
    assert lib.rs_meter_dump(null, 0, False, null, err) == -22
    assert lib.rs_tlv_mod(null, b"", 0, err) == -22
    assert lib.rs_tlv_dump(null, null) == -22


def test_c_refuses_null_for_packets_and_megaflows() -> None:
    ffi, lib = native.ffi, native.lib
    null, err = ffi.NULL, ffi.new("struct rs_error *")
    assert lib.rs_packet_in_take(null, null, null, 0) == -22
    assert lib.rs_packet_in_rate(null, 0, 0, err) == -22
    assert lib.rs_packet_in_fd(null) == -1
    assert lib.rs_packet_out(null, 1, b"drop", null, 0, err) == -22
    assert lib.rs_packet_resume(null, 1, 1, null, 0, err) == -22
    assert lib.rs_megaflow_dump(null, null, b"", False, False, null, err) == -22
    assert lib.rs_megaflow_flush(null) == -22
    assert lib.rs_revalidator_set(null, 1, 1000, err) == -22
    assert lib.rs_cache_set(null, null, err) == -22
    lib.rs_revalidator_stats(null, null)
    lib.rs_packet_in_stats(null, null)
    lib.rs_text_free(null)
    lib.rs_sync(null)
    assert lib.rs_port_set_ofp_config(null, 1, 0, err) == -19
