"""The flow table and the MAC table of a switch."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from switch.binding.errors import check, new_error, text
from switch.binding.ffi import ffi, lib
from switch.binding.handle import Handle

RULE_TEXT_MAX = 16384  # Bytes; a rule with every field and 512 outputs is shorter.


@dataclass(frozen=True)
class RuleStats:
    """A rule in ovs-ofctl syntax (no statistics in the text), with what it has matched and its age in
    seconds.
    """

    text: str
    priority: int
    packets: int
    bytes: int
    age_s: float


@dataclass(frozen=True)
class FdbEntry:
    """A learned address. vlan 0 = untagged; age in milliseconds since it was last seen."""

    ofport: int
    vlan: int
    mac: str
    age_ms: int


class FlowTable:
    """The rules of a switch."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def add(self, rule: str) -> None:
        """Adds a rule in ovs-ofctl syntax; one with the same priority and match is replaced. SwitchError
        names the field.
        """
        err = new_error()
        check(lib.rs_flow_add(self._handle.raw, rule.encode(), err), err, "flow")

    def delete(self, match: str = "", strict: bool = False) -> int:
        """Deletes rules as ovs-ofctl del-flows does and returns how many.

        Without `strict`: every rule at least as specific as `match` (empty = all). With it: exactly that
        match
        and priority.
        """
        err = new_error()
        return check(lib.rs_flow_del(self._handle.raw, match.encode(), strict, err), err, "flow")

    def replace(self, rules: Sequence[str]) -> None:
        """Replaces the whole table at once, or changes nothing and raises SwitchError (field
        "flows[3].nw_src").
        """
        encoded = [ffi.new("char[]", rule.encode()) for rule in rules]
        texts, err = ffi.new("char *[]", encoded), new_error()
        check(lib.rs_flow_replace(self._handle.raw, texts, len(encoded), err), err, "flows")

    def __len__(self) -> int:
        return int(lib.rs_flow_count(self._handle.raw))

    def __iter__(self) -> Iterator[RuleStats]:
        """Rules in order of falling priority."""
        buffer, raw = ffi.new("char[]", RULE_TEXT_MAX), ffi.new("struct rs_flow_stats *")
        i = 0
        while (code := lib.rs_flow_get(self._handle.raw, i, buffer, RULE_TEXT_MAX, raw)) != -errno.ENOENT:
            check(code, field=f"flows[{i}]")
            yield RuleStats(text(buffer), raw.priority, raw.packets, raw.bytes, raw.age_s)
            i += 1


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
        return int(lib.rs_fdb_flush(self._handle.raw))
