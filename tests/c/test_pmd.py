"""The PMD, polled by hand, with a decider of our own: groups, misses, recirculation, packet-out."""

from __future__ import annotations

import errno
import threading
import time
from collections import defaultdict
from collections.abc import Callable

import pytest

from tests.c.support.native import ffi, lib
from tests.c.support.pmd import Bench, action, clone, frame, output, recirc, sport


def test_several_misses_of_a_flow_in_a_batch_ask_once() -> None:
    with Bench() as b:
        b.rule(output(2), in_port=1)
        frames = [frame(number=i) for i in range(20)]
        assert b.exchange(1, *frames) == {2: frames}
        stats = b.stats()
        assert (stats.upcalls, stats.cache_hits, lib.megaflow_count(b.table)) == (1, 19, 1)
        assert b.exchange(1, *frames) == {2: frames}
        assert b.stats().upcalls == 1
        b.assert_sums()


def test_a_megaflow_counts_what_it_carries() -> None:
    with Bench() as b:
        b.rule(output(2), in_port=1)
        syn, fin = frame(proto=6, flags=2, size=70), frame(proto=6, flags=1, size=90)
        b.exchange(1, syn)
        b.exchange(1, fin, fin, frame(size=100))
        m = lib.look_any_megaflow(b.table)
        packets, octets = ffi.new("uint64_t *"), ffi.new("uint64_t *")
        used, flags = ffi.new("uint64_t *"), ffi.new("uint16_t *")
        lib.look_megaflow_counts(m, packets, octets, used, flags)
        assert (packets[0], octets[0], flags[0]) == (4, 350, 3)
        before = used[0]
        lib.pmd_warp(b.pmd, 5000)
        b.exchange(1, syn)
        lib.look_megaflow_counts(m, packets, octets, used, flags)
        assert 5000 <= used[0] - before < 6000


@pytest.mark.parametrize(
    ("emc", "every", "smc"), [(True, 1, False), (True, 3, False), (False, 1, False), (True, 3, True)]
)
def test_a_flow_keeps_its_order_whatever_finds_it(emc: bool, every: int, smc: bool) -> None:
    with Bench(3) as b:
        b.configure(emc, every, smc)
        for port in range(8):
            b.rule(output(2 + port % 2), in_port=1, tp_src=sport(port))
        b.rule(output(3), in_port=1)
        for round_ in range(30):
            # Flows that are known, flows that are new and flows of one megaflow, mixed.
            flows = [(i * i + round_) % 11 + (100 * round_ if i % 5 == 0 else 0) for i in range(90)]
            out = b.exchange(1, *[frame(flow, number=i) for i, flow in enumerate(flows)])
            seen = defaultdict(list)
            for sent in [*out.get(2, []), *out.get(3, [])]:
                seen[int.from_bytes(sent[34:36], "big")].append(int.from_bytes(sent[42:46], "big"))
            assert seen == {flow: [i for i, f in enumerate(flows) if f == flow] for flow in set(flows)}
        b.assert_sums()


# ---- recirculation ------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, lib.PMD_MAX_RECIRC, lib.PMD_MAX_RECIRC + 1])
def test_a_packet_goes_around_six_times_and_not_more(times: int) -> None:
    with Bench() as b:
        for i in range(times):
            b.rule(recirc(i + 1), recirc_id=i)
        b.rule(output(2), recirc_id=times)
        frames = [frame(number=i) for i in range(40)]
        out = b.exchange(1, *frames)
        if times <= lib.PMD_MAX_RECIRC:
            assert out == {2: frames}
            assert b.stats().recirculated == 40 * times
        else:
            assert out == {}
            assert b.ports[0].counts().drops == {"recirc_too_deep": 40}
        b.assert_sums()


def test_an_endless_loop_ends_under_a_name() -> None:
    with Bench() as b:
        b.rule(recirc(7), recirc_id=(0, 0))
        assert b.exchange(1, frame()) == {}
        assert b.ports[0].counts().drops == {"recirc_too_deep": 1}
        b.assert_sums()


def test_copies_that_go_around_again_are_all_there() -> None:
    with Bench(3) as b:
        b.rule(clone(recirc(1)) + clone(recirc(2)) + clone(recirc(1)) + recirc(2), recirc_id=0)
        b.rule(clone(recirc(3)) + recirc(3), recirc_id=1)
        b.rule(output(2), recirc_id=2)
        b.rule(output(3), recirc_id=3)
        frames = [frame(number=i) for i in range(32)]
        out = b.exchange(1, *frames)
        assert sorted(out[2]) == sorted(frames * 2)
        assert sorted(out[3]) == sorted(frames * 4)
        b.assert_sums()


