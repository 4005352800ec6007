"""The executor of datapath actions: who gets copies, what is counted, what is dropped by which name."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from tests.c.support.execute import Bench, Event, Outcome, Packet
from tests.c.support.native import lib
from tests.differential.action_frame import arrive
from tests.differential.action_hash import finish, hash_l4, hash_symmetric, mix
from tests.differential.action_packets import word
from tests.differential.action_sums import ones_sum
from tests.differential.frames import simple_frame

FRAME = simple_frame("02:00:00:00:00:01", "02:00:00:00:00:02")
TAGGED = simple_frame("02:00:00:00:00:01", "02:00:00:00:00:02", vlan=5)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench() as made:
        yield made


def sent(outcome: Outcome) -> list[tuple[int, bytes]]:
    return [(e.id, e.data) for e in outcome.events if e.kind == "sent"]


def ports(outcome: Outcome) -> list[int]:
    return [e.id for e in outcome.events if e.kind == "sent"]


def only(outcome: Outcome) -> Event:
    (event,) = outcome.events
    return event


# ---- outputs and copies -------------------------------------------------------------------------


@pytest.mark.parametrize("blob", [True, False])
def test_one_output_takes_the_packet_itself(bench: Bench, blob: bool) -> None:
    outcome = bench.run("3", [FRAME, TAGGED], blob)
    assert sent(outcome) == [(3, FRAME), (3, TAGGED)]
    assert outcome.copies == 0


def test_all_outputs_but_the_last_get_copies(bench: Bench) -> None:
    outcome = bench.run("1,2,3", [FRAME, FRAME])
    assert sorted(ports(outcome)) == [1, 1, 2, 2, 3, 3]
    assert outcome.copies == 4


def test_a_change_counts_for_the_outputs_behind_it(bench: Bench) -> None:
    outcome = bench.run("1,push_vlan(vid=5,pcp=0),2,pop_vlan,3", [FRAME])
    tagged = FRAME[:12] + b"\x81\0\0\x05" + FRAME[12:]
    assert sorted(sent(outcome)) == [(1, FRAME), (2, tagged), (3, FRAME)]


def test_a_ports_batch_is_sent_when_it_is_full_and_at_the_end(bench: Bench) -> None:
    outcome = bench.run(",".join(["1"] * 5), [FRAME] * 16)
    calls = [sum(e.batch == call for e in outcome.events) for call in (1, 2, 3)]
    assert calls == [32, 32, 16]


def test_an_output_to_a_port_that_is_not_there_is_a_named_drop(bench: Bench) -> None:
    assert bench.run("99", [FRAME]).drops == {"no_output": 1}
    outcome = bench.run("99,1", [FRAME])
    assert (ports(outcome), outcome.copies, outcome.drops) == ([1], 1, {"no_output": 1})


def test_a_list_without_output_drops_by_name(bench: Bench) -> None:
    assert bench.run(b"", [FRAME]).drops == {"no_output": 1}
    assert bench.run("pop_vlan", [FRAME, FRAME]).drops == {"no_output": 2}
    assert bench.run("drop", [FRAME]).drops == {"rule_drop": 1}


def test_a_packet_whose_copy_left_is_not_a_drop(bench: Bench) -> None:
    outcome = bench.run("1,pop_vlan", [FRAME, FRAME])
    assert (ports(outcome), outcome.copies, outcome.drops) == ([1, 1], 0, {})


def test_without_free_frames_copies_are_lost_by_name() -> None:
    with Bench(frames=3) as small:
        outcome = small.run("1,2,3", [FRAME, FRAME])
    assert sorted(ports(outcome)) == [1, 3, 3]
    assert (outcome.copies, outcome.drops) == (4, {"no_frame": 3})


def test_a_flood_goes_to_every_port() -> None:
    with Bench(ports=1023, frames=1100) as wide:
        outcome = wide.run(",".join(map(str, range(1, 1024))), [FRAME])
    assert sorted(ports(outcome)) == list(range(1, 1024))


# ---- nested lists -------------------------------------------------------------------------------


def test_what_a_clone_does_does_not_show_outside(bench: Bench) -> None:
    outcome = bench.run("clone(push_vlan(vid=5,pcp=0),set(skb_mark(0x7)),1),2", [FRAME])
    inside, outside = sorted(outcome.events, key=lambda e: e.id)
    assert (len(inside.data), inside.pkt_mark) == (len(FRAME) + 4, 7)
    assert (outside.data, outside.pkt_mark) == (FRAME, 0)
    assert outcome.copies == 1


def test_a_clone_at_the_end_makes_no_copy(bench: Bench) -> None:
    outcome = bench.run("clone(clone(pop_vlan,1))", [TAGGED])
    assert (len(only(outcome).data), outcome.copies) == (len(TAGGED) - 4, 0)


def test_a_clone_that_leads_nowhere_is_as_if_it_were_not_there(bench: Bench) -> None:
    outcome = bench.run("clone(pop_vlan),1", [FRAME])
    assert (ports(outcome), outcome.copies, outcome.drops) == ([1], 0, {})
    outcome = bench.run("clone(clone(pop_vlan),pop_vlan),pop_vlan", [FRAME])
    assert (outcome.copies, outcome.drops) == (0, {"no_output": 1})


def test_a_drop_inside_is_counted_by_its_name(bench: Bench) -> None:
    outcome = bench.run("clone(drop),1", [FRAME])
    assert (ports(outcome), outcome.copies, outcome.drops) == ([1], 1, {"rule_drop": 1})


def test_packets_are_told_apart_by_their_length(bench: Bench) -> None:
    long = FRAME + bytes(40)  # Padding does not count: the IP packet ends before.
    udp = FRAME[:16] + word(len(FRAME) - 14 + 40) + FRAME[18:] + bytes(40)
    outcome = bench.run(f"check_pkt_len(size={len(FRAME)},gt(1),le(2))", [FRAME, long, udp])
    assert sorted(sent(outcome)) == [(1, udp), (2, FRAME), (2, long)]
    outcome = bench.run(f"check_pkt_len(size={len(FRAME)},gt(1),le(drop)),3", [FRAME, udp])
    assert sorted(sent(outcome)) == [(1, udp), (3, FRAME), (3, udp)]
    assert outcome.drops == {"rule_drop": 1}


def test_a_sample_takes_its_share(bench: Bench) -> None:
    taken = total = 0
    for _ in range(200):
        outcome = bench.run("sample(sample=30.0%,actions(1)),2", [FRAME] * 32)
        assert ports(outcome).count(2) == 32
        taken += ports(outcome).count(1)
        total += 32
    assert 0.27 < taken / total < 0.33


def test_what_a_sample_at_the_end_leaves_out_is_a_named_drop(bench: Bench) -> None:
    assert bench.run("sample(sample=0.0%,actions(1))", [FRAME] * 3).drops == {"not_sampled": 3}
    assert ports(bench.run("sample(sample=100.0%,actions(1))", [FRAME] * 3)) == [1, 1, 1]
    outcome = bench.run("2,sample(sample=0.0%,actions(1))", [FRAME] * 3)
    assert (ports(outcome), outcome.copies, outcome.drops) == ([2, 2, 2], 0, {})


# ---- controllers, recirculation, truncation, what is for later ----------------------------------


def test_a_controller_gets_a_look_not_the_packet(bench: Bench) -> None:
    outcome = bench.run("userspace(pid=0,controller(pin=7)),1", [FRAME])
    assert [(e.kind, e.id, e.data) for e in outcome.events] == [("controller", 7, FRAME), ("sent", 1, FRAME)]
    assert outcome.copies == 0


def test_a_packet_for_the_controller_alone_has_a_name(bench: Bench) -> None:
    assert bench.run("userspace(pid=0,controller(pin=7))", [FRAME]).drops == {"to_controller": 1}
    assert bench.run("1,userspace(pid=0,controller(pin=7))", [FRAME]).drops == {}


def test_recirculation_gives_the_id_along(bench: Bench) -> None:
    outcome = bench.run("hash(l4(5)),recirc(0x9)", [FRAME, FRAME])
    assert [(e.kind, e.id, e.recirc_id) for e in outcome.events] == [("recirc", 9, 9)] * 2
    assert {e.dp_hash for e in outcome.events} == {hash_l4(arrive(FRAME), 5)}
    outcome = bench.run("recirc(0x9),1", [FRAME])
    assert ([(e.kind, e.id) for e in outcome.events], outcome.copies) == ([("recirc", 9), ("sent", 1)], 1)


def test_truncation_holds_for_the_next_output(bench: Bench) -> None:
    outcome = bench.run("trunc(20),1,2", [FRAME])
    assert sorted(sent(outcome)) == [(1, FRAME[:20]), (2, FRAME)]
    assert only(bench.run("trunc(20),1", [FRAME])).data == FRAME[:20]
    assert only(bench.run("trunc(2000),1", [FRAME])).data == FRAME


@pytest.mark.parametrize(
    "taker",
    ["clone(1)", "sample(sample=100.0%,actions(1))", "check_pkt_len(size=1,gt(1),le(1))", "recirc(0x1)"],
)
def test_truncation_goes_into_what_comes_next(bench: Bench, taker: str) -> None:
    outcome = bench.run(f"trunc(20),{taker}", [FRAME])
    assert only(outcome).data == FRAME[:20]


def test_truncation_holds_for_the_controller_too(bench: Bench) -> None:
    outcome = bench.run("trunc(20),userspace(pid=0,controller(pin=7)),1", [FRAME])
    assert [e.data for e in outcome.events] == [FRAME[:20], FRAME]


@pytest.mark.parametrize("action", ["ct(commit,zone=1)", "tnl_pop(1)", "tnl_push(tnl_port(1))"])
def test_what_is_for_later_is_a_named_drop(bench: Bench, action: str) -> None:
    assert bench.run(action, [FRAME]).drops == {"not_supported": 1}
    outcome = bench.run(f"{action},1", [FRAME])
    assert (ports(outcome), outcome.copies, outcome.drops) == ([1], 1, {"not_supported": 1})


def test_the_metadata_of_a_tunnel_is_that_of_the_list(bench: Bench) -> None:
    outcome = bench.run("set(tunnel(dst=2.2.2.2,ttl=64,flags(0))),clone(1),2", [FRAME])
    assert [e.tunnel_dst for e in outcome.events] == [0x02020202] * 2
    assert all(e.flags & lib.EXE_HAS_TUNNEL for e in outcome.events)


# ---- headroom -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("push", "room", "reason"),
    [
        ("push_vlan(vid=1,pcp=0)", 4, "vlan_push"),
        ("push_mpls(label=1,tc=0,ttl=1,bos=1,eth_type=0x8847)", 4, "no_headroom"),
        ("add_mpls(label=1,tc=0,ttl=1,bos=1,eth_type=0x8847)", 4, "no_headroom"),
        ("push_nsh(flags=0,ttl=1,mdtype=1,np=3,spi=0x0,si=0,c1=0x0,c2=0x0,c3=0x0,c4=0x0)", 24, "no_headroom"),
    ],
)
def test_no_room_in_front_is_a_named_drop(bench: Bench, push: str, room: int, reason: str) -> None:
    fits = bench.run(f"{push},1", [Packet(FRAME, headroom=room)])
    assert len(only(fits).data) == len(FRAME) + room
    outcome = bench.run(f"{push},1", [Packet(FRAME, headroom=room - 1), FRAME])
    assert (len(outcome.events), outcome.drops) == (1, {reason: 1})


def test_no_room_for_an_ethernet_header_is_a_named_drop(bench: Bench) -> None:
    push = "push_eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),1"
    packets = [Packet(FRAME[14:], headroom=room, packet_type=0x10800) for room in (14, 13)]
    outcome = bench.run(push, packets)
    assert (len(only(outcome).data), outcome.drops) == (len(FRAME), {"no_headroom": 1})


@pytest.mark.parametrize(
    ("data", "kind", "pop"),
    [
        (b"\0\x06\x01\x09" + bytes(40), 0x1894F, "pop_nsh()"),  # Nobody knows what is inside.
        (b"\0\x3f\x01\x03" + bytes(40), 0x1894F, "pop_nsh()"),  # Longer than the packet.
        (b"\0\0\x01\x03" + bytes(40), 0x1894F, "pop_nsh()"),  # No header at all.
        (bytes(12) + b"\x08\0", 0, "pop_eth"),  # Nothing behind it.
        (b"\0\0\x11\x40", 0x18847, "pop_mpls(eth_type=0x800)"),
    ],
)
def test_a_header_around_nothing_known_is_a_named_drop(
    bench: Bench, data: bytes, kind: int, pop: str
) -> None:
    assert bench.run(f"{pop},1", [Packet(data, packet_type=kind)]).drops == {"decap": 1}


# ---- checksums ----------------------------------------------------------------------------------


def unfinished(frame: bytes) -> bytes:
    """As a sender with checksum offload leaves it: the pseudo header's sum in place of the checksum."""
    pseudo = frame[26:34] + b"\0\x11" + frame[38:40]
    return frame[:40] + word(ones_sum(pseudo)) + frame[42:]


