"""rtnetlink messages ↔ values. Pure; sizes are checked before anything is read.

A message is a header (16 bytes), a fixed part (ifinfomsg or rtmsg), and attributes: length, type, value,
padding to 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWROUTE, RTM_GETROUTE = 24, 26
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
RTMGRP_LINK = 1

IFF_UP, IFF_LOOPBACK, IFF_LOWER_UP = 0x1, 0x8, 0x10000

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER = 1, 3, 4, 5, 10
_IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_NUM_RX_QUEUES, _IFLA_EXT_MASK = 18, 20, 32, 29
_IFLA_LINK_NETNSID, _IFLA_INFO_KIND = 37, 1
_RTA_OIF, _RTA_MULTIPATH, _RTA_TABLE = 4, 9, 15
_RT_TABLE_LOCAL = 255
_NLA_TYPE_MASK = 0x3FFF
_EXT_SKIP_STATS = 8

_HEADER = struct.Struct("=IHHII")
_IFINFO = struct.Struct("=BxHiII")
_RTMSG = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_NEXT_HOP = struct.Struct("=HBBi")


@dataclass(frozen=True)
class Link:
    """A network device as rtnetlink describes it.

    `kind` is "veth", "tun", "bridge" …; "" for hardware. `mac` "" if it has none. `rx_queues`: what the
    driver made room for (less may be in use). `peer_ifindex`: a veth's other end, 0 = none; in another
    network namespace if `peer_elsewhere`.
    """

    ifindex: int
    name: str
    kind: str
    mtu: int
    mac: str
    flags: int
    rx_queues: int
    master: int = 0
    peer_ifindex: int = 0
    peer_elsewhere: bool = False
    alias: str = ""

    @property
    def admin_up(self) -> bool:
        """`ip link set … up` was given."""
        return bool(self.flags & IFF_UP)

    @property
    def up(self) -> bool:
        """Packets can flow: administratively up, with carrier."""
        return self.admin_up and bool(self.flags & IFF_LOWER_UP)

    @property
    def loopback(self) -> bool:
        """It is `lo`."""
        return bool(self.flags & IFF_LOOPBACK)


def request(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One request, its header included."""
    return _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST | flags, sequence, 0) + body


def link_request(sequence: int, name: str = "") -> bytes:
    """Asks for the device `name`, or, without one, for all devices."""
    body = _IFINFO.pack(0, 0, 0, 0, 0) + _attribute(_IFLA_EXT_MASK, struct.pack("=I", _EXT_SKIP_STATS))
    if not name:
        return request(RTM_GETLINK, NLM_F_DUMP, sequence, body)
    return request(RTM_GETLINK, 0, sequence, body + _attribute(_IFLA_IFNAME, name.encode() + b"\0"))


def alias_request(sequence: int, ifindex: int, alias: str) -> bytes:
    """Sets the alias of a device (`ip link set … alias`)."""
    body = _IFINFO.pack(0, 0, ifindex, 0, 0) + _attribute(_IFLA_IFALIAS, alias.encode())
    return request(RTM_SETLINK, NLM_F_ACK, sequence, body)


def route_request(sequence: int, family: int) -> bytes:
    """Asks for all routes of an address family."""
    return request(RTM_GETROUTE, NLM_F_DUMP, sequence, _RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0))


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(kind, sequence, body) of each whole message in what one recv() gave; a cut one ends the walk."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            return
        yield kind, sequence, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def error_code(body: bytes) -> int:
    """The positive errno of an NLMSG_ERROR's body; 0 is an acknowledgement."""
    code: int = struct.unpack_from("=i", body)[0]
    return -code


def attributes(data: bytes) -> dict[int, bytes]:
    """Attributes by type; of two of the same type the last. A cut one ends the walk."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size or offset + length > len(data):
            break
        found[kind & _NLA_TYPE_MASK] = data[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found


def parse_link(body: bytes) -> Link | None:
    """The body of RTM_NEWLINK or RTM_DELLINK; None if it is no whole one."""
    if len(body) < _IFINFO.size:
        return None
    _, _, ifindex, flags, _ = _IFINFO.unpack_from(body)
    found = attributes(body[_IFINFO.size :])
    if _IFLA_IFNAME not in found:
        return None
    info = attributes(found.get(_IFLA_LINKINFO, b""))
    return Link(
        ifindex=ifindex,
        name=_text(found[_IFLA_IFNAME]),
        kind=_text(info.get(_IFLA_INFO_KIND, b"")),
        mtu=_number(found.get(_IFLA_MTU, b"")),
        mac=found.get(_IFLA_ADDRESS, b"").hex(":"),
        flags=flags,
        rx_queues=_number(found.get(_IFLA_NUM_RX_QUEUES, b"")) or 1,
        master=_number(found.get(_IFLA_MASTER, b"")),
        peer_ifindex=_number(found.get(_IFLA_LINK, b"")),
        peer_elsewhere=_IFLA_LINK_NETNSID in found,
        alias=_text(found.get(_IFLA_IFALIAS, b"")),
    )


def default_route_devices(body: bytes) -> set[int]:
    """The ifindexes that a RTM_NEWROUTE names as ways out of a default route; empty for any other route."""
    if len(body) < _RTMSG.size:
        return set()
    _, prefix_length, _, _, table, _, _, route_type, _ = _RTMSG.unpack_from(body)
    found = attributes(body[_RTMSG.size :])
    table = _number(found.get(_RTA_TABLE, b"")) or table
    if prefix_length != 0 or route_type != 1 or table == _RT_TABLE_LOCAL:
        return set()
    devices = {_number(found[_RTA_OIF])} if _RTA_OIF in found else set()
    return devices | set(_next_hops(found.get(_RTA_MULTIPATH, b"")))


def _next_hops(data: bytes) -> Iterator[int]:
    offset = 0
    while offset + _NEXT_HOP.size <= len(data):
        length, _, _, ifindex = _NEXT_HOP.unpack_from(data, offset)
        if length < _NEXT_HOP.size:
            return
        yield ifindex
        offset += (length + 3) & ~3


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + b"\0" * (-length % 4)


def _number(data: bytes) -> int:
    return int.from_bytes(data[:4], "little" if struct.pack("=H", 1)[0] else "big")


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode(errors="replace")
