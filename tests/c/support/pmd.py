"""What the PMD tests share: a PMD with dummy ports, and a decider that goes by a list of rules."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Any, Self

from tests.c.support.native import ffi, lib
from tests.c.support.ports import Box, Counts, Port


def action(kind: int, arg: int = 0, payload: bytes = b"") -> bytes:
    """One datapath action."""
    return struct.pack("=HHI", kind, 8 + len(payload), arg) + payload


def output(*ports: int) -> bytes:
    return b"".join(action(lib.ODP_OUTPUT, port) for port in ports)


def recirc(number: int) -> bytes:
    return action(lib.ODP_RECIRC, number)


def clone(actions: bytes) -> bytes:
    return action(lib.ODP_CLONE, 0, actions)


def flow_of(**fields_: Any) -> Any:
    """A struct flow with some fields, numbers as they stand in memory; a dictionary for what has parts."""
    flow = ffi.new("struct flow *")
    for name, value in fields_.items():
        setattr(flow, name, value)
    return flow


def frame(sport: int = 1000, number: int = 0, proto: int = 17, flags: int = 0, size: int = 64) -> bytes:
    """IPv4 UDP or TCP from port `sport`, with a number in its payload."""
    ethernet = b"\x02\0\0\0\0\2" + b"\x02\0\0\0\0\1" + b"\x08\0"
    ip = b"\x45\0" + (size - 14).to_bytes(2, "big") + b"\0\0\0\0\x40" + bytes([proto]) + b"\0\0"
    ports = sport.to_bytes(2, "big") + b"\0\x50"
    l4 = ports + b"\0" * 8 + bytes([0x50, flags]) + b"\0" * 6 if proto == 6 else ports + b"\0\x08\0\0"
    head = ethernet + ip + b"\x0a\0\0\1\x0a\0\0\2" + l4
    return head + number.to_bytes(4, "big") + b"\0" * (size - len(head) - 4)


def sport(number: int) -> int:
    """As tp_src stands in memory."""
    return int.from_bytes(number.to_bytes(2, "big"), "little")


@dataclass(frozen=True)
class PmdStats:
    """struct pmd_stats."""

    iterations: int
    busy_iterations: int
    sleeps: int
    packets: int
    recirculated: int
    cache_hits: int
    emc_hits: int
    smc_hits: int
    megaflow_hits: int
    subtables_searched: int
    upcalls: int
    executed_once: int
    cycles_busy: int
    cycles_idle: int


@dataclass
class Bench:
    """A PMD with dummy ports 1 to n. Context manager; at its end the decider's owners must have ended."""

    n_ports: int = 2
    threaded: bool = False
    box: Box = field(default_factory=lambda: Box(frames=1024))
    ports: list[Port] = field(default_factory=list)
    c: Any = field(init=False)

    def __enter__(self) -> Self:
        out = ffi.new("struct box **")
        assert lib.box_new(self.threaded, out) == 0
        self.c = out[0]
        self.box.__enter__()
        for i in range(1, self.n_ports + 1):
            self.add_port(i)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for port in list(self.ports):
            self.remove_port(port)
        lib.box_free(self.c)
        self.box.__exit__(kind, value, trace)

    @property
    def pmd(self) -> Any:
        return lib.box_pmd(self.c)

    @property
    def table(self) -> Any:
        return lib.pmd_megaflows(self.pmd)

    def add_port(self, number: int) -> Port:
        port = self.box.open("dummy", f"d{number}", number)
        assert lib.pmd_add_port(self.pmd, port.handle) == 0
        self.ports.append(port)
        return port

    def remove_port(self, port: Port) -> None:
        assert lib.pmd_remove_port(self.pmd, port.handle) == 0
        self.ports.remove(port)
        self.box.close(port)

    def configure(self, emc: bool, every: int = 1, smc: bool = False) -> None:
        config = ffi.new("struct lookup_config *", {"emc": emc, "smc": smc, "emc_insert_every": every})
        assert lib.pmd_set_lookup(self.pmd, config) == 0

    def rule(
        self, actions: bytes, install: bool = True, overflow: bool = False, **match: int | tuple[Any, Any]
    ) -> None:
        """Flows with these fields (a value, or value and mask) get these actions."""
        rule = lib.box_add_rule(self.c)
        value = {name: v if isinstance(v, int) else v[0] for name, v in match.items()}
        mask = {name: v[1] if isinstance(v, tuple) else all_ones(name) for name, v in match.items()}
        ffi.memmove(rule.value, flow_of(**value), ffi.sizeof("struct flow"))
        ffi.memmove(rule.mask, flow_of(**mask), ffi.sizeof("struct flow"))
        ffi.memmove(rule.actions, actions, len(actions))
        rule.len, rule.install, rule.overflow = len(actions), install, overflow

    def inject(self, number: int, *frames: bytes) -> None:
        for data in frames:
            assert lib.port_dummy_inject(self.ports[number - 1].handle, data, len(data)) == 0

    def settle(self) -> None:
        while lib.pmd_poll(self.pmd) > 0:
            pass

    def take(self, number: int) -> list[bytes]:
        """Frames that have left by a port, oldest first."""
        buffer, taken = ffi.new("uint8_t[]", 4096), []
        while (n := lib.port_dummy_take(self.ports[number - 1].handle, buffer, 4096)) >= 0:
            taken.append(ffi.buffer(buffer, n)[:])
        return taken

    def exchange(self, number: int, *frames: bytes) -> dict[int, list[bytes]]:
        """Frames in by a port; what leaves by which."""
        self.inject(number, *frames)
        self.settle()
        out = {i: self.take(i) for i in range(1, len(self.ports) + 1)}
        return {i: taken for i, taken in out.items() if taken}

    def execute(self, actions: bytes, frame: bytes, in_port: int = 0, overflow: bool = False) -> int:
        """A packet from the control side."""
        data = ffi.new("uint8_t[]", actions)
        bytes_ = ffi.new("uint8_t[]", frame or b"\0")
        n = len(actions)
        listed = ffi.new("struct odp_list *", {"data": data, "len": n, "cap": n, "overflow": overflow})
        out = ffi.new("struct pmd_packet_out *")
        out.umem, out.in_port, out.frame, out.len, out.actions = (
            self.box.umem,
            in_port,
            bytes_,
            len(frame),
            listed,
        )
        return int(lib.pmd_execute(self.pmd, out))

    def stats(self) -> PmdStats:
        s = ffi.new("struct pmd_stats *")
        lib.box_pmd_stats(self.c, s)
        return PmdStats(**{one.name: int(getattr(s, one.name)) for one in fields(PmdStats)})

    def control(self) -> Counts:
        """Counters of packets from the control side."""
        c = ffi.new("struct io_counts *")
        lib.box_control_counts(self.c, c)
        return Counts.of(c)

    def assert_sums(self) -> None:
        """Packets in = packets out + named drops, for each port; looked up once, a hit or a miss."""
        stats = self.stats()
        assert all(port.counts().balances for port in self.ports)
        assert self.control().balances
        assert stats.packets + stats.recirculated == stats.cache_hits + stats.upcalls
        assert stats.cache_hits == stats.emc_hits + stats.smc_hits + stats.megaflow_hits
        if not self.threaded:
            counts = [port.counts() for port in self.ports]
            received = sum(c.received - c.drops.get("rx_runt", 0) for c in counts)
            assert stats.packets == received


def all_ones(name: str) -> int:
    """The exact mask of a numeric field of struct flow."""
    kind = dict(ffi.typeof("struct flow").fields)[name].type
    return int((1 << 8 * ffi.sizeof(kind)) - 1)
