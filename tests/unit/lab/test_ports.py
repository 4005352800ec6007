"""Ports of a switch, as a datapath is told of them."""

from pathlib import Path

from lab.datapaths.base import Node, ports_of
from lab.datapaths.linux_bridge import vlan_words
from lab.datapaths.ringside import desired_state, port_state
from lab.host.ledger import Ledger
from lab.topology.load import load, loads
from lab.topology.model import Vlan


def test_numbers_follow_the_file() -> None:
    assert [(port.device, port.ofport) for port in ports_of(load("vlan"), "s1")] == [
        ("h1", 1),
        ("h2", 2),
        ("s2", 3),
    ]


def test_known_numbers_stay_and_new_ports_get_the_lowest_free() -> None:
    ports = ports_of(load("vlan"), "s1", {"h2": 2, "s2": 7, "gone": 1})
    assert [(port.device, port.ofport) for port in ports] == [("h1", 1), ("h2", 2), ("s2", 7)]


def test_only_a_host_that_keeps_its_offload_needs_software_checksums() -> None:
    text = (
        "name: t\nhosts: {h1: , h2: }\nswitches: {a: , b: }\n"
        "links: [{ends: [h1, a], offload: software}, {ends: [h2, a]}, {ends: [a, b], offload: software}]"
    )
    assert [port.checksum for port in ports_of(loads(text), "a")] == ["software", "complete", "complete"]


def test_desired_state_is_what_switchd_reads(tmp_path: Path) -> None:
    text = (
        "name: t\nhosts: {h1: }\nswitches: {s1: {addresses: [10.0.0.254/24], poll: {mode: busy, cpu: 1}, "
        "flows: ['actions=NORMAL']}}\nlinks: [{ends: [h1, s1], mode: native, vlan: {trunk: [5], native: 5}}]"
    )
    topology = loads(text)
    node = Node("t", topology.switches["s1"], "rs-t-s1", tmp_path, Ledger(tmp_path))
    assert desired_state(node, ports_of(topology, "s1")) == {
        "name": "s1",
        "poll": {"mode": "busy", "spin_us": 100, "cpu": 1},
        "ports": [
            {
                "name": "h1",
                "type": "afxdp",
                "device": "h1",
                "ofport": 1,
                "mode": "native",
                "queues": "all",
                "checksum": "complete",
                "vlan": {"trunk": [5], "native": 5},
            },
            {"name": "s1", "type": "internal"},
        ],
        "flows": ["actions=NORMAL"],
    }


def test_port_as_the_switch_shows_it() -> None:
    shown = {
        "device": "h1",
        "type": "afxdp",
        "xdp_mode": "native",
        "zero_copy": False,
        "queues": [0],
        "checksum": {"policy": "complete", "why": "asked for"},
        "ladder": [
            {"step": "zero copy", "errno": "EOPNOTSUPP", "message": "the driver has none"},
            {"step": "native", "errno": "", "message": ""},
        ],
    }
    port = port_state(shown)
    assert (port.mode, port.queues, port.zero_copy, port.checksum) == ("native copy", (0,), False, "complete")
    assert port.notes == ("zero copy refused: EOPNOTSUPP, the driver has none",)


def test_vlans_in_the_bridges_words() -> None:
    assert vlan_words(Vlan(access=10), 4094) == [["vid", "10", "pvid", "untagged"]]
    assert vlan_words(Vlan(trunk=(10, 20), native=20), 4094) == [
        ["vid", "10"],
        ["vid", "20", "pvid", "untagged"],
    ]
    assert vlan_words(None, 4094) == [["vid", "1-4094"], ["vid", "4094", "pvid", "untagged"]]