def test_what_is_not_kept_goes_around_before_the_next_is_asked_about() -> None:
    with Bench() as b:
        b.rule(recirc(1), install=False, recirc_id=0)
        b.rule(output(2), install=False, recirc_id=1)
        frames = [frame(sport=i, number=i) for i in range(10)]
        assert b.exchange(1, *frames) == {2: frames}
        assert (b.stats().upcalls, b.stats().executed_once) == (20, 20)
        assert lib.megaflow_count(b.table) == 0
        assert lib.box_packets_ended(b.c) == 20
        b.assert_sums()


def set_tunnel(tun_id: int) -> bytes:
    """ODP_SET of a tunnel's metadata; packets then point into the list that it stands in."""
    tunnel = bytes(ffi.buffer(ffi.new("struct flow_tnl *", {"tun_id": tun_id})))
    return action(lib.ODP_SET, lib.ODP_KEY_TUNNEL, tunnel + b"\xff" * len(tunnel))


@pytest.mark.parametrize("install", [True, False])
def test_what_goes_around_keeps_its_tunnel_s_metadata(install: bool) -> None:
    with Bench(3) as b:
        for i in (1, 2):
            b.rule(set_tunnel(i) + recirc(1), install=install, recirc_id=0, tp_src=sport(i))
            b.rule(output(1 + i), recirc_id=1, tunnel=({"tun_id": i}, {"tun_id": 2**64 - 1}))
        frames = [frame(1 + i % 2, number=i) for i in range(9)]
        assert b.exchange(1, *frames) == {2: frames[::2], 3: frames[1::2]}
        b.assert_sums()


# ---- answers that are not kept, or taken back ---------------------------------------------------


def test_an_answer_for_one_packet_is_asked_for_again() -> None:
    with Bench() as b:
        b.rule(output(2), install=False)
        frames = [frame(number=i) for i in range(5)]
        assert b.exchange(1, *frames) == {2: frames}
        assert lib.box_translated(b.c) == lib.box_owners_ended(b.c) == 5
        b.assert_sums()


def test_at_the_flow_limit_packets_are_still_carried() -> None:
    with Bench() as b:
        lib.megaflow_set_limit(b.table, 3)
        for i in range(10):
            b.rule(output(2), tp_src=sport(i))
        frames = [frame(i, number=i) for i in range(10)]
        assert b.exchange(1, *frames) == {2: frames}
        assert lib.megaflow_count(b.table) == 3
        assert b.stats().executed_once == 7
        lib.megaflow_set_limit(b.table, 100)
        assert b.exchange(1, *frames) == {2: frames}
        assert lib.megaflow_count(b.table) == 10
        b.assert_sums()


def test_a_list_that_is_too_long_is_a_named_drop() -> None:
    with Bench() as b:
        b.rule(output(2), overflow=True)
        assert b.exchange(1, frame(), frame()) == {}
        lib.box_clear_rules(b.c)
        lib.look_kill_some(b.table, 1)
        b.rule(output(2), overflow=True, install=False)
        assert b.exchange(1, frame()) == {}
        assert b.ports[0].counts().drops == {"too_many_actions": 3}
        assert b.execute(output(2), frame(), overflow=True) == 0
        assert b.control().drops == {"too_many_actions": 1}
        b.assert_sums()


def test_a_killed_megaflow_carries_no_packet_and_is_released_once() -> None:
    with Bench(3) as b:
        b.rule(output(2))
        assert b.exchange(1, frame()) == {2: [frame()]}
        lib.box_clear_rules(b.c)
        b.rule(output(3))
        assert b.exchange(1, frame()) == {2: [frame()]}  # It is true until the decider says otherwise.
        lib.megaflow_kill(lib.look_any_megaflow(b.table))
        assert b.exchange(1, frame()) == {3: [frame()]}
        lib.box_reap()
        assert (lib.box_owners_made(b.c), lib.box_owners_ended(b.c)) == (2, 1)
        assert lib.box_packets_ended(b.c) == 2
        b.assert_sums()


def test_other_actions_carry_the_next_packet() -> None:
    with Bench(3) as b:
        b.rule(output(2))
        b.exchange(1, frame())
        assert lib.look_set_output(lib.look_any_megaflow(b.table), 3) == 0
        assert b.exchange(1, frame()) == {3: [frame()]}
        assert b.stats().upcalls == 1


def test_an_output_that_is_gone_is_a_named_drop() -> None:
    with Bench(2) as b:
        b.rule(output(2), in_port=1)
        assert b.exchange(1, frame()) == {2: [frame()]}
        b.remove_port(b.ports[1])
        assert b.exchange(1, frame()) == {}
        assert b.ports[0].counts().drops == {"no_output": 1}
        b.assert_sums()


def test_the_last_port_number_is_like_any_other() -> None:
    with Bench(0) as b:
        for number in (1023, 1):
            b.add_port(number)
        b.rule(output(1023), in_port=1)
        b.inject(2, frame())
        b.settle()
        assert b.take(1) == [frame()]


