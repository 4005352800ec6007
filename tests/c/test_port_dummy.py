"""Dummy ports: what a test injects comes in, what the switch sends can be taken, all is accounted for."""

from __future__ import annotations

import errno
import select
from collections.abc import Iterator
from typing import Any

import pytest

from tests.c.support.native import ffi, lib
from tests.c.support.ports import Box, Port, frame

SLOTS = 1024
LONGEST = 4096 - 256


@pytest.fixture
def box() -> Iterator[Box]:
    with Box(frames=2048) as made:
        yield made


@pytest.fixture
def port(box: Box) -> Port:
    return box.open("dummy", "d0")


def inject(port: Port, data: bytes) -> int:
    return int(lib.port_dummy_inject(port.handle, data, len(data)))


def take(port: Port, cap: int = 4096) -> bytes | int:
    buffer = ffi.new("uint8_t[]", cap)
    n = lib.port_dummy_take(port.handle, buffer, cap)
    return ffi.buffer(buffer, n)[:] if n >= 0 else int(n)


def readable(port: Port) -> bool:
    return bool(select.select([lib.io_rx_fd(port.handle, 0)], [], [], 0)[0])


def bytes_of(batch: Any) -> list[bytes]:
    return [ffi.buffer(p.data, p.len)[:] for p in batch.packets[0 : batch.count]]


def test_packets_come_in_as_they_were_injected_in_batches(port: Port) -> None:
    sent = [frame(i, 14 + i) for i in range(70)]
    assert [inject(port, f) for f in sent] == [0] * 70
    got = []
    for expected in (32, 32, 6, 0):
        batch = port.rx()
        assert batch.count == expected
        assert all(p.in_port == 1 for p in batch.packets[0 : batch.count])
        got += bytes_of(batch)
        lib.io_batch_free(batch)
    assert got == sent
    counts = port.counts()
    assert (counts.received, counts.received_bytes) == (70, sum(map(len, sent)))


def test_packets_that_are_sent_can_be_taken_in_order(box: Box, port: Port) -> None:
    other = box.open("dummy", "d1")
    sent = [frame(i) for i in range(20)]
    port.tx(box.packet_batch(*sent), other)
    assert [take(port) for _ in sent] == sent
    assert take(port) == -errno.EAGAIN
    assert other.counts().sent == port.counts().tx_packets == 20
    assert port.counts().tx_bytes == 20 * 60


def test_a_buffer_that_is_too_small_leaves_the_packet_there(box: Box, port: Port) -> None:
    port.tx(box.packet_batch(frame()))
    assert take(port, 59) == -errno.EMSGSIZE
    assert take(port, 60) == frame()


def test_the_event_fd_is_readable_while_something_waits(port: Port) -> None:
    assert not readable(port)
    for i in range(40):
        inject(port, frame(i))
    assert readable(port)
    lib.io_batch_free(port.rx())
    assert readable(port)
    lib.io_batch_free(port.rx())
    assert not readable(port)
    inject(port, frame())
    assert readable(port)


def test_queues_are_bounded_and_say_so(box: Box, port: Port) -> None:
    assert [inject(port, frame(i)) for i in range(SLOTS)] == [0] * SLOTS
    assert inject(port, frame()) == -errno.ENOBUFS
    for i in range(SLOTS // 32):
        port.tx(box.packet_batch(*[frame(i)] * 32))
    port.tx(box.packet_batch(*[frame()] * 5))
    counts = port.counts()
    assert (counts.sent, counts.drops) == (SLOTS, {"sink_full": 5})


def test_frames_that_do_not_fit_are_refused(port: Port) -> None:
    assert inject(port, bytes(LONGEST)) == 0
    assert inject(port, bytes(LONGEST + 1)) == -errno.EMSGSIZE


@pytest.mark.parametrize("size", [0, 1, 13])
def test_a_runt_is_received_and_dropped_by_name(box: Box, port: Port, size: int) -> None:
    before = box.free_frames()
    inject(port, bytes(size))
    assert port.rx().count == 0
    counts = port.counts()
    assert (counts.received, counts.received_bytes, counts.drops) == (1, size, {"rx_runt": 1})
    assert counts.balances and box.free_frames() == before


def test_what_is_longer_than_mtu_and_two_tags_is_not_sent(box: Box) -> None:
    port = box.open("dummy", "d9", mtu=100)
    port.tx(box.packet_batch(bytes(122), bytes(123)))
    assert port.counts().drops == {"tx_too_long": 1}
    assert take(port) == bytes(122)


def test_a_port_that_is_down_sends_nothing(box: Box, port: Port) -> None:
    lib.io_set_up(port.handle, False)
    before = box.free_frames()
    port.tx(box.packet_batch(*[frame()] * 3))
    assert port.counts().drops == {"tx_down": 3}
    assert take(port) == -errno.EAGAIN
    assert [n - b for n, b in zip(box.free_frames(), before, strict=True)] == [0]


def test_packets_wait_while_the_pool_is_empty(box: Box, port: Port) -> None:
    held = []
    while packet := lib.dp_packet_alloc(box.umem, box.umem.pmd_cache):
        held.append(packet)
    inject(port, frame(7))
    assert port.rx().count == 0
    assert port.counts().received == 0
    lib.dp_packet_free(held.pop())
    batch = port.rx()
    assert bytes_of(batch) == [frame(7)]
    lib.io_batch_free(batch)
    for packet in held:
        lib.dp_packet_free(packet)


@pytest.mark.parametrize(("policy", "flag"), [("CSUM_COMPLETE", 0), ("CSUM_SOFTWARE", 1)])
def test_the_checksum_policy_marks_what_comes_in(box: Box, policy: str, flag: int) -> None:
    port = box.open("dummy", "d5", csum=getattr(lib, policy))
    inject(port, frame())
    batch = port.rx()
    assert bool(batch.packets[0].flags & lib.PKT_CSUM_MAYBE_PARTIAL) is bool(flag)
    lib.io_batch_free(batch)


def test_the_hook_hears_of_captured_packets_only(box: Box, port: Port) -> None:
    lib.io_hook_install()
    lib.io_set_up(port.handle, False)
    batch = box.packet_batch(frame(), frame())
    lib.io_packet_set_capture(batch.packets[1], True)
    port.tx(batch)
    assert lib.io_hook_calls() == 1
    assert lib.io_hook_reason() == lib.DROP_TX_DOWN


def test_dummy_calls_are_for_dummy_ports_only_and_xsk_calls_for_xsk_ports(port: Port) -> None:
    assert lib.port_xsk_fd(port.handle, 0) == -errno.EINVAL
    assert lib.port_xsk_statistics(port.handle, 0, ffi.new("struct xsk_statistics *")) == -errno.EINVAL
    assert not lib.port_xsk_zero_copy(port.handle)
    assert not lib.port_xsk_shares_umem(port.handle)


def test_opening_and_closing_leaves_all_frames(box: Box) -> None:
    first = box.open("dummy", "d0")
    before = box.free_frames()
    for i in range(20):
        port = box.open("dummy", f"x{i}")
        inject(port, frame(i))
        lib.io_batch_free(port.rx())
        inject(port, frame(i))
        box.close(port)
    assert box.free_frames() == before
    assert first.counts().balances
