"""What translation leaves behind: learned rules, learned addresses, frozen states, packet-ins."""

from __future__ import annotations

import re

import pytest

from tests.c.support.translation import ACCESS, NATIVE, TRUNK, Bridge

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
FROM_A = f"in_port=1,dl_src={A},dl_dst={B}"
FROM_B = f"in_port=2,dl_src={B},dl_dst={A}"
LEARNED = r"n_packets=\d+, n_bytes=\d+, table=1, (.*)"
LEARN = "learn(table=1,idle_timeout=10,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]{more})"


@pytest.fixture
def bridge() -> Bridge:
    return Bridge(4)


def learned(bridge: Bridge) -> list[str]:
    """Rules of table 1."""
    found = (re.fullmatch(LEARNED, line) for line in bridge.dump())
    return [line[1] for line in found if line]


# ---- learn -------------------------------------------------------------------------------------


def test_learn_makes_a_rule_of_the_packet(bridge: Bridge) -> None:
    bridge.flow(f"actions={LEARN.format(more='')},resubmit(,1)")
    answer = bridge.run(FROM_A, side_effects=True)
    assert f"dl_src={A}" in answer.megaflow
    rules = learned(bridge)
    assert len(rules) == 1
    assert f"idle_timeout=10, dl_dst={A} actions=output:1" in rules[0]
    assert bridge.run(FROM_B).actions == "1"


def test_looking_alone_learns_nothing(bridge: Bridge) -> None:
    bridge.flow(f"actions={LEARN.format(more='')},NORMAL")
    answer = bridge.run(FROM_A)
    assert " >> suppressing side effects, so learn action ignored" in answer.report
    assert len(bridge.dump()) == 1
    assert bridge.mac(A) == 0


def test_learned_values_loads_and_subfields(bridge: Bridge) -> None:
    specs = "NXM_OF_VLAN_TCI[0..11],eth_type=0x800,ip_src=10.0.0.7,load:NXM_OF_IN_PORT[]->NXM_NX_REG3[0..15]"
    bridge.flow(f"actions=learn(table=1,{specs})")
    bridge.run(FROM_A, side_effects=True)
    assert learned(bridge) == [
        "ip,vlan_tci=0x0000/0x0fff,nw_src=10.0.0.7 actions=load:0x1->NXM_NX_REG3[0..15]"
    ]


def test_a_limit_is_kept_and_told(bridge: Bridge) -> None:
    more = ",limit=1,result_dst=reg0[0]"
    bridge.flow(f"actions={LEARN.format(more=more)},output:NXM_NX_REG0[]")
    first = bridge.run(FROM_A, side_effects=True, credit=True)
    assert (first.drop, first.slow) == ("no_output", False)  # Port 1 is where it came from.
    second = bridge.run(FROM_B, side_effects=True, credit=True)
    assert (second.drop, second.slow) == ("no_output", False)  # Port 0: none.
    assert len(learned(bridge)) == 1


def test_whether_there_is_room_is_not_known_without_trying(bridge: Bridge) -> None:
    bridge.flow(f"actions={LEARN.format(more=',limit=1,result_dst=reg0[0]')},output:NXM_NX_REG0[]")
    assert bridge.run(FROM_A, side_effects=True, credit=True).slow is False
    assert bridge.again(FROM_A).slow is True


def test_use_of_the_megaflow_keeps_the_learned_rule(bridge: Bridge) -> None:
    bridge.flow(f"actions={LEARN.format(more=',hard_timeout=10')}")
    bridge.run(FROM_A, side_effects=True, credit=True)
    for seconds in range(1, 30):
        bridge.expire(1_000_000 + 1000 * seconds)
        bridge.push(1, 100)
    assert len(learned(bridge)) == 1
    bridge.expire(1_000_000 + 1000 * 45)
    assert len(learned(bridge)) == 0
    bridge.push(1, 100)  # Back again.
    assert len(learned(bridge)) == 1


# ---- NORMAL ------------------------------------------------------------------------------------


def test_normal_floods_until_it_knows_and_then_forwards(bridge: Bridge) -> None:
    bridge.flow("actions=NORMAL")
    first = bridge.run(FROM_A, side_effects=True)
    assert first.actions == "2,3,4,5"
    assert first.megaflow == f"recirc_id=0,eth,in_port=1,dl_src={A},dl_dst={B},dl_type=0x0000"
    assert bridge.mac(A) == 1
    assert bridge.run(FROM_B, side_effects=True).actions == "1"
    assert bridge.run(FROM_A).actions == "2"
    answer = bridge.run(FROM_A.replace("in_port=1", "in_port=2"))
    assert (answer.actions, answer.drop) == ("drop", "same_port")


def test_use_of_the_megaflow_keeps_the_address(bridge: Bridge) -> None:
    bridge.flow("actions=NORMAL")
    bridge.run(FROM_A, side_effects=True, credit=True)
    bridge.expire(1_000_000 + 299_000)
    bridge.push(1, 100)
    bridge.expire(1_000_000 + 500_000)
    assert bridge.mac(A) == 1


