"""The verbs on a real switch with dummy ports: no root, no devices."""

from collections.abc import Iterator
from typing import Any

import pytest

from switch.control.controller import Controller
from switch.control.errors import ControlError
from switch.control.model import Switch
from switch.control.verbs import VERBS, run_verb


def dummy(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "dummy", **more}


@pytest.fixture
def controller() -> Iterator[Controller]:
    made = Controller(Switch("s1"))
    made.reconcile(Switch("s1"))
    run_verb(made, "port.add", dummy("d1"))
    run_verb(made, "port.add", dummy("d2"))
    yield made
    made.close()


def names(controller: Controller) -> list[str]:
    return [port["name"] for port in run_verb(controller, "port.list", {})]


def ports_of(controller: Controller) -> list[dict[str, Any]]:
    ports: list[dict[str, Any]] = run_verb(controller, "show", {})["ports"]
    return ports


def test_a_switch_begins_with_its_table(controller: Controller) -> None:
    assert [flow["priority"] for flow in run_verb(controller, "flow.list", {})] == [0]
    assert run_verb(controller, "show", {})["flows"] == 1


def test_ports_come_and_go(controller: Controller) -> None:
    added = run_verb(controller, "port.add", dummy("d3", vlan={"access": 7}))
    assert (added["op"], added["port"], added["ok"]) == ("add", "d3", True)
    assert added["result"]["ofport"] == 3
    assert added["result"]["vlan"] == {"access": 7}
    run_verb(controller, "port.del", {"name": "d2"})
    assert names(controller) == ["d1", "d3"]
    assert run_verb(controller, "port.add", dummy("d4"))["result"]["ofport"] == 2


@pytest.mark.parametrize(
    ("verb", "args", "field", "found"),
    [
        ("port.ad", {}, "verb", "unknown verb"),
        ("show", {"x": 1}, "args.x", "unknown key"),
        ("show", [], "args", "a list"),
        ("port.add", {"name": "d1", "type": "dummy"}, "port d1.name", "taken by port d1"),
        ("port.add", {"name": "d9", "type": "dummy", "ofport": 1}, "port d9.ofport", "taken by port d1"),
        ("port.add", {"name": "d9", "typ": "dummy"}, "port.typ", "unknown key"),
        ("port.add", 7, "port", "a number"),
        ("port.del", {"name": "d9"}, "port", "no port 'd9'"),
        ("port.del", {}, "args.name", "missing"),
        ("flow.add", {"rule": 7}, "args.rule", "a number"),
        ("flow.add", {"rule": "actions=drop\0"}, "args.rule", "no plain text"),
        ("flow.add", {"rule": "nw_dst=1.2.3.400,actions=drop"}, "nw_dst", "1.2.3.400"),
        ("flow.del", {"match": "x=1"}, "x", ""),
        ("flow.del", {"strict": "yes"}, "args.strict", "text 'yes'"),
        ("flow.replace", {"rules": "x"}, "args.rules", "not a list"),
        ("flow.replace", {"rules": ["actions=drop", "in_port=d9,actions=drop"]}, "flows[1].in_port", "d9"),
        ("stats", {"port": "d9"}, "port", "no port 'd9'"),
        ("trace", {}, "args.flow", "missing"),
        ("trace", {"flow": "nonsense=1"}, "nonsense", ""),
        ("trace", {"hex": "0g", "port": "d1"}, "args.hex", "no hexadecimal"),
        ("trace", {"hex": "", "port": "d1"}, "args.hex", "0 bytes"),
        ("trace", {"hex": "00" * 60}, "args.port", "missing"),
        ("apply", {"name": "s2"}, "name", "'s2'"),
        ("apply", {"ports": [{"name": "x", "type": "dummy", "vlan": 3}]}, "ports[0].vlan", "a number"),
    ],
)
def test_a_wrong_argument_is_named_and_changes_nothing(
    controller: Controller, verb: str, args: object, field: str, found: str
) -> None:
    with pytest.raises(ControlError) as caught:
        run_verb(controller, verb, args)
    assert field in caught.value.field
    assert found in caught.value.message
    assert names(controller) == ["d1", "d2"]
    assert len(run_verb(controller, "flow.list", {})) == 1


