"""A flow table that is obviously right: conditions on a key, tried one by one; and random rules for it.

A rule is generated as conditions and written down as ovs-ofctl text from them, so that the text is parsed
by the code under test only.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.differential.frames import GROUP_MACS, MACS
from tests.differential.key import CFI, Key


@dataclass(frozen=True)
class Condition:
    """A word of a match, and what it means."""

    text: str
    holds: Callable[[Key], bool]


@dataclass(frozen=True)
class Rule:
    """Conditions that must all hold, and actions as text."""

    priority: int
    conditions: tuple[Condition, ...]
    actions: str

    @property
    def text(self) -> str:
        words = [f"priority={self.priority}", *(c.text for c in self.conditions), f"actions={self.actions}"]
        return ",".join(words)

    def matches(self, key: Key) -> bool:
        return all(condition.holds(key) for condition in self.conditions)


def lookup(rules: Sequence[Rule], key: Key) -> Rule | None:
    """The matching rule of the highest priority; of equals the one that stands first."""
    found = [rule for rule in rules if rule.matches(key)]
    return max(found, key=lambda rule: rule.priority, default=None)


# ---- random conditions ------------------------------------------------------------------------


def masked(value: bytes, wanted: bytes, mask: bytes) -> bool:
    return all((a ^ b) & m == 0 for a, b, m in zip(value, wanted, mask, strict=True))


@st.composite
def in_port(draw: st.DrawFn) -> Condition:
    port = draw(st.integers(1, 4))
    return Condition(f"in_port={port}", lambda k: k.in_port == port)


@st.composite
def mac(draw: st.DrawFn) -> Condition:
    name, get = draw(st.sampled_from([("dl_src", lambda k: k.dl_src), ("dl_dst", lambda k: k.dl_dst)]))
    address = draw(st.sampled_from(MACS + GROUP_MACS))
    wanted = bytes.fromhex(address.replace(":", ""))
    mask = draw(st.sampled_from(["", "ff:ff:ff:ff:ff:fe", "01:00:00:00:00:00", "00:00:00:00:00:0f"]))
    bits = bytes.fromhex(mask.replace(":", "")) if mask else b"\xff" * 6
    return Condition(f"{name}={address}{'/' + mask if mask else ''}", lambda k: masked(get(k), wanted, bits))


@st.composite
def vlan(draw: st.DrawFn) -> Condition:
    vid, pcp = draw(st.sampled_from([0, 1, 10, 20, 30, 4094])), draw(st.integers(0, 7))
    tci = draw(st.sampled_from([0, CFI, CFI | 10, CFI | 3 << 13]))
    mask = draw(st.sampled_from([0x1000, 0xFFFF, 0x100F, 0xF000]))
    return draw(
        st.sampled_from(
            [
                Condition(f"dl_vlan={vid}", lambda k: k.vlans[0][1] & 0x1FFF == CFI | vid),
                Condition(f"dl_vlan_pcp={pcp}", lambda k: k.vlans[0][1] & 0xF000 == CFI | pcp << 13),
                Condition("dl_vlan=0xffff", lambda k: k.vlans[0][1] == 0),
                Condition(f"vlan_tci={tci:#x}/{mask:#x}", lambda k: (k.vlans[0][1] ^ tci) & mask == 0),
            ]
        )
    )


@st.composite
def ethertype(draw: st.DrawFn) -> Condition:
    value = draw(st.sampled_from([0x0800, 0x86DD, 0x0806, 0x05FF, 0x88A8]))
    return Condition(f"dl_type={value:#06x}", lambda k: k.dl_type == value)


@st.composite
def address(draw: st.DrawFn, v6: bool, names: tuple[str, str]) -> Condition:
    values = ["fd00::1", "fd00::2", "fe80::1"] if v6 else ["10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.1.1"]
    value = ipaddress.ip_address(draw(st.sampled_from(values)))
    bits = value.max_prefixlen
    length = draw(st.sampled_from([bits, bits, bits - 1, bits - 8, bits // 4, 1, 0]))
    is_src = draw(st.booleans())
    mask = ((1 << length) - 1 << bits - length).to_bytes(bits // 8, "big")

    def holds(key: Key) -> bool:
        if v6:
            return masked(key.ipv6_src if is_src else key.ipv6_dst, value.packed, mask)
        found = key.nw_src if is_src else key.nw_dst
        return masked(found.to_bytes(4, "big"), value.packed, mask)

    suffix = f"/{length}" if length < bits else ""
    return Condition(f"{names[0] if is_src else names[1]}={value}{suffix}", holds)


@st.composite
def ip_extra(draw: st.DrawFn) -> Condition:
    tos, ecn = draw(st.integers(0, 63)) << 2, draw(st.integers(0, 3))
    frags: dict[str, Callable[[Key], bool]] = {
        "no": lambda k: k.nw_frag == 0,
        "yes": lambda k: k.nw_frag & 1 == 1,
        "first": lambda k: k.nw_frag == 1,
        "later": lambda k: k.nw_frag == 3,
        "not_later": lambda k: k.nw_frag & 2 == 0,
    }
    frag = draw(st.sampled_from(sorted(frags)))
    return draw(
        st.sampled_from(
            [
                Condition(f"nw_tos={tos}", lambda k: k.nw_tos & 0xFC == tos),
                Condition(f"ip_dscp={tos >> 2}", lambda k: k.nw_tos & 0xFC == tos),
                Condition(f"nw_ecn={ecn}", lambda k: k.nw_tos & 3 == ecn),
                Condition(f"ip_frag={frag}", frags[frag]),
            ]
        )
    )


PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}


@st.composite
def port(draw: st.DrawFn, protocol: str) -> Condition:
    name = draw(st.sampled_from(["tp", protocol.removesuffix("6")]))
    is_src = draw(st.booleans())
    value = draw(st.sampled_from([0, 1, 53, 80, 443, 8080, 65535]))
    mask = draw(st.sampled_from([0xFFFF, 0xFFFF, 0xFFF0, 0x0001]))
    suffix = f"/{mask:#x}" if mask != 0xFFFF else ""
    side = "src" if is_src else "dst"
    return Condition(
        f"{name}_{side}={value}{suffix}", lambda k: ((k.tp_src if is_src else k.tp_dst) ^ value) & mask == 0
    )


@st.composite
def layer3(draw: st.DrawFn) -> list[Condition]:
    """A protocol and conditions that it allows."""
    word = draw(st.sampled_from(["ip", "ipv6", "arp", "tcp", "udp", "sctp", "icmp", "tcp6", "udp6", "icmp6"]))
    v6 = word.endswith("6")
    kind = 0x0806 if word == "arp" else 0x86DD if v6 else 0x0800
    found = [Condition(word, lambda k: k.dl_type == kind)]
    if word == "arp":
        op = draw(st.integers(0, 3))
        found.append(Condition(f"arp_op={op}", lambda k: k.nw_proto == op))
        return [*found, draw(address(False, ("arp_spa", "arp_tpa")))]
    names = ("ipv6_src", "ipv6_dst") if v6 else ("nw_src", "nw_dst")
    found += draw(st.lists(address(v6, names), max_size=1)) + draw(st.lists(ip_extra(), max_size=1))
    number = PROTOCOLS.get(word.removesuffix("6")) or {"icmp": 1, "icmp6": 58}.get(word)
    if number:
        found.append(Condition(f"nw_proto={number}", lambda k: k.nw_proto == number))
    if not number or any(c.text == "ip_frag=later" for c in found):
        return found  # Later fragments have no L4 header: a match on one is refused.
    if word.startswith("icmp"):
        value = draw(st.sampled_from([0, 8, 128]))
        return [*found, Condition(f"icmp_type={value}", lambda k: k.tp_src == value)]
    found += draw(st.lists(port(word), max_size=1))
    return found


@st.composite
def rule(draw: st.DrawFn, actions: st.SearchStrategy[str]) -> Rule:
    conditions = draw(st.lists(in_port(), max_size=1)) + draw(st.lists(mac(), max_size=1))
    conditions += draw(st.lists(vlan(), max_size=1))
    conditions += draw(st.one_of(st.just([]), layer3(), layer3(), st.lists(ethertype(), max_size=1)))
    return Rule(draw(st.integers(0, 65535)), tuple(conditions), draw(actions))


@st.composite
def rules(draw: st.DrawFn, actions: st.SearchStrategy[str], most: int = 12) -> list[Rule]:
    """Rules of different priorities: among equals, switches may choose as they like."""
    return draw(st.lists(rule(actions), min_size=1, max_size=most, unique_by=lambda r: r.priority))


simple_actions = st.sampled_from(
    ["drop", "output:1", "output:2", "output:3,output:4", "FLOOD", "ALL", "IN_PORT", "output:2,IN_PORT"]
)
