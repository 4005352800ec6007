"""Tap and internal ports: a device of the kernel's on the other side."""

from __future__ import annotations

import errno
import json
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.c.support.native import ffi, lib
from tests.c.support.ports import Box, OpenRefused, Port, frame, tap_socket
from tests.unit.xdp.support import make_veth, private_netns

pytestmark = [pytest.mark.root, pytest.mark.netns]


@pytest.fixture(autouse=True)
def netns() -> Iterator[None]:
    with private_netns():
        # No neighbour discovery of the devices made here, which would be counted among the packets.
        Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
        yield


@pytest.fixture
def box() -> Iterator[Box]:
    with Box(frames=2048) as made:
        yield made


def link(device: str) -> dict[str, Any]:
    out = subprocess.run(["ip", "-j", "link", "show", device], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(out.stdout)[0]
    return found


def drain(port: Port) -> list[bytes]:
    got = []
    while True:
        batch = port.rx()
        got += [ffi.buffer(p.data, p.len)[:] for p in batch.packets[0 : batch.count]]
        if batch.count == 0:
            return got
        lib.io_batch_free(batch)


@pytest.mark.parametrize("kind", ["tap", "internal"])
def test_the_device_is_made_with_its_mtu_and_up_and_goes_with_the_port(box: Box, kind: str) -> None:
    port = box.open(kind, "t0", mtu=1400)
    assert link("t0")["mtu"] == 1400
    assert "UP" in link("t0")["flags"]
    box.close(port)
    assert not Path("/sys/class/net/t0").exists() or subprocess.run(["ip", "link", "show", "t0"]).returncode


def test_frames_that_the_kernel_sends_come_in_whole(box: Box) -> None:
    port = box.open("tap", "t0")
    sent = [frame(i, 60 + 16 * i) for i in range(80)]
    with tap_socket("t0") as s:
        for data in sent:
            s.send(data)
        assert select.select([lib.io_rx_fd(port.handle, 0)], [], [], 0)[0]
        assert drain(port) == sent
    assert port.counts().received == 80 and port.counts().received_bytes == sum(map(len, sent))
    assert not select.select([lib.io_rx_fd(port.handle, 0)], [], [], 0)[0]


@pytest.mark.parametrize(("kind", "counted"), [("tap", "sent"), ("internal", "delivered")])
def test_frames_that_the_switch_sends_reach_the_kernel(box: Box, kind: str, counted: str) -> None:
    port = box.open(kind, "t0")
    origin = box.open("dummy", "d0")
    sent = [frame(i) for i in range(32)]
    with tap_socket("t0") as s:
        port.tx(box.packet_batch(*sent), origin)
        assert [s.recv(4096) for _ in sent] == sent
    counts = origin.counts()
    assert (counts.sent, counts.delivered) == ((32, 0) if counted == "sent" else (0, 32))
    assert (port.counts().tx_packets, port.counts().tx_bytes) == (32, 32 * 60)


def test_an_echo_loses_nothing(box: Box) -> None:
    port = box.open("tap", "t0")
    before = box.free_frames()
    loop = ffi.new("struct io_loop *")
    loop.n, loop.ports[0], loop.to[0] = 1, port.handle, 0
    with tap_socket("t0") as s:
        for burst in range(100):
            sent = [frame(burst * 40 + i) for i in range(40)]
            for data in sent:
                s.send(data)
            assert lib.io_loop_until_idle(loop, 2, 1000) == 40
            assert [s.recv(4096) for _ in sent] == sent
    counts = port.counts()
    assert counts.balances
    assert (counts.received, counts.sent, counts.drops) == (4000, 4000, {})
    assert box.free_frames() == before


def test_a_device_that_is_there_already_is_not_taken(box: Box) -> None:
    make_veth("v0", "v1")
    subprocess.run(["ip", "tuntap", "add", "mode", "tap", "old0"], check=True)
    for device in ("v0", "old0"):
        fds = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(OpenRefused) as refused:
            box.open("tap", "p", device=device)
        assert (refused.value.code, refused.value.what) == (errno.EEXIST, "device")
        assert len(list(Path("/proc/self/fd").iterdir())) == fds
        assert link(device)
    held = box.open("tap", "t0")
    with pytest.raises(OpenRefused) as refused:
        box.open("tap", "p", device="t0")
    assert refused.value.what == "device"
    assert "UP" in link(held.name)["flags"]


@pytest.mark.parametrize("device", ["a/b", "tap%d", "a b"])
def test_a_name_that_is_none_is_refused(box: Box, device: str) -> None:
    with pytest.raises(OpenRefused) as refused:
        box.open("tap", "p", device=device)
    assert (refused.value.code, refused.value.what) == (errno.EINVAL, "device")


def test_a_device_that_is_down_or_deleted_is_named(box: Box) -> None:
    port = box.open("tap", "t0")
    subprocess.run(["ip", "link", "set", "t0", "down"], check=True)
    port.tx(box.packet_batch(frame()))
    assert port.counts().drops == {"tx_down": 1}
    subprocess.run(["ip", "link", "del", "t0"], check=True)
    port.tx(box.packet_batch(frame()))
    assert drain(port) == []
    assert port.counts().drops == {"tx_down": 2}


def test_what_was_cut_off_is_dropped_not_forwarded(box: Box) -> None:
    """Somebody raises the device's MTU behind our back: a frame then no longer fits."""
    port = box.open("tap", "t0")
    subprocess.run(["ip", "link", "set", "t0", "mtu", "9000"], check=True)
    with tap_socket("t0") as s:
        s.send(frame(1, 3839))
        s.send(frame(2, 3840))
        s.send(frame(3, 9000))
        assert [len(f) for f in drain(port)] == [3839]
    assert port.counts().drops == {"rx_bad_desc": 2}
    assert port.counts().received == 3


def test_too_long_and_vlan_tagged_frames(box: Box) -> None:
    port = box.open("tap", "t0")
    port.tx(box.packet_batch(bytes(1522), bytes(1523)))
    assert port.counts().drops == {"tx_too_long": 1}
    assert port.counts().sent == 1


def test_frames_wait_in_the_device_while_the_pool_is_empty(box: Box) -> None:
    port = box.open("tap", "t0")
    held = []
    while packet := lib.dp_packet_alloc(box.umem, box.umem.pmd_cache):
        held.append(packet)
    with tap_socket("t0") as s:
        s.send(frame(9))
    assert port.rx().count == 0
    for packet in held:
        lib.dp_packet_free(packet)
    assert drain(port) == [frame(9)]
