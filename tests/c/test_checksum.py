"""Checksums against a slow twin, and the completion of those that a veth peer left unfinished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.c.support.native import ffi, lib

TCP, UDP = 6, 17
FIELD = {TCP: 16, UDP: 6}
HEADER = {TCP: 20, UDP: 8}


def slow_sum(data: bytes) -> int:
    """RFC 1071 as it is written: 16-bit words, end-around carry."""
    if len(data) % 2:
        data += b"\0"
    total = 0
    for i in range(0, len(data), 2):
        total += data[i] << 8 | data[i + 1]
        total = (total & 0xFFFF) + (total >> 16)
    return total


def wire(value: int) -> int:
    """A number in network order, as C's be16 sees it."""
    return int.from_bytes(value.to_bytes(2, "big"), "little" if little() else "big")


def little() -> bool:
    return bytes(ffi.buffer(ffi.new("uint16_t *", 1)))[0] == 1


@given(st.binary(max_size=3000), st.integers(0, 9))
def test_the_fast_sum_is_the_slow_one_at_any_alignment(data: bytes, shift: int) -> None:
    memory = ffi.new("uint8_t[]", bytes(shift) + data)
    assert lib.csum_fold(lib.csum_partial(memory + shift, len(data), 0)) == wire(slow_sum(data) ^ 0xFFFF)


@given(st.lists(st.binary(max_size=200).map(lambda b: b[: len(b) & ~1]), max_size=5), st.binary(max_size=99))
def test_sums_add_up_over_even_pieces(pieces: list[bytes], last: bytes) -> None:
    total = 0
    for piece in [*pieces, last]:
        total = lib.csum_partial(piece, len(piece), total)
    assert lib.csum_fold(total) == wire(slow_sum(b"".join(pieces) + last) ^ 0xFFFF)


@pytest.mark.parametrize("total", [0, 1, 0xFFFF, 0x10000, 2**32 - 1, 2**64 - 1, 0xFFFFFFFF00000001])
def test_folding_is_arithmetic_modulo_65535(total: int) -> None:
    folded = lib.csum_fold(total) ^ 0xFFFF
    assert folded % 0xFFFF == total % 0xFFFF
    assert (folded == 0) == (total == 0)


@dataclass(frozen=True)
class L4:
    """A frame, its offsets, and the checksum that its L4 header should carry."""

    frame: bytearray
    l3: int
    l4: int
    proto: int
    right: int
    unfinished: int

    def put(self, value: int) -> bytearray:
        frame = bytearray(self.frame)
        at = self.l4 + FIELD[self.proto]
        frame[at : at + 2] = value.to_bytes(2, "big")
        return frame