@pytest.mark.parametrize(
    ("actions", "completed"),
    [
        ("1", 1),  # By whoever sends.
        ("1,2", 1),
        ("clone(1),2", 1),
        ("push_vlan(vid=1,pcp=0),pop_vlan,1", 1),
        ("userspace(pid=0,controller(pin=7)),1", 1),
        ("set(skb_mark(0x1)),recirc(0x1)", 1),
    ],
)
def test_unfinished_checksums_are_completed_once_and_before_anybody_looks(
    bench: Bench, actions: str, completed: int
) -> None:
    outcome = bench.run(actions, [Packet(unfinished(FRAME), flags=lib.EXE_MAYBE_PARTIAL)])
    assert {e.data for e in outcome.events} == {FRAME}
    assert outcome.checksums_completed == completed


def test_an_unfinished_checksum_is_completed_before_it_is_cut_off(bench: Bench) -> None:
    outcome = bench.run("trunc(44),1", [Packet(unfinished(FRAME), flags=lib.EXE_MAYBE_PARTIAL)])
    assert only(outcome).data == FRAME[:44]


def test_a_udp_checksum_never_becomes_none(bench: Bench) -> None:
    # A port that makes the sum come out as 0, which would say that there is no checksum.
    checksum, port = struct.unpack(">H", FRAME[40:42])[0], struct.unpack(">H", FRAME[36:38])[0]
    new = (port + checksum) % 0xFFFF
    changed = only(bench.run(f"set(udp(dst={new})),1", [FRAME])).data
    assert changed[36:38] == word(new) and changed[40:42] == b"\xff\xff"


