"""Datapath actions as values, and as the text that the switch and Open vSwitch use for them."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """Where a field lies in its header: in a big-endian word of `size` bytes at `at`, `bits` wide."""

    name: str
    kind: str  # How it is written: mac, ip4, ip6, dec, hex.
    at: int
    size: int
    shift: int = 0
    bits: int = 0

    @property
    def width(self) -> int:
        return self.bits or 8 * self.size

    @property
    def full(self) -> int:
        return int((1 << self.width) - 1)


def _fields(*each: Field) -> dict[str, Field]:
    return {one.name: one for one in each}


PORTS = _fields(Field("src", "dec", 0, 2), Field("dst", "dec", 2, 2))
KEYS: dict[str, dict[str, Field]] = {
    "eth": _fields(Field("src", "mac", 6, 6), Field("dst", "mac", 0, 6)),
    "vlan": _fields(Field("vid", "dec", 14, 2, 0, 12), Field("pcp", "dec", 14, 2, 13, 3)),
    "ipv4": _fields(
        Field("src", "ip4", 12, 4),
        Field("dst", "ip4", 16, 4),
        Field("tos", "hex", 1, 1),
        Field("ttl", "dec", 8, 1),
    ),
    "ipv6": _fields(
        Field("src", "ip6", 8, 16),
        Field("dst", "ip6", 24, 16),
        Field("label", "hex", 0, 4, 0, 20),
        Field("tclass", "hex", 0, 4, 20, 8),
        Field("hlimit", "dec", 7, 1),
    ),
    "arp": _fields(
        Field("sip", "ip4", 14, 4),
        Field("tip", "ip4", 24, 4),
        Field("op", "dec", 6, 2),
        Field("sha", "mac", 8, 6),
        Field("tha", "mac", 18, 6),
    ),
    "tcp": PORTS,
    "udp": PORTS,
    "sctp": PORTS,
    "icmp": _fields(Field("type", "dec", 0, 1), Field("code", "dec", 1, 1)),
    "icmpv6": _fields(Field("type", "dec", 0, 1), Field("code", "dec", 1, 1)),
    # Link layer addresses: from the beginning of their option.
    "nd": _fields(Field("target", "ip6", 8, 16), Field("sll", "mac", 2, 6), Field("tll", "mac", 2, 6)),
    "nd_ext": _fields(Field("nd_reserved", "nsh", 4, 4), Field("nd_options_type", "dec", 24, 1)),
    "nsh": _fields(
        Field("flags", "nsh8", 0, 2, 12, 2),
        Field("ttl", "nsh8", 0, 2, 6, 6),
        Field("spi", "nsh", 4, 4, 8, 24),
        Field("si", "nsh8", 4, 4, 0, 8),
        *(Field(f"c{i + 1}", "nsh", 8 + 4 * i, 4) for i in range(4)),
    ),
    "mpls": _fields(
        Field("label", "dec", 0, 4, 12, 20),
        Field("tc", "dec", 0, 4, 9, 3),
        Field("ttl", "dec", 0, 4, 0, 8),
        Field("bos", "dec", 0, 4, 8, 1),
    ),
    "skb_priority": _fields(Field("", "hex", 0, 4)),
    "skb_mark": _fields(Field("", "hex", 0, 4)),
}


def _number(kind: str, value: int) -> str:
    if kind == "mac":
        return ":".join(f"{byte:02x}" for byte in value.to_bytes(6, "big"))
    if kind == "ip4":
        return str(ipaddress.IPv4Address(value))
    if kind == "ip6":
        return socket.inet_ntop(socket.AF_INET6, value.to_bytes(16, "big"))
    if kind == "hex":
        return f"{value:#x}" if value else "0"
    return f"{value:#x}" if kind == "nsh" else str(value)


def _mask(kind: str, mask: int) -> str:
    if kind in ("mac", "ip4", "ip6"):
        return _number(kind, mask)
    return {"nsh": f"0x{mask:08x}", "nsh8": f"0x{mask:02x}"}.get(kind, f"{mask:#x}")


def _masked(field: Field, value: int, mask: int) -> str:
    if mask == field.full:
        return _number(field.kind, value)
    shown = f"0x{value:02x}" if field.kind == "nsh8" else _number(field.kind, value)
    return f"{shown}/{_mask(field.kind, mask)}"


@dataclass(frozen=True)
class Action:
    """One action: what it does, its numbers, and the lists inside."""

    kind: str
    args: tuple[int, ...] = ()
    key: str = ""
    fields: tuple[tuple[str, int, int], ...] = ()  # set: (name, value, mask), value within mask.
    lists: tuple[tuple[Action, ...], ...] = ()

    def _set_text(self) -> str:
        names = KEYS[self.key]
        parts = []
        for name, field in names.items():  # In the order in which they are printed.
            for given, value, mask in self.fields:
                if given == name:
                    parts.append(
                        f"{name}={_masked(field, value, mask)}" if name else _masked(field, value, mask)
                    )
        return f"set({self.key}({','.join(parts)}))"

    def __str__(self) -> str:
        if self.kind == "set":
            return self._set_text()
        if self.kind in FORMATS:
            return FORMATS[self.kind].format(*self.args)
        if self.kind in ("push_mpls", "add_mpls"):
            lse, kind = self.args
            parts = f"label={lse >> 12},tc={lse >> 9 & 7},ttl={lse & 255},bos={lse >> 8 & 1}"
            return f"{self.kind}({parts},eth_type={kind:#x})"
        if self.kind == "push_vlan":
            tpid, tci = self.args
            head = "" if tpid == 0x8100 else f"tpid={tpid:#06x},"
            return f"push_vlan({head}vid={tci & 0xFFF},pcp={tci >> 13})"
        if self.kind == "push_eth":
            return f"push_eth(src={_number('mac', self.args[0])},dst={_number('mac', self.args[1])})"
        if self.kind == "push_nsh":
            names = ("flags", "ttl", "mdtype", "np", "spi", "si", "c1", "c2", "c3", "c4")
            hexadecimal = ("spi", "c1", "c2", "c3", "c4")
            given = zip(names, self.args, strict=True)
            return (
                "push_nsh("
                + ",".join(f"{n}={v:#x}" if n in hexadecimal else f"{n}={v}" for n, v in given)
                + ")"
            )
        inner = [text(each) for each in self.lists]
        if self.kind == "clone":
            return f"clone({inner[0]})"
        if self.kind == "sample":
            return f"sample(sample={self.args[0]}.0%,actions({inner[0]}))"
        assert self.kind == "check_pkt_len"
        return f"check_pkt_len(size={self.args[0]},gt({inner[0]}),le({inner[1]}))"


FORMATS = {
    "output": "{}",
    "drop": "drop",
    "pop_vlan": "pop_vlan",
    "pop_mpls": "pop_mpls(eth_type={:#x})",
    "pop_eth": "pop_eth",
    "pop_nsh": "pop_nsh()",
    "trunc": "trunc({})",
    "hash": "hash(l4({}))",
    "hash_sym": "hash(sym_l4({}))",
    "recirc": "recirc({:#x})",
    "meter": "meter({})",
    "controller": "userspace(pid=0,controller(pin={}))",
    "ct_clear": "ct_clear",
}


def text(actions: Sequence[Action]) -> str:
    """A list as ofproto/trace prints it."""
    return ",".join(map(str, actions)) or "drop"


def output(port: int) -> Action:
    return Action("output", (port,))


def set_field(key: str, **fields: int | tuple[int, int]) -> Action:
    """set_field("ipv4", ttl=3, src=(0x0A000000, 0xFF000000)): a number whole, a pair under its mask."""
    given = []
    for name, value in fields.items():
        field = KEYS[key][name]
        number, mask = value if isinstance(value, tuple) else (value, field.full)
        given.append((name, number & mask, mask))
    return Action("set", key=key, fields=tuple(given))