def build(version: int, proto: int, payload: bytes, src: bytes, dst: bytes, extra: bytes, pad: int) -> L4:
    """`extra`: IPv4 options or IPv6 extension headers (destination options), a multiple of 8 bytes."""
    segment = bytearray(HEADER[proto]) + payload
    segment[0:4] = b"\x30\x39\x00\x50"
    if proto == UDP:
        segment[4:6] = len(segment).to_bytes(2, "big")
    if version == 4:
        src, dst = src[:4], dst[:4]
        ip = bytearray([0x45 + len(extra) // 4, 0]) + (20 + len(extra) + len(segment)).to_bytes(2, "big")
        ip += bytes([0, 0, 0x40, 0, 64, proto, 0, 0]) + src + dst + extra
        ethertype = b"\x08\x00"
    else:
        first = 60 if extra else proto
        ip = bytearray(b"\x60\0\0\0") + (len(extra) + len(segment)).to_bytes(2, "big") + bytes([first, 64])
        ip += src + dst + extra
        ethertype = b"\x86\xdd"
    pseudo = src + dst + len(segment).to_bytes(4, "big") + bytes([0, 0, 0, proto])
    right = slow_sum(pseudo + segment) ^ 0xFFFF
    if proto == UDP and right == 0:
        right = 0xFFFF
    frame = bytearray(12) + ethertype + ip + segment + bytes(range(pad))
    return L4(frame, 14, 14 + len(ip), proto, right, slow_sum(pseudo))


def extension(proto: int, words: int) -> bytes:
    """One IPv6 destination options header of (words + 1) * 8 bytes."""
    return bytes([proto, words]) + b"\x01" + bytes([6 + 8 * words - 2]) + bytes(4 + 8 * words)


@st.composite
def segments(draw: Callable[..., Any]) -> L4:
    version, proto = draw(st.sampled_from([4, 6])), draw(st.sampled_from([TCP, UDP]))
    words = draw(st.integers(0, 3))
    extra = b"" if words == 0 else (b"\x01" * 8 * words if version == 4 else extension(proto, words - 1))
    payload = draw(st.binary(max_size=1460))
    addresses = draw(st.binary(min_size=32, max_size=32))
    return build(version, proto, payload, addresses[:16], addresses[16:], extra, draw(st.integers(0, 40)))


def run(frame: bytes | bytearray, l3: int, l4: int, proto: int) -> tuple[bool, bytes]:
    """csum_complete_partial(): did it do something, and the frame afterwards."""
    memory = ffi.new("uint8_t[]", len(frame))
    ffi.buffer(memory)[:] = bytes(frame)
    done = lib.io_csum_complete(memory, len(frame), l3, l4, proto)
    return bool(done), ffi.buffer(memory)[:]


def complete(case: L4, frame: bytes | bytearray) -> tuple[bool, bytes]:
    return run(frame, case.l3, case.l4, case.proto)


@given(segments())
def test_an_unfinished_checksum_is_completed(case: L4) -> None:
    done, after = complete(case, case.put(case.unfinished))
    assert done
    assert after == bytes(case.put(case.right))


@given(segments(), st.integers(0, 0xFFFF))
def test_any_other_checksum_is_left_alone(case: L4, value: int) -> None:
    assume(value != case.unfinished)
    frame = bytes(case.put(value))
    assert complete(case, frame) == (False, frame)


@given(segments())
def test_a_finished_checksum_stays_what_it_is(case: L4) -> None:
    frame = bytes(case.put(case.right))
    assert complete(case, frame)[1] == frame


def test_a_finished_checksum_that_looks_unfinished_is_computed_to_itself() -> None:
    """The segment is chosen so that the finished checksum equals the pseudo header's sum."""
    plain = build(4, TCP, bytes(2), b"\x0a\0\0\1", b"\x0a\0\0\2", b"", 0)
    rest = slow_sum(bytes(plain.put(0)[plain.l4 :]))
    # checksum = ~(pseudo + rest + payload) shall be pseudo: payload = ~(2 * pseudo + rest)
    twice = plain.unfinished * 2 + rest
    wanted = (twice % 0xFFFF) ^ 0xFFFF
    case = build(4, TCP, wanted.to_bytes(2, "big"), b"\x0a\0\0\1", b"\x0a\0\0\2", b"", 0)
    assert case.right == case.unfinished
    frame = bytes(case.put(case.right))
    assert complete(case, frame) == (True, frame)


def test_udp_never_carries_a_computed_zero() -> None:
    plain = build(4, UDP, bytes(2), b"\x0a\0\0\1", b"\x0a\0\0\2", b"", 0)
    pseudo_and_rest = plain.unfinished + slow_sum(bytes(plain.put(0)[plain.l4 :]))
    payload = (0xFFFF - pseudo_and_rest % 0xFFFF).to_bytes(2, "big")
    case = build(4, UDP, payload, b"\x0a\0\0\1", b"\x0a\0\0\2", b"", 0)
    assert case.right == 0xFFFF
    assert complete(case, case.put(case.unfinished)) == (True, bytes(case.put(0xFFFF)))


@pytest.mark.parametrize("fragment", [0x2000, 0x0001, 0x3FFF])
def test_an_ipv4_fragment_is_left_alone(fragment: int) -> None:
    case = build(4, UDP, bytes(64), bytes(4), bytes(4), b"", 0)
    frame = case.put(case.unfinished)
    frame[20:22] = fragment.to_bytes(2, "big")
    assert complete(case, frame) == (False, bytes(frame))


@pytest.mark.parametrize(("fragment", "done"), [(0x0001, False), (0x0008, False), (0x0000, True)])
def test_an_ipv6_fragment_is_left_alone_but_an_atomic_one_is_whole(fragment: int, done: bool) -> None:
    header = bytes([UDP, 0]) + fragment.to_bytes(2, "big") + bytes(4)
    case = build(6, UDP, bytes(64), bytes(16), bytes(15) + b"\1", header, 0)
    frame = case.put(case.unfinished)
    frame[20] = 44
    assert complete(case, frame)[0] is done


@given(segments(), st.data())
def test_a_truncated_packet_is_left_alone(case: L4, data: Any) -> None:
    """Never read past the end: with the sanitizers, reading on is an error too."""
    ip = case.frame[case.l3 : case.l4]
    total = int.from_bytes(ip[2:4], "big") if ip[0] >> 4 == 4 else 40 + int.from_bytes(ip[4:6], "big")
    cut = data.draw(st.integers(case.l4, case.l3 + total - 1))
    frame = bytes(case.put(case.unfinished)[:cut])
    assert complete(case, frame) == (False, frame)


@given(
    st.binary(max_size=120), st.integers(0, 140), st.integers(0, 140), st.sampled_from([TCP, UDP, 1, 0, 58])
)
def test_random_bytes_with_random_offsets_do_no_harm(frame: bytes, l3: int, l4: int, proto: int) -> None:
    done, after = run(frame, l3, l4, proto)
    assert len(after) == len(frame)
    if not done:
        assert after == frame


def test_without_offsets_nothing_happens() -> None:
    case = build(4, TCP, b"x", bytes(4), bytes(4), b"", 0)
    frame = bytes(case.put(case.unfinished))
    none = int(lib.RS_OFS_NONE)
    assert run(frame, none, none, TCP) == (False, frame)
    assert run(frame, 14, none, TCP) == (False, frame)
    assert run(frame, 14, 34, 1) == (False, frame)
