"""Packets to controllers and from them."""

from __future__ import annotations

import errno
import select
import time

import pytest

from switch.binding.errors import SwitchError
from switch.binding.packets import PORT_CONTROLLER, PORT_LOCAL, PORT_NONE, PacketInStats, Reason
from switch.binding.port import OfpConfig, PortConfig, PortType
from switch.binding.switch import Switch, SwitchConfig
from switch.binding.table import TableConfig, TableMiss
from tests.c.support.flows import A, B, pass_time, udp
from tests.differential.frames import simple_frame
from tests.differential.rig import Rig, rig

RING = 256


def is_readable(r: Rig) -> bool:
    return bool(select.select([r.switch.packets.fileno()], [], [], 0)[0])


# ---- in ------------------------------------------------------------------------------------------


def test_a_packet_comes_with_where_and_why() -> None:
    rules = [
        "in_port=2,cookie=0x77,actions=set_field:0x5->metadata,set_field:7->reg3,resubmit(,4)",
        "table=4,cookie=0x99,actions=controller(userdata=01.02.ff,id=3),3",
    ]
    with rig(3, rules) as r:
        frame = udp(1)
        assert r.outputs(2, frame) == [3]
        (packet,) = r.switch.packets
        assert (packet.reason, packet.table, packet.cookie) == (Reason.ACTION, 4, 0x99)
        assert (packet.in_port, packet.controller_id, packet.userdata) == (2, 3, b"\x01\x02\xff")
        assert (packet.data, packet.total_len) == (frame, len(frame))
        assert packet.metadata == "reg3=0x7,metadata=0x5,in_port=2"
        assert packet.continuation is None
        assert list(r.switch.packets) == []


def test_max_len_cuts_and_the_length_is_told() -> None:
    with rig(2, ["actions=controller(max_len=20)"]) as r:
        frame = udp(1)
        r.exchange(1, frame)
        (packet,) = r.switch.packets
        assert (packet.data, packet.total_len) == (frame[:20], len(frame))


def test_what_was_changed_before_is_what_the_controller_sees() -> None:
    with rig(2, ["actions=set_field:02:00:00:00:00:99->eth_src,controller,2"]) as r:
        out = r.exchange(1, udp(1))[2]
        assert [packet.data for packet in r.switch.packets] == out


def test_reasons_say_how_it_came_to_that() -> None:
    with rig(3, []) as r:
        r.switch.groups.add("group_id=1,type=all,bucket=actions=controller")
        r.switch.flows.apply(
            "in_port=1,ip,actions=dec_ttl,2\nin_port=2,actions=group:1\n"
            "in_port=3,arp,actions=write_actions(controller)\nin_port=3,ipv6,actions=goto_table:5"
        )
        r.switch.flows.configure(5, TableConfig(miss=TableMiss.CONTROLLER))
        dying = bytearray(udp(1))
        dying[22] = 1
        r.exchange(1, bytes(dying))
        r.exchange(2, udp(1))
        r.exchange(3, simple_frame(A, B)[:12] + b"\x08\x06" + bytes(46))
        r.exchange(3, simple_frame(A, B)[:12] + b"\x86\xdd\x60" + bytes(5) + b"\x3b\x40" + bytes(32))
        reasons = [packet.reason for packet in r.switch.packets]
        assert reasons == [Reason.INVALID_TTL, Reason.GROUP, Reason.ACTION_SET, Reason.NO_MATCH]


def test_a_port_without_packet_ins_causes_none_at_a_miss() -> None:
    with rig(2, []) as r:
        r.switch.flows.configure(0, TableConfig(miss=TableMiss.CONTROLLER))
        r.ports[0].set_ofp_config(OfpConfig.NO_PACKET_IN)
        r.exchange(1, udp(1))
        r.exchange(2, udp(1))
        assert [packet.in_port for packet in r.switch.packets] == [2]


def test_equal_pins_are_one_and_packets_keep_their_order() -> None:
    with rig(2, ["udp,nw_src=10.0.0.0/29,actions=controller", "priority=1,udp,actions=controller,2"]) as r:
        frames = [udp(i) for i in range(20)]
        r.exchange(1, *frames)
        assert [packet.data for packet in r.switch.packets] == frames
        assert 1 <= r.switch.megaflows.stats().pins <= 2


def test_a_controller_that_does_not_listen_costs_packet_ins_and_nothing_else() -> None:
    with rig(2, ["actions=controller,2"]) as r:
        for _ in range(4):
            assert len(r.exchange(1, *[udp(i) for i in range(100)])[2]) == 100
        assert r.switch.packets.stats() == PacketInStats(RING, 400 - RING, 0)
        assert len(list(r.switch.packets)) == RING
        r.exchange(1, udp(7))
        assert [packet.data for packet in r.switch.packets] == [udp(7)]
        r.assert_balanced()


def test_the_rate_is_limited_for_each_reason() -> None:
    with rig(2, ["in_port=1,actions=controller,2", "in_port=2,ip,actions=dec_ttl"]) as r:
        r.switch.packets.limit(rate=10, burst=5)
        dying = bytearray(udp(1))
        dying[22] = 1
        assert len(r.exchange(1, *[udp(i) for i in range(20)])[2]) == 20
        r.exchange(2, bytes(dying))
        assert [packet.reason for packet in r.switch.packets] == [Reason.ACTION] * 5 + [Reason.INVALID_TTL]
        r.switch.warp(200)
        r.exchange(1, *[udp(i) for i in range(20)])
        assert len(list(r.switch.packets)) == 2
        assert r.switch.packets.stats() == PacketInStats(8, 0, 33)
        r.switch.packets.limit(0)
        r.exchange(1, *[udp(i) for i in range(20)])
        assert len(list(r.switch.packets)) == 20


