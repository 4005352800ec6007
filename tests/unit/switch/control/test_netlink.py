"""What pyroute2 reads out of the kernel's messages is what our values say."""

import asyncio
import struct
from typing import Any

import pytest
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from switch.control.netlink import monitor
from switch.control.netlink.client import Link, read_link, ways_out

RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_NEWROUTE = 16, 17, 20, 24
AF_UNSPEC, AF_BRIDGE = 0, 7
UP, LOWER_UP = 0x1, 0x10000


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def decoded(kind: int, body: bytes) -> Any:
    """A message as the kernel sends it, read by pyroute2."""
    (message,) = MarshalRtnl().parse(struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body)
    return message


def link_message(*attributes: bytes, kind: int = RTM_NEWLINK, family: int = AF_UNSPEC) -> Any:
    name = attribute(3, b"h1\0")
    return decoded(kind, struct.pack("=BxHiII", family, 1, 7, UP | LOWER_UP, 0) + name + b"".join(attributes))


VETH = (
    number(4, 1400),
    attribute(1, bytes.fromhex("020000000001")),
    number(32, 4),
    number(10, 3),
    number(5, 9),
    number(37, 0),
    attribute(20, b"ringside:lab\0"),
    attribute(18 | 0x8000, attribute(1, b"veth\0")),
)


def test_a_link_is_read() -> None:
    link = read_link(link_message(*VETH))
    mac = "02:00:00:00:00:01"
    assert link == Link(7, "h1", "veth", 1400, mac, UP | LOWER_UP, 4, 3, 9, True, "ringside:lab")
    assert link.up
    assert link.admin_up


def test_a_link_without_anything_is_read() -> None:
    assert read_link(link_message()) == Link(7, "h1", "", 0, "", UP | LOWER_UP, 1)


@pytest.mark.parametrize("length", [0, 4])
def test_a_tunnels_address_is_no_mac(length: int) -> None:
    assert read_link(link_message(attribute(1, bytes(length)))).mac == ""


def test_a_link_without_carrier_is_down() -> None:
    link = Link(7, "h1", "veth", 1400, "", UP, 1)
    assert link.admin_up
    assert not link.up


def route(prefix: int, kind: int, table: int, *attributes: bytes) -> Any:
    return decoded(
        RTM_NEWROUTE, struct.pack("=BBBBBBBBI", 2, prefix, 0, 0, table, 0, 0, kind, 0) + b"".join(attributes)
    )


OIF_4 = number(4, 4)


def test_only_default_routes_name_devices() -> None:
    assert ways_out(route(0, 1, 254, OIF_4)) == {4}
    assert ways_out(route(24, 1, 254, OIF_4)) == set()
    assert ways_out(route(0, 6, 254, OIF_4)) == set()  # blackhole
    assert ways_out(route(0, 1, 255, OIF_4)) == set()  # local table
    assert ways_out(route(0, 1, 252, OIF_4, number(15, 1000))) == {4}  # a table beyond a byte
    assert ways_out(route(0, 1, 252, OIF_4, number(15, 255))) == set()


def test_every_way_out_of_a_multipath_default_route_counts() -> None:
    hops = struct.pack("=HBBi", 8, 0, 0, 4) + struct.pack("=HBBi", 8, 0, 0, 5)
    assert ways_out(route(0, 1, 254, attribute(9, hops))) == {4, 5}


class Told:
    """A netlink socket that has what it is given, then nothing."""

    def __init__(self, *given: Any) -> None:
        self.given = list(given)

    def get(self) -> Any:
        what = self.given.pop(0) if self.given else BlockingIOError()
        if isinstance(what, OSError):
            raise what
        return what


def test_news_are_told_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, bool] | str] = []

    async def listen() -> None:
        listening = monitor.LinkMonitor(
            lambda link, gone: said.append((link.name, gone)), lambda: said.append("lost")
        )
        here = [link_message(), link_message(kind=RTM_DELLINK, family=AF_BRIDGE)]
        other = decoded(RTM_NEWADDR, struct.pack("=BBBBI", 2, 24, 0, 0, 7))
        gone = link_message(kind=RTM_DELLINK)
        with monkeypatch.context() as patch:
            patch.setattr(listening, "_socket", Told(here, OSError(105, "no room"), [other, gone]))
            listening._readable()
        listening.close()

    asyncio.run(listen())
    assert said == [("h1", False), "lost", ("h1", True)]
