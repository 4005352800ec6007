"""Tables: lookups, what a miss does, limits, the action set; and whom packets are counted for."""

from __future__ import annotations

import pytest

from tests.c.support.translation import NO_FLOOD, NO_FWD, NO_PACKET_IN, NO_RECV, Bridge

ETHERNET = "in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
TCP = f"{ETHERNET},tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,nw_frag=no,tcp_src=5,tcp_dst=80"
NO_MATCH, ACTION, ACTION_SET, GROUP, PACKET_OUT = 0, 1, 3, 4, 5


@pytest.fixture
def bridge() -> Bridge:
    return Bridge(4)


def reason(actions: str) -> int:
    return int(actions.split("reason=")[1].split(",")[0])


# ---- lookups -----------------------------------------------------------------------------------


def test_a_lookup_by_another_input_port_leaves_the_packet_where_it_came_in(bridge: Bridge) -> None:
    bridge.flows(["in_port=1,actions=resubmit:3", "in_port=3,actions=output:3,output:1,in_port"])
    assert bridge.run(ETHERNET).actions == "3,1"


def test_fragments_match_without_their_ports(bridge: Bridge) -> None:
    bridge.flows(["priority=9,tcp,tcp_dst=80,actions=output:2", "tcp,tcp_dst=0,actions=output:3"])
    assert bridge.run(TCP).actions == "2"
    assert bridge.run(TCP.replace("nw_frag=no", "nw_frag=first")).actions == "3"


def test_resubmit_ct_looks_up_the_addresses_that_the_connection_began_with(bridge: Bridge) -> None:
    bridge.flows(
        [
            "ct_state=+trk-inv,ip,actions=resubmit(,1,ct)",
            "table=1,tcp,nw_src=10.9.0.1,tcp_dst=443,actions=output:2",
        ]
    )
    tracked = "ct_state=trk|est,ct_nw_src=10.9.0.1,ct_nw_dst=10.9.0.2,ct_nw_proto=6,ct_tp_src=7,ct_tp_dst=443"
    answer = bridge.run(f"{TCP},{tracked}")
    assert answer.actions == "2"
    assert "ct_nw_src=10.9.0.1" in answer.megaflow and "ct_tp_dst=443" in answer.megaflow
    assert ",nw_src" not in answer.megaflow
    assert "resubmit(ct) with non-tracked" in bridge.run(f"{TCP},ct_state=trk|est").report


@pytest.mark.parametrize(("miss", "actions"), [(0, "drop"), (3, "drop"), (2, "2")])
def test_a_miss_in_a_goto_does_as_its_table_says(bridge: Bridge, miss: int, actions: str) -> None:
    bridge.flows(["actions=goto_table:1", "table=2,actions=output:2"])
    bridge.table_miss(1, miss)
    answer = bridge.run(ETHERNET)
    assert answer.actions == actions
    assert answer.drop == ("no_rule" if actions == "drop" else "")


def test_a_miss_may_go_to_the_controller_unless_the_port_forbids_it(bridge: Bridge) -> None:
    bridge.table_miss(0, 1)
    answer = bridge.run(ETHERNET)
    assert reason(answer.actions) == NO_MATCH
    assert 'No match, and a "packet-in" is called for.' in answer.report
    bridge.port_config(1, NO_PACKET_IN)
    assert bridge.run(ETHERNET).drop == "no_rule"


def test_a_resubmit_that_misses_never_goes_to_the_controller(bridge: Bridge) -> None:
    bridge.flow("actions=resubmit(,1),output:2")
    bridge.table_miss(1, 1)
    assert bridge.run(ETHERNET).actions == "2"


# ---- limits ------------------------------------------------------------------------------------


def test_a_loop_ends_with_a_named_error(bridge: Bridge) -> None:
    bridge.flow("actions=output:2,resubmit(,0)")
    answer = bridge.run(ETHERNET)
    assert (answer.actions, answer.drop) == ("drop", "xlate_too_deep")
    assert ">>>> over max translation depth 64 <<<<" in answer.report


