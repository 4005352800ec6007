"""The plan from what is there to what is wanted: nothing more than the difference."""

from lab.plan import Plan, Seen, make_plan
from lab.topology.load import loads
from lab.topology.model import LINUX_BRIDGE, Topology

TRIO = "name: t\nhosts: {%s}\nswitches: {s1: {%s}}\nlinks:\n%s"


def topology(hosts: tuple[int, ...] = (1, 2, 3), switch: str = "", **extra: str) -> Topology:
    """Hosts h1, h2 … on one switch; `h2="mtu: 1400"` is for h2's link."""
    names = [f"h{number}" for number in hosts]
    links = "".join(f"  - {{ends: [{name}, s1], {extra.get(name, '')}}}\n" for name in names)
    return loads(TRIO % (", ".join(f"{name}: " for name in names), switch, links))


def everything(of: Topology) -> Seen:
    devices = {(end.node, end.device) for link in of.links for end in link.ends}
    return Seen(frozenset((*of.nodes, *of.wires)), frozenset(devices), frozenset(of.switches))


def plan(old: Topology | None, new: Topology, seen: Seen | None = None) -> Plan:
    return make_plan(old, new, seen or (everything(old) if old else Seen()), {})


def names(plan: Plan) -> dict[str, list[str]]:
    steps = {field: getattr(plan, field) for field in plan.__dataclass_fields__}
    return {
        field: [step if isinstance(step, str) else step.name for step in found]
        for field, found in steps.items()
        if found
    }


def test_from_nothing_everything_is_made() -> None:
    assert names(plan(None, topology((1, 2)))) == {
        "make_nodes": ["h1", "h2", "s1"],
        "make_links": ["h1-s1", "h2-s1"],
        "start": ["s1"],
    }


def test_the_same_again_is_nothing_to_do() -> None:
    assert plan(topology(), topology()).is_empty


def test_new_host_changes_the_switch_and_nothing_else() -> None:
    assert names(plan(topology((1, 2)), topology((1, 2, 3)))) == {
        "make_nodes": ["h3"],
        "make_links": ["h3-s1"],
        "apply": ["s1"],
    }


def test_host_that_goes_is_let_go_of_first() -> None:
    assert names(plan(topology((1, 2, 3)), topology((1, 2)))) == {
        "let_go": ["s1"],
        "remove_links": ["h3-s1"],
        "remove_nodes": ["h3"],
        "apply": ["s1"],
    }


def test_addresses_are_the_links_own_matter() -> None:
    new = topology(h2="addresses: [10.9.9.9/24]")
    assert names(plan(topology(), new)) == {"settle": ["h2-s1"]}


def test_vlan_is_the_switchs_own_matter() -> None:
    assert names(plan(topology(), topology(h2="vlan: 10"))) == {"apply": ["s1"]}


def test_mtu_is_both_of_theirs() -> None:
    assert names(plan(topology(), topology(h2="mtu: 1400"))) == {"settle": ["h2-s1"], "apply": ["s1"]}


def test_impairment_changes_nothing_at_the_switch() -> None:
    assert names(plan(topology(), topology(h2="impair: {rate: 1mbit}"))) == {"settle": ["h2-s1"]}


def test_queues_are_made_with_the_device() -> None:
    assert names(plan(topology(), topology(h2="queues: 2"))) == {
        "let_go": ["s1"],
        "remove_links": ["h2-s1"],
        "make_links": ["h2-s1"],
        "apply": ["s1"],
    }


def test_other_datapath_restarts_the_switch_and_keeps_the_links() -> None:
    new = topology().with_datapath(LINUX_BRIDGE)
    assert names(plan(topology(), new)) == {
        "stop": ["s1"],
        "settle": ["h1-s1", "h2-s1", "h3-s1"],
        "start": ["s1"],
    }


def test_polling_is_chosen_at_the_start() -> None:
    assert names(plan(topology(), topology(switch="poll: {mode: busy}"))) == {"stop": ["s1"], "start": ["s1"]}


def test_switch_that_died_is_started_again() -> None:
    seen = everything(topology())
    dead = Seen(seen.nodes, seen.devices, frozenset())
    assert names(plan(topology(), topology(), dead)) == {"stop": ["s1"], "start": ["s1"]}


def test_device_that_is_gone_is_made_again() -> None:
    seen = everything(topology())
    less = Seen(seen.nodes, seen.devices - {("s1", "h2"), ("h2", "eth0")}, seen.forwarding)
    assert names(plan(topology(), topology(), less)) == {
        "let_go": ["s1"],
        "remove_links": ["h2-s1"],
        "make_links": ["h2-s1"],
        "apply": ["s1"],
    }


def test_namespace_that_is_gone_is_made_again() -> None:
    seen = everything(topology())
    less = Seen(seen.nodes - {"h2"}, seen.devices - {("s1", "h2"), ("h2", "eth0")}, seen.forwarding)
    assert names(plan(topology(), topology(), less))["make_nodes"] == ["h2"]


def test_host_that_becomes_a_switch_is_a_new_node() -> None:
    old = loads("name: t\nhosts: {a: , b: }\nlinks: [{ends: [a, b]}]")
    new = loads("name: t\nhosts: {a: }\nswitches: {b: }\nlinks: [{ends: [a, b]}]")
    assert names(plan(old, new)) == {
        "remove_links": ["a-b"],
        "remove_nodes": ["b"],
        "make_nodes": ["b"],
        "make_links": ["a-b"],
        "start": ["b"],
    }


def test_impairment_between_switches_brings_and_takes_its_wire() -> None:
    text = "name: t\nhosts: {h1: }\nswitches: {a: , b: }\nlinks: [{ends: [h1, a]}, {ends: [a, b]%s}]"
    plain, impaired = loads(text % ""), loads(text % ", impair: {rate: 1mbit}")
    coming, going = names(plan(plain, impaired)), names(plan(impaired, plain))
    assert coming["make_nodes"] == going["remove_nodes"] == ["a~b"]
    assert coming["make_links"] == going["make_links"] == ["a-b"]
    assert coming["apply"] == going["apply"] == ["a", "b"]


def test_steps_are_told_in_words() -> None:
    assert plan(topology((1, 2)), topology((1, 2, 3))).lines() == [
        "add node h3",
        "add link h3-s1",
        "change switch s1",
    ]
