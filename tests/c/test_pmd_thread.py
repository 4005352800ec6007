"""The PMD with its thread: it sleeps and wakes, and the control side changes everything under traffic."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from switch.binding.errors import SwitchError
from switch.binding.port import PortConfig, PortType, VlanConfig, VlanMode
from switch.binding.switch import Switch, SwitchConfig
from tests.differential.frames import MACS, simple_frame
from tests.differential.rig import NORMAL, Rig, rig

FRAME = simple_frame(MACS[0], MACS[1])


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Polls until it holds; waiting for a thread is all that these tests do with time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.001)


def threaded(busy: bool = False, cpu: int | None = None) -> SwitchConfig:
    return SwitchConfig("s1", threaded=True, busy=busy, spin_us=50, cpu=cpu, umem_frames=4096)


def forward(r: Rig, count: int) -> int:
    """Injects frames at h1 as fast as they are taken and returns how many arrived at h2."""
    arrived = 0
    for _ in range(count):
        while True:
            try:
                r.ports[0].inject(FRAME)
                break
            except SwitchError as error:
                assert error.errno_name == "ENOBUFS"
                arrived += len(r.ports[1].take_all())
        arrived += r.ports[1].take() is not None
    wait_until(lambda: r.switch.stats().ports[1].received == count)
    return arrived + len(r.ports[1].take_all())


@pytest.mark.parametrize("busy", [False, True])
def test_a_thread_forwards(busy: bool) -> None:
    with rig(2, ["in_port=1,actions=output:2"], config=threaded(busy)) as r:
        arrived = forward(r, 5000)
        stats = r.switch.stats()
        assert arrived == stats.ports[1].sent == stats.ports[2].tx_packets
        assert stats.ports[1].received == 5000
        r.assert_balanced()
        r.assert_no_frame_lost()


def test_an_idle_thread_sleeps_and_a_packet_wakes_it() -> None:
    with rig(2, ["actions=output:2"], config=threaded()) as r:
        wait_until(lambda: r.switch.stats().pmd.sleeps > 0)
        for count in range(1, 20):
            before = r.switch.stats().pmd
            wait_until(lambda b=before: r.switch.stats().pmd.sleeps > b.sleeps)  # type: ignore[misc]
            r.ports[0].inject(FRAME)
            wait_until(lambda n=count: r.switch.stats().ports[2].tx_packets == n)  # type: ignore[misc]


def pmd_threads() -> list[Path]:
    tasks = Path("/proc/self/task").iterdir()
    return [task for task in tasks if (task / "comm").read_text() == "rs-pmd\n"]


def test_the_thread_is_named_pinned_and_deaf_to_signals_and_ends() -> None:
    before = len(pmd_threads())
    with rig(1, config=threaded(cpu=0)):
        threads = pmd_threads()
        assert len(threads) == before + 1
        status = dict(
            line.split(":\t", 1)
            for line in (threads[-1] / "status").read_text().splitlines()
            if ":\t" in line
        )
        assert status["Cpus_allowed_list"].strip() == "0"
        blocked = int(status["SigBlk"], 16)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            assert blocked >> (number - 1) & 1
    assert len(pmd_threads()) == before


def test_a_core_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(SwitchError, match="cpu") as caught:
        Switch(threaded(cpu=1000))
    assert "choose" in caught.value.hint


def churn(r: Rig, stop: threading.Event, errors: list[BaseException]) -> None:
    """Every kind of change that the control side can make, over and over."""
    try:
        for i in range(10**9):
            if stop.is_set():
                return
            r.switch.flows.add(f"priority={i % 50},ip,nw_src=10.9.{i % 250}.0/24,actions=output:2")
            if i % 7 == 0:
                r.switch.flows.delete("ip,nw_src=10.9.0.0/16")
            if i % 11 == 0:
                r.switch.flows.replace([NORMAL, "priority=9,arp,actions=FLOOD"])
            r.ports[2].set_vlan(VlanConfig(VlanMode.ACCESS, 1 + i % 5))
            r.ports[2].set_up(i % 2 == 0)
            extra, _ = r.switch.open_port(PortConfig("extra", PortType.DUMMY))
            extra.start()
            r.assert_balanced()
            extra.close()
            r.switch.fdb.flush()
            r.switch.trace_packet(1, FRAME)
    except BaseException as error:
        errors.append(error)


def test_changes_under_traffic_lose_no_packet_unnamed() -> None:
    with rig(3, [NORMAL], config=threaded()) as r:
        stop, errors = threading.Event(), list[BaseException]()
        feeder_stop, injected = threading.Event(), [0]

        # Injecting and taking are the dummy port's own side: a thread beside the control thread may do it.
        def feed() -> None:
            i = 0
            while not feeder_stop.is_set():
                frame = simple_frame(MACS[i % 4], MACS[(i + 1) % 4], sport=i % 50)
                try:
                    r.ports[0].inject(frame)
                    injected[0] += 1
                except SwitchError:
                    pass
                r.ports[1].take()
                r.ports[2].take()
                i += 1

        feeder = threading.Thread(target=feed)
        feeder.start()
        timer = threading.Timer(2.0, stop.set)
        timer.start()
        churn(r, stop, errors)
        feeder_stop.set()
        feeder.join()
        timer.join()
        assert not errors
        wait_until(lambda: r.switch.stats().ports[1].received == injected[0])
        assert injected[0] > 100
        r.assert_balanced()
        r.take()
        r.assert_no_frame_lost()


def test_addresses_age() -> None:
    config = SwitchConfig("s1", threaded=False, umem_frames=4096, mac_ageing_ms=10_000)
    answer = simple_frame(MACS[1], MACS[0])
    with rig(3, config=config) as r:
        assert r.outputs(1, FRAME) == [2, 3]
        assert r.outputs(2, answer) == [1]
        r.switch.warp(9_000)
        assert r.outputs(1, FRAME) == [2]  # Refreshes the sender, not the destination.
        r.switch.warp(1_500)
        assert [e.mac for e in r.switch.fdb] == [MACS[0]]
        r.settle()  # The revalidator's turn, which a thread would have had meanwhile.
        assert r.outputs(1, FRAME) == [2, 3]


def test_traffic_keeps_an_address_alive_through_the_cache() -> None:
    config = SwitchConfig("s1", threaded=False, umem_frames=4096, mac_ageing_ms=10_000)
    with rig(2, config=config) as r:
        for _ in range(60):
            r.outputs(1, FRAME)
            r.switch.warp(400)
        assert [e.mac for e in r.switch.fdb] == [MACS[0]]
        assert all(e.age_ms < 1000 for e in r.switch.fdb)


def test_a_moved_address_is_followed_at_once() -> None:
    answer = simple_frame(MACS[1], MACS[0])
    with rig(3) as r:
        r.outputs(2, answer)
        assert r.outputs(1, FRAME) == [2]
        r.outputs(3, answer)
        assert r.outputs(1, FRAME) == [3]


def test_a_removed_port_takes_its_addresses_and_its_name_along() -> None:
    with rig(3) as r:
        r.outputs(2, simple_frame(MACS[1], MACS[0]))
        r.ports[1].close()
        assert [e.mac for e in r.switch.fdb] == []
        r.inject(1, FRAME)
        r.settle()
        assert len(r.ports[2].take_all()) == 1
        with pytest.raises(SwitchError, match="h2"):
            r.switch.flows.add("actions=output:h2")


def test_output_to_a_removed_port_is_a_named_drop() -> None:
    with rig(2, ["actions=output:2"]) as r:
        assert r.outputs(1, FRAME) == [2]
        r.ports[1].close()
        r.inject(1, FRAME)
        r.settle()
        assert r.drops(1) == {"no_output": 1}


def test_a_port_that_is_down_is_a_named_drop() -> None:
    with rig(2, ["actions=output:2"]) as r:
        r.ports[1].set_up(False)
        assert r.outputs(1, FRAME) == []
        assert r.drops(1) == {"tx_down": 1}
        r.ports[1].set_up(True)
        assert r.outputs(1, FRAME) == [2]
