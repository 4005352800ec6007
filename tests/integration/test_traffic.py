"""Traffic between two hosts, over every datapath."""

import json

import pytest

from tests.integration.traffic import assert_balance, flood, iperf, show, stats
from tests.lab.harness import Lab

pytestmark = [pytest.mark.root, pytest.mark.netns]


def test_flood_of_pings_loses_nothing(pair: Lab) -> None:
    assert flood(pair, "h1", "10.0.0.2", 10_000) == (10_000, 10_000)


def test_ipv6_works_at_once(pair: Lab) -> None:
    assert flood(pair, "h2", "fd00::1", 100) == (100, 100)


@pytest.mark.parametrize("size", [18, 64, 1472])
def test_sizes_up_to_the_mtu(pair: Lab, size: int) -> None:
    done = pair.exec("h1", "ping", "-c", "5", "-i", "0.01", "-M", "do", "-s", str(size), "10.0.0.2")
    assert "5 received" in done.stdout


def test_fragments_of_a_large_datagram(pair: Lab) -> None:
    done = pair.exec("h1", "ping", "-c", "5", "-i", "0.01", "-s", "20000", "10.0.0.2")
    assert "5 received" in done.stdout


@pytest.mark.parametrize("direction", [(), ("-R",)], ids=["forth", "back"])
def test_tcp_runs(pair: Lab, direction: tuple[str, ...]) -> None:
    result = iperf(pair, "h2", "h1", *direction)
    assert result["end"]["sum_received"]["bytes"] > 10_000_000


@pytest.mark.parametrize("direction", [(), ("-R",)], ids=["forth", "back"])
def test_tcp_over_ipv6_runs(pair: Lab, direction: tuple[str, ...]) -> None:
    result = iperf(pair, "h2", "h1", *direction, address="fd00::2")
    assert result["end"]["sum_received"]["bytes"] > 10_000_000


@pytest.mark.parametrize("direction", [(), ("-R",)], ids=["forth", "back"])
def test_udp_runs(pair: Lab, direction: tuple[str, ...]) -> None:
    # A rate that a busy machine of two cores carries: what is asked here is that datagrams arrive whole.
    result = iperf(pair, "h2", "h1", "-u", "-b", "20M", "-l", "1200", *direction)
    total = result["end"]["sum"]
    assert total["packets"] > 1_000
    assert total["lost_packets"] <= total["packets"] * 0.02


def test_no_checksum_was_wrong(pair: Lab) -> None:
    for host in ("h1", "h2"):
        counters = json.loads(pair.exec(host, "nstat", "-a", "-s", "-z", "-j").stdout)["kernel"]
        assert counters["TcpInCsumErrors"] == 0
        assert counters["UdpInCsumErrors"] == 0
        assert counters["Udp6InCsumErrors"] == 0


@pytest.mark.afxdp
def test_every_port_balances_to_the_packet(ringside_pair: Lab) -> None:
    before = stats(ringside_pair)["ports"]
    assert flood(ringside_pair, "h1", "10.0.0.2", 10_000) == (10_000, 10_000)
    iperf(ringside_pair, "h2", "h1")
    iperf(ringside_pair, "h2", "h1", "-u", "-b", "50M", "-R")
    after = stats(ringside_pair)["ports"]
    assert set(after) == {"h1", "h2"}
    assert all(after[port]["received"] - before[port]["received"] >= 10_000 for port in after)
    assert_balance(ringside_pair)


@pytest.mark.afxdp
def test_port_tells_its_mode_queue_and_policy(ringside_pair: Lab) -> None:
    for port in show(ringside_pair)["ports"]:
        assert port["xdp_mode"] == "native"
        assert port["zero_copy"] is False
        assert port["queues"] == [0]
        assert port["checksum"]["policy"] == "complete"
        assert any(step["errno"] == "EOPNOTSUPP" for step in port["ladder"]), (
            "no step tells why not zero copy"
        )


@pytest.mark.afxdp
def test_switch_side_says_nothing_of_its_own(ringside_pair: Lab) -> None:
    addresses = json.loads(ringside_pair.exec("s1", "ip", "-j", "address").stdout)
    assert {one["ifname"] for one in addresses} == {"lo", "h1", "h2"}
    assert all(one["addr_info"] == [] for one in addresses if one["ifname"] != "lo")
