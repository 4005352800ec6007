"""The revalidator: megaflows are counted for rules, made true to what has changed, and go when unused.

Switches without threads: a round runs when one is due after an iteration, time is warped. A threaded one is
driven through the same doors at the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from switch.binding.groups import GroupCommand
from switch.binding.megaflow import RevalidatorStats
from switch.binding.port import PortConfig, PortType
from switch.binding.switch import Switch, SwitchConfig
from tests.c.support.flows import A, B, C, pass_time, tcp, udp
from tests.differential.frames import simple_frame
from tests.differential.rig import NORMAL, Rig, rig


def stats(r: Rig) -> RevalidatorStats:
    return r.switch.megaflows.stats()


def megaflows(r: Rig) -> list[str]:
    return list(r.switch.megaflows.lines())


def counts(r: Rig) -> dict[str, int]:
    return {rule.text: rule.packets for rule in r.switch.flows}


# ---- life of a megaflow --------------------------------------------------------------------------


def test_a_megaflow_that_nothing_hits_goes_after_max_idle() -> None:
    with rig(2, ["actions=2"]) as r:
        r.exchange(1, simple_frame(A, B))
        pass_time(r, 9)
        r.exchange(1, simple_frame(A, B))
        pass_time(r, 9)
        assert stats(r).megaflows == 1
        pass_time(r, 1.5)
        assert (stats(r).megaflows, stats(r).killed_idle) == (0, 1)
        assert counts(r) == {"actions=output:2": 2}


def test_max_idle_can_be_set() -> None:
    with rig(2, ["actions=2"]) as r:
        r.switch.megaflows.configure(max_idle_ms=1500)
        r.exchange(1, simple_frame(A, B))
        pass_time(r, 1)
        assert stats(r).megaflows == 1
        pass_time(r, 1)
        assert stats(r).megaflows == 0


def test_megaflows_of_a_port_that_is_gone_go() -> None:
    with rig(3, ["in_port=1,actions=2", "in_port=3,actions=2"]) as r:
        r.exchange(1, simple_frame(A, B))
        r.exchange(3, simple_frame(C, B))
        r.ports[0].close()
        assert [line.split("in_port(")[1][0] for line in megaflows(r)] == ["3"]


def test_flushing_takes_all_and_loses_no_count() -> None:
    with rig(2, ["udp,nw_src=10.0.0.2,actions=2", "priority=1,actions=drop"]) as r:
        r.exchange(1, *[udp(i) for i in range(6)])
        count = stats(r).megaflows
        assert count > 1
        assert r.switch.megaflows.flush() == count
        r.switch.poll()
        assert megaflows(r) == []
        assert sum(counts(r).values()) == 6


def test_at_the_limit_packets_pass_without_megaflows_and_idle_ones_make_room() -> None:
    with rig(2, ["udp,nw_src=10.0.0.0/32,actions=2", "priority=1,udp,tp_dst=80,actions=2"]) as r:
        r.switch.flows.replace([f"priority=2,udp,nw_src=10.0.0.{i},actions=2" for i in range(40)])
        r.switch.megaflows.configure(limit=10)
        out = r.exchange(1, *[udp(i) for i in range(40)])
        assert len(out[2]) == 40
        assert stats(r).megaflows == 10
        assert r.switch.stats().pmd.executed_once == 30
        assert sum(counts(r).values()) == 40
        r.switch.warp(600)  # Full, and idle for more than 100 ms.
        r.switch.poll()
        r.switch.poll()
        assert (stats(r).megaflows, stats(r).killed_limit) == (0, 10)
        assert len(r.exchange(1, *[udp(i) for i in range(5)])[2]) == 5
        assert stats(r).megaflows == 5
        assert stats(r).flow_limit == 10


# ---- truth after a change --------------------------------------------------------------------------


def test_other_actions_are_fitted_to_the_same_megaflow() -> None:
    with rig(3, ["in_port=1,actions=2"]) as r:
        assert r.outputs(1, simple_frame(A, B)) == [2]
        (before,) = megaflows(r)
        r.switch.flows.modify("in_port=1,actions=3")
        (after,) = megaflows(r)
        assert after.split(", packets")[0] == before.split(", packets")[0]
        assert "packets:1" in after and after.endswith("actions:3")
        assert (stats(r).refitted, stats(r).killed_changed) == (1, 0)
        assert r.outputs(1, simple_frame(A, B)) == [3]


def test_a_megaflow_too_wide_for_a_new_rule_goes() -> None:
    with rig(3, ["priority=1,in_port=1,actions=2"]) as r:
        assert r.outputs(1, udp(1)) == [2]
        r.switch.flows.add("priority=2,in_port=1,udp,nw_src=10.0.0.7,actions=3")
        assert (stats(r).megaflows, stats(r).killed_changed) == (0, 1)
        assert r.outputs(1, udp(7)) == [3]
        assert r.outputs(1, udp(1)) == [2]


def test_a_megaflow_narrower_than_it_need_be_now_stays() -> None:
    with rig(
        3, ["priority=1,in_port=1,actions=2", "priority=2,in_port=1,udp,nw_src=10.0.0.7,actions=3"]
    ) as r:
        assert r.outputs(1, udp(1)) == [2]
        r.switch.flows.delete("udp")
        assert (stats(r).megaflows, stats(r).killed_changed) == (1, 0)


def test_a_deleted_rule_lets_nothing_more_through() -> None:
    with rig(2, ["in_port=1,actions=2"]) as r:
        assert r.outputs(1, udp(1)) == [2]
        r.switch.flows.delete()
        assert r.outputs(1, udp(1)) == []
        assert r.drops(1) == {"no_rule": 1}


def test_a_change_nobody_waits_for_is_true_after_the_next_iteration() -> None:
    with rig(3, ["in_port=1,actions=2"]) as r:
        assert r.outputs(1, udp(1)) == [2]
        r.switch.flows.modify("in_port=1,actions=3", wait=False)
        r.switch.poll()
        assert r.outputs(1, udp(1)) == [3]


def test_a_moved_address_moves_the_megaflows_that_go_there() -> None:
    with rig(3, [NORMAL]) as r:
        r.exchange(2, simple_frame(B, C))
        assert r.outputs(1, simple_frame(A, B)) == [2]
        r.exchange(3, simple_frame(B, C))
        assert r.outputs(1, simple_frame(A, B)) == [3]


def test_packets_of_a_megaflow_keep_a_learned_address_alive() -> None:
    with rig(
        3, [NORMAL], config=SwitchConfig("s1", threaded=False, umem_frames=4096, mac_ageing_ms=4000)
    ) as r:
        r.exchange(2, simple_frame(B, C))
        for _ in range(3):
            r.exchange(2, simple_frame(B, C))
            pass_time(r, 3)
        assert r.outputs(1, simple_frame(A, B)) == [2]
        pass_time(r, 5)
        assert r.outputs(1, simple_frame(A, B)) == [2, 3]


def test_a_group_that_changes_changes_its_megaflows() -> None:
    with rig(4, []) as r:
        r.switch.groups.add("group_id=1,type=all,bucket=actions=2,bucket=actions=3")
        r.switch.flows.add("in_port=1,actions=group:1")
        assert r.outputs(1, udp(1)) == [2, 3]
        r.switch.groups.mod("group_id=1,type=all,bucket=actions=4", GroupCommand.MODIFY)
        assert r.outputs(1, udp(1)) == [4]


def test_fast_failover_follows_the_links() -> None:
    with rig(3, []) as r:
        r.switch.groups.add("group_id=1,type=ff,bucket=watch_port:2,actions=2,bucket=watch_port:3,actions=3")
        r.switch.flows.add("in_port=1,actions=group:1")
        assert r.outputs(1, udp(1)) == [2]
        r.ports[1].set_up(False)
        assert r.outputs(1, udp(1)) == [3]
        r.ports[1].set_up(True)
        assert r.outputs(1, udp(1)) == [2]


# ---- counts and timeouts -------------------------------------------------------------------------


def test_an_idle_timeout_is_fed_by_megaflows_and_ends_without() -> None:
    with rig(2, ["idle_timeout=5,in_port=1,actions=2"]) as r:
        for _ in range(4):
            assert r.outputs(1, udp(1)) == [2]
            pass_time(r, 3)
        assert [(rule.packets, int(rule.idle_s)) for rule in r.switch.flows] == [(4, 3)]
        pass_time(r, 3)
        assert counts(r) == {}
        assert r.outputs(1, udp(1)) == []


def test_a_hard_timeout_ends_a_rule_in_use() -> None:
    with rig(2, ["hard_timeout=4,in_port=1,actions=2"]) as r:
        for _ in range(3):
            assert r.outputs(1, udp(1)) == [2]
            pass_time(r, 1)
        pass_time(r, 1.5)
        assert r.outputs(1, udp(1)) == []


def test_a_fin_lowers_the_timeouts_of_the_rule_that_it_met() -> None:
    with rig(2, ["idle_timeout=100,tcp,actions=fin_timeout(idle_timeout=2,hard_timeout=9),2"]) as r:
        r.exchange(1, tcp("A"))
        pass_time(r, 1)
        assert [rule.idle_timeout for rule in r.switch.flows] == [100]
        r.exchange(1, tcp("FA"))
        pass_time(r, 1)
        assert [(rule.idle_timeout, rule.hard_timeout) for rule in r.switch.flows] == [(2, 9)]
        pass_time(r, 2)
        assert counts(r) == {}


def test_packets_that_would_learn_keep_the_learned_rule() -> None:
    learn = "in_port=1,actions=learn(table=1,hard_timeout=5,in_port=2,output:NXM_OF_IN_PORT[]),2"
    with rig(2, [learn, "in_port=2,actions=resubmit(,1)"]) as r:
        for _ in range(4):  # Longer than the timeout.
            r.exchange(1, udp(1))
            pass_time(r, 3)
        assert r.outputs(2, udp(2)) == [1]
        pass_time(r, 7)
        assert r.outputs(2, udp(2)) == []


def test_a_modified_rule_keeps_its_counts() -> None:
    with rig(3, ["in_port=1,actions=2"]) as r:
        r.exchange(1, udp(1), udp(1))
        r.switch.flows.modify("in_port=1,actions=3")
        r.exchange(1, udp(1))
        assert counts(r) == {"in_port=1 actions=output:3": 3}


# ---- what nobody refers to any more --------------------------------------------------------------


def test_frozen_states_and_pins_go_when_their_megaflows_have() -> None:
    with rig(3, ["in_port=1,actions=controller(userdata=01)", "in_port=2,actions=debug_recirc,3"]) as r:
        r.exchange(1, udp(1))
        assert r.outputs(2, udp(2)) == [3]
        assert (stats(r).frozen, stats(r).pins) == (1, 1)
        assert len(list(r.switch.packets)) == 1
        list(r.switch.packets)  # The last one taken is held until the next.
        r.switch.flows.delete()
        pass_time(r, 40)
        assert (stats(r).frozen, stats(r).pins, stats(r).megaflows) == (0, 0, 0)


# ---- with threads --------------------------------------------------------------------------------


@contextmanager
def threaded(n_ports: int, rules: Sequence[str]) -> Iterator[Rig]:
    with Switch(SwitchConfig("s1", umem_frames=4096, spin_us=0)) as switch:
        ports = []
        for i in range(n_ports):
            port, _ = switch.open_port(PortConfig(f"h{i + 1}", PortType.DUMMY, ofport=i + 1))
            port.start()
            ports.append(port)
        switch.flows.replace(rules)
        yield Rig(switch, ports)


def await_frames(r: Rig, count: int) -> dict[int, int]:
    """Ports and how many frames left there, once there are `count`; a minute at most."""
    out: dict[int, int] = {}
    deadline = time.monotonic() + 60
    while sum(out.values()) < count and time.monotonic() < deadline:
        for port, frames_ in r.take().items():
            out[port] = out.get(port, 0) + len(frames_)
    return out


def test_with_threads_a_change_is_true_when_its_function_returns() -> None:
    with threaded(3, ["in_port=1,actions=2"]) as r:
        for round_ in range(30):
            port = 2 + round_ % 2
            r.switch.flows.modify(f"in_port=1,actions={port}")
            r.inject(1, *[udp(i) for i in range(8)])
            assert await_frames(r, 8) == {port: 8}
        assert sum(rule.packets for rule in r.switch.flows) == 240


def test_with_threads_a_change_nobody_waits_for_comes_true_by_itself() -> None:
    with threaded(3, ["in_port=1,actions=2"]) as r:
        r.inject(1, udp(1))
        assert await_frames(r, 1) == {2: 1}
        r.switch.flows.modify("in_port=1,actions=3", wait=False)
        deadline, seen = time.monotonic() + 60, {2: 1}
        while 3 not in seen and time.monotonic() < deadline:
            r.inject(1, udp(1))
            seen = await_frames(r, 1)
        assert 3 in seen


def test_with_threads_ports_come_and_go_while_packets_and_rules_do() -> None:
    with threaded(2, [NORMAL]) as r:
        for i in range(20):
            r.inject(1, *[udp(n) for n in range(16)])
            extra, _ = r.switch.open_port(PortConfig("x", PortType.DUMMY))
            extra.start()
            r.switch.flows.add(f"priority={i + 2},udp,tp_dst={i},actions=NORMAL", wait=False)
            r.inject(2, *[simple_frame(B, A)] * 8)
            extra.close()
        r.switch.sync()
        await_frames(r, 20 * 24)
        assert r.switch.stats().ports[1].received == 320
        r.assert_balanced()
