"""Actions as Open vSwitch 3.1 reads, refuses and prints them.

Known differences, left out here and nowhere else:
  - what of a text Open vSwitch does not look at is refused: garbage behind a number (load:5z->reg0), words
    that atoi() takes for 0 (learn(priority=x)), numbers that do not fit (group:-1, ports of nat above 65535,
    bits that a tunnel option does not have), nat to 0.0.0.0 (which it forgets), odd hexadecimal digits of an
    NSH TLV;
  - Open vSwitch prints a TLV without its leading zeros, and nat's options not at all when there is no
    address: neither text would read back the same;
  - goto_table:255 is refused: there is no table 255 (Open vSwitch takes it for "none");
  - within ct with zone=FIELD, Open vSwitch does not check what exec() and nat() need;
  - set_field:5->vlan_vid sets the bit "present" by itself, and set_field:0x12/0xf loses the bits outside its
    mask: OpenFlow 1.0, which ovs-ofctl speaks unless told otherwise, takes both so; 1.5 refuses them;
  - groups and meters that do not exist are refused by the tables, not by the text.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.c.support.actions import check, flow_mod
from tests.c.support.native import lib
from tests.c.test_ofpact_check import CASES
from tests.c.test_ofpact_refusals import REFUSALS
from tests.c.test_ofpact_text import ROUND_TRIPS
from tests.differential.ovs import Ovs, open_vswitch, tool
from tests.differential.strategies_actions import action_lists, action_rules, states
from tests.differential.strategies_space import ActionRule, Space

pytestmark = [pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")]

INCONSISTENT = "OFPBAC_MATCH_INCONSISTENT"


def space(version: str) -> Space:
    meters = () if version == "10" else (1,)
    return Space(groups=(1, 2), meters=meters, ct=True, tunnel=True, nsh=True, spelling=version)


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with tempfile.TemporaryDirectory(prefix="rs-ovs-") as run, open_vswitch(Path(run), 3) as running:
        running.ofctl("add-tlv-map", "{class=0x0102,type=0x80,len=4}->tun_metadata0")
        yield running


@pytest.fixture(autouse=True)
def tunnel_option() -> Iterator[None]:
    lib.act_tun_map(True)
    yield
    lib.act_tun_map(False)


def parse_flows(texts: list[str], version: str) -> list[str]:
    """Flows as ovs-ofctl prints them after a trip through a version's wire format."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(texts) + "\n")
        file.flush()
        command = [tool("ovs-ofctl"), "-O", f"OpenFlow{version}", "parse-flows", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split("ADD ", 1)[1] for line in done.stdout.splitlines() if "FLOW_MOD" in line]


def error_name(words: str) -> str:
    """OpenFlow's name in what ovs-ofctl says, "none" if it has none."""
    found = re.search(r"\b(?:OFP|NX)[A-Z]+C_[A-Z_]+\b", words)
    inconsistent = "none of the usable" in words or "no usable protocol" in words
    return found[0] if found else INCONSISTENT if inconsistent else "none"


def parse_flow(text: str, version: str) -> str:
    """The refusal's name; "none" for one without, empty if ovs-ofctl takes the flow."""
    command = [tool("ovs-ofctl"), "-O", f"OpenFlow{version}", "parse-flow", text]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    broken = re.search(r"decode error: (\w+)", done.stdout)
    return broken[1] if broken else error_name(done.stderr) if done.returncode else ""


@pytest.mark.parametrize("version", ["10", "13", "15"])
@pytest.mark.parametrize("count", [3, pytest.param(40, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_random_lists_print_as_ovs_ofctl_prints_them(version: str, count: int) -> None:
    @given(st.lists(action_rules(space(version), version != "10"), min_size=25, max_size=25))
    @examples(count)
    def prints_the_same(rules: list[ActionRule]) -> None:
        texts = [rule.text() for rule in rules]
        for text, theirs in zip(texts, parse_flows(texts, version), strict=True):
            answer = flow_mod(text).answer
            assert (answer.code, answer.text) == (0, theirs), text

    prints_the_same()


@st.composite
def unfit(draw: st.DrawFn, version: str) -> tuple[str, str]:
    """A match, and actions for packets of another one."""
    (match, _), (_, other) = draw(states()), draw(states())
    return match, draw(action_lists(space(version), other))


@pytest.mark.parametrize("version", ["10", "15"])
@pytest.mark.parametrize(
    "count", [40, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(300)])]
)
def test_random_actions_that_do_not_fit_are_refused_alike(version: str, count: int) -> None:
    @given(unfit(version))
    @examples(count)
    def refuses_the_same(rule: tuple[str, str]) -> None:
        match, actions = rule
        theirs = parse_flow(f"{match},actions={actions}", version)
        ours = check(match, actions, strict=version == "15")
        assert ours.refused == theirs, (rule, ours)

    refuses_the_same()


# Known differences, and what this switch has not: groups and meters.
LEFT_OUT = (
    "load:5z", "learn(priority=x)", "group:", "goto_table:255", "meter:1,", "set_field:0x12/0xf", "enqueue",
    "ct(commit,nat(src=1.2.3.4:65536))", "ct(commit,nat(src=0.0.0.0))", "set_field:5->vlan_vid",
    "set_field:00:11:22:33:44:55/", "debug_recirc", "load:1->tun_metadata0[32]", "load:0x100000000->tun",
)  # fmt: skip


def wire_cases() -> list[tuple[str, str]]:
    found = [(match, actions) for match, actions, _, _ in CASES if ":5->vlan_vid" not in actions]
    texts = [text for text, *_ in (*REFUSALS, *ROUND_TRIPS)]
    found += [("ip" if text.startswith("ct(") else "", text) for text in texts]
    return [(match, text) for match, text in found if text and not text.startswith(LEFT_OUT)]


@pytest.mark.parametrize(("match", "actions"), wire_cases(), ids=lambda each: str(each)[:40])
def test_a_switch_refuses_the_same_actions_for_the_same_reason(ovs: Ovs, match: str, actions: str) -> None:
    words = ovs.refusal("add-flow", f"table=0,{match},actions={actions}")
    theirs = error_name(words) if words else ""
    ours = check(match, actions, strict=True)
    if theirs == "none":
        assert ours.code, words
    else:
        assert ours.refused == theirs, (words, ours)
