"""What the port tests share: umems with ports on them, veth pairs with the redirect program, a poll loop."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Any, Self

from tests.c.support.native import ffi, lib
from tests.unit.xdp.support import Veth, loaded, make_veth, private_netns
from xdp.loader import attach, generator
from xdp.loader.object import BpfObject
from xdp.loader.run import test_run_live

CLASSES = {
    "afxdp": lib.PORT_AFXDP,
    "tap": lib.PORT_TAP,
    "internal": lib.PORT_INTERNAL,
    "dummy": lib.PORT_DUMMY,
}

SO_RCVBUFFORCE, SOL_PACKET, PACKET_IGNORE_OUTGOING = 33, 263, 23  # Python does not name them.


class OpenRefused(Exception):
    """port_open() failed: errno and where it stopped."""

    def __init__(self, code: int, what: str, queue: int) -> None:
        super().__init__(f"{what}: {os.strerror(code)} (queue {queue})")
        self.code, self.what, self.queue = code, what, queue


@dataclass(frozen=True)
class Counts:
    """A port's counters; `drops` has those that are not zero, by name."""

    received: int
    received_bytes: int
    copies: int
    sent: int
    delivered: int
    bad_frames: int
    tx_packets: int
    tx_bytes: int
    drops: dict[str, int]

    @classmethod
    def of(cls, c: Any) -> Self:
        """From a struct io_counts."""
        drops = {
            ffi.string(lib.drop_reason_name(i)).decode(): int(c.drops[i])
            for i in range(lib.DROP_N_REASONS)
            if c.drops[i]
        }
        names = [one.name for one in fields(cls) if one.name != "drops"]
        return cls(drops=drops, **{name: int(getattr(c, name)) for name in names})

    @property
    def balances(self) -> bool:
        return self.received + self.copies == self.sent + self.delivered + sum(self.drops.values())


@dataclass
class Port:
    """An open port. Its handle is the C structure."""

    handle: Any
    name: str

    def rx(self, queue: int = 0) -> Any:
        """One visit to an rx queue: a batch, which its caller must send or free."""
        batch = ffi.new("struct dp_packet_batch *")
        lib.io_batch_rx(self.handle, queue, batch)
        return batch

    def tx(self, batch: Any, origin: Port | None = None) -> None:
        lib.io_batch_tx(self.handle, batch, (origin or self).handle)

    def flush(self) -> None:
        lib.io_flush(self.handle)

    @property
    def fd(self) -> int:
        return int(lib.port_xsk_fd(self.handle, 0))

    def counts(self) -> Counts:
        c = ffi.new("struct io_counts *")
        lib.io_counts(self.handle, c)
        return Counts.of(c)

    def statistics(self, queue: int = 0) -> dict[str, int]:
        """XDP_STATISTICS."""
        s = ffi.new("struct xsk_statistics *")
        assert lib.port_xsk_statistics(self.handle, queue, s) == 0
        return {name: int(getattr(s, name)) for name, _ in ffi.typeof("struct xsk_statistics").fields}

    def kernel_lost(self, queue: int = 0) -> int:
        """Packets that the kernel had for the socket and could not hand over."""
        s = self.statistics(queue)
        # rx_fill_ring_empty_descs says why some of rx_dropped were dropped; tx_ring_empty_descs counts polls.
        return s["rx_dropped"] + s["rx_ring_full"] + s["rx_invalid_descs"] + s["tx_invalid_descs"]


@dataclass
class Box:
    """A set of umems and the ports on it. Context manager: closes and frees all."""

    frames: int = 16384
    share: bool = True
    umems: Any = field(init=False)
    ports: list[Port] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.umems = ffi.new("struct umem_set *")
        self.umems.frames = self.frames
        self.umems.share = self.share

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for port in list(self.ports):
            self.close(port)
        lib.umem_set_destroy(self.umems)

    def open(self, kind: str, name: str, port_id: int = 0, **options: Any) -> Port:
        """Opens a port; its id is the first free one unless given. OpenRefused when it fails."""
        config = ffi.new("struct port_config *")
        config.name = name.encode()
        config.device = options.pop("device", name).encode()
        config.type = CLASSES[kind]
        queues: Sequence[int] = options.pop("queues", (0,))
        config.queues = list(queues)
        config.n_queues = len(queues)
        config.mtu = options.pop("mtu", 1500)
        config.bind_mode = options.pop("bind_mode", lib.BIND_AUTO)
        for option, value in options.items():
            setattr(config, option, value)
        used = {int(port.handle.id) for port in self.ports}
        port_id = port_id or next(i for i in range(1, 256) if i not in used)
        out = ffi.new("struct port **")
        err = ffi.new("struct port_open_error *")
        result = lib.port_open(config, port_id, self.umems, out, err)
        if result:
            assert result == -err.error
            raise OpenRefused(int(err.error), ffi.string(err.what).decode(), int(err.queue))
        port = Port(out[0], name)
        self.ports.append(port)
        return port

    def close(self, port: Port) -> None:
        self.ports.remove(port)
        lib.port_close(port.handle)

    @property
    def umem(self) -> Any:
        """The first umem."""
        return lib.umem_set_default(self.umems)

    def free_frames(self) -> list[int]:
        """Free frames of each umem."""
        return [int(lib.umem_free_frames(self.umems.umems[i])) for i in range(self.umems.n_umems)]

    def packet_batch(self, *frames: bytes) -> Any:
        """A batch of packets of the first umem with these bytes."""
        batch = ffi.new("struct dp_packet_batch *")
        for data in frames:
            batch.packets[batch.count] = lib.io_packet(self.umem, data, len(data))
            batch.count += 1
        return batch