def test_without_the_exact_match_cache_the_classifier_carries_all() -> None:
    with Bench() as b:
        b.rule(output(2))
        b.configure(emc=False)
        b.exchange(1, *[frame(i) for i in range(10)])
        b.exchange(1, *[frame(i) for i in range(10)])
        assert (b.stats().emc_hits, b.stats().megaflow_hits, lib.pmd_cache_entries(b.pmd)) == (0, 19, 0)
        b.configure(emc=True)
        b.exchange(1, *[frame(i) for i in range(10)])
        b.exchange(1, *[frame(i) for i in range(10)])
        assert (b.stats().emc_hits, lib.pmd_cache_entries(b.pmd)) == (10, 10)
        b.assert_sums()


# ---- the control side ---------------------------------------------------------------------------


def test_a_packet_out_is_executed_and_charged_to_no_port() -> None:
    with Bench(3) as b:
        assert b.execute(output(2, 3), frame()) == 0
        assert (b.take(2), b.take(3)) == ([frame()], [frame()])
        assert b.execute(action(lib.ODP_DROP, 0), frame()) == 0
        control = b.control()
        assert (control.received, control.copies, control.sent) == (2, 1, 2)
        assert all(port.counts().received == port.counts().sent == 0 for port in b.ports)
        b.assert_sums()


def test_a_packet_out_may_be_looked_up_as_if_it_had_come_in() -> None:
    with Bench(3) as b:
        b.rule(output(3), in_port=2, recirc_id=5)
        b.rule(output(1), in_port=3)
        assert b.execute(recirc(5), frame(), in_port=2) == 0
        assert b.take(3) == [frame()]
        assert b.execute(recirc(5), frame(), in_port=3) == 0
        assert b.take(1) == [frame()]
        assert (b.stats().recirculated, b.stats().upcalls) == (2, 2)


def test_a_packet_out_that_cannot_be_is_refused() -> None:
    with Bench() as b:
        assert b.execute(output(2), frame()[:13]) == -errno.EINVAL
        assert b.execute(output(2), frame(size=4000)) == -errno.EMSGSIZE
        assert b.control().received == 0
        assert b.execute(output(2), frame()[:14]) == 0
        assert b.take(2) == [frame()[:14]]
        batch = [lib.dp_packet_alloc(b.box.umem, b.box.umem.pmd_cache) for _ in range(1024)]
        assert b.execute(output(2), frame()) == -errno.ENOBUFS
        for packet in batch:
            lib.dp_packet_free(packet)
        b.assert_sums()


def test_a_packet_for_the_controller_is_handed_over() -> None:
    with Bench() as b:
        b.rule(action(lib.ODP_CONTROLLER, 77) + output(2))
        assert b.exchange(1, frame(), frame()) == {2: [frame(), frame()]}
        assert (lib.box_pins(b.c), lib.box_last_pin(b.c)) == (2, 77)
        b.assert_sums()


# ---- with a thread ------------------------------------------------------------------------------


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.001)


def test_a_sleeping_pmd_wakes_to_bury_what_was_killed() -> None:
    with Bench(threaded=True) as b:
        b.rule(output(2))
        b.configure(emc=True)
        for round_ in range(1, 20):
            b.inject(1, frame())
            wait_until(lambda: b.take(2) == [frame()])
            slept = b.stats().sleeps
            wait_until(lambda n=slept: b.stats().sleeps > n)  # type: ignore[misc]
            lib.look_kill_some(b.table, 1)
            wait_until(lambda n=round_: lib.box_reap() == 0 and lib.box_owners_ended(b.c) == n)  # type: ignore[misc]
        b.assert_sums()


def test_a_revalidator_beside_a_pmd_under_traffic_loses_no_packet() -> None:
    with Bench(threaded=True) as b:
        for i in range(60):
            b.rule(recirc(1) if i % 3 else output(2), in_port=1, recirc_id=0, tp_src=sport(i))
        b.rule(output(2), recirc_id=1)
        b.configure(emc=True, every=2)
        stop, killed, sent = ffi.new("bool *", False), list[int](), 0
        other = threading.Thread(target=lambda: killed.append(int(lib.look_harass(b.table, 5, 2, stop))))
        other.start()
        frames, taken = [frame(i) for i in range(60)], 0
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            for data in frames:
                sent += lib.port_dummy_inject(b.ports[0].handle, data, len(data)) == 0
            taken += len(b.take(2))
        wait_until(lambda: b.ports[0].counts().received == sent and b.ports[0].counts().balances)
        stop[0] = True
        other.join()
        b.assert_sums()
        lost = b.ports[0].counts().drops
        assert set(lost) <= {"sink_full"}
        assert taken + len(b.take(2)) + sum(lost.values()) == sent
        assert killed[0] > 100
        wait_until(lambda: lib.box_reap() == 0 and lib.box_owners_ended(b.c) == killed[0])