def test_going_on_to_higher_tables_is_not_deep(bridge: Bridge) -> None:
    bridge.flows(
        [f"table={n},actions=goto_table:{n + 1}" for n in range(200)] + ["table=200,actions=output:2"]
    )
    assert bridge.run(ETHERNET).actions == "2"


def test_too_many_lookups_end_with_a_named_error(bridge: Bridge) -> None:
    for n in range(12):
        bridge.flow(f"table={n},actions=resubmit(,{n + 1}),resubmit(,{n + 1})")
    answer = bridge.run(ETHERNET)
    assert (answer.actions, answer.drop) == ("drop", "xlate_too_many_resubmits")


def test_a_stack_too_deep_ends_with_a_named_error(bridge: Bridge) -> None:
    pushes = ",".join(["push:NXM_NX_XXREG0[]"] * 800)
    bridge.flows([f"table={n},actions={pushes},resubmit(,{n + 1})" for n in range(6)])
    answer = bridge.run(ETHERNET)
    assert (answer.actions, answer.drop) == ("drop", "xlate_stack_too_deep")


@pytest.mark.parametrize(
    ("action", "most"),
    [
        ("clone({})", 64),
        ("clone(output(port=2,max_len=64),{}),output:3", 14),
        ("check_pkt_larger(100)->NXM_NX_REG0[0],{}", 5),
    ],
)
def test_copies_inside_copies_end_with_a_named_error(bridge: Bridge, action: str, most: int) -> None:
    def chain(length: int) -> None:
        bridge.flow("", command=3)
        bridge.flows(
            [f"table={n},actions={action.format(f'resubmit(,{n + 1})')}" for n in range(length)]
            + [f"table={length},actions=output:2"]
        )

    chain(most)
    answer = bridge.run(ETHERNET)
    assert answer.drop == "" and not answer.list_error
    chain(most + 1 if most != 5 else 15)
    answer = bridge.run(ETHERNET)
    assert (answer.actions, answer.drop) == ("drop", "xlate_too_deep")


def test_the_deepest_chain_of_lookups_fits_the_threads_stack(bridge: Bridge) -> None:
    bridge.flows(
        [f"table={n},actions=resubmit(,{n + 1})" for n in range(250)] + ["table=250,actions=resubmit(,0)"]
    )
    answer = bridge.run(ETHERNET)
    assert answer.drop == "xlate_too_many_resubmits"


def test_a_list_too_long_is_dropped_whole(bridge: Bridge) -> None:
    outputs = ",".join(["output:2"] * 1500)
    bridge.flows([f"table={n},actions={outputs},resubmit(,{n + 1})" for n in range(8)])
    answer = bridge.run(ETHERNET)
    assert (answer.actions, answer.drop) == ("drop", "too_many_actions")


# ---- ports -------------------------------------------------------------------------------------


def test_port_flags(bridge: Bridge) -> None:
    bridge.flow("actions=flood,output:3")
    bridge.port_config(2, NO_FLOOD)
    bridge.port_config(3, NO_FWD)
    assert bridge.run(ETHERNET).actions == "4,5"
    bridge.flow("actions=all")
    assert bridge.run(ETHERNET).actions == "2,4,5"
    bridge.port_config(1, NO_RECV)
    answer = bridge.run(ETHERNET)
    assert (answer.actions, answer.drop) == ("drop", "port_no_recv")


def test_the_bridges_own_port_is_local(bridge: Bridge) -> None:
    bridge.flows(["in_port=LOCAL,actions=output:LOCAL,output:1", "in_port=1,actions=LOCAL"])
    assert bridge.run(ETHERNET).actions == "5"
    answer = bridge.run(ETHERNET.replace("in_port=1", "in_port=LOCAL"))
    assert answer.actions == "1"
    assert "in_port=LOCAL" in answer.megaflow


# ---- action set and packet-ins -----------------------------------------------------------------


