"""Who can talk to whom, told from the file."""

from lab.topology.load import load, loads
from lab.topology.model import Vlan
from lab.topology.reach import Expect, enters, host_pairs, leaves, reached


def expectations(text: str) -> dict[tuple[str, str], Expect]:
    return {(pair.source, pair.target): pair.expect for pair in host_pairs(loads(text))}


def two_hosts(one: str, other: str) -> str:
    return (
        "name: t\nhosts: {h1: , h2: }\nswitches: {s1: }\n"
        f"links: [{{ends: [h1, s1]{one}}}, {{ends: [h2, s1]{other}}}]"
    )


def test_vlans_of_the_shipped_topology() -> None:
    pairs = {(pair.source, pair.target): pair.expect for pair in host_pairs(load("vlan"))}
    talking = {pair for pair, expect in pairs.items() if expect is Expect.TALK}
    assert talking == {("h1", "h3"), ("h2", "h4")}
    assert len(pairs) == 6


def test_access_port_and_port_without_vlan_do_not_talk() -> None:
    # The packet of VLAN 10 leaves the other port with its tag on: a host without that VLAN does not take it.
    assert expectations(two_hosts(", vlan: 10", "")) == {("h1", "h2"): Expect.ISOLATED}


def test_native_vlan_of_a_trunk_talks_to_an_access_port() -> None:
    trunk = ", vlan: {trunk: [10, 20], native: 10}"
    assert expectations(two_hosts(", vlan: 10", trunk)) == {("h1", "h2"): Expect.TALK}
    assert expectations(two_hosts(", vlan: 20", trunk)) == {("h1", "h2"): Expect.ISOLATED}


def test_hosts_on_different_switches_do_not_talk() -> None:
    text = "name: t\nhosts: {h1: , h2: }\nswitches: {a: , b: }\nlinks: [{ends: [h1, a]}, {ends: [h2, b]}]"
    assert host_pairs(loads(text)) == []  # Different subnets: there is nothing to ping.
    assert reached(loads(text), "h1") == set()


def test_two_hosts_back_to_back_talk() -> None:
    assert expectations("name: t\nhosts: {h1: , h2: }\nlinks: [{ends: [h1, h2]}]") == {
        ("h1", "h2"): Expect.TALK
    }


def test_rules_of_ones_own_promise_nothing() -> None:
    text = two_hosts("", "").replace("{s1: }", "{s1: {flows: ['actions=NORMAL']}}")
    assert expectations(text) == {("h1", "h2"): Expect.UNKNOWN}


def test_pair_without_ipv4_is_pinged_by_ipv6() -> None:
    text = two_hosts(", addresses: ['fd01::1/64']", ", addresses: ['fd01::2/64']")
    assert [pair.address for pair in host_pairs(loads(text))] == ["fd01::2"]


def test_tags_at_a_port() -> None:
    access, trunk = Vlan(access=10), Vlan(trunk=(10, 20), native=20)
    assert enters(access, None) == (True, 10)
    assert enters(access, 10)[0] is False
    assert enters(trunk, None) == (True, 20)
    assert enters(trunk, 30)[0] is False
    assert enters(None, 30) == (True, 30)
    assert leaves(access, 10) == (True, None)
    assert leaves(access, 20)[0] is False
    assert leaves(trunk, 20) == (True, None)
    assert leaves(trunk, 10) == (True, 10)
    assert leaves(None, 10) == (True, 10)
