"""The benchmark itself, short, on real namespaces: its figures do not matter here, its honesty does."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab.bench import content, rooms
from lab.bench.guard import alone
from lab.errors import CommandError
from lab.traffic.frames import PacketSpec
from lab.traffic.xdp_live import LiveGenerator, LiveSettings
from xdp.loader import attach, paths
from xdp.loader import object as bpf_object

ROOT = Path(__file__).resolve().parents[2]
SMOKE = [sys.executable, "-m", "lab.bench.smoke"]
SHORT = ["--rounds", "1", "--sample", "0.1", "--samples", "2"]

pytestmark = [pytest.mark.root, pytest.mark.netns, pytest.mark.afxdp, pytest.mark.slow]


def smoke(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [*SMOKE, "--json", *SHORT, *words], cwd=ROOT, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("flows", ["1", "1000"])
def test_packets_are_counted_the_same_at_both_ends(flows: str) -> None:
    duts = smoke("--flows", flows, "--dut", "plain", "--dut", "bridge", "--dut", "bridge-inline")["duts"]
    assert list(duts) == ["ceiling", "plain", "bridge", "bridge-inline"]
    ceiling = duts.pop("ceiling")["turns"][0]["rate"]
    assert ceiling["delivered"] == ceiling["offered"] > 0
    for dut in duts.values():
        (turn,) = dut["turns"]
        assert dut["content_checked_packets"] >= int(flows)
        assert turn["counted"]["sent"] == turn["rate"]["delivered"] + turn["lost_after"] > 0
        assert turn["counted"]["received"] == turn["counted"]["sent"] + turn["counted"]["dropped"]


def test_our_switch_is_set_against_the_yardsticks() -> None:
    document = smoke("--dut", "ringside", "--dut", "ringside-normal", "--dut", "plain", "--dut", "bridge")
    assert len(document["verdicts"]) == 4
    for verdict in document["verdicts"]:
        assert verdict["value"] > 0, verdict
        # Told or not: that depends on who else uses these cores while the tests run.
        assert verdict["holds"] is True or "had its core for" in verdict["why"], verdict
    for name in ("ringside", "ringside-normal"):
        assert document["duts"][name]["unexplained_packets"] == 0


@pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl")
def test_open_vswitch_is_measured_where_it_is_installed() -> None:
    duts = smoke("--dut", "ovs-afxdp", "--dut", "ovs-afxdp-normal")["duts"]
    for name in ("ovs-afxdp", "ovs-afxdp-normal"):
        assert duts[name]["turns"][0]["rate"]["delivered"] > 0
        assert duts[name]["unexplained_packets"] == 0


def descendants(pid: int) -> list[int]:
    children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_whichever_signal_ends_it(number: signal.Signals) -> None:
    runner = subprocess.Popen(
        [*SMOKE, "--dut", "plain"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert runner.stderr is not None
    for line in runner.stderr:
        if "round 1/" in line and "plain" in line:
            break
    # A pidfd of each: pids may be used anew.
    watched = [os.pidfd_open(pid) for pid in descendants(runner.pid)]
    assert len(watched) >= 3  # two generators and the forwarder
    runner.send_signal(number)
    runner.stderr.read()
    assert runner.wait(20) == (-number if number == signal.SIGKILL else 128 + number)
    for fd in watched:
        assert ended(fd), "a process of the benchmark outlived it"
        os.close(fd)


def ended(pidfd: int) -> bool:
    return bool(select.select([pidfd], [], [], 20)[0])


def test_two_benchmarks_do_not_run_at_once() -> None:
    with alone():
        done = subprocess.run([*SMOKE, *SHORT], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "another benchmark runs on this machine" in done.stderr


def test_a_load_that_nobody_stops_ends_by_itself() -> None:
    with ExitStack() as stack:
        room = rooms.make_room("forgotten", stack)
        with room.entered(room.outside):
            spec = PacketSpec(rooms.GEN_MAC, rooms.SINK_MAC)
            generator = LiveGenerator(rooms.GEN, spec, LiveSettings(cpu=0), "forgotten", stack)
        generator.start(0.3)
        seen = -1
        deadline = time.monotonic() + 20
        while seen != (seen := generator.offered()) or seen == 0:
            assert time.monotonic() < deadline, "it still sends"
            select.select([], [], [], 0.1)
        with pytest.raises(CommandError, match="ended by itself: expired"):
            generator.stop()


def test_a_datapath_that_forwards_nothing_is_not_measured() -> None:
    spec = PacketSpec(rooms.GEN_MAC, rooms.SINK_MAC)
    with ExitStack() as stack:
        room = rooms.make_room("deaf", stack)
        with room.entered(room.inside):
            loaded = stack.enter_context(bpf_object.open(paths.bpf_object_path("rx_drop")))
            loaded.load()
            program = loaded.program("rs_rx_drop").fd
            stack.enter_context(attach.attach_xdp(program, socket.if_nametoindex(rooms.IN)))
        with room.entered(room.outside):
            generator = LiveGenerator(rooms.GEN, spec, LiveSettings(cpu=0), "deaf", stack)
        with pytest.raises(content.ContentError, match="256 packets were sent, 0 arrived; 256 are missing"):
            content.check_content(room, generator, spec, "deaf")
