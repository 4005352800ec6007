"""Every fault of a desired state is refused by the path of its field, with what was found and a way out."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from switch.control.config import check_together, load_file, load_text, parse, parse_port
from switch.control.errors import ControlError
from switch.control.model import DEFAULT_FLOWS, Checksum, Mode, PollMode, Port, PortType, Vlan

GOOD = """
name: s1
poll: {mode: adaptive, spin_us: 100, cpu: null}
ports:
  - {name: h1, type: afxdp, device: h1, ofport: 1, mode: native, checksum: auto, vlan: {access: 10}}
  - {name: up, device: eth1, queues: [1, 0], checksum: complete, vlan: {trunk: [20, 10], native: 5}}
  - {name: s1, type: internal, mtu: 1400}
  - {name: d0, type: dummy}
flows: ["priority=1,actions=drop"]
"""


def port(**keys: Any) -> dict[str, Any]:
    return {"ports": [{"name": "a"}, {"name": "h1", **keys}]}


BAD: list[tuple[dict[str, Any], str, str, str]] = [
    # what the state says, field, part of what was found, part of the way out
    ({"prots": []}, "prots", "unknown key", "'ports'"),
    ({"ports": {}}, "ports", "not a list", "- {name"),
    ({"ports": [7]}, "ports[0]", "a number 7", "name, type"),
    ({"ports": [{}]}, "ports[0].name", "missing", "name"),
    ({"ports": [{"name": 12}]}, "ports[0].name", "a number 12", "quote"),
    ({"ports": [{"name": "a-name-with-16-c"}]}, "ports[0].name", "16 characters", "15"),
    ({"ports": [{"name": "a/b"}]}, "ports[0].name", "'a/b'", "letters"),
    ({"ports": [{"name": ""}]}, "ports[0].name", "''", "letters"),
    ({"ports": [{"name": "a\0b"}]}, "ports[0].name", "no plain text", "zero byte"),
    ({"ports": [{"name": "é" * 8}]}, "ports[0].name", "16 characters", "15"),
    (port(devcie="x"), "ports[1].devcie", "unknown key", "'device'"),
    (port(type="afxpd"), "ports[1].type", "'afxpd'", "'afxdp'"),
    (port(type="tap", mode="native"), "ports[1].mode", "type tap has none", "afxdp"),
    (port(type="internal", queues="all"), "ports[1].queues", "type internal has none", "afxdp"),
    (port(type="dummy", device="x"), "ports[1].device", "no device", "leave it out"),
    (port(mode="zerocopy"), "ports[1].mode", "'zerocopy'", "'zero-copy'"),
    (port(ofport=0), "ports[1].ofport", "0 is out of range", "1 to 255"),
    (port(ofport=256), "ports[1].ofport", "256 is out of range", "1 to 255"),
    (port(ofport="1"), "ports[1].ofport", "text '1'", "a number"),
    (port(ofport=True), "ports[1].ofport", "true/false True", "a number"),
    (port(ofport=1.5), "ports[1].ofport", "a fraction", "a number"),
    (port(queues="some"), "ports[1].queues", "'some'", "all"),
    (port(queues=[]), "ports[1].queues", "empty", "all"),
    (port(queues=[0, 64]), "ports[1].queues[1]", "64 is out of range", "0 to 63"),
    (port(queues=[0, -1]), "ports[1].queues[1]", "-1", "0 to 63"),
    (port(queues=[0, 1, 0]), "ports[1].queues[2]", "twice", "once"),
    (port(queues=3), "ports[1].queues", "not a list", "["),
    (port(checksum="sofware"), "ports[1].checksum", "'sofware'", "'software'"),
    (port(mtu=67), "ports[1].mtu", "67", "68"),
    (port(mtu=70000), "ports[1].mtu", "70000", "65535"),
    (port(vlan=10), "ports[1].vlan", "a number 10", "access"),
    (port(vlan={"acces": 10}), "ports[1].vlan.acces", "unknown key", "'access'"),
    (port(vlan={"access": 0}), "ports[1].vlan.access", "0 is out of range", "1 to 4094"),
    (port(vlan={"access": 4095}), "ports[1].vlan.access", "4095", "4094"),
    (port(vlan={"access": 10, "trunk": [1]}), "ports[1].vlan.access", "one VLAN only", "leave"),
    (port(vlan={"access": 10, "native": 1}), "ports[1].vlan.access", "one VLAN only", "leave"),
    (port(vlan={"trunk": [1, 4096]}), "ports[1].vlan.trunk[1]", "4096", "4094"),
    (port(vlan={"trunk": [7, 7]}), "ports[1].vlan.trunk[1]", "twice", "once"),
    ({"ports": [{"name": "a"}, {"name": "a"}]}, "ports[1].name", "'a' is taken by port a", "once"),
    ({"ports": [{"name": "a", "ofport": 3}, {"name": "b", "ofport": 3}]}, "ports[1].ofport", "3", "once"),
    ({"ports": [{"name": "a"}, {"name": "b", "device": "a"}]}, "ports[1].device", "'a'", "once"),
    (
        {"ports": [{"name": "a", "type": "internal"}, {"name": "b", "type": "internal"}]},
        "ports[1].type",
        "a is internal",
        "tap",
    ),
    ({"poll": {"mode": "busyy"}}, "poll.mode", "'busyy'", "'busy'"),
    ({"poll": {"spin": 3}}, "poll.spin", "unknown key", "'spin_us'"),
    ({"poll": {"spin_us": -1}}, "poll.spin_us", "-1", "0 to"),
    ({"poll": {"cpu": "x"}}, "poll.cpu", "text 'x'", "number"),
    ({"flows": "NORMAL"}, "flows", "not a list", "["),
    ({"flows": ["actions=drop", 3]}, "flows[1]", "a number 3", "quote"),
    ({"flows": [" "]}, "flows[0]", "' '", ""),
]


@pytest.mark.parametrize(("state", "field", "found", "way_out"), BAD)
def test_a_fault_names_field_finding_and_way_out(
    state: dict[str, Any], field: str, found: str, way_out: str
) -> None:
    with pytest.raises(ControlError) as caught:
        parse({"name": "s1", **state})
    assert caught.value.field == field
    assert found in caught.value.message
    assert way_out in caught.value.hint


def test_a_good_state_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "s1.yaml"
    path.write_text(GOOD)
    switch = load_file(path)
    h1, up, internal, dummy = switch.ports
    assert switch.name == "s1"
    assert h1 == Port("h1", PortType.AFXDP, "h1", 1, Mode.NATIVE, None, Checksum.AUTO, Vlan(access=10))
    assert (up.device_name, up.queues, up.checksum) == ("eth1", (0, 1), Checksum.COMPLETE)
    assert up.vlan == Vlan(trunk=(10, 20), native=5)
    assert (internal.type, internal.device_name, internal.mtu) == (PortType.INTERNAL, "s1", 1400)
    assert dummy.device_name == ""
    assert switch.flows == ("priority=1,actions=drop",)


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    raw = yaml.safe_load(GOOD)
    assert parse(load_text(json.dumps(raw), "x")) == parse(load_text(GOOD, "x"))


def test_what_is_left_out_has_the_documented_default() -> None:
    switch = parse({"name": "s1", "ports": [{"name": "h1"}]})
    assert switch.flows == DEFAULT_FLOWS
    assert switch.poll.mode is PollMode.ADAPTIVE
    assert switch.ports[0] == Port("h1")
    assert switch.ports[0].device_name == "h1"


@pytest.mark.parametrize(
    ("content", "field", "found"),
    [
        (b"ports: [", ":1", "no YAML"),
        (b"\xff\xfe\xfa", "", "UTF-8"),
        (b"name: s1\nports:\n  - {name: [}\n", ":3", "no YAML"),
        (b"- 1", "", "a list [1]"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, field: str, found: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ControlError) as caught:
        load_file(path)
    assert caught.value.field.endswith(field)
    assert found in caught.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"nowhere\.yaml: No such file"):
        load_file(tmp_path / "nowhere.yaml")


def test_the_state_of_another_switch_is_refused() -> None:
    with pytest.raises(ControlError, match="'s2', this is 's1'"):
        parse({"name": "s2"}, "s1")


def test_a_clash_of_a_single_port_is_told_without_an_index() -> None:
    with pytest.raises(ControlError) as caught:
        check_together((Port("a"), parse_port({"name": "b", "device": "a"}, "port")), "port b")
    assert caught.value.field == "port b.device"
