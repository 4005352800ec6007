"""What the lookup tests share: flows as dictionaries of words, a lookup without a PMD, its slow twin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.c.support.native import ffi, lib

WORDS = 83  # Of struct flow.
FULL = 2**64 - 1

# A flow or mask: word number -> value that is not zero.
Flow = dict[int, int]


def raw(flow: Flow) -> list[int]:
    """The 83 words of a flow."""
    return [flow.get(word, 0) for word in range(WORDS)]


def masked(flow: Flow, mask: Flow) -> Flow:
    """What is left of a flow under a mask; a word of the mask stays, even if it is zero then."""
    return {word: flow.get(word, 0) & bits for word, bits in mask.items()}


@dataclass(frozen=True)
class Entry:
    """A megaflow as the twin knows it."""

    owner: int
    mask: Flow
    key: Flow

    def covers(self, flow: Flow) -> bool:
        return masked(flow, self.mask) == self.key


@dataclass
class Look:
    """A struct look, and beside it the list of what is in it. Context manager.

    The twin is the list: a flow is found if any entry covers it, and nothing else is.
    """

    emc: bool = True
    smc: bool = False
    every: int = 1
    weak: bool = False
    c: Any = field(init=False)
    live: dict[int, Entry] = field(default_factory=dict)
    made: int = 0

    def __enter__(self) -> Self:
        self.c = lib.look_new(self.emc, self.smc, self.every, self.weak)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        lib.look_free(self.c)

    @property
    def table(self) -> Any:
        return lib.look_table(self.c)

    def install(self, flow: Flow, mask: Flow, port: int = 1, now_ms: int = 0) -> Any:
        """Adds a megaflow; its owner is the next number. None at the limit."""
        m = lib.look_install(self.c, raw(flow), raw(mask), self.made + 1, port, now_ms)
        if m == ffi.NULL:
            return None
        self.made += 1
        self.live[self.made] = Entry(self.made, mask, masked(flow, mask))
        return m

    def kill(self, owner: int) -> None:
        lib.megaflow_kill(lib.look_megaflow(self.table, owner))
        del self.live[owner]

    def find(self, flows: Sequence[Flow], maps: Iterable[tuple[int, int]] = (), hash_: int = 0) -> list[int]:
        """Owners of what the flows of a batch find, 0 for a miss."""
        words = [word for flow in flows for word in raw(flow)]
        shown = [part for both in maps for part in both]
        owners = ffi.new("uint32_t[32]")
        lib.look_find(self.c, len(flows), words, shown or ffi.NULL, hash_, owners)
        return [int(owners[i]) for i in range(len(flows))]

    def agrees(self, flow: Flow, owner: int) -> bool:
        """Whether the twin finds the same: any of those that cover the flow, or none if none does."""
        covering = {entry.owner for entry in self.live.values() if entry.covers(flow)}
        return owner in covering if covering else owner == 0

    def walk(self, slice_: int = 1000) -> list[int]:
        """Owners of the live megaflows in the table."""
        owners = ffi.new("uint32_t[4096]")
        n = lib.look_walk(self.table, slice_, owners, 4096)
        return [int(owners[i]) for i in range(n)]

    def chores(self, now_ms: int = 0, some: int = 2**32 - 1) -> None:
        lib.look_chores(self.c, now_ms, some)

    def released(self) -> int:
        """Frees what may be freed; how many owners have been released (once each, or it stops here)."""
        lib.box_reap()
        return int(lib.look_owners_released(self.c))
