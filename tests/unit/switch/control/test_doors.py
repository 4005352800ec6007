"""Doors: a device, a process or a limit that cannot carry a port is refused by name, with the way out."""

import pytest

from switch.control import limits
from switch.control.checksum import choose_checksum
from switch.control.device import (
    MAX_MTU,
    Device,
    check_free_name,
    check_mtu,
    check_not_default_route,
    check_queues,
    refuse_master,
)
from switch.control.errors import ControlError
from switch.control.model import Checksum, Port, PortType
from switch.control.netlink.client import Link

ALL = set(limits.CAPABILITIES)


def link(name: str = "h1", kind: str = "veth", mtu: int = 1500) -> Link:
    return Link(7, name, kind, mtu, "02:00:00:00:00:01", 0x10001, 1)


def test_the_default_route_is_not_taken() -> None:
    check_not_default_route(link(), {1, 2})
    with pytest.raises(ControlError) as caught:
        check_not_default_route(link("eth0"), {7})
    assert caught.value.field == "eth0"
    assert "default route" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("kind", "way_out"), [("bridge", "nomaster"), ("bond", "nomaster"), ("openvswitch", "del-port h1")]
)
def test_a_port_of_somebody_else_is_named(kind: str, way_out: str) -> None:
    with pytest.raises(ControlError) as caught:
        refuse_master(link(), link("br0", kind))
    assert f"{kind} br0" in caught.value.message
    assert way_out in caught.value.hint


def test_queues_that_are_not_there() -> None:
    check_queues(Port("h1", queues=(0, 1)), Device(link(), 2))
    with pytest.raises(ControlError) as caught:
        check_queues(Port("h1", queues=(0, 2, 3)), Device(link(), 2))
    assert caught.value.message == "queue 2, 3 asked for, there is queues 0 to 1"
    assert "ethtool -L h1" in caught.value.hint


def test_more_queues_than_a_port_takes() -> None:
    with pytest.raises(ControlError, match="128 receive queues"):
        check_queues(Port("h1"), Device(link(), 128))
    check_queues(Port("h1", queues=(0,)), Device(link(), 128))


def test_mtus_that_no_frame_holds() -> None:
    check_mtu(Port("h1"), link(mtu=MAX_MTU))
    with pytest.raises(ControlError) as caught:
        check_mtu(Port("h1"), link(mtu=MAX_MTU + 1))
    assert str(MAX_MTU) in caught.value.hint
    with pytest.raises(ControlError, match="mtu 1600 asked for, the device has 1500"):
        check_mtu(Port("h1", mtu=1600), link())


def test_the_name_of_somebody_elses_device() -> None:
    check_free_name("s1", [link("h1")])
    with pytest.raises(ControlError, match="a dummy device of that name exists"):
        check_free_name("s1", [link("s1", "dummy")])


def test_missing_capabilities_are_named() -> None:
    limits.check_permission("h1", ALL, needs_xdp=True)
    with pytest.raises(ControlError, match="CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF"):
        limits.check_permission("h1", set(), needs_xdp=True)
    with pytest.raises(ControlError, match="needs CAP_NET_RAW, which"):
        limits.check_permission("h1", {12, 21}, needs_xdp=True)
    limits.check_permission("t0", {12}, needs_xdp=False)


def test_locked_memory_that_does_not_suffice() -> None:
    limits.check_locked_memory("h1", set(), -1)
    limits.check_locked_memory("h1", set(), limits.UMEM_BYTES)
    limits.check_locked_memory("h1", {14}, 0)
    with pytest.raises(ControlError) as caught:
        limits.check_locked_memory("h1", set(), 8 << 20)
    assert caught.value.message == "a umem locks 64 MiB of memory, RLIMIT_MEMLOCK allows 8192 KiB"
    assert "ulimit -l 65536" in caught.value.hint


@pytest.mark.parametrize(
    ("port", "kind", "policy"),
    [
        (Port("h1"), "veth", Checksum.SOFTWARE),
        (Port("h1"), "", Checksum.COMPLETE),
        (Port("h1"), "tun", Checksum.COMPLETE),
        (Port("s1", PortType.INTERNAL), "", Checksum.COMPLETE),
        (Port("d0", PortType.DUMMY), "", Checksum.COMPLETE),
        (Port("h1", checksum=Checksum.COMPLETE), "veth", Checksum.COMPLETE),
        (Port("d0", PortType.DUMMY, checksum=Checksum.SOFTWARE), "", Checksum.SOFTWARE),
    ],
)
def test_the_checksum_policy_follows_the_device_unless_told(port: Port, kind: str, policy: Checksum) -> None:
    choice = choose_checksum(port, kind)
    assert choice.policy is policy
    assert choice.why