def test_the_action_set_is_executed_at_the_end_in_its_order(bridge: Bridge) -> None:
    bridge.flows(
        [
            "actions=write_actions(output:2,set_field:02:00:00:00:00:09->eth_dst),goto_table:1",
            "table=1,actions=write_actions(output:3,push_vlan:0x8100),write_metadata:0x5/0x5,goto_table:2",
            "table=2,metadata=5,actions=output:4",
        ]
    )
    answer = bridge.run(ETHERNET)
    assert answer.actions == "4,set(eth(dst=02:00:00:00:00:09)),push_vlan(vid=0,pcp=0),3"
    assert "metadata" not in answer.megaflow
    bridge.flow("table=2,metadata=5,actions=clear_actions")
    assert bridge.run(ETHERNET).actions == "drop"


def test_packet_ins_say_why(bridge: Bridge) -> None:
    bridge.flow("in_port=1,actions=controller")
    assert reason(bridge.run(ETHERNET).actions) == ACTION
    bridge.flow("in_port=1,actions=write_actions(output:controller)")
    assert reason(bridge.run(ETHERNET).actions) == ACTION_SET
    bridge.group("group_id=1,type=indirect,bucket=actions=output:controller")
    bridge.flow("in_port=1,actions=group:1")
    assert reason(bridge.run(ETHERNET).actions) == GROUP
    assert reason(bridge.run(ETHERNET, packet_out="controller(id=9)").actions) == ACTION
    assert reason(bridge.run(ETHERNET, packet_out="output:controller").actions) == PACKET_OUT
    bridge.flow("in_port=1", command=4)
    bridge.flow("priority=0,actions=controller")  # The table-miss entry.
    assert reason(bridge.run(ETHERNET).actions) == NO_MATCH


def test_a_controllers_meter_takes_packets_from_it_alone(bridge: Bridge) -> None:
    bridge.meter("meter=3,pktps,bands=type=drop,rate=10")
    bridge.flow("actions=controller(meter_id=3),output:2")
    assert bridge.run(ETHERNET).actions.startswith("sample(sample=100.0%,actions(meter(3),userspace(")


# ---- counts ------------------------------------------------------------------------------------


def counts(bridge: Bridge, table: int) -> list[int]:
    lines = [line for line in bridge.dump() if f"table={table}," in line]
    return [int(line.split("n_packets=")[1].split(",")[0]) for line in lines]


def test_packets_are_counted_for_each_rule_table_and_bucket_on_the_way(bridge: Bridge) -> None:
    bridge.group("group_id=1,type=all,bucket=actions=output:2,bucket=actions=resubmit(,2)")
    bridge.flows(["actions=resubmit(,1),group:1", "table=2,actions=output:3"])
    bridge.run(ETHERNET, credit=True)
    assert counts(bridge, 2) == [0]
    bridge.push(5, 500)
    bridge.push(0, 0)
    assert counts(bridge, 2) == [5]
    assert [bridge.table_counts(table) for table in (0, 1, 2, 3)] == [(5, 5), (5, 0), (5, 5), (0, 0)]
    assert bridge.bucket_packets(1) == 5


def test_counts_come_late_for_a_rule_that_is_gone(bridge: Bridge) -> None:
    bridge.flow("actions=output:2")
    bridge.run(ETHERNET, credit=True)
    bridge.flow("", command=3)
    bridge.expire(1)
    bridge.push(3, 300)  # The credits hold it.
    bridge.forget()
    assert bridge.dump() == []


def test_fin_shortens_the_timeouts_of_the_rule(bridge: Bridge) -> None:
    bridge.flow("tcp,idle_timeout=60,actions=fin_timeout(idle_timeout=5),output:2")
    bridge.run(TCP, credit=True)
    bridge.push(1, 100, tcp_flags=0x10)
    assert "idle_timeout=60" in bridge.dump()[0]
    bridge.push(1, 100, tcp_flags=0x11)
    assert "idle_timeout=5" in bridge.dump()[0]