def test_a_waiting_controller_is_woken() -> None:
    with rig(2, ["actions=controller"]) as r:
        assert not is_readable(r)
        r.exchange(1, udp(1), udp(2))
        assert is_readable(r)
        assert len(list(r.switch.packets)) == 2
        assert not is_readable(r)
        r.exchange(1, udp(1))
        assert is_readable(r)


def test_packets_are_taken_while_others_come_in() -> None:
    with Switch(SwitchConfig("s1", umem_frames=4096)) as switch:
        port, _ = switch.open_port(PortConfig("h1", PortType.DUMMY, ofport=1))
        port.start()
        switch.flows.add("actions=controller")
        frames = [udp(i) for i in range(50)]
        seen, sent, deadline = 0, 0, time.monotonic() + 60
        while seen < 3000 and time.monotonic() < deadline:
            if sent - seen < RING and sent < 3000:
                port.inject(frames[sent % 50])
                sent += 1
            for packet in switch.packets:
                assert packet.data == frames[seen % 50]
                seen += 1
        assert (seen, switch.packets.stats().no_room) == (3000, 0)


# ---- pause and resume --------------------------------------------------------------------------------


def test_a_paused_packet_goes_on_where_it_stood() -> None:
    rules = [
        "in_port=1,actions=set_field:9->reg1,controller(pause),resubmit(,2),output:2",
        "table=2,reg1=9,actions=output:3",
    ]
    with rig(3, rules) as r:
        assert r.outputs(1, udp(1)) == []
        (packet,) = r.switch.packets
        assert packet.continuation is not None
        r.switch.packets.resume(packet)
        r.settle()
        assert r.take() == {2: [udp(1)], 3: [udp(1)]}
        r.switch.packets.resume(packet, udp(2))
        r.settle()
        assert r.take() == {2: [udp(2)], 3: [udp(2)]}


def test_a_continuation_is_kept_for_half_a_minute_and_then_refused() -> None:
    with rig(2, ["actions=controller(pause),2"]) as r:
        r.exchange(1, udp(1))
        (packet,) = r.switch.packets
        r.switch.flows.delete()
        pass_time(r, 20)
        r.switch.packets.resume(packet)
        assert r.take() == {2: [udp(1)]}
        pass_time(r, 60)
        with pytest.raises(SwitchError) as caught:
            r.switch.packets.resume(packet)
        assert (caught.value.field, caught.value.code) == ("continuation", errno.ENOENT)


# ---- out ------------------------------------------------------------------------------------------------


def test_a_packet_out_does_what_its_actions_say() -> None:
    with rig(3, []) as r:
        r.switch.packets.out("set_field:02:00:00:00:00:99->eth_src,2,3", udp(1), in_port=1)
        assert r.take() == {port: [udp(1)[:6] + b"\x02\0\0\0\0\x99" + udp(1)[12:]] for port in (2, 3)}
        r.switch.packets.out("drop", udp(1))
        r.switch.packets.out("in_port,1,2", udp(1), in_port=1)
        assert r.take() == {1: [udp(1)], 2: [udp(1)]}


@pytest.mark.parametrize("in_port", [1, PORT_CONTROLLER, PORT_NONE])
def test_a_packet_out_through_the_tables_counts_and_knows_its_port(in_port: int) -> None:
    names = {1: "1", PORT_CONTROLLER: "CONTROLLER", PORT_NONE: "ANY"}
    with rig(3, ["priority=9,actions=3"]) as r:
        if in_port != PORT_NONE:
            r.switch.flows.add(f"priority=10,in_port={names[in_port]},actions=2")
        r.switch.packets.out("resubmit(,0)", udp(1), in_port=in_port)
        assert list(r.take()) == [3 if in_port == PORT_NONE else 2]
        assert next(rule.packets for rule in r.switch.flows) == 1


def test_a_packet_out_that_recirculates_goes_round() -> None:
    with rig(
        3, ["in_port=1,actions=debug_recirc,set_field:5->reg1,resubmit(,1)", "table=1,reg1=5,actions=3"]
    ) as r:
        r.switch.packets.out("resubmit(,0)", udp(1), in_port=1)
        r.settle()
        assert r.take() == {3: [udp(1)]}


def test_a_packet_out_to_the_controller_is_a_packet_in() -> None:
    with rig(1, []) as r:
        r.switch.packets.out("controller", udp(1), in_port=1)
        (packet,) = r.switch.packets
        assert (packet.reason, packet.data, packet.in_port) == (Reason.PACKET_OUT, udp(1), 1)


@pytest.mark.parametrize(
    ("actions", "frame", "in_port", "field"),
    [
        ("nonsense", udp(1), 1, "actions"),
        ("set_field:1->tcp_dst", udp(1), 1, "tcp_dst"),
        ("2", b"abc", 1, "packet"),
        ("2", bytes(5000), 1, "packet"),
        ("2", udp(1), 7, "in_port"),
        ("2", udp(1), PORT_LOCAL, "in_port"),
    ],
)
def test_packet_outs_are_refused(actions: str, frame: bytes, in_port: int, field: str) -> None:
    with rig(2, []) as r:
        with pytest.raises(SwitchError) as caught:
            r.switch.packets.out(actions, frame, in_port)
        assert caught.value.field == field
        assert r.take() == {}
        r.assert_no_frame_lost()
