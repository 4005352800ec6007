"""The flow tables and the MAC table of a switch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from switch.binding.errors import SwitchError, check, new_error, text
from switch.binding.ffi import ffi, lib
from switch.binding.handle import Handle
from switch.binding.text import decode

N_TABLES = 255
NO_LIMIT = 0xFFFFFFFF
LINES_AT_A_TIME = 1000


class FlowCommand(IntEnum):
    """What a flow's text is for. MODIFY and DELETE: every rule at least as specific; STRICT: the one with
    this match and priority.
    """

    ADD = 0
    MODIFY = 1
    MODIFY_STRICT = 2
    DELETE = 3
    DELETE_STRICT = 4


class TableMiss(IntEnum):
    """What happens to a packet that no rule of a table matches. VERSION: dropped."""

    VERSION = 0
    CONTROLLER = 1
    CONTINUE = 2
    DROP = 3


@dataclass(frozen=True)
class RuleStats:
    """A rule in ovs-ofctl syntax ("table=1,priority=10,ip actions=output:2", no statistics), what it has
    matched, and its ages in seconds: since it was added, used, modified.
    """

    text: str
    table: int
    priority: int
    cookie: int
    packets: int
    bytes: int
    age_s: float
    idle_s: float
    hard_s: float
    idle_timeout: int
    hard_timeout: int
    importance: int


@dataclass(frozen=True)
class TableConfig:
    """max_flows None = no limit. evict: over the limit the least important rule goes, else the new one is
    refused.
    """

    max_flows: int | None = None
    evict: bool = False
    miss: TableMiss = TableMiss.VERSION
    name: str = ""


@dataclass(frozen=True)
class TableStats:
    """A table: rules, packets looked up and matched, and what its classifier is made of."""

    table: int
    flows: int
    lookups: int
    matched: int
    subtables: int
    tries: int
    bytes: int
    config: TableConfig


@dataclass(frozen=True)
class FdbEntry:
    """A learned address. vlan 0 = untagged; age in milliseconds since it was last seen."""

    ofport: int
    vlan: int
    mac: str
    age_ms: int


def one_text(rules: Iterable[str]) -> bytes:
    """Rules as the lines of a text. SwitchError names one that is no line."""
    lines = list(rules)
    for i, line in enumerate(lines):
        if "\n" in line or "\0" in line or not line.strip() or line.lstrip().startswith("#"):
            raise SwitchError(f"flows[{i}]", f"{line[:60]!r} is not one line", "one rule in each line")
    return "\n".join(lines).encode()


class FlowTable:
    """The rules of a switch, in all its tables.

    A change is true in the datapath when its function returns: cached megaflows that it made wrong are gone.
    With `wait=False` that comes within 500 ms; `Switch.sync()` waits for it.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def _settle(self, wait: bool) -> None:
        if wait:
            lib.rs_sync(self._handle.raw)

    def mod(self, rule: str, command: FlowCommand = FlowCommand.ADD, wait: bool = True) -> int:
        """One change in ovs-ofctl syntax; returns how many rules it touched. SwitchError names the field."""
        err = new_error()
        count = check(lib.rs_flow_mod(self._handle.raw, rule.encode(), int(command), err), err, "flow")
        self._settle(wait)
        return count

    def add(self, rule: str, wait: bool = True) -> None:
        """Adds a rule; one with the same table, priority and match is replaced."""
        self.mod(rule, FlowCommand.ADD, wait)

    def modify(self, rule: str, strict: bool = False, wait: bool = True) -> int:
        """Gives rules other actions and returns how many there were."""
        return self.mod(rule, FlowCommand.MODIFY_STRICT if strict else FlowCommand.MODIFY, wait)

    def delete(self, match: str = "", strict: bool = False, wait: bool = True) -> int:
        """Deletes rules as ovs-ofctl del-flows does (empty = all) and returns how many."""
        return self.mod(match, FlowCommand.DELETE_STRICT if strict else FlowCommand.DELETE, wait)

    def apply(
        self,
        changes: str | bytes,
        command: FlowCommand = FlowCommand.ADD,
        bundle: bool = False,
        wait: bool = True,
    ) -> int:
        """Many changes, a line each; a line may begin with `add`, `modify`, `delete` …

        bundle: all at once or none; else in order up to the first that is refused. SwitchError names the
        line ("flows[3].nw_src"). Returns the number of lines.
        """
        raw, err = changes.encode() if isinstance(changes, str) else changes, new_error()
        code = lib.rs_flows_apply(self._handle.raw, raw, len(raw), int(command), bundle, err)
        self._settle(wait)
        return check(code, err, "flows")

    def replace(self, rules: Iterable[str] | bytes, wait: bool = True) -> int:
        """Makes these the only rules, at once, or changes nothing and raises SwitchError ("flows[3].nw_src").

        Rules that stay the same keep counters and age. `bytes`: the rules as lines. Returns the number of
        changes.
        """
        raw, err = rules if isinstance(rules, bytes) else one_text(rules), new_error()
        count = check(lib.rs_flow_replace(self._handle.raw, raw, len(raw), err), err, "flows")
        self._settle(wait)
        return count

    def __len__(self) -> int:
        return int(lib.rs_flow_count(self._handle.raw))

    @contextmanager
    def _dump(self, match: str, names: bool) -> Iterator[Any]:
        out, err = ffi.new("rs_flow_dump **"), new_error()
        lib.rs_sync(self._handle.raw)  # So that statistics are of now.
        check(lib.rs_flow_dump_open(self._handle.raw, match.encode(), names, out, err), err, "flow")
        try:
            yield out[0]
        finally:
            lib.rs_flow_dump_close(out[0])

    def lines(self, match: str = "", stats: bool = True, names: bool = False) -> Iterator[str]:
        """Rules as `ovs-ofctl dump-flows` prints them (stats False: with --no-stats), without line ends."""
        raw = ffi.new("struct rs_text *")
        with self._dump(match, names) as dump:
            while self._handle.raw and check(
                lib.rs_flow_dump_lines(dump, LINES_AT_A_TIME, stats, raw), field="flow"
            ):
                yield from decode(raw).splitlines()

    def rules(self, match: str = "", names: bool = False) -> Iterator[RuleStats]:
        """Rules of one moment, by table and falling priority."""
        out, raw = ffi.new("struct rs_text *"), ffi.new("struct rs_flow_stats *")
        with self._dump(match, names) as dump:
            while self._handle.raw and check(lib.rs_flow_dump_next(dump, out, raw), field="flow"):
                yield _rule(decode(out), raw)

    def __iter__(self) -> Iterator[RuleStats]:
        return self.rules()

    def configure(self, table: int, config: TableConfig) -> None:
        """Sets how a table behaves."""
        raw, err = ffi.new("struct rs_table_config *"), new_error()
        raw.max_flows = NO_LIMIT if config.max_flows is None else config.max_flows
        raw.evict, raw.miss = config.evict, int(config.miss)
        name = config.name.encode()
        if len(name) > 31:
            raise SwitchError("name", f"{config.name!r} has {len(name)} bytes", "at most 31")
        raw.name = name
        check(lib.rs_table_set(self._handle.raw, table, raw, err), err, "table")
        self._settle(True)

    def table(self, number: int) -> TableStats:
        """Settings and statistics of a table."""
        raw = ffi.new("struct rs_table_stats *")
        lib.rs_sync(self._handle.raw)
        check(lib.rs_table_stats(self._handle.raw, number, raw), field="table")
        config = raw.config
        limit = None if config.max_flows == NO_LIMIT else config.max_flows
        return TableStats(
            table=raw.table,
            flows=raw.n_flows,
            lookups=raw.n_lookup,
            matched=raw.n_matched,
            subtables=raw.n_subtables,
            tries=raw.n_tries,
            bytes=raw.bytes,
            config=TableConfig(limit, config.evict, TableMiss(config.miss), text(config.name)),
        )


def _rule(words: str, raw: Any) -> RuleStats:
    return RuleStats(
        text=words,
        table=raw.table,
        priority=raw.priority,
        cookie=raw.cookie,
        packets=raw.packets,
        bytes=raw.bytes,
        age_s=raw.duration_ms / 1000,
        idle_s=raw.idle_ms / 1000,
        hard_s=raw.hard_ms / 1000,
        idle_timeout=raw.idle_timeout,
        hard_timeout=raw.hard_timeout,
        importance=raw.importance,
    )


class Fdb:
    """The MAC addresses that NORMAL has learned."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __iter__(self) -> Iterator[FdbEntry]:
        cap = 1024
        while True:
            raw = ffi.new("struct rs_fdb_entry[]", cap)
            count = lib.rs_fdb_list(self._handle.raw, raw, cap)
            if count <= cap:
                break
            cap = 2 * count
        for i in range(count):
            e = raw[i]
            yield FdbEntry(e.ofport, e.vlan, bytes(ffi.buffer(e.mac)).hex(":"), e.age_ms)

    def flush(self) -> int:
        """Forgets all addresses; returns how many there were."""
        count = int(lib.rs_fdb_flush(self._handle.raw))
        lib.rs_sync(self._handle.raw)
        return count