class Loop:
    """A thread that forwards without lookup, port i to ports[to[i]]. Context manager; counts packets."""

    def __init__(self, ports: Sequence[Port], to: Sequence[int]) -> None:
        self.c = ffi.new("struct io_loop *")
        self.c.n = len(ports)
        for i, port in enumerate(ports):
            self.c.ports[i] = port.handle
            self.c.to[i] = to[i]
        self._thread = threading.Thread(target=lib.io_loop_run, args=(self.c,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.c.stop = True
        self._thread.join()
        # What arrived after the last round, so that the counters tell the whole story.
        lib.io_loop_until_idle(self.c, 100, 100_000)

    @property
    def packets(self) -> int:
        return int(self.c.packets)


@dataclass
class Wire:
    """A veth pair whose near end is for a port; the redirect program sits there."""

    pair: Veth
    program: BpfObject  # redirect_xsk; one a device, for its map is by queue.

    @property
    def near(self) -> str:
        return self.pair.near_name

    @property
    def far(self) -> str:
        return self.pair.far_name

    def deliver_to(self, port: Port, queue: int = 0) -> None:
        """From now on the queue's packets go to the port's socket."""
        self.program.map("rs_xsks").update(queue, lib.port_xsk_fd(port.handle, queue))


@contextmanager
def wired(names: Sequence[str], mode: attach.Mode = "native", mtu: int = 1500) -> Iterator[list[Wire]]:
    """Veth pairs `x0`–`x1` for x in names, in the caller's network namespace, with the program on x0."""
    with ExitStack() as stack:
        wires = []
        for name in names:
            pair = make_veth(f"{name}0", f"{name}1", mtu)
            program = stack.enter_context(loaded("redirect_xsk"))
            stack.enter_context(attach.attach_xdp(program.program("rs_redirect_xsk").fd, pair.near, mode))
            wires.append(Wire(pair, program))
        yield wires


@contextmanager
def tap_socket(device: str, timeout: float = 5) -> Iterator[socket.socket]:
    """A packet socket on a device: sends frames out of it, hears those that come in (not its own)."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as s:
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        s.bind((device, 0))
        s.settimeout(timeout)
        yield s


@contextmanager
def host(device: str, address: str) -> Iterator[list[str]]:
    """Moves a device into a nameless namespace of its own and gives it an address.

    Yields the words that run a command there; the namespace and the device end with the block.
    """
    with private_netns():
        fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        path = f"/proc/{os.getpid()}/fd/{fd}"
        enter = ["nsenter", f"--net={path}"]
        subprocess.run(["ip", "link", "set", device, "netns", path], check=True)
        subprocess.run([*enter, "ip", "address", "add", address, "dev", device], check=True)
        subprocess.run([*enter, "ip", "link", "set", device, "up"], check=True)
        yield enter
    finally:
        os.close(fd)


def frame(number: int = 0, size: int = 60, ethertype: int = 0x88B5) -> bytes:
    """A broadcast frame (local experimental EtherType) that carries `number`."""
    head = b"\xff" * 6 + b"\x02\0\0\0\0\1" + ethertype.to_bytes(2, "big") + number.to_bytes(4, "big")
    return head + bytes((number + i) & 0xFF for i in range(size - len(head)))


def rx_packets(device: str) -> int:
    """Packets that a device received, by the kernel's own count."""
    command = ["ip", "-j", "-s", "link", "show", device]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(json.loads(out.stdout)[0]["stats64"]["rx"]["packets"])


def generate(wire: Wire, source: BpfObject, data: bytes, count: int) -> None:
    """Has the kernel send `count` frames into the near end, as fast as it can."""
    generator.configure(source, wire.pair.far, data, 0)
    result = test_run_live(source.program(generator.PROGRAM).fd, data, count, batch=64)
    assert not result.interrupted