def test_a_header_that_nothing_changes_keeps_every_bit(bench: Bench) -> None:
    odd = FRAME[:24] + b"\xff\xff" + FRAME[26:]  # A checksum that computing it anew would not give.
    same = ",".join(["set(ipv4(ttl=64))", f"set(udp(dst={struct.unpack('>H', FRAME[36:38])[0]}))"])
    assert only(bench.run(f"{same},1", [odd])).data == odd


def test_an_address_option_of_two_units_is_not_an_ethernet_address(bench: Bench) -> None:
    message = b"\x87\0\0\0" + bytes(20) + b"\x01\x02" + bytes(14) + b"\x01\x01" + bytes(6)
    ip = b"\x60\0\0\0" + word(len(message)) + b"\x3a\xff" + bytes(32)
    frame = bytes(12) + b"\x86\xdd" + ip + message
    changed = only(bench.run("set(nd(sll=02:00:00:00:00:09)),1", [frame])).data
    assert changed[:-8] == frame[: 54 + 2] + changed[56:58] + frame[58:-8]
    assert changed[-8:] == b"\x01\x01\x02\0\0\0\0\x09"


# ---- places of headers, hashes ------------------------------------------------------------------


def test_labels_move_with_the_tags_in_front_of_them(bench: Bench) -> None:
    labelled = FRAME[:12] + b"\x81\0\0\x05\x88\x47" + b"\0\0\x11\x40" + FRAME[14:]
    outcome = bench.run("pop_vlan,1", [labelled])
    assert (only(outcome).l2_5_ofs, only(outcome).l3_ofs) == (14, 18)
    popped = only(bench.run("pop_vlan,pop_mpls(eth_type=0x800),set(ipv4(ttl=9)),1", [labelled]))
    assert popped.data[22] == 9 and popped.l3_ofs == 14


def test_the_devices_hash_is_used_where_there_is_one(bench: Bench) -> None:
    packet = Packet(FRAME, flags=lib.EXE_HASH_VALID, rx_hash=0x12345678)
    assert only(bench.run("hash(l4(7)),1", [packet])).dp_hash == finish(mix(mix(0x12345678, 0), 7), 8)


def test_a_symmetric_hash_is_the_same_for_both_directions(bench: Bench) -> None:
    back = FRAME[:26] + FRAME[30:34] + FRAME[26:30] + FRAME[36:38] + FRAME[34:36] + FRAME[38:]
    there, and_back = (only(bench.run("hash(sym_l4(0)),1", [each])).dp_hash for each in (FRAME, back))
    assert there == and_back == hash_symmetric(arrive(FRAME), 0)
