"""The checksums of the Internet, computed the slow way."""

from __future__ import annotations


def ones_sum(data: bytes) -> int:
    """One's complement sum; 0 only for zeros."""
    data = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def crc32c(data: bytes) -> int:
    """Bit by bit, as RFC 9260 describes it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
