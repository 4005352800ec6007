"""What the file leaves open is decided, and always in the same way."""

import pytest

from lab.topology.load import load, loads, shipped
from lab.topology.model import NATIVE_MTU, Impair, Topology, Vlan

PAIR = "name: t\nhosts: {h1: {}, h2: }\nswitches: {s1: }\nlinks: [{ends: [h1, s1]}, {ends: [s1, h2]%s}]"


def end(topology: Topology, link: int, node: str) -> tuple[str, str, tuple[str, ...]]:
    found = topology.links[link].end_at(node)
    return found.device, found.mac, found.addresses


def test_hosts_get_addresses_by_their_number() -> None:
    topology = loads(PAIR % "")
    assert end(topology, 0, "h1") == ("eth0", "02:00:00:00:01:00", ("10.0.0.1/24", "fd00::1/64"))
    assert end(topology, 1, "h2") == ("eth0", "02:00:00:00:02:00", ("10.0.0.2/24", "fd00::2/64"))


def test_switch_end_is_named_after_the_node_at_the_other_end() -> None:
    topology = loads(PAIR % "")
    assert end(topology, 0, "s1") == ("h1", "02:01:00:00:01:00", ())
    assert end(topology, 1, "s1") == ("h2", "02:01:00:00:02:00", ())


def test_removing_a_link_leaves_the_others_as_they_are() -> None:
    three = "name: t\nhosts: {h1: , h2: , h3: }\nswitches: {s1: }\nlinks: [%s]"
    ends = [f"{{ends: [h{number}, s1]}}" for number in (1, 2, 3)]
    all_links = loads(three % ", ".join(ends)).links
    fewer = loads(three % ", ".join([ends[0], ends[2]])).links
    assert fewer == (all_links[0], all_links[2])


def test_second_link_of_a_host_is_eth1_in_the_next_subnet() -> None:
    text = "name: t\nhosts: {h1: }\nswitches: {a: , b: }\nlinks: [{ends: [h1, a]}, {ends: [h1, b]}]"
    topology = loads(text)
    assert end(topology, 1, "h1") == ("eth1", "02:00:00:00:01:01", ("10.0.1.1/24", "fd00:0:0:1::1/64"))


def test_switches_in_a_chain_share_a_subnet() -> None:
    chain = load("chain")
    assert end(chain, 0, "h1")[2][0] == "10.0.0.1/24"
    assert end(chain, 2, "h2")[2][0] == "10.0.0.2/24"


def test_no_ipv6_below_its_least_mtu() -> None:
    assert end(loads(PAIR % ", mtu: 1279"), 1, "h2")[2] == ("10.0.0.2/24",)


def test_addresses_that_are_given_are_taken() -> None:
    assert end(loads(PAIR % ", addresses: [192.0.2.7/24]"), 1, "h2")[2] == ("192.0.2.7/24",)
    assert end(loads(PAIR % ", addresses: {h2: []}"), 1, "h2")[2] == ()


@pytest.mark.parametrize(
    ("text", "vlan"),
    [
        ("vlan: 10", Vlan(access=10)),
        ("vlan: {access: 10}", Vlan(access=10)),
        ("vlan: {trunk: [10, 20], native: 10}", Vlan(trunk=(10, 20), native=10)),
    ],
)
def test_vlan_forms(text: str, vlan: Vlan) -> None:
    assert loads(PAIR % f", {text}").links[1].vlan == vlan


def test_impairment_of_both_directions_or_of_one() -> None:
    both = loads(PAIR % ", impair: {delay: 1.5ms, loss: 0.5%, rate: 10mbit}").links[1]
    assert both.impair == (Impair(1500, 0.5, 10_000_000),) * 2
    one = loads(PAIR % ", impair: {h2->s1: {rate: 1gbit}}").links[1]
    assert one.ends[0].node == "s1"
    assert one.impair == (None, Impair(rate=1_000_000_000))


def test_only_impaired_links_between_switches_need_a_wire() -> None:
    text = "name: t\nhosts: {h1: }\nswitches: {a: , b: }\nlinks: [{ends: [h1, a]%s}, {ends: [a, b]%s}]"
    impair = ", impair: {rate: 1mbit}"
    assert [link.wire for link in loads(text % (impair, "")).links] == [None, None]
    assert [link.wire for link in loads(text % ("", impair)).links] == [None, "a~b"]


def test_mode_decides_which_mtu_fits() -> None:
    assert loads(PAIR % f", mtu: {NATIVE_MTU}, mode: native").links[1].mtu == NATIVE_MTU
    assert loads(PAIR % ", mtu: 3600, mode: generic").links[1].mtu == 3600


def test_any_mtu_on_a_linux_bridge() -> None:
    switch = "switches: {s1: {datapath: linux-bridge}}"
    text = f"name: t\nhosts: {{h1: }}\n{switch}\nlinks: [{{ends: [h1, s1], mtu: 9000}}]"
    assert loads(text).links[0].mtu == 9000


@pytest.mark.parametrize("name", shipped())
def test_shipped_topologies_are_right_and_explain_themselves(name: str) -> None:
    topology = load(name)
    assert topology.name == name
    assert list(topology.hosts) == [f"h{number}" for number in range(1, len(topology.hosts) + 1)]
    assert list(topology.switches) == [f"s{number}" for number in range(1, len(topology.switches) + 1)]
