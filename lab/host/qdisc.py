"""Impairment by the kernel's queueing disciplines, put where AF_XDP cannot go past it.

    host → switch    a qdisc on the host's eth0: the host's kernel sends through it
    switch → host    AF_XDP sends past the qdisc of its own device; so packets are impaired where they arrive
                     eth0 ingress ─ mirred → ifb-eth0 ─ qdisc → eth0's stack
    switch ⇄ switch  neither end has such a place: a namespace in the middle (Link.wire) hands packets from
                     one veth to the other, and each veth there has a qdisc

Needs u32 and mirred (found in every distribution); netem only for delay and loss.
"""

from __future__ import annotations

from lab.errors import Problem
from lab.host.command import run
from lab.host.link import Session
from lab.topology.model import Impair

_MATCH_ALL = ("protocol", "all", "prio", "1", "u32", "match", "u32", "0", "0")
QUEUE_MS = 50
"""How long a token bucket lets packets wait before it drops, in milliseconds."""


def has_netem() -> bool:
    """Tries it, in a namespace that ends with the command."""
    return (
        run(["unshare", "-n", "tc", "qdisc", "add", "dev", "lo", "root", "netem"], check=False).returncode
        == 0
    )


def netem_missing(where: str) -> Problem:
    """What to say where netem is needed and not there."""
    return Problem(
        where,
        "delay and loss need the kernel's netem (CONFIG_NET_SCH_NETEM), which this kernel does not have",
        "a rate alone works (token bucket); else use a kernel with netem: modprobe sch_netem, or the "
        "distribution's package of extra modules",
    )


def root_arguments(impair: Impair) -> list[str]:
    """The qdisc that does it: tbf for a rate alone, else netem."""
    if not impair.needs_netem:
        assert impair.rate is not None
        # Tokens for 4 ms, so that a timer of 250 Hz can keep the rate; two full frames at least.
        burst = max(16_384, impair.rate // 8 // 250)
        return ["tbf", "rate", f"{impair.rate}bit", "burst", str(burst), "latency", f"{QUEUE_MS}ms"]
    words = ["netem"]
    if impair.delay_us is not None:
        words += ["delay", f"{impair.delay_us}us"]
    if impair.loss is not None:
        words += ["loss", f"{impair.loss:g}%"]
    if impair.rate is not None:
        words += ["rate", f"{impair.rate}bit"]
    # A packet that waits takes a place: enough of them for 1 Mpps at the delay asked for.
    return [*words, "limit", str(max(1000, impair.delay_us or 0))]


def set_egress(netns: str, device: str, impair: Impair | None) -> None:
    """Impairs what leaves by a device, or, with None, no longer."""
    run(["tc", "-n", netns, "qdisc", "del", "dev", device, "root"], check=False)
    if impair is not None:
        run(["tc", "-n", netns, "qdisc", "add", "dev", device, "root", *root_arguments(impair)])


def set_ingress(link: Session, device: str, impair: Impair | None) -> None:
    """Impairs what a device receives, or, with None, no longer."""
    ifb = f"ifb-{device}"
    run(["tc", "-n", link.namespace, "qdisc", "del", "dev", device, "clsact"], check=False)
    link.remove(ifb)
    if impair is None:
        return
    link.make(ifb, "ifb")
    link.set(ifb, state="up")
    set_egress(link.namespace, ifb, impair)
    redirect(link.namespace, device, ifb)


def redirect(netns: str, source: str, target: str) -> None:
    """Sends everything that arrives at one device out by another."""
    run(["tc", "-n", netns, "qdisc", "replace", "dev", source, "clsact"])
    action = ("action", "mirred", "egress", "redirect", "dev", target)
    run(["tc", "-n", netns, "filter", "replace", "dev", source, "ingress", *_MATCH_ALL, *action])
