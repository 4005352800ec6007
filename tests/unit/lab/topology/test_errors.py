"""Every way of writing a topology wrong: the message names the field, what was found, and the way out."""

from dataclasses import dataclass

import pytest

from lab.errors import LabError
from lab.topology.load import load, loads

HEAD = "name: t\nhosts: {h1: {}, h2: {}}\nswitches: {s1: {}}\n"
LINKS = "links:\n  - ends: [h1, s1]\n  - {ends: [h2, s1]%s}\n"


@dataclass(frozen=True)
class Case:
    """A text and what is said about it."""

    what: str
    text: str
    where: str
    found: str
    way_out: str


def second_link(extra: str) -> str:
    return HEAD + LINKS % f", {extra}"


CASES = [
    Case("empty file", "", "topology", "is empty", "lab/topologies/pair.yaml"),
    Case("not a mapping", "- h1", "topology", "is a list, not a mapping", "lab/topologies/pair.yaml"),
    Case("not YAML", "name: [", "topology, line 1", "is not YAML", "mend that line"),
    Case("no name", "hosts: {h1: {}}", "name", "is missing", "such as pair"),
    Case("bad name", "name: a b\nhosts: {h1: {}}", "name", "found 'a b'", "letters, digits"),
    Case("no host", "name: t", "hosts", "there is none", "such as {h1: {}}"),
    Case("hosts as a list", "name: t\nhosts: [h1]", "hosts", "found ['h1']", "{h1: {}, h2: {}}"),
    Case("unknown key at the top", HEAD + "link: []", "link", "unknown key", "did you mean 'links'?"),
    Case(
        "unknown key of a switch",
        "name: t\nhosts: {h1: {}}\nswitches: {s1: {datapth: ringside}}",
        "switches.s1.datapth",
        "unknown key",
        "did you mean 'datapath'?",
    ),
    Case("unknown key of a link", second_link("mtuu: 1"), "links[1].mtuu", "unknown key", "'mtu'"),
    Case(
        "unknown key of a host",
        "name: t\nhosts: {h1: {gatway: 1}}",
        "hosts.h1.gatway",
        "unknown",
        "'gateway'",
    ),
    Case(
        "unknown key without a near one",
        second_link("zzz: 1"),
        "links[1].zzz",
        "unknown key",
        "known keys: ends, mtu",
    ),
    Case(
        "unknown datapath",
        "name: t\nhosts: {h1: {}}\nswitches: {s1: {datapath: ovs}}",
        "switches.s1.datapath",
        "found 'ovs'",
        "ringside or linux-bridge",
    ),
    Case("key twice", HEAD + "name: u", "name (line 4)", "is used twice: see line 1", "rename one"),
    Case(
        "host twice", "name: t\nhosts:\n  h1: {}\n  h1: {}", "h1 (line 4)", "twice: see line 3", "rename one"
    ),
    Case(
        "host and switch of one name",
        "name: t\nhosts: {h1: {}}\nswitches: {h1: {}}",
        "switches.h1",
        "the name h1 is used twice: hosts.h1",
        "rename one",
    ),
    Case(
        "name too long for a device",
        "name: t\nhosts: {averyverylonghost: {}}",
        "hosts.averyverylonghost",
        "has 17 letters",
        "shorten it, for instance to averyverylongho",
    ),
    Case(
        "name with a dash",
        "name: t\nhosts: {h-1: {}}",
        "hosts.h-1",
        "is no name for a node",
        "letters, digits",
    ),
    Case("reserved name", "name: t\nhosts: {lo: {}}", "hosts.lo", "is no name for a node", "not lo"),
    Case(
        "link to nowhere",
        HEAD + "links: [{ends: [h1, s2]}]",
        "links[0].ends[1]",
        "leads to 's2', which is neither host nor switch",
        "nodes: h1, h2, s1",
    ),
    Case(
        "link to itself", HEAD + "links: [{ends: [s1, s1]}]", "links[0].ends", "with itself", "name two nodes"
    ),
    Case("one end", HEAD + "links: [{ends: [h1]}]", "links[0].ends", "names 1 nodes", "two nodes"),
    Case("no ends", HEAD + "links: [{mtu: 1500}]", "links[0].ends", "is missing", "such as [h1, s1]"),
    Case(
        "the same link twice",
        HEAD + "links: [{ends: [h1, s1]}, {ends: [s1, h1]}]",
        "links[1].ends",
        "are linked twice: see links[0]",
        "a second path",
    ),
    Case(
        "loop of switches",
        "name: t\nhosts: {h1: {}}\nswitches: {a: {}, b: {}, c: {}}\n"
        "links: [{ends: [a, b]}, {ends: [b, c]}, {ends: [c, a]}]",
        "links[2].ends",
        "closes a loop of switches through c and a",
        "flows of their own",
    ),
    Case("MTU too small", second_link("mtu: 67"), "links[1].mtu", "found 67", "68 to 65535"),
    Case("MTU no number", second_link("mtu: big"), "links[1].mtu", "found 'big'", "whole number"),
    Case(
        "MTU beyond a frame",
        second_link("mtu: 9000"),
        "links[1].mtu",
        "found 9000; AF_XDP of switch s1 (datapath ringside, 4096-byte umem frames) carries 3822",
        "use 3498 or less, or datapath: linux-bridge",
    ),
    Case(
        "MTU beyond native XDP",
        second_link("mtu: 3600, mode: native"),
        "links[1].mtu",
        "found 3600; mode native of switch s1",
        "or mode: generic",
    ),
    Case("unknown mode", second_link("mode: fast"), "links[1].mode", "found 'fast'", "zero-copy, native"),
    Case("no queue", second_link("queues: 0"), "links[1].queues", "found 0", "1 to 64"),
    Case("unknown offload", second_link("offload: yes"), "links[1].offload", "found True", "auto (checksums"),
    Case("VLAN out of range", second_link("vlan: 4095"), "links[1].vlan.access", "found 4095", "1 to 4094"),
    Case("VLAN 0", second_link("vlan: {access: 0}"), "links[1].vlan.access", "found 0", "1 to 4094"),
    Case(
        "trunk out of range",
        second_link("vlan: {trunk: [1, 5000]}"),
        "links[1].vlan.trunk[1]",
        "5000",
        "4094",
    ),
    Case(
        "VLAN of both kinds", second_link("vlan: {access: 1, trunk: [2]}"), "links[1].vlan", "both", "{access"
    ),
    Case("VLAN of no kind", second_link("vlan: {}"), "links[1].vlan", "neither", "{trunk: [10, 20]}"),
    Case(
        "native of an access port",
        second_link("vlan: {access: 1, native: 1}"),
        "links[1].vlan.native",
        "no native VLAN",
        "trunk",
    ),
    Case(
        "native outside the trunk",
        second_link("vlan: {trunk: [2], native: 1}"),
        "links[1].vlan.native",
        "1 is not among trunk [2]",
        "add it",
    ),
    Case(
        "VLAN without a switch",
        HEAD + "links: [{ends: [h1, h2], vlan: 1}]",
        "links[0].vlan",
        "no end of this link is a switch",
        "leave it out",
    ),
    Case(
        "address that is none",
        second_link("addresses: [10.0.0.300/24]"),
        "links[1].addresses[0]",
        "10.0.0.300",
        "such as 10.0.0.1/24",
    ),
    Case(
        "address without a prefix",
        second_link("addresses: [10.0.0.9]"),
        "links[1].addresses[0]",
        "10.0.0.9 has no prefix length",
        "write 10.0.0.9/24",
    ),
    Case(
        "multicast address",
        second_link("addresses: [224.0.0.1/4]"),
        "links[1].addresses[0]",
        "not an address that a host can have",
        "10.0.0.1/24",
    ),
    Case(
        "address twice",
        HEAD
        + "links: [{ends: [h1, s1], addresses: [10.0.0.1/24]}, {ends: [h2, s1], addresses: [10.0.0.1/16]}]",
        "links[1].addresses[0]",
        "10.0.0.1 is used twice: see links[0].addresses[0]",
        "its own",
    ),
    Case(
        "address of a stranger",
        second_link("addresses: {h1: [10.0.0.1/24]}"),
        "links[1].addresses.h1",
        "not a host at an end of this link",
        "hosts here: h2",
    ),
    Case(
        "addresses of nobody",
        HEAD + "links: [{ends: [h1, h2], addresses: [10.0.0.1/24]}]",
        "links[0].addresses",
        "this link has 2 hosts: whose are they?",
        "{h1: […], h2: […]}",
    ),
    Case(
        "IPv6 below its MTU",
        second_link("mtu: 1000, addresses: ['fd00::9/64']"),
        "links[1].addresses[0]",
        "IPv6 needs an MTU of 1280, this link has 1000",
        "raise mtu",
    ),
    Case(
        "address given by the switch too",
        "name: t\nhosts: {h1: {}}\nswitches: {s1: {addresses: [10.9.0.1/24]}}\n"
        "links: [{ends: [h1, s1], addresses: [10.9.0.1/24]}]",
        "links[0].addresses[0]",
        "10.9.0.1 is used twice: see switches.s1.addresses[0]",
        "its own",
    ),
    Case("gateway", "name: t\nhosts: {h1: {gateway: x}}", "hosts.h1.gateway", "'x'", "such as 10.0.0.254"),
    Case(
        "delay without a unit",
        second_link("impair: {delay: 10}"),
        "links[1].impair.delay",
        "not a time",
        "10ms",
    ),
    Case("loss without a unit", second_link("impair: {loss: 1}"), "links[1].impair.loss", "not a loss", "1%"),
    Case(
        "loss of more than all",
        second_link("impair: {loss: 101%}"),
        "links[1].impair.loss",
        "not a loss",
        "1%",
    ),
    Case(
        "rate of nothing",
        second_link("impair: {rate: 0mbit}"),
        "links[1].impair.rate",
        "not a rate",
        "100mbit",
    ),
    Case(
        "unknown impairment",
        second_link("impair: {jitter: 1ms}"),
        "links[1].impair.jitter",
        "unknown",
        "delay",
    ),
    Case(
        "direction of another link",
        second_link("impair: {h1->s1: {rate: 1mbit}}"),
        "links[1].impair.h1->s1",
        "is no direction of this link",
        "h2->s1 or s1->h2",
    ),
    Case(
        "core that is none",
        "name: t\nhosts: {h1: {}}\nswitches: {s1: {poll: {cpu: -1}}}",
        "switches.s1.poll.cpu",
        "found -1",
        "processor core",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_wrong_topology_is_refused_by_field(case: Case) -> None:
    with pytest.raises(LabError) as raised:
        loads(case.text)
    problems = raised.value.problems
    assert [problem.where for problem in problems] == [case.where], str(raised.value)
    assert case.found in problems[0].found
    assert case.way_out in problems[0].way_out


def test_all_problems_are_told_at_once() -> None:
    text = second_link("mtu: 1, vlan: 9999, color: red")
    with pytest.raises(LabError) as raised:
        loads(text)
    assert {problem.where for problem in raised.value.problems} == {
        "links[1].mtu",
        "links[1].vlan.access",
        "links[1].color",
    }


def test_unknown_name_of_a_topology_suggests_a_shipped_one() -> None:
    with pytest.raises(LabError, match=r"did you mean pair\? shipped: chain, pair, trio, vlan"):
        load("piar")


def test_file_that_is_not_there_is_named() -> None:
    with pytest.raises(LabError, match=r"/nowhere/t\.yaml: No such file or directory"):
        load("/nowhere/t.yaml")


def test_too_many_hosts_for_addresses_given_by_themselves() -> None:
    hosts = "".join(f"  h{number}: {{}}\n" for number in range(255))
    links = "".join(f"  - ends: [h{number}, s1]\n" for number in range(255))
    text = f"name: t\nhosts:\n{hosts}switches: {{s1: {{}}}}\nlinks:\n{links}"
    with pytest.raises(LabError, match=r"255 hosts, and addresses given by themselves .* end at 254"):
        loads(text)
