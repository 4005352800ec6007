"""rtnetlink messages are read as they are, and never past their end."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from switch.control.netlink import messages as nl

VETH = (
    struct.pack("=BxHiII", 0, 1, 7, nl.IFF_UP | nl.IFF_LOWER_UP, 0)
    + struct.pack("=HH", 7, 3) + b"h1\0\0"
    + struct.pack("=HHI", 8, 4, 1400)
    + struct.pack("=HH", 10, 1) + bytes.fromhex("020000000001") + b"\0\0"
    + struct.pack("=HHI", 8, 32, 4)
    + struct.pack("=HHI", 8, 10, 3)
    + struct.pack("=HHI", 8, 5, 9)
    + struct.pack("=HHI", 8, 37, 0)
    + struct.pack("=HH", 16, 18 | 0x8000) + struct.pack("=HH", 9, 1) + b"veth\0\0\0\0"
)  # fmt: skip


def test_a_link_is_read() -> None:
    link = nl.parse_link(VETH)
    assert link == nl.Link(7, "h1", "veth", 1400, "02:00:00:00:00:01", 0x10001, 4, 3, 9, True)
    assert link.up
    assert link.admin_up


def test_a_link_without_carrier_is_down() -> None:
    link = nl.Link(7, "h1", "veth", 1400, "", nl.IFF_UP, 1)
    assert link.admin_up
    assert not link.up


@given(st.integers(0, len(VETH)))
def test_a_cut_link_is_a_link_or_none(length: int) -> None:
    link = nl.parse_link(VETH[:length])
    assert link is None or link.name.startswith("h1"[: len(link.name)])


@given(st.binary(max_size=200))
def test_anything_can_be_read_without_harm(data: bytes) -> None:
    for _, _, body in nl.messages(data):
        nl.parse_link(body)
        nl.default_route_devices(body)
    nl.parse_link(data)
    nl.default_route_devices(data)


def test_requests_are_messages_themselves() -> None:
    data = nl.link_request(5, "h1") + nl.route_request(6, 2) + nl.alias_request(7, 3, "ringside")
    kinds = [(kind, sequence) for kind, sequence, _ in nl.messages(data)]
    assert kinds == [(nl.RTM_GETLINK, 5), (nl.RTM_GETROUTE, 6), (nl.RTM_SETLINK, 7)]


def route(prefix: int, kind: int, table: int, *attributes: bytes) -> bytes:
    return struct.pack("=BBBBBBBBI", 2, prefix, 0, 0, table, 0, 0, kind, 0) + b"".join(attributes)


OIF_4 = struct.pack("=HHI", 8, 4, 4)


def test_only_default_routes_name_devices() -> None:
    assert nl.default_route_devices(route(0, 1, 254, OIF_4)) == {4}
    assert nl.default_route_devices(route(24, 1, 254, OIF_4)) == set()
    assert nl.default_route_devices(route(0, 6, 254, OIF_4)) == set()  # blackhole
    assert nl.default_route_devices(route(0, 1, 255, OIF_4)) == set()  # local table


def test_every_way_out_of_a_multipath_default_route_counts() -> None:
    hops = struct.pack("=HBBi", 8, 0, 0, 4) + struct.pack("=HBBi", 8, 0, 0, 5)
    multipath = struct.pack("=HH", 4 + len(hops), 9) + hops
    assert nl.default_route_devices(route(0, 1, 254, multipath)) == {4, 5}
