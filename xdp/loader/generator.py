"""Sets up gen_redirect.bpf.c: which device to send from, which frame, over how many flows.

with object.open(paths.bpf_object_path("gen_redirect")) as obj:
    obj.load()
    generator.configure(obj, ifindex, frame, flows=1000)
    run.test_run_live(obj.program(generator.PROGRAM).fd, frame, repeat=10_000_000, batch=64)
    offered = counters.read_count(obj.map(generator.COUNT))
"""

from __future__ import annotations

import ipaddress
import struct
import sys

from xdp.loader.object import BpfObject

PROGRAM = "rs_generate"
COUNT = "rs_gen_count"

HEADERS = 42
"""Bytes of Ethernet, IPv4 without options and UDP: the part that is written into every frame."""

PORT_BASE = 49152
PORTS = 1 << 14
MOST_FLOWS = 1 << 24

_ETHERTYPE_IPV4 = b"\x08\x00"
_PROTOCOL_UDP = 17


def ipv4_checksum(header: bytes) -> int:
    """The Internet checksum of `header`, whose own checksum field must be zero."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def flow_address(frame: bytes, flow: int) -> tuple[ipaddress.IPv4Address, int]:
    """Source address and UDP port of flow number `flow` (from 0) when `frame` is what is sent."""
    base = ipaddress.IPv4Address(frame[26:30])
    return base + flow // PORTS, PORT_BASE + flow % PORTS


def _check(frame: bytes, flows: int) -> None:
    if not 0 <= flows <= MOST_FLOWS:
        raise ValueError(f"flows: {flows} is not within 0 to {MOST_FLOWS}")
    if not flows:
        return
    if len(frame) < HEADERS:
        raise ValueError(f"frame: {len(frame)} bytes cannot hold the {HEADERS} of Ethernet, IPv4 and UDP")
    if frame[12:14] != _ETHERTYPE_IPV4 or frame[14] != 0x45 or frame[23] != _PROTOCOL_UDP:
        raise ValueError(
            "frame: is not untagged IPv4 without options carrying UDP, so its flow cannot be varied;"
            " send it as it is with flows=0"
        )


def configure(obj: BpfObject, out_ifindex: int, frame: bytes, flows: int = 1) -> None:
    """Makes the loaded generator send `frame` from `out_ifindex`, in turn over `flows` flows.

    Frames differ in UDP source port and, beyond 16,384 flows, in IPv4 source address; their UDP checksum
    is 0 (none) and their IPv4 checksum right, whatever the frame's own were. `flows` = 0 sends the frame
    as it is, of any protocol; then a receiver that changes frames in place changes what is sent next.

    Sending "from" one end of a veth pair makes the frames arrive at the other, which must have an XDP
    program, or GRO on: else the kernel drops all of them.

    Raises:
        ValueError: too many flows, or a frame that is not untagged IPv4/UDP.
        MapError: no such device in this thread's network namespace.
    """
    _check(frame, flows)
    headers = bytearray(frame[:HEADERS].ljust(HEADERS, b"\0"))
    headers[24:26] = bytes(2)
    headers[24:26] = ipv4_checksum(bytes(headers[14:34])).to_bytes(2, "big")
    headers[40:42] = bytes(2)
    source = int.from_bytes(headers[26:30], "big")
    packed = struct.pack("=II", flows, source) + bytes(headers) + bytes(2)
    obj.map("rs_gen_config").update(0, packed)
    obj.map("rs_gen_next").update(0, bytes(4))
    obj.map("rs_gen_out").update(0, out_ifindex.to_bytes(4, sys.byteorder))
