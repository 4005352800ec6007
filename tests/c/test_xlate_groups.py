"""Groups: which bucket, by liveness, weight and hash; and what a bucket leaves behind."""

from __future__ import annotations

import pytest

from tests.c.support.translation import Bridge

ETHERNET = "in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
TCP = f"{ETHERNET},tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,nw_frag=no,tcp_src=5,tcp_dst=80"


@pytest.fixture
def bridge() -> Bridge:
    made = Bridge(4)
    made.group("group_id=1,type=all")
    made.flow("actions=group:1")
    return made


def give(bridge: Bridge, group: str) -> None:
    """Makes group 1 what the text says."""
    bridge.group(f"group_id=1,{group}", command=1)


def outputs(bridge: Bridge) -> list[str]:
    """Actions that the packets of many senders get."""
    return [bridge.run(ETHERNET.replace("00:01,", f"{n:02x}:01,")).actions for n in range(150)]


def test_all_runs_each_bucket_on_the_packet_as_it_is(bridge: Bridge) -> None:
    bridge.flow("actions=group:1,output:4")
    give(
        bridge,
        "type=all,bucket=actions=set_field:02:00:00:00:00:09->eth_dst,output:2,bucket=actions=output:3",
    )
    set_, back = "set(eth(dst=02:00:00:00:00:09))", "set(eth(dst=02:00:00:00:00:02))"
    assert bridge.run(ETHERNET).actions == f"{set_},2,{back},3,4"


def test_a_bucket_is_an_action_set(bridge: Bridge) -> None:
    give(bridge, "type=indirect,bucket=actions=output:2,push_vlan:0x8100,output:3")
    assert bridge.run(ETHERNET).actions == "push_vlan(vid=0,pcp=0),3"
    give(bridge, "type=indirect,bucket=actions=set_field:1->reg0")
    assert bridge.run(ETHERNET).actions == "drop"


def test_exit_ends_the_bucket_alone(bridge: Bridge) -> None:
    bridge.flows(["actions=group:1,output:4", "table=1,actions=output:2,exit,output:3"])
    give(bridge, "type=indirect,bucket=actions=resubmit(,1)")
    assert bridge.run(ETHERNET).actions == "2,4"


def test_labels_too_many_in_one_bucket_are_no_matter_for_the_others(bridge: Bridge) -> None:
    push = ",".join(["push_mpls:0x8847"] * 4)
    bridge.flow(f"table=1,actions={push},output:2")
    give(bridge, "type=all,bucket=actions=resubmit(,1),bucket=actions=output:3")
    assert bridge.run(ETHERNET).actions == "3"


def test_an_error_that_a_bucket_forgives_leaves_a_whole_list(bridge: Bridge) -> None:
    push = ",".join(["push_mpls:0x8847"] * 4)
    bridge.flow(f"table=1,actions=check_pkt_larger(100)->NXM_NX_REG0[0],output:2,{push},output:4")
    give(bridge, "type=all,bucket=actions=resubmit(,1),bucket=actions=output:3")
    answer = bridge.run(ETHERNET)
    assert answer.actions == "check_pkt_len(size=100,gt(2),le(drop)),3"
    assert answer.list_error == ""


def test_fast_failover_takes_the_first_that_lives(bridge: Bridge) -> None:
    bridge.group("group_id=2,type=fast_failover,bucket=watch_port:4,actions=output:4")
    give(
        bridge,
        "type=fast_failover,bucket=watch_port:2,actions=output:2,"
        "bucket=watch_group:2,actions=output:3,bucket=watch_port:77,actions=in_port",
    )
    assert bridge.run(ETHERNET).actions == "2"
    bridge.port_up(2, False)
    assert bridge.run(ETHERNET).actions == "3"
    bridge.port_up(4, False)
    answer = bridge.run(ETHERNET)
    assert (answer.actions, answer.drop) == ("drop", "no_live_bucket")
    assert " -> bucket 0: not live due to port 2" in answer.report


def test_groups_that_watch_each_other_are_not_alive(bridge: Bridge) -> None:
    bridge.group("group_id=2,type=all,bucket=actions=output:4")
    give(bridge, "type=fast_failover,bucket=watch_group:2,actions=output:2")
    bridge.group("group_id=2,type=fast_failover,bucket=watch_group:1,actions=output:3", command=1)
    assert bridge.run(ETHERNET).drop == "no_live_bucket"


def test_select_by_fields_takes_the_bucket_with_the_highest_draw(bridge: Bridge) -> None:
    give(
        bridge,
        "type=select,selection_method=hash,fields(eth_src),bucket=weight:1,actions=output:2,"
        "bucket=weight:1,actions=output:3,bucket=weight:0,actions=output:4",
    )
    before = outputs(bridge)
    assert set(before) == {"2", "3"}
    bridge.port_up(2, False)  # Nobody watches it.
    assert outputs(bridge) == before
    answer = bridge.run(ETHERNET)
    assert "dl_src=02:00:00:00:00:01" in answer.megaflow and "dl_dst" not in answer.megaflow


def test_a_bucket_that_dies_moves_its_own_packets_only(bridge: Bridge) -> None:
    give(
        bridge,
        "type=select,selection_method=hash,fields(eth_src),"
        "bucket=weight:3,watch_port:2,actions=output:2,bucket=weight:3,watch_port:3,actions=output:3,"
        "bucket=weight:3,watch_port:4,actions=output:4",
    )
    before = outputs(bridge)
    bridge.port_up(3, False)
    after = outputs(bridge)
    assert "3" in before and "3" not in after
    assert all(old == new for old, new in zip(before, after, strict=True) if old != "3")


def test_select_by_hash_of_the_datapath_goes_around_once(bridge: Bridge) -> None:
    give(bridge, "type=select,bucket=weight:1,actions=output:2,bucket=weight:3,actions=output:3")
    first = bridge.run(TCP)
    assert first.actions == "hash(sym_l4(0)),recirc(0x1)"
    assert (
        bridge.run(TCP.replace("dst=80", "dst=81")).actions == first.actions
    )  # The same state, the same id.
    chosen = []
    for dp_hash in range(1, 17):
        key = bridge.key(TCP)
        key.recirc_id, key.dp_hash = 1, dp_hash
        answer = bridge.run(key)
        assert "dp_hash=" in answer.megaflow and "/0xf" in answer.megaflow
        chosen.append(answer.actions)
    assert (chosen.count("2"), chosen.count("3")) == (4, 12)


def test_a_group_that_is_not_there_ends_the_list(bridge: Bridge) -> None:
    give(bridge, "type=indirect,bucket=actions=output:2")
    bridge.flow("actions=output:3,group:1,output:4")
    assert bridge.run(ETHERNET).actions == "3,2,4"
    assert bridge.run(ETHERNET, packet_out="output:3,group:9,output:4").actions == "3"
