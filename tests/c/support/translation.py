"""A bridge driven by text: ports, rules and groups in; datapath actions, megaflow and report out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.c.support.native import ffi, lib

ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)
TRUNK, ACCESS, NATIVE = range(3)
NO_RECV, NO_FLOOD, NO_FWD, NO_PACKET_IN = 1 << 2, 1 << 4, 1 << 5, 1 << 6
CT_STATES = {"new": 1, "est": 2, "rel": 4, "rpl": 8, "inv": 0x10, "trk": 0x20, "snat": 0x40, "dnat": 0x80}


class Refused(Exception):
    """A text that was not taken; the reason is its own."""


@dataclass(frozen=True)
class Answer:
    """What one translation said."""

    actions: str
    megaflow: str
    report: str
    final: str
    error: int
    drop: str  # Name of the reason, "" = not dropped.
    slow: bool
    n_credits: int
    list_error: str  # What is wrong with the list's form; "" = nothing.
    raw: bytes
    wc: bytes
    recircs: tuple[tuple[int, bool, Any], ...] = field(repr=False)  # (id, conntrack, key)


def _text(pointer: Any) -> str:
    return "" if pointer == ffi.NULL else ffi.string(pointer).decode()


def ct_bits(state: str) -> int:
    """ "trk,new" as a number."""
    return sum(CT_STATES[word] for word in state.split(",") if word)


class Bridge:
    """Ports h1, h2 … (trunks) and an internal port `br0` that is LOCAL, rules, groups."""

    def __init__(self, n_ports: int = 4) -> None:
        self.xl = ffi.gc(lib.xl_create(), lib.xl_destroy)
        self._answer = ffi.new("struct xl_answer *")
        for number in range(1, n_ports + 1):
            self.port(number, f"h{number}")
        self.port(n_ports + 1, "br0", internal=True)

    def port(
        self,
        number: int,
        name: str,
        *,
        internal: bool = False,
        mode: int = TRUNK,
        tag: int = 0,
        trunks: Sequence[int] = (),
    ) -> None:
        """Adds a port, or changes its VLANs."""
        vlans = ffi.new("uint16_t[]", list(trunks) or [0])
        lib.xl_port(self.xl, number, name.encode(), internal, mode, tag, vlans, len(trunks))

    def _do(self, problem: Any) -> None:
        if problem != ffi.NULL:
            raise Refused(_text(problem))

    def flow(self, text: str, command: int = ADD) -> None:
        """One flow mod."""
        self._do(lib.xl_flow_mod(self.xl, command, text.encode()))

    def flows(self, texts: Iterable[str]) -> None:
        """Rules, all in one bundle."""
        kept = [ffi.new("char[]", text.encode()) for text in texts]
        done = ffi.new("unsigned *")
        problem = lib.xl_flow_mods(self.xl, ffi.new("char *[]", kept), len(kept), done)
        if problem != ffi.NULL:
            raise Refused(f"{_text(problem)} in {_text(kept[done[0]])}")

    def group(self, text: str, command: int = 0) -> None:
        """One group mod."""
        self._do(lib.xl_group_mod(self.xl, command, text.encode()))

    def meter(self, text: str) -> None:
        """Adds a meter."""
        self._do(lib.xl_meter_mod(self.xl, text.encode()))

    def tun_map(self, text: str) -> None:
        """Maps tunnel options to tun_metadata fields."""
        self._do(lib.xl_tun_map(self.xl, text.encode()))

    def key(self, flow: str) -> Any:
        """The key of a packet written as ofproto/trace takes it."""
        key = ffi.new("struct flow *")
        self._do(lib.xl_key(self.xl, flow.encode(), key))
        return key

    def key_text(self, key: Any) -> str:
        """A key as "Flow:" lines print it."""
        room = ffi.new("char[]", 1 << 16)
        lib.xl_key_text(self.xl, key, room, len(room))
        return _text(room)

    def other_packet(self, key: Any, wc: bytes, seed: int) -> Any:
        """A packet that the megaflow of `key` covers too."""
        other, mask = ffi.new("struct flow *"), ffi.new("struct flow *")
        ffi.buffer(mask)[:] = wc
        lib.xl_other_packet(key, mask, seed, other)
        return other

    def run(
        self,
        flow: str | Any,
        *,
        packet_out: str | None = None,
        side_effects: bool = False,
        credit: bool = False,
    ) -> Answer:
        """Translates a packet: text, or a key."""
        key = self.key(flow) if isinstance(flow, str) else flow
        actions = ffi.NULL if packet_out is None else ffi.new("char[]", packet_out.encode())
        flags = side_effects * lib.XL_SIDE_EFFECTS | credit * lib.XL_CREDITS
        self._do(lib.xl_run(self.xl, key, actions, flags, self._answer))
        return self._read(self._answer)

    def again(self, flow: str | Any) -> Answer:
        """As the revalidator translates: for the credits alone, with no effects and nobody who reads."""
        key = self.key(flow) if isinstance(flow, str) else flow
        self._do(lib.xl_run(self.xl, key, ffi.NULL, lib.XL_CREDITS | lib.XL_NO_REPORT, self._answer))
        return self._read(self._answer)

    def _read(self, a: Any) -> Answer:
        return Answer(
            actions=_text(a.actions),
            megaflow=_text(a.megaflow),
            report=_text(a.report),
            final=_text(a.final),
            error=a.error,
            drop="" if a.drop < 0 else _text(lib.drop_reason_name(a.drop)),
            slow=a.slow,
            n_credits=a.n_credits,
            list_error=_text(a.list_error),
            raw=bytes(ffi.buffer(a.list, a.list_len)),
            wc=bytes(ffi.buffer(ffi.addressof(a, "wc"))),
            recircs=tuple(
                (r.id, bool(r.conntrack), ffi.new("struct flow *", r.flow))
                for r in a.recircs[0 : a.n_recircs]
            ),
        )

    def trace(self, flow: str | Any, ct_states: Sequence[str] = (), limit: int = 60) -> list[Answer]:
        """The packet and what comes back from connection tracking, in the order of ofproto/trace."""
        states, queue = list(ct_states), [self.key(flow) if isinstance(flow, str) else flow]
        found: list[Answer] = []
        while queue and len(found) < limit:
            answer = self.run(queue.pop(0))
            found.append(answer)
            for _, conntrack, key in answer.recircs:
                if conntrack:
                    key.ct_state = ct_bits(states.pop(0) if states else "trk,new")
                    queue.append(key)
        return found

    def push(self, packets: int, octets: int, tcp_flags: int = 0) -> None:
        """Counts packets for the last run(credit=True)."""
        lib.xl_push(self.xl, packets, octets, tcp_flags)

    def forget(self) -> None:
        """Lets the credits of the last run(credit=True) go."""
        lib.xl_forget(self.xl)

    def dump(self) -> list[str]:
        """The rules, as dump-flows has them."""
        room = ffi.new("char[]", 1 << 20)
        lib.xl_dump(self.xl, room, len(room))
        return _text(room).splitlines()

    def port_up(self, number: int, up: bool) -> None:
        """Carrier of a port."""
        lib.xl_port_up(self.xl, number, up)

    def port_config(self, number: int, config: int) -> None:
        """OFPPC flags of a port."""
        lib.xl_port_config(self.xl, number, config)

    def table_miss(self, table: int, miss: int) -> None:
        """What a miss does: 1 = to the controller, 2 = on to the next table, 3 = drop."""
        lib.xl_table_miss(self.xl, table, miss)

    def table_counts(self, table: int) -> tuple[int, int]:
        """(lookups, matches)."""
        counts = ffi.new("uint64_t[2]")
        lib.xl_table_counts(self.xl, table, counts, counts + 1)
        return counts[0], counts[1]

    def bucket_packets(self, group: int, bucket: int | None = None) -> int:
        """Packets of a group or one of its buckets."""
        return int(lib.xl_bucket_packets(self.xl, group, 0xFFFFFFFF if bucket is None else bucket))

    def mac(self, address: str, vlan: int = 0) -> int:
        """The port that an address was learned on, 0 = none."""
        return int(lib.xl_mac(self.xl, int(address.replace(":", ""), 16), vlan))

    @property
    def n_frozen(self) -> int:
        """Frozen states that are kept."""
        return int(lib.xl_frozen_count(self.xl))

    def expire(self, now_ms: int) -> None:
        """Lets time pass to `now_ms`."""
        lib.xl_expire(self.xl, now_ms)
