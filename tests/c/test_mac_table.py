"""MAC learning against an ordered dictionary."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import ffi, lib

AGEING = 1000
CAP = 8
Address = tuple[bytes, int]  # MAC and VLAN


@dataclass
class Twin:
    """Addresses in order of last sight; the oldest goes when there is no room."""

    entries: OrderedDict[Address, tuple[int, int]] = field(default_factory=OrderedDict)

    def learn(self, address: Address, port: int, now: int) -> bool:
        before = self.lookup(address, now)
        if address[0][0] & 1:
            return False
        if address not in self.entries and len(self.entries) == CAP:
            self.entries.popitem(last=False)
        self.entries[address] = (port, now)
        self.entries.move_to_end(address)
        return before != port

    def lookup(self, address: Address, now: int) -> int:
        port, seen = self.entries.get(address, (0, now))
        return port if now - seen < AGEING else 0

    def expire(self, now: int) -> int:
        old = [a for a, (_, seen) in self.entries.items() if now - seen >= AGEING]
        for address in old:
            del self.entries[address]
        return len(old)

    def flush(self, port: int) -> int:
        gone = [a for a, (p, _) in self.entries.items() if port in (0, p)]
        for address in gone:
            del self.entries[address]
        return len(gone)


mac = st.one_of(st.integers(0, 11).map(lambda n: bytes([2, 0, 0, 0, 0, n])), st.just(b"\xff" * 6))
address = st.tuples(mac, st.sampled_from([0, 10]))
step = st.one_of(
    st.tuples(st.just("learn"), address, st.integers(1, 4)),
    st.tuples(st.just("lookup"), address, st.just(0)),
    st.tuples(st.just("wait"), address, st.sampled_from([1, 400, 999, 1000])),
    st.tuples(st.just("expire"), address, st.just(0)),
    st.tuples(st.just("flush"), address, st.integers(0, 4)),
)


@given(st.lists(step, max_size=120))
def test_the_table_is_the_twin(steps: list[tuple[str, Address, int]]) -> None:
    table = ffi.gc(lib.mac_test_new(CAP, AGEING), lib.mac_test_free)
    twin, now = Twin(), 10_000
    for what, (address_, vlan), number in steps:
        if what == "wait":
            now += number
        elif what == "learn":
            assert lib.mac_learn(table, address_, vlan, number, now) == twin.learn(
                (address_, vlan), number, now
            )
        elif what == "lookup":
            assert lib.mac_lookup(table, address_, vlan, now) == twin.lookup((address_, vlan), now)
        elif what == "expire":
            assert lib.mac_expire(table, now) == twin.expire(now)
        else:
            assert lib.mac_flush(table, number) == twin.flush(number)
        assert table.n == len(twin.entries)


def test_a_table_of_no_entries_is_refused() -> None:
    assert lib.mac_test_new(0, AGEING) == ffi.NULL
