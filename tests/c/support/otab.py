"""The OpenFlow state in C behind a small class; and a model of it that is obviously right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.c.support.native import ffi, lib

ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)
IDLE, HARD, DELETED, GROUP_DELETED, METER_DELETED, EVICTED = range(6)
EVERY = 2**64 - 1


def text_of(pointer: Any) -> str | None:
    return None if pointer == ffi.NULL else ffi.string(pointer).decode()


@dataclass(frozen=True)
class Shown:
    """A rule as it is listed."""

    table: int
    priority: int
    cookie: int
    packets: int
    bytes: int
    idle: int
    hard: int
    importance: int
    created: int
    modified: int
    used: int
    text: str


class Tables:
    """An ofproto with ports h1, h2, h3 (1, 2, 3)."""

    def __init__(self) -> None:
        self.c = ffi.gc(lib.otab_new(), lib.otab_free)
        self.now = 1_000_000
        self.room = ffi.new("struct otab_rule[]", 200)

    def flow(self, command: int, text: str) -> int:
        """Rules affected. AssertionError with the error's text."""
        error, n = self.try_flow(command, text)
        assert error is None, error
        return n

    def try_flow(self, command: int, text: str) -> tuple[str | None, int]:
        n = ffi.new("uint32_t *")
        return text_of(lib.otab_flow_mod(self.c, command, text.encode(), n)), int(n[0])

    def group(self, command: int, text: str) -> str | None:
        return text_of(lib.otab_group_mod(self.c, command, text.encode()))

    def meter(self, command: int, text: str) -> str | None:
        return text_of(lib.otab_meter_mod(self.c, command, text.encode()))

    def sleep(self, ms: int) -> None:
        self.now += ms
        lib.otab_time(self.c, self.now)

    @contextmanager
    def bundle(self, commit: bool = True) -> Iterator[None]:
        assert lib.otab_bundle_open(self.c)
        try:
            yield
        except BaseException:
            commit = False
            raise
        finally:
            lib.otab_bundle_end(self.c, commit)

    def rules(self, which: str = "") -> list[Shown]:
        out = self.room
        n = lib.otab_rules(self.c, which.encode(), out, 200)
        assert 0 <= n <= 200
        return [
            Shown(
                r.table,
                r.priority,
                r.cookie,
                r.packets,
                r.bytes,
                r.idle_timeout,
                r.hard_timeout,
                r.importance,
                r.created_ms,
                r.modified_ms,
                r.used_ms,
                ffi.string(r.text).decode(),
            )
            for r in out[0:n]
        ]

    def texts(self, which: str = "") -> list[str]:
        return [r.text.strip() for r in self.rules(which)]

    def events(self) -> list[str]:
        return (text_of(lib.otab_events(self.c)) or "").splitlines()

    def find(self, table: int, fields: str) -> int:
        return int(lib.otab_find(self.c, table, fields.encode()))

    def credit(self, handle: int, packets: int, used: int | None = None) -> None:
        lib.otab_credit(self.c, handle, packets, packets * 100, self.now if used is None else used)

    def learn(self, text: str, limit: int = 0, busy: bool = False) -> tuple[int, bool]:
        limited = ffi.new("bool *")
        return int(lib.otab_learn(self.c, text.encode(), limit, busy, limited)), bool(limited[0])


# ---- the model ------------------------------------------------------------------------------------------

Match = tuple[tuple[str, int], ...]  # Fields with exact values, by name.


@dataclass(frozen=True)
class Flow:
    """A rule of the model."""

    table: int
    match: Match
    priority: int
    actions: str
    cookie: int = 0
    idle: int = 0
    hard: int = 0
    importance: int = 0
    flags: tuple[str, ...] = ()
    packets: int = 0
    created: int = 0
    modified: int = 0
    used: int = 0

    @property
    def key(self) -> tuple[int, Match, int]:
        return self.table, self.match, self.priority

    @property
    def ends(self) -> float:
        hard = self.modified + self.hard * 1000 if self.hard else float("inf")
        return min(hard, self.used + self.idle * 1000 if self.idle else float("inf"))

    def covered_by(self, match: Match) -> bool:
        return set(match) <= set(self.match)

    def overlaps(self, match: Match) -> bool:
        mine = dict(self.match)
        return all(mine.get(name, value) == value for name, value in match)

    def outputs_to(self, port: int | None) -> bool:
        return port is None or self.actions == f"output:{port}"

    @property
    def text(self) -> str:
        words = [f"table={self.table}, "]
        words += [f"idle_timeout={self.idle}, "] if self.idle else []
        words += [f"hard_timeout={self.hard}, "] if self.hard else []
        order = ("send_flow_rem", "check_overlap", "reset_counts")
        words += [f"{flag} " for flag in order if flag in self.flags]
        words += [f"importance={self.importance}, "] if self.importance else []
        match = [f"priority={self.priority}"] if self.priority != 32768 else []
        match += [
            f"{name}={value:#x}" if name != "in_port" else f"in_port={value}" for name, value in self.match
        ]
        return "".join(words) + (",".join(match) + " " if match else "") + f"actions={self.actions}"


