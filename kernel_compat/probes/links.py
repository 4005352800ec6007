"""Kinds of link that a lab is made of, each made by `ip link add` in the scratch namespace."""

from __future__ import annotations

from collections.abc import Callable

from kernel_compat.feature import AS_ROOT, Feature, Outcome, no, unknown, yes
from kernel_compat.sandbox import command, new_veth

# What ip prints when the kernel has no such kind (and could not load a module for it).
ABSENT = ("Unknown device type", "Operation not supported")


def judge(step: str, code: int, said: str) -> Outcome:
    """The outcome of an ip or tc command: the text that means "no such thing" is told from every other
    failure.
    """
    line = said.strip().splitlines()[0] if said.strip() else f"exit code {code}"
    if code == 0:
        return yes(f"{step}: ok")
    if "not permitted" in said:
        return unknown(f"{step}: {line}", AS_ROOT)
    if any(text in said for text in ABSENT):
        return no(f"{step}: {line}")
    return unknown(f"{step}: {line}")


def _link(kind: str, *options: str) -> Callable[[], Outcome]:
    def probe() -> Outcome:
        name = f"l{kind}{len(options)}"[:15]
        made = command("ip", "link", "add", name, "type", kind, *options)
        return judge(" ".join(("ip link add type", kind, *options)), made.returncode, made.stderr)

    return probe


def _vlan() -> Outcome:
    below, _ = new_veth()
    made = command("ip", "link", "add", "link", below, "name", "lvlan", "type", "vlan", "id", "5")
    return judge("ip link add type vlan", made.returncode, made.stderr)


def _veth() -> Outcome:
    return yes(f"ip link add type veth: ok ({', '.join(new_veth())})")


def _veth_queues() -> Outcome:
    words = ("numtxqueues", "2", "numrxqueues", "2")
    made = command("ip", "link", "add", "qa", *words, "type", "veth", "peer", "name", "qb", *words)
    return judge("ip link add type veth, 2 queues", made.returncode, made.stderr)


FEATURES = (
    Feature("link.veth", "2.6.24", "every link of a lab", _veth, "CONFIG_VETH"),
    Feature("link.veth_queues", "4.9", "more than one queue on a link", _veth_queues, "CONFIG_VETH"),
    Feature("link.bridge", "2.4", "the datapath linux-bridge", _link("bridge"), "CONFIG_BRIDGE"),
    Feature(
        "link.bridge_vlan",
        "3.9",
        "VLANs on the datapath linux-bridge",
        _link("bridge", "vlan_filtering", "1"),
        "CONFIG_BRIDGE_VLAN_FILTERING",
    ),
    Feature("link.vlan", "2.4", "a host's own VLAN devices", _vlan, "CONFIG_VLAN_8021Q"),
    Feature("link.ifb", "2.6.16", "impairment of what arrives at a host", _link("ifb"), "CONFIG_IFB"),
)
