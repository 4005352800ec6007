"""What cannot be done is refused by device or field, with what was found and the way out; nothing is left."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from switch.control.errors import ControlError
from tests.integration.switchd_support import Room, afxdp, room, run
from xdp.loader import paths

pytestmark = [pytest.mark.root, pytest.mark.netns, pytest.mark.afxdp]


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        yield made


def default_route(net: Room) -> None:
    net.ip("sw", "address", "add", "10.9.0.100/24", "dev", "h1")
    net.ip("sw", "route", "add", "default", "via", "10.9.0.1")


def default_route_6(net: Room) -> None:
    net.ip("sw", "-6", "route", "add", "default", "via", "fe80::1", "dev", "h1")


def bridged(net: Room) -> None:
    net.ip("sw", "link", "add", "br0", "type", "bridge")
    net.ip("sw", "link", "set", "h1", "master", "br0")


def nothing(net: Room) -> None:
    pass


DOORS: list[tuple[Callable[[Room], None], dict[str, Any], str, str]] = [
    # what is the matter, the port, what is said, the way out
    (default_route, {}, "h1: carries the default route", "another device"),
    (default_route_6, {}, "h1: carries the default route", "another device"),
    (bridged, {}, "h1: is in use as a port of bridge br0", "ip link set h1 nomaster"),
    (nothing, {"queues": [0, 3]}, "h1: queue 3 asked for, there is queue 0 only", "ethtool -L h1"),
    (nothing, {"device": "h11"}, "h11: no such device", "did you mean 'h1'?"),
    (nothing, {"mtu": 2000}, "h1: mtu 2000 asked for, the device has 1500", "ip link set h1 mtu 2000"),
    (nothing, {"mode": "zero-copy"}, "mode zero-copy not reached", "mode: auto"),
    (nothing, {"type": "internal"}, "h1: a veth device of that name exists", "ip link del h1"),
    (nothing, {"queus": "all"}, "ports[0].queus: unknown key", "did you mean 'queues'?"),
    (nothing, {"vlan": {"access": 5000}}, "ports[0].vlan.access: 5000 is out of range", "1 to 4094"),
]


@pytest.mark.parametrize(("prepare", "port", "said", "way_out"), DOORS)
def test_a_switch_does_not_start_on_it(
    net: Room, prepare: Callable[[Room], None], port: dict[str, Any], said: str, way_out: str
) -> None:
    net.host(1)
    prepare(net)
    words = net.refuse([afxdp(1, **port)])
    assert said in words
    assert way_out in words


def test_a_running_switch_refuses_it_and_goes_on(net: Room) -> None:
    net.host(1)
    net.host(2)
    net.host(3)
    net.ip("sw", "link", "add", "br0", "type", "bridge")
    net.ip("sw", "link", "set", "h3", "master", "br0")
    daemon = net.start([afxdp(1), afxdp(2)])
    refused = daemon.command("port", "add", "h3", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("ringside: h3: is in use as a port of bridge br0\n  way out: ")
    with pytest.raises(ControlError) as caught:
        daemon.call("port.add", {"name": "h2"})
    assert "'h2' is taken by port h2" in str(caught.value)
    assert [port["name"] for port in daemon.call("port.list")] == ["h1", "h2"]
    assert daemon.call("show")["missing"] == []
    assert net.ping(1, 2) == 1


@pytest.mark.parametrize(("mtu", "mode", "said"), [(3600, "native", "ERANGE"), (9000, "auto", "MTU 9000")])
def test_an_mtu_that_the_mode_cannot_carry(net: Room, mtu: int, mode: str, said: str) -> None:
    net.host(1, mtu)
    words = net.refuse([afxdp(1, mode=mode)])
    assert "h1" in words
    assert said in words
    assert "mtu" in words.split("way out:")[1].lower()


def test_auto_falls_back_from_an_mtu_that_native_mode_cannot_carry(net: Room) -> None:
    net.host(1, 3600)
    daemon = net.start([afxdp(1)])
    port = daemon.port("h1")
    assert port["xdp_mode"] == "generic"
    assert port["ladder"][0]["errno"] == "ERANGE"
    assert "h1: attach native refused: ERANGE" in daemon.command("show").stdout


def test_somebody_elses_program_is_named_and_left(net: Room) -> None:
    net.host(1)
    source = paths.bpf_object_path("rx_drop")
    run(*net.inside("sw", "ip", "link", "set", "h1", "xdpgeneric", "obj", str(source), "sec", "xdp"))
    process, ready, log = net.launch([afxdp(1)])
    with os.fdopen(ready) as pipe:
        assert pipe.read() == ""
    assert process.wait(20) == 1
    words = log.read_text()
    assert "h1: carries" in words
    assert "rs_rx_drop" in words or "rx_drop" in words
    assert "xdpgeneric off" in words
    assert "xdpgeneric" in net.ip("sw", "link", "show", "h1")


def test_the_device_of_another_switch_is_refused(net: Room) -> None:
    net.host(1)
    first = net.start([afxdp(1)])
    process, ready, log = net.launch([afxdp(1)], name="s2")
    os.close(ready)
    assert process.wait(20) == 1
    words = log.read_text()
    assert "rs_redirect_xsk" in words
    assert f"process {first.process.pid}" in words
    assert first.port("h1")["xdp_mode"] == "native"


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("-net_admin", "needs CAP_NET_ADMIN"),
        ("-net_raw", "needs CAP_NET_RAW"),
        ("-bpf,-sys_admin", "needs CAP_BPF"),
    ],
)
def test_a_missing_capability_is_named(net: Room, without: str, said: str) -> None:
    net.host(1)
    words = net.refuse([afxdp(1)], "setpriv", "--bounding-set", without)
    assert f"h1: no permission: AF_XDP sockets {said}" in words
    assert "run as root" in words


def test_too_little_memory_to_lock_is_named(net: Room) -> None:
    net.host(1)
    prefix = ["prlimit", "--memlock=8388608:8388608", "setpriv", "--bounding-set", "-ipc_lock,-sys_resource"]
    words = net.refuse([afxdp(1)], *prefix)
    assert "h1: a umem locks 64 MiB of memory, RLIMIT_MEMLOCK allows 8192 KiB" in words
    assert "ulimit -l 65536" in words


def test_a_failure_half_way_takes_back_what_was_done(net: Room) -> None:
    net.host(1)
    words = net.refuse([afxdp(1), {"name": "t0", "type": "tap"}, afxdp(2)])
    assert "h2: no such device" in words


def test_a_bad_first_table_is_refused_by_rule_and_field(net: Room) -> None:
    net.host(1)
    words = net.refuse([afxdp(1)], flows=["actions=NORMAL", "nw_dst=1.2.3.400,actions=drop"])
    assert "flows[1]" in words
    assert "nw_dst" in words
