"""The rings against a model: Python plays the kernel on the other side of the same memory."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import ffi, lib

SIZES = st.sampled_from([2, 4, 64])
STARTS = st.sampled_from([0, 1, 2**32 - 1, 2**32 - 3, 2**31 - 1])  # Indices run over 32 bits and wrap.
U32 = 2**32

moves = st.lists(st.tuples(st.sampled_from(["ours", "kernel", "look"]), st.integers(0, 70)), max_size=120)


def new_ring(size: int, start: int) -> Any:
    return ffi.gc(lib.io_ring_new(size, start), lib.io_ring_free)


@given(SIZES, STARTS, moves, st.booleans())
def test_what_we_produce_the_kernel_reads_in_order(size: int, start: int, steps: Any, is_tx: bool) -> None:
    ring = new_ring(size, start)
    in_flight: deque[int] = deque()
    value = 0
    for who, n in steps:
        if who == "ours":
            room = lib.io_prod_free(ring, n)
            # It may know of less room than there is, but only if that is enough for what was wanted.
            assert room == size - len(in_flight) or n <= room <= size - len(in_flight)
            n = min(n, room)
            for i in range(n):
                value += 1
                if is_tx:
                    lib.io_tx_set(ring, i, value, value & 0xFFFF)
                else:
                    lib.io_fill_set(ring, i, value)
                in_flight.append(value)
            lib.io_prod_submit(ring, n)
            assert (ring.producer - ring.consumer) % U32 == len(in_flight)
        elif who == "kernel":
            for _ in range(min(n, len(in_flight))):
                at = ring.consumer % size
                expected = in_flight.popleft()
                assert ring.entries[2 * at if is_tx else at] == expected
                if is_tx:
                    assert ring.entries[2 * at + 1] == expected & 0xFFFF
                ring.consumer = (ring.consumer + 1) % U32
        else:
            assert lib.io_prod_pending(ring) == len(in_flight)


@given(SIZES, STARTS, moves, st.booleans())
def test_what_the_kernel_produces_we_read_once(size: int, start: int, steps: Any, is_rx: bool) -> None:
    ring = new_ring(size, start)
    waiting: deque[int] = deque()
    value = 0
    for who, n in steps:
        if who == "kernel":
            for _ in range(min(n, size - len(waiting))):
                value += 1
                at = ring.producer % size
                if is_rx:
                    ring.entries[2 * at], ring.entries[2 * at + 1] = value, value & 0xFFFF
                else:
                    ring.entries[at] = value
                waiting.append(value)
                ring.producer = (ring.producer + 1) % U32
            continue
        seen = lib.io_cons_peek(ring, n)
        assert seen == min(n, len(waiting))
        for i in range(seen):
            if is_rx:
                assert (lib.io_rx_addr(ring, i), lib.io_rx_len(ring, i)) == (waiting[i], waiting[i] & 0xFFFF)
            else:
                assert lib.io_comp_get(ring, i) == waiting[i]
        if who == "ours":
            lib.io_cons_release(ring, seen)
            for _ in range(seen):
                waiting.popleft()
            assert (ring.producer - ring.consumer) % U32 == len(waiting)


@pytest.mark.parametrize(("flags", "needs"), [(0, False), (1, True), (2, False), (3, True)])
def test_only_the_kernels_flag_asks_for_a_wakeup(flags: int, needs: bool) -> None:
    ring = new_ring(4, 0)
    ring.flags = flags
    assert lib.io_needs_wakeup(ring) is needs


def test_a_kernel_without_the_flag_is_always_woken_up() -> None:
    ring = new_ring(4, 0)
    lib.io_forget_flags(ring)
    assert lib.io_needs_wakeup(ring)
