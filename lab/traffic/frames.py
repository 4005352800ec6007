"""The packets that a benchmark sends, built byte by byte.

xdp/progs/gen_redirect.bpf.c writes the same headers in the kernel. This is its independent twin: what arrives
behind a datapath is compared with what is built here, byte for byte.

A "64-byte packet" is counted as on a wire: 60 bytes in memory and 4 of frame check sequence, which veth has
not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

FCS = 4
SMALLEST = 64
ETH_IPV4 = 0x0800
ETH_EXPERIMENTAL = 0x88B5  # IEEE 802, local experiments: nothing on any host answers to it
_HEADERS = 42
_FLOWS_PER_ADDRESS = 1 << 14
_FIRST_PORT = 49152
_FILLING = b"ringside"


@dataclass(frozen=True)
class PacketSpec:
    """What is sent. `size` is in bytes on the wire, check sequence included."""

    source_mac: bytes
    target_mac: bytes
    size: int = SMALLEST
    flows: int = 1
    source_ip: bytes = bytes((198, 18, 0, 1))  # RFC 2544's own network
    target_ip: bytes = bytes((198, 19, 0, 1))
    target_port: int = 9  # discard

    def __post_init__(self) -> None:
        if not SMALLEST <= self.size <= 1518:
            raise ValueError(f"size: {self.size} is not within {SMALLEST} to 1518 bytes")
        if not 1 <= self.flows <= _FLOWS_PER_ADDRESS:
            raise ValueError(f"flows: {self.flows} is not within 1 to {_FLOWS_PER_ADDRESS}")

    def frame(self, flow: int = 0) -> bytes:
        """The frame of flow number `flow`, from 0; its source port is 49152 + flow."""
        length = self.size - FCS
        payload = (_FILLING * (length // len(_FILLING) + 1))[: length - _HEADERS]
        udp = struct.pack("!HHHH", _FIRST_PORT + flow, self.target_port, 8 + len(payload), 0)
        return b"".join(
            (
                self.target_mac,
                self.source_mac,
                ETH_IPV4.to_bytes(2, "big"),
                self._ipv4(20 + len(udp) + len(payload)),
                udp,
                payload,
            )
        )

    def _ipv4(self, length: int) -> bytes:
        fields = (0x45, 0, length, 0, 0, 64, 17)
        addresses = self.source_ip + self.target_ip
        bare = struct.pack("!BBHHHBBH", *fields, 0) + addresses
        return struct.pack("!BBHHHBBH", *fields, checksum(bare)) + addresses


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - ((total & 0xFFFF) + (total >> 16))


def announcement(source_mac: bytes, target_mac: bytes) -> bytes:
    """A frame that says nothing but where `source_mac` lives, for a switch that learns addresses."""
    return (target_mac + source_mac + ETH_EXPERIMENTAL.to_bytes(2, "big")).ljust(SMALLEST - FCS, b"\0")


def mac_text(mac: bytes) -> str:
    """`02:00:00:00:00:0a`."""
    return mac.hex(":")
