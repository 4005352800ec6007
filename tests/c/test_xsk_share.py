"""Which umem a port is on: shared while kernel and configuration let it, in any order of coming and going."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.c.support.native import ffi, lib
from tests.c.support.ports import Box, Loop, Port, Wire, frame, tap_socket, wired
from tests.unit.xdp.support import private_netns, wait_until

pytestmark = [pytest.mark.root, pytest.mark.netns, pytest.mark.afxdp]


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    with private_netns(), wired(["a", "b", "c"]) as made:
        yield made


def open_on(box: Box, wire: Wire, **options: int) -> Port:
    port = box.open("afxdp", wire.near, **options)
    wire.deliver_to(port)
    return port


def carries(there: Wire, back: Wire, ports: list[Port], to: list[int]) -> None:
    """Twenty packets go from one far end to the other."""
    with tap_socket(there.far) as sender, tap_socket(back.far) as receiver, Loop(ports, to):
        for i in range(20):
            sender.send(frame(i))
        assert [receiver.recv(4096) for _ in range(20)] == [frame(i) for i in range(20)]


def test_the_first_socket_may_leave_first(wires: list[Wire]) -> None:
    """The registration is the sockets' in common: any that is left serves as the next one's reference."""
    with Box() as box:
        a, b = open_on(box, wires[0]), open_on(box, wires[1])
        box.close(a)
        carries(wires[1], wires[1], [b], [0])
        c = open_on(box, wires[2])
        assert lib.port_xsk_shares_umem(c.handle)
        carries(wires[1], wires[2], [b, c], [1, 0])
        a = open_on(box, wires[0])
        box.close(b)
        carries(wires[0], wires[2], [a, c], [1, 0])
        assert box.umems.n_umems == 1 and box.umem.n_sockets == 2
        assert not box.umems.share_refused


def test_after_the_last_socket_the_region_is_registered_afresh(wires: list[Wire]) -> None:
    with Box() as box:
        for _ in range(3):
            a, b = open_on(box, wires[0]), open_on(box, wires[1])
            carries(wires[0], wires[1], [a, b], [1, 0])
            box.close(a)
            box.close(b)
            assert box.umem.n_sockets == 0 and box.umem.sockets == ffi.NULL
        assert box.free_frames() == [16384]


def test_forwarding_between_sharing_ports_copies_nothing(wires: list[Wire]) -> None:
    """The frame that came in is the frame that goes out; without sharing it is another one."""
    for share in (True, False):
        with Box(share=share) as box, tap_socket("a1") as s, tap_socket("b1") as r:
            a, b = open_on(box, wires[0]), open_on(box, wires[1])
            s.send(frame())
            batches: list[Any] = []

            def came(port: Port = a, seen: list[Any] = batches) -> bool:
                seen[:] = [port.rx()]
                return bool(seen[0].count)

            wait_until(came)
            packet = batches[0].packets[0]
            held = [b.handle, packet.frame]
            umem_b = box.umems.umems[0 if share else 1]
            b.tx(batches[0], a)
            outgoing = [i for i in range(umem_b.n_frames) if umem_b.owner[i] & lib.UMEM_OWNER_TX]
            assert len(outgoing) == 1
            assert (outgoing == [held[1]] and umem_b == packet.umem) is share
            b.flush()
            assert r.recv(4096) == frame()


def test_copies_for_a_private_umem_without_frames_are_named(wires: list[Wire]) -> None:
    with Box(share=False, frames=4096) as box:
        a, b = open_on(box, wires[0]), open_on(box, wires[1])
        umem_b = box.umems.umems[1]
        held = []
        while packet := lib.dp_packet_alloc(umem_b, umem_b.pmd_cache):
            held.append(packet)
        b.tx(box.packet_batch(frame(), frame()), a)
        assert a.counts().drops == {"no_frame": 2}
        for packet in held:
            lib.dp_packet_free(packet)


def test_a_umem_without_frames_to_spare_gets_a_sister(wires: list[Wire]) -> None:
    with Box(frames=4096) as box:
        a, b = open_on(box, wires[0]), open_on(box, wires[1])
        assert box.umems.n_umems == 2
        carries(wires[0], wires[1], [a, b], [1, 0])
        box.close(b)
        b = open_on(box, wires[1], ring_size=256)
        assert lib.port_xsk_shares_umem(b.handle)
        carries(wires[1], wires[0], [a, b], [1, 0])
        assert box.umems.n_umems == 2


def test_the_sister_comes_before_the_frames_in_flight_run_short(wires: list[Wire]) -> None:
    with Box(frames=4096) as box:
        for wire, umems in zip(wires, (1, 1, 2), strict=True):
            open_on(box, wire, ring_size=1024)
            assert box.umems.n_umems == umems
        assert box.free_frames() == [2048, 3072]


def test_a_umem_grows_to_what_one_port_needs(wires: list[Wire]) -> None:
    with Box(frames=64) as box:
        a = open_on(box, wires[0])
        assert box.umem.n_frames == 2048 + 1024
        carries(wires[0], wires[0], [a], [0])


def test_tap_and_afxdp_ports_exchange_packets(wires: list[Wire]) -> None:
    with Box() as box:
        Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
        a, t = open_on(box, wires[0]), box.open("tap", "t0")
        with tap_socket("a1") as outside, tap_socket("t0") as inside, Loop([a, t], [1, 0]):
            for i in range(50):
                outside.send(frame(i))
                assert inside.recv(4096) == frame(i)
                inside.send(frame(i + 1))
                assert outside.recv(4096) == frame(i + 1)
        assert box.umems.n_umems == 1
        assert a.counts().balances and t.counts().drops == {}
