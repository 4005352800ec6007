"""AF_XDP ports over veth: real packets, both ways, every one accounted for."""

from __future__ import annotations

import errno
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.c.support.native import ffi, lib
from tests.c.support.ports import Box, Loop, OpenRefused, Port, Wire, frame, generate, host, tap_socket, wired
from tests.unit.xdp.support import loaded, private_netns, wait_until
from xdp.loader import attach
from xdp.loader.object import BpfObject

pytestmark = [pytest.mark.root, pytest.mark.netns, pytest.mark.afxdp]

RING = 2048


@pytest.fixture(params=["native", "generic"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wires(mode: Any) -> Iterator[list[Wire]]:
    with private_netns(), wired(["a", "b"], mode) as made:
        yield made


@pytest.fixture
def native() -> Iterator[list[Wire]]:
    with private_netns(), wired(["a", "b"]) as made:
        yield made


@pytest.fixture
def gen() -> Iterator[BpfObject]:
    with loaded("gen_redirect") as obj:
        yield obj


def open_on(box: Box, wire: Wire, **options: Any) -> Port:
    port = box.open("afxdp", wire.near, **options)
    wire.deliver_to(port)
    return port


def arrived(port: Port, wanted: int) -> list[bytes]:
    """The next `wanted` packets that come in."""
    got: list[bytes] = []

    def enough() -> bool:
        batch = port.rx()
        got.extend(ffi.buffer(p.data, p.len)[:] for p in batch.packets[0 : batch.count])
        lib.io_batch_free(batch)
        return len(got) >= wanted

    wait_until(enough)
    return got


def test_packets_come_in_as_they_were_sent(wires: list[Wire]) -> None:
    sent = [frame(i, 14 + i * 20) for i in range(70)]
    with Box() as box:
        port = open_on(box, wires[0])
        with tap_socket(wires[0].far) as s:
            for data in sent:
                s.send(data)
        assert arrived(port, 70) == sent
        counts = port.counts()
        assert (counts.received, counts.received_bytes) == (70, sum(map(len, sent)))
        assert counts.bad_frames == 0
        assert port.kernel_lost() == 0


def test_packets_leave_as_they_were_given(wires: list[Wire]) -> None:
    sent = [frame(i, 14 + i * 40) for i in range(32)]
    with Box() as box, tap_socket(wires[0].far) as s:
        port = open_on(box, wires[0])
        port.tx(box.packet_batch(*sent))
        assert port.handle.tx_pending
        port.flush()
        assert not port.handle.tx_pending
        assert [s.recv(4096) for _ in sent] == sent
        assert (port.counts().tx_packets, port.counts().sent) == (32, 32)


def test_the_mode_is_told_truly(wires: list[Wire]) -> None:
    with Box() as box:
        asked = box.open("afxdp", wires[0].near)
        assert not lib.port_xsk_zero_copy(asked.handle)
        assert lib.port_xsk_zero_copy_errno(asked.handle) == errno.EOPNOTSUPP
        for options in ({"bind_mode": lib.BIND_COPY}, {"force_generic": True}):
            port = box.open("afxdp", wires[1].near, **options)
            assert lib.port_xsk_zero_copy_errno(port.handle) == 0
            box.close(port)


def test_a_second_port_is_asked_for_zero_copy_too(native: list[Wire]) -> None:
    """The umem is bound in copy mode by then, so a throw-away one asks; it leaves the queue free."""
    with Box() as box:
        box.open("afxdp", "a0")
        b = box.open("afxdp", "b0")
        assert lib.port_xsk_zero_copy_errno(b.handle) == errno.EOPNOTSUPP
        assert lib.port_xsk_bind_wait_ms(b.handle) == 0
        assert box.umems.n_umems == 1


@pytest.mark.parametrize("share", [True, False], ids=["shared umem", "private umems"])
def test_all_queues_of_a_device(share: bool) -> None:
    with private_netns(), Box(share=share) as box, ExitStack() as stack:
        command = "ip link add a0 numrxqueues 2 numtxqueues 2 type veth peer a1 numrxqueues 2 numtxqueues 2"
        subprocess.run(command.split(), check=True)
        for name in ("a0", "a1"):
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
            subprocess.run(["ip", "link", "set", name, "up"], check=True)
        program = stack.enter_context(loaded("redirect_xsk"))
        index = socket.if_nametoindex("a0")
        stack.enter_context(attach.attach_xdp(program.program("rs_redirect_xsk").fd, index))
        port = box.open("afxdp", "a0", queues=(1, 0))
        assert (port.handle.n_rxq, box.umem.n_sockets, box.umems.n_umems) == (2, 2, 1)
        assert not lib.port_xsk_shares_umem(port.handle)
        for q, queue in enumerate((1, 0)):
            program.map("rs_xsks").update(queue, lib.port_xsk_fd(port.handle, q))
        s = stack.enter_context(tap_socket("a1"))
        with Loop([port], [0]):
            for i in range(64):  # The sender's queue, and with it ours, follows from a hash of the addresses.
                udp = frame(0, 12) + b"\x08\x00" + bytes.fromhex("4500002e0000000040110000")
                s.send(udp + bytes([10, 0, 0, i, 10, 0, 1, i]) + i.to_bytes(4, "big") + bytes(22))
            got = {s.recv(4096) for _ in range(64)}
        assert len(got) == 64
        assert port.counts().received == port.counts().sent == 64
        held = [lib.io_socket(box.umems, lib.port_xsk_fd(port.handle, q)) for q in (0, 1)]
        assert [one.rx_held for one in held] == [RING, RING]


@pytest.mark.parametrize("share", [True, False], ids=["shared umem", "private umems"])
def test_forwarding_both_ways_loses_nothing(wires: list[Wire], share: bool) -> None:
    bursts, size = 40, 200
    with Box(share=share) as box:
        ports = [open_on(box, wire) for wire in wires]
        before = sum(box.free_frames())
        with tap_socket("a1") as a, tap_socket("b1") as b, Loop(ports, [1, 0]):
            for burst in range(bursts):
                sent = [frame(burst * size + i, 60 + i) for i in range(size)]
                for data in sent:
                    a.send(data)
                    b.send(data)
                assert [b.recv(4096) for _ in sent] == sent
                assert [a.recv(4096) for _ in sent] == sent
        assert box.umems.n_umems == (1 if share else 2)
        assert [bool(lib.port_xsk_shares_umem(p.handle)) for p in ports] == [share, share]
        for port in ports:
            counts = port.counts()
            assert counts.balances
            assert (counts.received, counts.sent, counts.drops) == (bursts * size, bursts * size, {})
            assert counts.bad_frames == 0
            assert port.kernel_lost() == 0
        assert sum(box.free_frames()) == before


def test_a_flood_of_pings_loses_nothing(wires: list[Wire]) -> None:
    count = 10_000
    with (
        Box() as box,
        host("a1", "10.9.0.1/24") as h1,
        host("b1", "10.9.0.2/24"),
        Loop([open_on(box, wire) for wire in wires], [1, 0]),
    ):
        command = ["ping", "-f", "-q", "-c", str(count), "-s", "1400", "10.9.0.2"]
        out = subprocess.run([*h1, *command], capture_output=True, text=True, timeout=60)
        assert f"{count} packets transmitted, {count} received, 0% packet loss" in out.stdout, out


def test_under_overload_each_packet_is_somewhere(native: list[Wire], gen: BpfObject) -> None:
    """The kernel generates faster than copy mode sends: what is lost, it lost, by its own count."""
    load = 200_000
    with Box() as box:
        ports = [open_on(box, wire) for wire in native]
        with Loop(ports, [1, 0]):
            generate(native[0], gen, frame(), load)
        counts = ports[0].counts()
        assert counts.received + ports[0].kernel_lost() == load
        assert counts.balances
        assert counts.received == counts.sent + sum(counts.drops.values())
        assert ports[1].counts().tx_packets == counts.sent
        assert counts.bad_frames == ports[1].counts().bad_frames == 0


def test_a_full_tx_ring_is_named_and_what_was_sent_gets_out(native: list[Wire], gen: BpfObject) -> None:
    """Without a single flush: tx itself kicks when the ring is full."""
    with Box() as box, tap_socket("b1") as s:
        a, b = (open_on(box, wire, ring_size=64) for wire in native)
        for i in range(20):
            b.tx(box.packet_batch(*[frame(32 * i + j) for j in range(32)]), a)
        counts = a.counts()
        assert counts.sent + sum(counts.drops.values()) == 640
        assert set(counts.drops) <= {"tx_ring_full"}
        while b.handle.tx_pending:
            b.flush()
        numbers = [int.from_bytes(s.recv(4096)[14:18], "big") for _ in range(counts.sent)]
        assert numbers == sorted(numbers)
        assert len(numbers) >= 640 - 64


def test_what_one_kick_leaves_behind_the_next_flush_sends(native: list[Wire]) -> None:
    """More than the kernel's budget of one call waits on the ring, and no further packet comes to push it."""
    with Box() as box, tap_socket("a1") as s:
        port = open_on(box, native[0])
        for i in range(32):
            port.tx(box.packet_batch(*[frame(32 * i + j) for j in range(32)]))
        for _ in range(32):
            port.flush()
            if not port.handle.tx_pending:
                break
        assert not port.handle.tx_pending
        assert [int.from_bytes(s.recv(4096)[14:18], "big") for _ in range(1024)] == list(range(1024))


def test_a_device_that_goes_down_and_up_again(native: list[Wire]) -> None:
    with Box() as box, tap_socket("a1") as s:
        port = open_on(box, native[0])
        subprocess.run(["ip", "link", "set", "a0", "down"], check=True)
        port.tx(box.packet_batch(frame(1)))
        port.flush()
        assert port.handle.tx_pending  # Handed over before anybody knew; still the ring's.
        port.tx(box.packet_batch(frame(2)))
        assert port.counts().drops == {"tx_down": 1}
        subprocess.run(["ip", "link", "set", "a0", "up"], check=True)

        def empty() -> bool:
            port.flush()
            return not port.handle.tx_pending

        wait_until(empty)
        port.tx(box.packet_batch(frame(3)))
        port.flush()
        assert port.counts().sent == 2
        got = [int.from_bytes(s.recv(4096)[14:18], "big") for _ in range(2)]
        assert got == [1, 3]


def test_a_device_that_is_deleted_under_its_port(native: list[Wire]) -> None:
    with Box() as box:
        a, b = open_on(box, native[0]), open_on(box, native[1])
        before = box.free_frames()
        subprocess.run(["ip", "link", "del", "a0"], check=True)
        a.tx(box.packet_batch(frame(1)), b)
        a.flush()
        a.tx(box.packet_batch(frame(2)), b)
        assert b.counts().drops == {"tx_down": 1}
        assert a.rx().count == 0
        box.close(a)
        assert box.free_frames() == [before[0] + RING]
        with tap_socket("b1") as s:
            s.send(frame(3))
            assert arrived(b, 1) == [frame(3)]


def test_up_follows_the_device_at_open_and_control_afterwards(native: list[Wire]) -> None:
    with Box() as box:
        assert lib.io_up(box.open("afxdp", "a0").handle)
        subprocess.run(["ip", "link", "set", "b0", "down"], check=True)
        port = box.open("afxdp", "b0")
        assert not lib.io_up(port.handle)
        port.tx(box.packet_batch(frame()))
        assert port.counts().drops == {"tx_down": 1}


def test_the_longest_frames(native: list[Wire]) -> None:
    with Box() as box, tap_socket("a1") as s:
        port = open_on(box, native[0])
        port.tx(box.packet_batch(frame(0, 1514), frame(1, 1518), frame(2, 1523)))
        port.flush()
        assert port.counts().drops == {"tx_too_long": 1}
        assert [len(s.recv(4096)) for _ in range(2)] == [1514, 1518]


def test_the_rx_fd_wakes_a_sleeper(native: list[Wire]) -> None:
    with Box() as box, tap_socket("a1") as s:
        port = open_on(box, native[0])
        poller = select.epoll()
        poller.register(lib.io_rx_fd(port.handle, 0), select.EPOLLIN)
        assert poller.poll(0) == []
        s.send(frame())
        assert poller.poll(5)
        assert len(arrived(port, 1)) == 1
        assert poller.poll(0) == []
        poller.close()
        assert lib.io_rx_fd(port.handle, 1) == -errno.EINVAL


def test_a_queue_that_was_just_freed_is_waited_for(native: list[Wire]) -> None:
    waits = []
    with Box() as box:
        for i in range(5):
            port = open_on(box, native[0])
            waits.append(int(lib.port_xsk_bind_wait_ms(port.handle)))
            with tap_socket("a1") as s:
                s.send(frame(i))
                assert arrived(port, 1) == [frame(i)]
            box.close(port)
    assert max(waits) < 1000


def test_a_queue_that_stays_busy_is_given_up_with_ebusy(native: list[Wire]) -> None:
    with Box() as mine, Box() as theirs:
        theirs.open("afxdp", "a0")
        start = time.monotonic()
        with pytest.raises(OpenRefused) as refused:
            mine.open("afxdp", "a0")
        assert (refused.value.code, refused.value.what) == (errno.EBUSY, "bind(zero-copy)")
        assert 1 <= time.monotonic() - start < 3  # One rung's patience, not one for each mode.


def test_a_child_process_does_not_keep_the_queue(native: list[Wire]) -> None:
    """Rings are not inherited: a process that was started while the port was open does not hold it."""
    with Box() as box:
        port = open_on(box, native[0])
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        try:
            box.close(port)
            box.close(open_on(box, native[0]))
        finally:
            child.communicate()


def test_after_many_cycles_with_traffic_all_frames_are_back(native: list[Wire], gen: BpfObject) -> None:
    with Box() as box:
        keep = open_on(box, native[1])
        initial = box.free_frames()
        for _ in range(8):
            port = open_on(box, native[0])
            with Loop([port, keep], [1, 0]):
                generate(native[0], gen, frame(), 5000)
            assert port.counts().received > 0
            box.close(port)
            assert box.free_frames() == initial
        box.close(keep)
        assert box.free_frames() == [16384]


def test_closing_sends_what_is_still_on_the_ring(native: list[Wire]) -> None:
    with Box() as box, tap_socket("a1") as s:
        port = open_on(box, native[0])
        port.tx(box.packet_batch(*[frame(i) for i in range(32)]))
        box.close(port)  # Never flushed.
        assert [s.recv(4096) for _ in range(32)] == [frame(i) for i in range(32)]
        assert box.free_frames() == [16384]
