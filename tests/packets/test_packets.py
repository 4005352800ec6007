"""Data-driven cases: every folder here holds a case.toml that says which frames leave where.

vlan = ["access 10", "trunk", "trunk 10 20", "native 5 10 20"]     one word list for each port
flows = ["priority=0,actions=NORMAL"]
[[step]]                       in this order, on one switch
in = 1
frame = "Ether(src=A, dst=B)/IP()/UDP()"       a scapy expression; A, B, C, D are addresses of h1 … h4
out = { 2 = "Ether(src=A, dst=B)/Dot1Q(vlan=10)/IP()/UDP()", 3 = "same" }
drops = { no_rule = 1 }        that this frame added to the counters of the port it came in on
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from scapy.layers import inet, inet6, ipsec, l2
from scapy.packet import Raw

from switch.binding.port import VlanConfig, VlanMode
from tests.differential.frames import MACS
from tests.differential.rig import Rig, rig

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/case.toml"))
LAYERS = {name: value for module in (inet, inet6, ipsec, l2) for name, value in vars(module).items()}
NAMES = LAYERS | dict(zip("ABCD", MACS, strict=False)) | {"Raw": Raw, "ALL": "ff:ff:ff:ff:ff:ff"}


def frame_of(expression: str) -> bytes:
    """A frame out of this folder's own text."""
    return bytes(eval(expression, {"__builtins__": {"bytes": bytes}}, NAMES))


def vlan_of(words: str) -> VlanConfig:
    mode, *rest = words.split()
    numbers = [int(word) for word in rest]
    if mode == "trunk":
        return VlanConfig(VlanMode.TRUNK, 0, frozenset(numbers))
    return VlanConfig(VlanMode[mode.upper()], numbers[0], frozenset(numbers[1:]))


def run_step(r: Rig, step: dict[str, Any]) -> None:
    port, data = step["in"], frame_of(step["frame"])
    data = data[: step.get("cut", len(data))]
    expected = {
        int(out): [data if text == "same" else frame_of(text)] for out, text in step.get("out", {}).items()
    }
    before = r.drops(port)
    assert r.exchange(port, data) == expected, step["frame"]
    added = {name: count - before.get(name, 0) for name, count in r.drops(port).items()}
    assert {name: count for name, count in added.items() if count} == step.get("drops", {})


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_case(folder: Path) -> None:
    case = tomllib.loads((folder / "case.toml").read_text())
    vlans = [vlan_of(words) for words in case["vlan"]]
    with rig(len(vlans), case["flows"], vlans) as r:
        for step in case["step"]:
            run_step(r, step)
        r.assert_balanced()
        r.assert_no_frame_lost()


def test_there_are_cases() -> None:
    assert len(CASES) >= 8
