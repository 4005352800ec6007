"""A kernel that breaks its promises: what it hands over is checked, counted and never used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.c.support.native import ffi, lib
from tests.c.support.ports import Box, Port, frame, wired
from tests.unit.xdp.support import private_netns

pytestmark = [pytest.mark.root, pytest.mark.netns, pytest.mark.afxdp]

FRAME = 4096


@pytest.fixture
def box() -> Iterator[Box]:
    with private_netns(), wired(["a"]), Box() as made:
        yield made


@pytest.fixture
def port(box: Box) -> Port:
    return box.open("afxdp", "a0", ring_size=64)


def forge(box: Box, port: Port, addr: int, length: int) -> int:
    """One rx visit with a forged descriptor: how many packets came of it."""
    lib.io_forge_rx(lib.io_socket(box.umems, port.fd), addr, length)
    batch = port.rx()
    count = int(batch.count)
    lib.io_batch_free(batch)
    return count


def lent(box: Box) -> list[int]:
    """Frames that the kernel may receive into."""
    return [i for i in range(box.umem.n_frames) if box.umem.owner[i] not in (0,)]


def test_a_good_descriptor_is_a_packet(box: Box, port: Port) -> None:
    assert forge(box, port, lent(box)[0] * FRAME + 256, 60) == 1
    assert port.counts().received == 1


@pytest.mark.parametrize("addr", [16384 * FRAME, 2**64 - 1, 2**63, 2**44, 2**44 + 4096])
def test_an_address_outside_the_umem(box: Box, port: Port, addr: int) -> None:
    assert forge(box, port, addr, 60) == 0
    counts = port.counts()
    assert (counts.bad_frames, counts.received, counts.drops) == (1, 0, {})


def test_a_frame_that_is_not_lent(box: Box, port: Port) -> None:
    free = next(i for i in range(box.umem.n_frames) if box.umem.owner[i] == 0)
    before = box.free_frames()
    assert forge(box, port, free * FRAME + 256, 60) == 0
    assert port.counts().bad_frames == 1
    assert box.free_frames() == before


def test_a_frame_published_twice_is_used_once(box: Box, port: Port) -> None:
    one = lent(box)[0]
    batch = ffi.new("struct dp_packet_batch *")
    socket = lib.io_socket(box.umems, port.fd)
    lib.io_forge_rx(socket, one * FRAME + 256, 60)
    lib.io_forge_rx(socket, one * FRAME + 256, 60)
    lib.io_batch_rx(port.handle, 0, batch)
    assert batch.count == 1
    assert port.counts().bad_frames == 1
    lib.io_batch_free(batch)


def test_a_frame_of_another_port(box: Box, port: Port) -> None:
    with wired(["b"]):
        other = box.open("afxdp", "b0", ring_size=64)
        theirs = next(i for i in range(box.umem.n_frames) if box.umem.owner[i] == other.handle.id * 64)
        assert forge(box, port, theirs * FRAME, 60) == 0
        assert port.counts().bad_frames == 1
        box.close(other)


@pytest.mark.parametrize(("offset", "length"), [(256, 3841), (0, 4097), (4095, 2), (256, 2**32 - 1)])
def test_data_that_leaves_its_frame(box: Box, port: Port, offset: int, length: int) -> None:
    before = box.free_frames()
    assert forge(box, port, lent(box)[0] * FRAME + offset, length) == 0
    counts = port.counts()
    assert (counts.received, counts.drops, counts.bad_frames) == (1, {"rx_bad_desc": 1}, 0)
    assert counts.balances
    assert box.free_frames() == before  # Taken back, and another one lent.


@pytest.mark.parametrize("length", [0, 1, 13])
def test_a_runt(box: Box, port: Port, length: int) -> None:
    before = box.free_frames()
    assert forge(box, port, lent(box)[0] * FRAME + 256, length) == 0
    assert port.counts().drops == {"rx_runt": 1}
    assert port.counts().balances
    assert box.free_frames() == before


def test_an_empty_pool_is_caught_up_with_when_frames_are_back(box: Box, port: Port) -> None:
    held = []
    while packet := lib.dp_packet_alloc(box.umem, box.umem.pmd_cache):
        held.append(packet)
    socket = lib.io_socket(box.umems, port.fd)
    kept = ffi.new("struct dp_packet_batch *")
    for one in lent(box)[:10]:
        lib.io_forge_rx(socket, one * FRAME + 256, 60)
    lib.io_batch_rx(port.handle, 0, kept)
    assert (kept.count, socket.rx_held) == (10, 54)
    lib.io_batch_free(kept)
    assert port.rx().count == 0
    assert socket.rx_held == 64
    for packet in held:
        lib.dp_packet_free(packet)


def test_a_completion_that_nobody_waits_for(box: Box, port: Port) -> None:
    """The owner table is altered under the socket's feet: the completion is then not its own."""
    port.tx(box.packet_batch(frame(), frame()))
    sent = [i for i in range(box.umem.n_frames) if box.umem.owner[i] & lib.UMEM_OWNER_TX]
    tag = box.umem.owner[sent[0]]
    box.umem.owner[sent[0]] = 0
    port.flush()
    assert port.counts().bad_frames == 1
    box.umem.owner[sent[0]] = tag  # Back, so that closing finds it.
