"""Traffic control: what impairs a link, tried on scratch devices."""

from __future__ import annotations

from collections.abc import Callable

from kernel_compat.feature import AS_ROOT, Feature, Outcome, no, unknown, yes
from kernel_compat.sandbox import command, new_veth

# The kernel's words for a qdisc, classifier or action that it does not have.
ABSENT = ("is unknown", "not found", "Unknown qdisc", "Unknown filter", "Failed to load TC action")


def judge(step: str, code: int, said: str) -> Outcome:
    """The outcome of a tc command."""
    lines = [line for line in said.strip().splitlines() if line]
    if code == 0:
        return yes(f"{step}: ok")
    line = lines[0] if lines else f"exit code {code}"
    if "not permitted" in said:
        return unknown(f"{step}: {line}", AS_ROOT)
    return no(f"{step}: {line}") if any(text in said for text in ABSENT) else unknown(f"{step}: {line}")


def _qdisc(*words: str) -> Callable[[], Outcome]:
    def probe() -> Outcome:
        device, _ = new_veth()
        made = command("tc", "qdisc", "add", "dev", device, "root", *words)
        return judge(f"tc qdisc add {words[0]}", made.returncode, made.stderr)

    return probe


def _clsact() -> Outcome:
    device, _ = new_veth()
    made = command("tc", "qdisc", "add", "dev", device, "clsact")
    return judge("tc qdisc add clsact", made.returncode, made.stderr)


def _filter(*words: str) -> Callable[[], Outcome]:
    def probe() -> Outcome:
        device, other = new_veth()
        held = command("tc", "qdisc", "add", "dev", device, "clsact")
        if held.returncode:
            return judge("tc qdisc add clsact", held.returncode, held.stderr)
        filled = [other if word == "DEVICE" else word for word in words]
        made = command("tc", "filter", "add", "dev", device, "ingress", *filled)
        name = " ".join(words).replace("DEVICE", "…")
        return judge(f"tc filter add {name}", made.returncode, made.stderr)

    return probe


_MIRRED = ("action", "mirred", "egress", "redirect", "dev", "DEVICE")

FEATURES = (
    Feature(
        "tc.netem",
        "2.6.8",
        "delay and loss on a link",
        _qdisc("netem", "delay", "1ms"),
        "CONFIG_NET_SCH_NETEM",
    ),
    Feature(
        "tc.tbf",
        "2.4",
        "a rate on a link",
        _qdisc("tbf", "rate", "1mbit", "burst", "10k", "latency", "10ms"),
        "CONFIG_NET_SCH_TBF",
    ),
    Feature("tc.clsact", "4.5", "filters on what a device receives", _clsact, "CONFIG_NET_SCH_INGRESS"),
    Feature(
        "tc.mirred",
        "2.6.12",
        "leading a host's received packets through an ifb",
        _filter("protocol", "all", "u32", "match", "u32", "0", "0", *_MIRRED),
        "CONFIG_NET_ACT_MIRRED",
    ),
)