def test_every_verb_of_the_table_is_answered(controller: Controller) -> None:
    for verb in ("version", "show", "port.list", "flow.list", "fdb.list", "fdb.flush", "stats"):
        assert verb in VERBS
        assert run_verb(controller, verb, {}) is not None


def test_rules_added_by_hand_survive_a_new_port_but_not_an_apply(controller: Controller) -> None:
    run_verb(controller, "flow.add", {"rule": "priority=5,in_port=d1,actions=output:d2"})
    run_verb(controller, "port.add", dummy("d3"))
    assert len(run_verb(controller, "flow.list", {})) == 2
    state = {"ports": [dummy("d1"), dummy("d2"), dummy("d3")]}
    assert [each["op"] for each in run_verb(controller, "apply", state)["operations"]] == ["set-flows"]
    assert len(run_verb(controller, "flow.list", {})) == 1
    assert run_verb(controller, "apply", state)["operations"] == []


def test_apply_reports_each_operation_and_goes_on_after_a_failure(controller: Controller) -> None:
    state = {"ports": [dummy("d1"), {"name": "no-such-dev"}, dummy("d4")]}
    result = run_verb(controller, "apply", state)
    assert not result["ok"]
    assert [(each["op"], each["port"], each["ok"]) for each in result["operations"]] == [
        ("remove", "d2", True),
        ("add", "no-such-dev", False),
        ("add", "d4", True),
    ]
    assert names(controller) == ["d1", "d4"]
    (missing,) = run_verb(controller, "show", {})["missing"]
    assert missing["name"] == "no-such-dev"
    run_verb(controller, "port.del", {"name": "no-such-dev"})
    assert run_verb(controller, "show", {})["missing"] == []


def test_a_port_that_could_not_be_added_is_not_kept_as_desired(controller: Controller) -> None:
    with pytest.raises(ControlError):
        run_verb(controller, "port.add", {"name": "no-such-dev"})
    assert run_verb(controller, "show", {})["missing"] == []


def test_a_change_of_polling_is_refused_by_name(controller: Controller) -> None:
    state = {"poll": {"mode": "busy"}, "ports": [dummy("d1"), dummy("d2")]}
    (operation,) = run_verb(controller, "apply", state)["operations"]
    assert (operation["op"], operation["ok"]) == ("poll", False)
    assert "restart" in operation["error"]["hint"]


def test_packets_are_counted_where_they_came_in_and_where_they_left(controller: Controller) -> None:
    frame = bytes.fromhex("ffffffffffff 020000000001 0806") + bytes(50)
    source = next(port for port in controller.engine.ports() if port.name == "d1")
    target = next(port for port in controller.engine.ports() if port.name == "d2")
    source.inject(frame)
    while target.take() is None:
        pass
    stats = run_verb(controller, "stats", {})["ports"]
    assert (stats["d1"]["received"], stats["d1"]["sent"], stats["d2"]["tx_packets"]) == (1, 1, 1)
    assert stats["d1"]["balance"] == {"in": 1, "out": 1, "holds": True}
    assert [each["mac"] for each in run_verb(controller, "fdb.list", {})] == ["02:00:00:00:00:01"]
    text = run_verb(controller, "trace", {"flow": "in_port=d2,dl_dst=02:00:00:00:00:01"})["text"]
    assert text.splitlines()[-1] == "Datapath actions: 1"
    text = run_verb(controller, "trace", {"port": "d1", "hex": frame.hex()})["text"]
    assert text.splitlines()[-1] == "Datapath actions: 2"
    assert run_verb(controller, "stats", {})["ports"] == stats  # Tracing counts and learns nothing.
    assert len(run_verb(controller, "fdb.list", {})) == 1


def test_show_has_the_keys_that_scripts_rely_on(controller: Controller) -> None:
    state = run_verb(controller, "show", {})
    assert {"name", "pid", "version", "poll", "ports", "flows", "umem"} <= set(state)
    (first, _) = ports_of(controller)
    wanted = "name type ofport device mac mtu xdp_mode zero_copy queues checksum ladder umem_shared vlan"
    assert set(wanted.split()) <= set(first)
    counters = run_verb(controller, "stats", {})
    keys = "received received_bytes copies sent delivered drops dropped balance tx_packets tx_bytes xdp xsk"
    assert {*keys.split(), "checksums_completed"} <= set(counters["ports"]["d1"])
    assert {"switch", "time", "ports", "pmd"} == set(counters)
