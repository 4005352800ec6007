"""The paper's Table 1: what administrators type works on a device that the switch uses.

With DPDK the kernel loses the device, and these commands fail or show nothing. With AF_XDP it keeps it. `h1`
in the switch's namespace is such a device: an XDP program and a socket of the switch are on it while each
command runs.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.traffic import flood, show, stats
from tests.lab.harness import Lab

pytestmark = [pytest.mark.root, pytest.mark.netns, pytest.mark.afxdp]


@pytest.fixture(autouse=True)
def _switch_keeps_the_device(ringside_pair: Lab) -> Iterator[None]:
    """After each command the switch still forwards by `h1`, in XDP mode native."""
    yield
    port = next(port for port in show(ringside_pair)["ports"] if port["name"] == "h1")
    assert port["xdp_mode"] == "native"
    assert flood(ringside_pair, "h1", "10.0.0.2", 10) == (10, 10)


def test_ip_link_shows_and_changes_the_device(ringside_pair: Lab) -> None:
    def shown() -> dict[str, object]:
        text = ringside_pair.exec("s1", "ip", "-j", "-d", "link", "show", "dev", "h1").stdout
        device: dict[str, object] = json.loads(text)[0]
        return device

    device = shown()
    assert device["operstate"] == "UP"
    assert device["mtu"] == 1500
    assert device["address"] == "02:01:00:00:01:00"
    assert isinstance(device["xdp"], dict)
    assert device["xdp"]["mode"] == 1  # Native.
    before = str(device["ifalias"])
    ringside_pair.exec("s1", "ip", "link", "set", "dev", "h1", "alias", "table 1")
    assert shown()["ifalias"] == "table 1"
    ringside_pair.exec("s1", "ip", "link", "set", "dev", "h1", "alias", before)


def test_ip_address_adds_shows_and_removes(ringside_pair: Lab) -> None:
    ringside_pair.exec("s1", "ip", "address", "add", "192.0.2.1/24", "dev", "h1")
    assert re.search(
        r"^h1\S*\s+UP\s+192\.0\.2\.1/24",
        ringside_pair.exec("s1", "ip", "-br", "address", "show", "dev", "h1").stdout,
    )
    ringside_pair.exec("s1", "ip", "address", "del", "192.0.2.1/24", "dev", "h1")
    assert "192.0.2.1" not in ringside_pair.exec("s1", "ip", "address", "show", "dev", "h1").stdout


def test_ip_route_adds_shows_and_removes(ringside_pair: Lab) -> None:
    ringside_pair.exec("s1", "ip", "route", "add", "198.51.100.0/24", "dev", "h1")
    routes = json.loads(ringside_pair.exec("s1", "ip", "-j", "route", "show", "198.51.100.0/24").stdout)
    assert routes[0]["dev"] == "h1"
    ringside_pair.exec("s1", "ip", "route", "del", "198.51.100.0/24", "dev", "h1")
    assert ringside_pair.exec("s1", "ip", "route", "show", "198.51.100.0/24").stdout == ""


def test_ip_neigh_adds_shows_and_removes(ringside_pair: Lab) -> None:
    entry = ("192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "h1")
    ringside_pair.exec("s1", "ip", "neigh", "add", *entry)
    neighbours = json.loads(ringside_pair.exec("s1", "ip", "-j", "neigh", "show", "dev", "h1").stdout)
    assert neighbours == [{"dst": "192.0.2.9", "lladdr": "02:00:00:00:00:09", "state": ["PERMANENT"]}]
    ringside_pair.exec("s1", "ip", "neigh", "del", *entry)
    assert ringside_pair.exec("s1", "ip", "neigh", "show", "dev", "h1").stdout == ""


def test_ping_goes_through_the_device(ringside_pair: Lab) -> None:
    before = stats(ringside_pair)["ports"]["h1"]["received"]
    done = ringside_pair.exec("h1", "ping", "-c", "5", "-i", "0.01", "10.0.0.2")
    assert "5 packets transmitted, 5 received, 0% packet loss" in done.stdout
    assert stats(ringside_pair)["ports"]["h1"]["received"] - before >= 5


def test_arping_is_answered_through_the_device(ringside_pair: Lab) -> None:
    done = ringside_pair.exec("h1", "arping", "-I", "eth0", "-c", "3", "10.0.0.2")
    assert done.stdout.count("Unicast reply from 10.0.0.2 [02:00:00:00:02:00]") == 3
    assert "Received 3 response(s)" in done.stdout


def test_nstat_counts_what_went_through_the_device(ringside_pair: Lab) -> None:
    def echoes() -> int:
        text = ringside_pair.exec("h2", "nstat", "-a", "-s", "-z", "-j", "IcmpInEchos").stdout
        return int(json.loads(text)["kernel"]["IcmpInEchos"])

    before = echoes()
    assert flood(ringside_pair, "h1", "10.0.0.2", 50) == (50, 50)
    assert echoes() - before == 50
    assert "IpInReceives" in ringside_pair.exec("s1", "nstat", "-a", "-s", "-z").stdout


def test_tcpdump_sees_the_link_of_the_device(ringside_pair: Lab) -> None:
    # On the link's host end, which is what `lab.capture h1-s1` does: what the switch takes never gets to a
    # tap on `h1`.
    watching = ringside_pair.background("h1", "tcpdump", "-i", "eth0", "-n", "-l", "-c", "4", "icmp")
    assert watching.stdout is not None
    assert any("listening on eth0" in line for line in watching.stdout)
    assert flood(ringside_pair, "h1", "10.0.0.2", 2) == (2, 2)
    seen, _ = watching.communicate(timeout=20)
    assert seen.count("10.0.0.1 > 10.0.0.2: ICMP echo request") == 2
    assert seen.count("10.0.0.2 > 10.0.0.1: ICMP echo reply") == 2


def test_tcpdump_opens_the_device_itself(ringside_pair: Lab) -> None:
    watching = ringside_pair.background("s1", "tcpdump", "-i", "h1", "-n", "-l", "-c", "1")
    assert watching.stdout is not None
    assert any("listening on h1, link-type EN10MB" in line for line in watching.stdout)
    # What the switch sends by AF_XDP in copy mode leaves through the device's own transmit path, past the
    # taps; a packet of the kernel's own is seen.
    ringside_pair.exec("s1", "arping", "-U", "-c", "1", "-I", "h1", "192.0.2.77", check=False)
    ringside_pair.exec("s1", "ip", "address", "add", "192.0.2.1/24", "dev", "h1")
    ringside_pair.exec("s1", "ping", "-c", "1", "-W", "0.2", "192.0.2.2", check=False)
    ringside_pair.exec("s1", "ip", "address", "del", "192.0.2.1/24", "dev", "h1")
    seen, _ = watching.communicate(timeout=20)
    assert "ARP, Request who-has 192.0.2.2 tell 192.0.2.1" in seen


def test_ethtool_shows_driver_and_features(ringside_pair: Lab) -> None:
    assert "driver: veth" in ringside_pair.exec("s1", "ethtool", "-i", "h1").stdout
    assert "rx-checksumming:" in ringside_pair.exec("s1", "ethtool", "-k", "h1").stdout


def test_capture_inside_the_switch_sees_both_directions(ringside_pair: Lab, tmp_path: Path) -> None:
    file = tmp_path / "h1.pcapng"
    watching = ringside_pair.background("s1", "ringside", "capture", "h1", "-w", str(file), "-c", "4")
    assert watching.stdout is not None
    assert any("capturing on h1" in line for line in watching.stdout)
    assert flood(ringside_pair, "h1", "10.0.0.2", 10) == (10, 10)
    said, _ = watching.communicate(timeout=20)
    assert watching.returncode == 0, said
    shown = ringside_pair.exec("h1", "tcpdump", "-n", "-r", str(file)).stdout
    assert "echo request" in shown
    assert "echo reply" in shown
