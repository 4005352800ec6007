"""The pool of free frames: none handed out twice, none lost, whatever the order of operations."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import ffi, lib

FRAMES = 700  # More than two caches and a burst, not a multiple of any of them.


def new_umem(frames: int = FRAMES, size: int = 2048) -> Any:
    out = ffi.new("struct umem **")
    assert lib.umem_create(frames, size, -1, out) == 0
    return out[0]


@pytest.fixture
def umem() -> Iterator[Any]:
    made = new_umem()
    yield made
    lib.umem_destroy(made)


def pooled(umem: Any) -> list[int]:
    """Every frame number that the stock and the PMD's cache hold."""
    cache = umem.pmd_cache
    return [umem.stock[i] for i in range(umem.n_stock)] + [cache.frames[i] for i in range(cache.count)]


operations = st.lists(
    st.one_of(
        st.just(("get",)),
        st.tuples(st.just("get_many"), st.integers(0, FRAMES + 5)),
        st.tuples(st.just("put"), st.integers(1, 400)),
        st.just(("flush",)),
        st.tuples(st.just("take"), st.integers(0, 300)),
        st.tuples(st.just("give"), st.integers(1, 300)),
    ),
    max_size=60,
)


@given(operations)
def test_no_frame_is_handed_out_twice_and_none_is_lost(steps: list[Any]) -> None:
    umem = new_umem()
    cache = umem.pmd_cache
    room = ffi.new("uint32_t[]", FRAMES + 5)
    out: list[int] = []
    for step in steps:
        match step:
            case ("get",):
                if lib.umem_cache_get(cache, room):
                    out.append(room[0])
                else:
                    assert len(out) == FRAMES
            case ("get_many", n):
                got = lib.umem_cache_get_many(cache, room, n)
                assert got == min(n, FRAMES - len(out))
                out += [room[i] for i in range(got)]
            case ("put", n):
                for _ in range(min(n, len(out))):
                    lib.umem_cache_put(cache, out.pop())
            case ("flush",):
                lib.umem_cache_flush(cache)
                assert cache.count == 0
            case ("take", n):
                out += [room[i] for i in range(lib.umem_stock_take(umem, room, n))]
            case ("give", n):
                back, out = out[:n], out[n:]
                lib.umem_stock_give(umem, back, len(back))
        assert sorted(pooled(umem) + out) == list(range(FRAMES))
        assert lib.umem_free_frames(umem) == FRAMES - len(out)
        assert cache.count <= lib.UMEM_CACHE_SIZE
    lib.umem_destroy(umem)


@given(st.lists(st.tuples(st.integers(0, FRAMES - 1), st.integers(1, 4), st.booleans()), max_size=80))
def test_reclaim_takes_exactly_the_frames_of_one_socket(held: list[tuple[int, int, bool]]) -> None:
    umem = new_umem()
    room = ffi.new("uint32_t[]", FRAMES)
    assert lib.umem_cache_get_many(umem.pmd_cache, room, FRAMES) == FRAMES
    owner = {frame: (tag, tx) for frame, tag, tx in held}
    for frame, (tag, tx) in owner.items():
        umem.owner[frame] = tag | (lib.UMEM_OWNER_TX if tx else 0)
    for tag in (1, 2, 3, 4):
        mine = {frame for frame, (t, _) in owner.items() if t == tag}
        before = set(pooled(umem))
        assert lib.umem_reclaim(umem, tag) == len(mine)
        assert set(pooled(umem)) - before == mine
        assert lib.umem_reclaim(umem, tag) == 0
    assert not any(umem.owner[i] for i in range(FRAMES))
    lib.umem_destroy(umem)


@pytest.mark.parametrize(("frames", "size"), [(0, 2048), (8, 0), (8, 1024), (8, 3000), (8, 8192)])
def test_a_umem_that_the_kernel_would_refuse_is_refused_first(frames: int, size: int) -> None:
    out = ffi.new("struct umem **")
    assert lib.umem_create(frames, size, -1, out) == -errno.EINVAL
    assert out[0] == ffi.NULL


def test_a_numa_node_that_does_not_exist_is_a_hint_only() -> None:
    out = ffi.new("struct umem **")
    for node in (0, 63, 4000):
        assert lib.umem_create(64, 4096, node, out) == 0
        lib.umem_destroy(out[0])


def test_the_whole_region_can_be_written(umem: Any) -> None:
    view = ffi.buffer(umem.base, FRAMES * 2048)
    view[:] = b"\xa5" * len(view)
    assert view[len(view) - 1] == b"\xa5"


def test_packets_come_from_the_pool_and_go_back(umem: Any) -> None:
    packets = []
    while packet := lib.dp_packet_alloc(umem, umem.pmd_cache):
        assert packet.len == 0 and packet.umem == umem
        assert packet.data == umem.base + packet.frame * 2048 + 256
        packets.append(packet)
    assert len({p.frame for p in packets}) == len(packets) == FRAMES
    for packet in packets:
        lib.dp_packet_free(packet)
    assert sorted(pooled(umem)) == list(range(FRAMES))


@given(st.binary(max_size=1792), st.integers(0, 2**16 - 1), st.integers(0, 255), st.booleans())
def test_a_clone_is_equal_and_apart(data: bytes, offset: int, proto: int, other: bool) -> None:
    here = new_umem(4)
    there = new_umem(4) if other else here
    packet = lib.io_packet(here, data, len(data))
    packet.l3_ofs, packet.l4_ofs, packet.l4_proto, packet.in_port = offset, offset, proto, 7
    packet.flags = lib.PKT_CSUM_MAYBE_PARTIAL
    clone = lib.dp_packet_clone(packet, there, there.pmd_cache)
    assert clone.umem == there and clone.data != packet.data
    for field in ("len", "l3_ofs", "l4_ofs", "l4_proto", "in_port", "flags"):
        assert getattr(clone, field) == getattr(packet, field)
    if data:
        packet.data[0] ^= 0xFF
    assert ffi.buffer(clone.data, clone.len)[:] == data
    lib.dp_packet_free(clone)
    lib.dp_packet_free(packet)
    assert lib.umem_free_frames(here) == lib.umem_free_frames(there) == 4
    lib.umem_destroy(here)
    if other:
        lib.umem_destroy(there)


def test_a_clone_that_does_not_fit_or_finds_no_frame_is_none() -> None:
    large, small = new_umem(4, 4096), new_umem(1, 2048)
    packet = lib.io_packet(large, bytes(3000), 3000)
    assert lib.dp_packet_clone(packet, small, small.pmd_cache) == ffi.NULL
    assert lib.umem_free_frames(small) == 1
    packet.len = 1000
    only = lib.dp_packet_clone(packet, small, small.pmd_cache)
    assert lib.dp_packet_clone(packet, small, small.pmd_cache) == ffi.NULL
    for p in (only, packet):
        lib.dp_packet_free(p)
    lib.umem_destroy(large)
    lib.umem_destroy(small)


def test_every_drop_reason_has_a_name_and_a_meaning_of_its_own() -> None:
    names = [ffi.string(lib.drop_reason_name(i)).decode() for i in range(lib.DROP_N_REASONS)]
    meanings = [ffi.string(lib.drop_reason_meaning(i)).decode() for i in range(lib.DROP_N_REASONS)]
    assert len(set(names)) == len(set(meanings)) == lib.DROP_N_REASONS
    assert ffi.string(lib.drop_reason_name(lib.DROP_N_REASONS)) == b"unknown"