@dataclass(frozen=True)
class Mod:
    """A flow mod."""

    command: int
    table: int | None
    match: Match
    priority: int
    actions: str = "drop"
    cookie: int | None = None
    cookie_mask: int | None = None
    idle: int = 0
    hard: int = 0
    importance: int = 0
    flags: tuple[str, ...] = ()
    out_port: int | None = None

    @property
    def text(self) -> str:
        words = [f"table={self.table}"] if self.table is not None else []
        words += [f"{name}={value}" for name, value in self.match]
        if self.command != DELETE:
            words.append(f"priority={self.priority}")
        if self.cookie is not None:
            words.append(
                f"cookie={self.cookie}" + (f"/{self.cookie_mask}" if self.cookie_mask is not None else "")
            )
        if self.command in (DELETE, DELETE_STRICT):
            words += [f"out_port={self.out_port}"] if self.out_port is not None else []
            return ",".join(words)
        words += [f"idle_timeout={self.idle}", f"hard_timeout={self.hard}", *self.flags]
        words += [f"importance={self.importance}"] if self.importance else []
        return ",".join([*words, f"actions={self.actions}"])


@dataclass
class Model:
    """What the tables should hold, and what they should have told."""

    now: int = 1_000_000
    flows: dict[tuple[int, Match, int], Flow] = field(default_factory=dict)
    limits: dict[int, tuple[int, bool]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    def put(self, flow: Flow, event: str) -> None:
        self.flows[flow.key] = flow
        self.events.append(f"{event} {flow.text}")

    def drop(self, flow: Flow, reason: int) -> None:
        del self.flows[flow.key]
        self.events.append(f"deleted {flow.text}")
        if "send_flow_rem" in flow.flags:
            self.events.append(f"removed {reason} {flow.text}")

    def chosen(self, mod: Mod) -> list[Flow]:
        strict = mod.command in (MODIFY_STRICT, DELETE_STRICT)
        return [
            f
            for f in self.flows.values()
            if mod.table in (None, f.table)
            and (f.match == mod.match and f.priority == mod.priority if strict else f.covered_by(mod.match))
            and (mod.cookie_mask is None or not (f.cookie ^ (mod.cookie or 0)) & mod.cookie_mask)
            and (mod.command < DELETE or f.outputs_to(mod.out_port))
        ]

    def add(self, mod: Mod) -> str | None:
        table = mod.table or 0
        new = Flow(
            table,
            mod.match,
            mod.priority,
            mod.actions,
            mod.cookie or 0,
            mod.idle,
            mod.hard,
            mod.importance,
            mod.flags,
            0,
            self.now,
            self.now,
            self.now,
        )
        old = self.flows.get(new.key)
        here = [f for f in self.flows.values() if f.table == table]
        limit, evict = self.limits.get(table, (2**32 - 1, False))
        if old:
            if "reset_counts" not in mod.flags:
                new = replace(new, packets=old.packets)
        elif "check_overlap" in mod.flags and any(
            f.priority == mod.priority and f.overlaps(mod.match) for f in here
        ):
            return "OFPFMFC_OVERLAP"
        elif len(here) >= limit:
            mortal = [f for f in here if f.idle or f.hard]
            if not evict or not mortal:
                return "OFPFMFC_TABLE_FULL"
            self.drop(min(mortal, key=lambda f: (f.importance, f.ends)), EVICTED)
        self.put(new, "added")
        return None

    def apply(self, mod: Mod) -> str | None:
        """The error's name, None if it went well."""
        if mod.command == ADD:
            return self.add(mod)
        found = self.chosen(mod)
        if mod.command in (DELETE, DELETE_STRICT):
            for flow in found:
                self.drop(flow, DELETED)
        elif not found:
            return self.add(replace(mod, cookie=mod.cookie or 0)) if mod.cookie_mask is None else None
        else:
            for flow in found:
                self.modify(flow, mod)
        return None

    def modify(self, flow: Flow, mod: Mod) -> None:
        cookie = mod.cookie if mod.cookie is not None and mod.cookie_mask is None else flow.cookie
        packets = 0 if "reset_counts" in mod.flags else flow.packets
        new = replace(flow, actions=mod.actions, cookie=cookie, packets=packets, modified=self.now)
        self.flows[new.key] = new
        if (new.actions, new.cookie) != (flow.actions, flow.cookie):
            self.events.append(f"modified {new.text}")

    def expire(self) -> None:
        for flow in list(self.flows.values()):
            if flow.ends < self.now:
                hard = flow.hard and flow.modified + flow.hard * 1000 < self.now
                self.drop(flow, HARD if hard else IDLE)