@pytest.mark.parametrize(
    ("flow", "drop"),
    [
        (FROM_A.replace(B, "01:80:c2:00:00:00"), "reserved_mac"),
        (FROM_A.replace(B, "01:00:0c:cc:cc:cc"), "reserved_mac"),
        (FROM_A.replace("in_port=1", "in_port=3") + ",vlan_tci=0x1005", "vlan_ingress"),
        (FROM_A.replace("in_port=1", "in_port=4") + ",vlan_tci=0x1005", "vlan_ingress"),
    ],
)
def test_normal_refuses(bridge: Bridge, flow: str, drop: str) -> None:
    bridge.flow("actions=NORMAL")
    bridge.port(3, "h3", mode=ACCESS, tag=10)
    bridge.port(4, "h4", mode=TRUNK, trunks=[10, 20])
    answer = bridge.run(flow, side_effects=True)
    assert (answer.actions, answer.drop) == ("drop", drop)
    assert bridge.mac(A) == 0


def test_tags_change_at_most_once_in_a_flood(bridge: Bridge) -> None:
    bridge.flow("actions=NORMAL")
    bridge.port(2, "h2", mode=ACCESS, tag=10)
    bridge.port(3, "h3", mode=NATIVE, tag=10)
    bridge.port(5, "br0", internal=True, mode=TRUNK, trunks=[20])
    tagged = bridge.run(f"{FROM_A},vlan_tci=0x100a")
    assert tagged.actions == "4,pop_vlan,2,3"
    assert "dl_vlan=10" in tagged.megaflow
    untagged = bridge.run(FROM_A.replace("in_port=1", "in_port=2"))
    assert untagged.actions == "3,push_vlan(vid=10,pcp=0),1,4"


def test_normal_looks_at_what_decides_whether_tags_stay(bridge: Bridge) -> None:
    bridge.flow("actions=NORMAL")
    bridge.port(3, "h3", mode=ACCESS, tag=10)
    priority = bridge.run(f"{FROM_A},vlan_tci=0x7000")
    assert priority.actions == "2,4,5"
    assert "dl_vlan=0,dl_vlan_pcp=3" in priority.megaflow
    assert bridge.run(f"{FROM_A},vlan_tci=0x1000").actions == "pop_vlan,2,4,5"
    key = bridge.key(f"{FROM_A},vlan_tci=0x100a")
    assert bridge.run(key).actions == "2,4,5,pop_vlan,3"
    key.vlans[1].tpid, key.vlans[1].tci = 0x0081, 0x0510  # 0x8100, VLAN 5: not for an access port.
    answer = bridge.run(key)
    assert answer.actions == "2,4,5"
    assert "vlan_tci1=0x1005" in answer.megaflow or "dl_vlan1=5" in answer.megaflow


def test_a_controllers_packet_teaches_nothing(bridge: Bridge) -> None:
    answer = bridge.run(
        FROM_A.replace("in_port=1", "in_port=CONTROLLER"), packet_out="NORMAL", side_effects=True
    )
    assert answer.actions == "1,2,3,4,5"
    assert bridge.mac(A) == 0


# ---- frozen states -----------------------------------------------------------------------------


def test_frozen_states_live_as_long_as_their_megaflows_and_a_while(bridge: Bridge) -> None:
    bridge.flow("actions=debug_recirc,output:2")
    first = bridge.run(FROM_A, credit=True)
    assert first.actions == "recirc(0x1)" and bridge.n_frozen == 1
    assert bridge.run(FROM_B).actions == "recirc(0x2)"  # Another input port: another state.
    bridge.expire(1_000_000)
    bridge.expire(1_005_000)
    assert bridge.n_frozen == 0
    key = bridge.key(FROM_A)
    key.recirc_id = 1
    answer = bridge.run(key)
    assert (answer.actions, answer.drop) == ("drop", "recirc_unknown")
    assert ">>>> Recirculation context not found for ID 1 <<<<" in answer.report


def test_a_pause_ends_in_a_packet_in_that_can_go_on(bridge: Bridge) -> None:
    bridge.flow("actions=set_field:7->reg1,controller(pause),output:2,output:NXM_NX_REG1[0..1]")
    answer = bridge.run(FROM_A, credit=True)
    assert "continuation=1" in answer.actions and answer.actions.startswith("userspace(")
    key = bridge.key(FROM_A)
    key.recirc_id = int(answer.actions.split("recirc_id=")[1].split(",")[0])
    assert bridge.run(key).actions == "2,3"


def test_a_pause_with_nothing_behind_it_does_not_begin_again(bridge: Bridge) -> None:
    bridge.flow("actions=controller(pause)")
    answer = bridge.run(FROM_A, credit=True)
    key = bridge.key(FROM_A)
    key.recirc_id = int(answer.actions.split("recirc_id=")[1].split(",")[0])
    assert bridge.run(key).actions == "drop"


def test_what_a_clone_began_is_over_behind_it(bridge: Bridge) -> None:
    bridge.flow("actions=clone(encap(nsh),encap(ethernet)),output:2")
    assert bridge.run(FROM_A).actions.endswith("),2")
    assert "push_eth" not in bridge.run(FROM_A).actions
    bridge.flow("actions=check_pkt_larger(100)->NXM_NX_REG0[0],encap(nsh),encap(ethernet)")
    answer = bridge.run(FROM_A).actions
    assert answer.count("push_nsh") == 2 and "push_eth" not in answer
