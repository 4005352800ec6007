"""Lists of datapath actions: how they grow, and what odp_check() refuses."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.execute import BadList, check, parse
from tests.c.support.native import ffi, lib

OUTPUT, DROP, SET, PUSH_VLAN, POP_VLAN, PUSH_MPLS, POP_MPLS = range(7)
HASH, RECIRC, CLONE, SAMPLE, CHECK_PKT_LEN = 12, 13, 14, 15, 16
TRUNC, CT, PUSH_NSH = 11, 19, 9
LIST_MAX = 65536


def action(kind: int, arg: int = 0, payload: bytes = b"", size: int | None = None) -> bytes:
    payload = payload + bytes(-len(payload) % 8)
    return struct.pack("=HHI", kind, 8 + len(payload) if size is None else size, arg) + payload


def grown(cap: int, n: int) -> tuple[int, bool]:
    moved = ffi.new("bool *")
    return lib.exe_list_grow(cap, n, moved), moved[0]


def test_a_list_stays_in_its_buffer_while_it_fits() -> None:
    assert grown(80, 10) == (80, False)


def test_a_list_moves_to_the_heap_when_it_grows_out_of_its_buffer() -> None:
    assert grown(80, 11) == (88, True)
    assert grown(0, 1) == (8, True)


def test_a_list_over_its_limit_says_so_and_keeps_what_was_there() -> None:
    assert grown(64, LIST_MAX // 8) == (LIST_MAX, True)
    assert grown(64, LIST_MAX // 8 + 1) == (-1 - LIST_MAX, True)


def test_an_action_longer_than_its_length_field_overflows() -> None:
    assert len(parse(f"clone({','.join(['1'] * 8190)})")) == 65528
    with pytest.raises(BadList, match="too long"):
        parse(f"clone({','.join(['1'] * 8191)})")


@pytest.mark.parametrize(
    ("bytes_", "why"),
    [
        (b"\0" * 4, "action length"),
        (action(POP_VLAN, size=16), "action length"),
        (action(POP_VLAN, size=0), "action length"),
        (action(POP_VLAN, size=4), "action length"),
        (action(POP_VLAN, payload=bytes(8), size=12) + bytes(4), "action length"),
        (action(99), "unknown action type"),
        (action(POP_VLAN, payload=bytes(8)), "payload of another length"),
        (action(OUTPUT, 0), "port id out of range"),
        (action(OUTPUT, 1024), "port id out of range"),
        (action(DROP, 255), "unknown drop reason"),
        (action(DROP, 3) + action(OUTPUT, 1), "actions behind drop"),
        (action(SET, 99, bytes(8)), "set of an unknown key"),
        (action(SET, 0, bytes(16)), "set: length of key and mask"),
        (action(SET, 1, bytes(4) + b"\1" + bytes(3)), "set: padding is not zero"),
        (action(SET, 3, bytes(20) + b"\xff" + bytes(3)), "set(ipv4): proto and frag are fixed"),
        (action(SET, 4, bytes(40 + 32) + b"\xff" + bytes(7)), "set(ipv6): a label has 20 bits"),
        (action(SET, 13, bytes(24 + 2) + b"\xff" + bytes(21)), "set(nsh): mdtype and np are fixed"),
        (action(SET, 14, bytes(672)), "set(tunnel) sets the whole of it"),
        (action(PUSH_VLAN, 0x12340005), "TPID is neither 0x8100 nor 0x88a8"),
        (action(PUSH_VLAN, 0x81001005), "CFI bit in push_vlan"),
        (action(PUSH_MPLS, 0, bytes(8)), "push_mpls with a foreign EtherType"),
        (action(POP_MPLS, 0x10000), "EtherType over 16 bits"),
        (action(PUSH_NSH, 0, bytes(24)), "NSH metadata type is neither 1 nor 2"),
        (action(PUSH_NSH, 4, b"\0\0\1\0" + bytes(28)), "NSH type 1 with variable metadata"),
        (action(PUSH_NSH, 3, b"\0\0\2\0" + bytes(28)), "push_nsh metadata length"),
        (action(HASH, 0, b"\7" + bytes(7)), "unknown hash algorithm"),
        (action(RECIRC, 0), "recirculation id 0"),
        (action(TRUNC, 13), "trunc shorter than an Ethernet header"),
        (action(CHECK_PKT_LEN, 9, struct.pack("=II", 16, 0) + action(OUTPUT, 1)), "check_pkt_len: lengths"),
        (action(CHECK_PKT_LEN, 9, struct.pack("=II", 4, 4) + action(OUTPUT, 1)), "action length"),
        (action(CLONE, 0, action(OUTPUT, 0)), "port id out of range"),
        (action(CT, 0, bytes(84) + b"helper......"), "ct: helper's name has no end"),
        (action(CT, 0, b"\xff\xff" + bytes(94)), "ct: unknown flags"),
    ],
)
def test_a_malformed_list_is_refused_with_the_reason(bytes_: bytes, why: str) -> None:
    found = check(bytes_)
    assert found is not None and found.startswith(why)


def test_nesting_has_a_limit() -> None:
    nested = action(OUTPUT, 1)
    for _ in range(15):
        nested = action(CLONE, 0, nested)
    assert check(nested) is None
    assert check(action(CLONE, 0, nested)) == "lists nested too deep"


def test_lists_that_follow_each_other_are_not_nested() -> None:
    assert check(action(CLONE, 0, action(OUTPUT, 1)) * 40) is None


def test_a_list_over_the_limit_is_refused() -> None:
    assert check(action(OUTPUT, 1) * (LIST_MAX // 8)) is None
    assert check(action(OUTPUT, 1) * (LIST_MAX // 8 + 1)) == "list is longer than 65536 bytes"


@given(st.binary(max_size=200))
def test_noise_is_refused_or_a_list(noise: bytes) -> None:
    check(noise)


@given(st.lists(st.tuples(st.integers(0, 24), st.integers(0, 40), st.binary(max_size=40)), max_size=5))
def test_near_lists_are_refused_or_lists(parts: list[tuple[int, int, bytes]]) -> None:
    check(b"".join(action(*part) for part in parts))
