"""Does a packet match? A slow twin that is obviously right: word by word, from the text.

It reads words of strategies_match.py by Python's own means, and looks at members of the key.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from tests.c.support.fields import find
from tests.differential.key import Key
from tests.differential.strategies_match import CT_FLAGS, TCP_FLAGS

CFI = 0x1000
KEYWORDS = {
    "ip": (0x0800, None),
    "tcp": (0x0800, 6),
    "udp": (0x0800, 17),
    "sctp": (0x0800, 132),
    "icmp": (0x0800, 1),
    "ipv6": (0x86DD, None),
    "tcp6": (0x86DD, 6),
    "udp6": (0x86DD, 17),
    "sctp6": (0x86DD, 132),
    "icmp6": (0x86DD, 58),
    "arp": (0x0806, None),
    "rarp": (0x8035, None),
    "mpls": (0x8847, None),
    "mplsm": (0x8848, None),
}
FRAGMENTS = {"no": (0, 3), "yes": (1, 1), "first": (1, 3), "later": (3, 3), "not_later": (0, 2)}
# Fields of any packet; what names another one says that the packet is Ethernet.
ANY_PACKET = re.compile(
    r"(x?x?reg\d|metadata|pkt_mark|conj_id|actset|in_port|tun_|ct_(state|zone|mark|label)|packet_type)"
)
PORTS = {"LOCAL": 0xFFFE}


def member(key: Key, name: str) -> tuple[int, int] | None:
    """(value, its bits) of a field that is one member of the key, in the member's width."""
    names = {
        "in_port": "in_port",
        "actset_output": "actset_output",
        "ct_state": "ct_state",
        "tcp_flags": "tcp_flags",
    }
    if name in names:
        return int(getattr(key, names[name])), 0xFFFFFFFF
    if re.fullmatch(r"(tp|tcp|udp|sctp)_src|icmp(v6)?_type", name):
        return key.tp_src, 0xFFFF
    if re.fullmatch(r"(tp|tcp|udp|sctp)_dst|icmp(v6)?_code", name):
        return key.tp_dst, 0xFFFF
    return (key.tcp_flags, 0xFFFF) if name == "nd_options_type" else None


def _address(text: str) -> int:
    return int(ipaddress.ip_address(text))


def _prefix(text: str, bits: int) -> int:
    return _address(text) if "." in text or ":" in text else (1 << int(text)) - 1 << bits - int(text)


def _flags(text: str, names: tuple[str, ...], ones: int) -> tuple[int, int]:
    if "/" in text:
        value, mask = (int(part, 0) for part in text.split("/"))
        return value, mask
    if text[0] not in "+-":
        return sum(1 << names.index(flag) for flag in text.split("|")), ones
    signed = re.findall(r"([+-])(\w+)", text)
    mask = sum(1 << names.index(flag) for _, flag in signed)
    return sum(1 << names.index(flag) for sign, flag in signed if sign == "+"), mask


def read(name: str, text: str, ones: int) -> tuple[int, int]:
    """(value, mask) of a word's value."""
    if name in ("ct_state", "tcp_flags"):
        return _flags(text, CT_FLAGS if name == "ct_state" else (*TCP_FLAGS, "", "", ""), ones)
    if name == "tun_flags":
        return int("-" not in text), 1
    value, _, mask = text.partition("/")
    if re.search(r"(ip|nw|spa|tpa|tun|ipv6)_?(src|dst)|arp_[st]pa|nd_target|tun_(ipv6_)?(src|dst)", name):
        number = _address(value)
        bits = 128 if ":" in value else 32
        return number, _prefix(mask, bits) if mask else (1 << bits) - 1
    if value.count(":") == 5:
        return int(value.replace(":", ""), 16), int(mask.replace(":", ""), 16) if mask else (1 << 48) - 1
    number = PORTS[value] if value in PORTS else int(value, 0)
    return number, int(mask, 0) if mask else ones


def _tag(name: str, text: str, tci: int) -> bool:
    number, mask = read(name, text, 0xFFFF)
    if name == "vlan_tci":
        return (tci ^ number) & mask == 0
    if name == "vlan_vid":
        return (tci ^ number) & 0x1FFF == 0
    if name == "dl_vlan":
        return tci & 0x1FFF == CFI | number
    return tci & 0xF000 == CFI | number << 13


def _bits(flow: Any, name: str, text: str) -> bool:
    """ "reg0[0..3]=5"."""
    found = re.fullmatch(r"(\w+)\[(\d+)(?:\.\.(\d+))?\]", name)
    assert found
    first, last = int(found[2]), int(found[3] or found[2])
    return find(found[1]).get(flow) >> first & (1 << last - first + 1) - 1 == int(text, 0)


def _holds(flow: Any, key: Key, word: str) -> bool:
    name, _, text = word.partition("=")
    if name in KEYWORDS:
        kind, proto = KEYWORDS[name]
        return key.dl_type == kind and proto in (None, key.nw_proto)
    if "[" in name:
        return _bits(flow, name, text)
    if name in ("vlan_tci", "vlan_vid", "vlan_pcp", "dl_vlan", "dl_vlan_pcp"):
        return _tag(name, text, key.vlans[0][1])
    if name in ("nw_frag", "ip_frag"):
        value, mask = FRAGMENTS[text]
        return key.nw_frag & mask == value
    if name == "packet_type":
        space, kind = (int(part, 0) for part in text.strip("()").split(","))
        return key.packet_type == space << 16 | kind
    if name == "tun_metadata0" and not flow.tunnel.opts_present & 1:
        return False
    if not text:
        return True
    found = member(key, name) or (find(name).get(flow), find(name).all_bits)
    value, mask = read(name, text, found[1])
    return (found[0] ^ value) & mask == 0


def covers(words: tuple[str, ...], flow: Any, key: Key) -> bool:
    """Whether the packet with this key (in both forms) meets all words."""
    if (
        any(not ANY_PACKET.match(word) for word in words)
        and key.packet_type
        and "packet_type" not in ",".join(words)
    ):
        return False
    return all(_holds(flow, key, word) for word in words)
