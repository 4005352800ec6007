"""Real packets through the programs, over veth: every counter must tell the same story."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator

import pytest
from pyroute2 import IPRoute

from tests.unit.xdp.support import Veth, XskSocket, loaded, make_veth, private_netns, wait_until
from xdp.loader import attach, generator, run
from xdp.loader.counters import Count, read_actions, read_count
from xdp.loader.object import BpfObject

pytestmark = [pytest.mark.root, pytest.mark.netns]

FRAME = bytes.fromhex(
    "02000000000202000000000108004500002e00000000401100000a0000010a000002c000000900120000"
) + bytes(18)
LOAD = 100_000


@pytest.fixture
def pair() -> Iterator[Veth]:
    with private_netns():
        yield make_veth()


@pytest.fixture
def gen() -> Iterator[BpfObject]:
    with loaded("gen_redirect") as obj:
        yield obj


def received(ifindex: int) -> int:
    """Packets the device says it received, programs' drops included."""
    with IPRoute() as route:
        (link,) = route.get_links(ifindex)
        return int(link.get_attr("IFLA_STATS64")["rx_packets"])


def send(gen: BpfObject, pair: Veth, flows: int = 1000) -> None:
    generator.configure(gen, pair.far, FRAME, flows)
    result = run.test_run_live(gen.program(generator.PROGRAM).fd, FRAME, LOAD, batch=64)
    assert not result.interrupted


@pytest.mark.parametrize("flows", [0, 1, 1000])
def test_all_that_was_generated_is_counted_and_dropped(pair: Veth, gen: BpfObject, flows: int) -> None:
    with loaded("rx_drop") as sink, attach.attach_xdp(sink.program("rs_rx_drop").fd, pair.near):
        send(gen, pair, flows)
        wait_until(lambda: read_count(sink.map("rs_count")).packets == LOAD)
        assert read_count(sink.map("rs_count")) == Count(LOAD, LOAD * len(FRAME))
        assert read_count(gen.map(generator.COUNT)) == Count(LOAD, LOAD * len(FRAME))
        assert received(pair.near) == LOAD


@pytest.mark.parametrize("mode", ["native", "generic"])
def test_without_a_socket_all_is_passed_to_the_stack(pair: Veth, mode: attach.Mode) -> None:
    """In both modes a UDP datagram arrives at an ordinary socket, and is counted as passed."""
    with loaded("redirect_xsk") as obj, IPRoute() as route:
        route.addr("add", index=pair.near, address="10.0.0.1", prefixlen=24)
        far_mac = route.get_links(pair.far)[0].get_attr("IFLA_ADDRESS")
        near_mac = route.get_links(pair.near)[0].get_attr("IFLA_ADDRESS")
        frame = bytearray(bytes.fromhex(near_mac.replace(":", "") + far_mac.replace(":", "")) + FRAME[12:])
        frame[26:34] = bytes([10, 0, 0, 9, 10, 0, 0, 1])
        frame[24:26] = generator.ipv4_checksum(bytes(frame[14:34])).to_bytes(2, "big")
        with (
            attach.attach_xdp(obj.program("rs_redirect_xsk").fd, pair.near, mode),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender,
        ):
            receiver.bind(("10.0.0.1", 9))
            receiver.settimeout(5)
            sender.bind((pair.far_name, 0))
            sender.send(frame)
            assert receiver.recv(64) == bytes(10)
            assert read_actions(obj.map("rs_actions"))["pass"] == Count(1, len(frame))


@pytest.mark.afxdp
def test_with_a_socket_all_is_redirected_and_the_kernel_agrees(pair: Veth, gen: BpfObject) -> None:
    with loaded("redirect_xsk") as obj:
        xsk = XskSocket(pair.near)
        try:
            obj.map("rs_xsks").update(0, xsk.fd)
            with attach.attach_xdp(obj.program("rs_redirect_xsk").fd, pair.near):
                send(gen, pair)
                wait_until(lambda: xsk.lost() == LOAD)
                counts = read_actions(obj.map("rs_actions"))
                assert counts["redirect"] == Count(LOAD, LOAD * len(FRAME))
                assert counts["pass"] == Count(0, 0)
                # Its fill ring is empty, so each frame that reached it is one it had no buffer for.
                assert xsk.lost() == LOAD
        finally:
            xsk.close()


@pytest.mark.afxdp
def test_a_closed_socket_leaves_the_map_and_traffic_passes_again(pair: Veth) -> None:
    with loaded("redirect_xsk") as obj:
        fd = obj.program("rs_redirect_xsk").fd
        xsk = XskSocket(pair.near)
        obj.map("rs_xsks").update(0, xsk.fd)
        assert run.ACTIONS[run.test_run(fd, FRAME).action] == "redirect"
        xsk.close()
        wait_until(lambda: run.ACTIONS[run.test_run(fd, FRAME).action] == "pass")


def test_a_signal_ends_an_endless_run_and_the_counts_still_agree(pair: Veth, gen: BpfObject) -> None:
    """The run is in the main thread; the other can only look and signal because Python's lock is free."""
    main = threading.main_thread().ident
    assert main is not None
    previous = signal.signal(signal.SIGUSR1, lambda number, frame: None)
    done = threading.Event()

    def interrupt() -> None:
        while not done.wait(0.01):
            if read_count(gen.map(generator.COUNT)).packets:
                signal.pthread_kill(main, signal.SIGUSR1)

    watcher = threading.Thread(target=interrupt)
    try:
        with loaded("rx_drop") as sink, attach.attach_xdp(sink.program("rs_rx_drop").fd, pair.near):
            generator.configure(gen, pair.far, FRAME, 1)
            watcher.start()
            result = run.test_run_live(gen.program(generator.PROGRAM).fd, FRAME, 2**31 - 1, batch=64)
            done.set()
            sent = read_count(gen.map(generator.COUNT)).packets
            assert result.interrupted
            assert 0 < sent < 2**31 - 1
            wait_until(lambda: read_count(sink.map("rs_count")).packets == sent)
    finally:
        done.set()
        watcher.join()
        signal.signal(signal.SIGUSR1, previous)
