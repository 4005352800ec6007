"""Hypothesis strategies for fields that actions write and read: which layers a packet needs to have them,
values, masks, runs of their bits.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Field:
    """A field of ovs-fields(7). `needs` names layers (State.layer), one of which the packet must have."""

    name: str
    bits: int
    kind: str  # How a value is written: dec, hex, mac, ip, ip6, or of which values there are few: words.
    needs: tuple[str, ...] = ()
    maskable: bool = False
    words: tuple[str, ...] = ()


V4 = ("ip", "tcp", "udp", "sctp", "icmp")
V6 = ("ipv6", "tcp6", "udp6", "sctp6", "icmp6", "nd")
IP = V4 + V6
TCP = ("tcp", "tcp6")

REGISTERS = [
    *(Field(f"reg{i}", 32, "hex", (), True) for i in range(16)),
    *(Field(f"xreg{i}", 64, "hex", (), True) for i in range(8)),
    *(Field(f"xxreg{i}", 128, "hex", (), True) for i in range(4)),
    Field("metadata", 64, "hex", (), True),
    Field("pkt_mark", 32, "hex", (), True),
]

HEADERS = [
    Field("eth_src", 48, "mac", (), True),
    Field("eth_dst", 48, "mac", (), True),
    Field("vlan_vid", 12, "words", ("vlan",), False, ("4097", "4106", "4116", "8191")),
    Field("vlan_pcp", 3, "dec", ("vlan",)),
    Field("mpls_label", 20, "dec", ("mpls",)),
    Field("mpls_tc", 3, "dec", ("mpls",)),
    Field("mpls_ttl", 8, "dec", ("mpls",)),
    Field("ip_src", 32, "ip", V4, True),
    Field("ip_dst", 32, "ip", V4, True),
    Field("nw_tos", 8, "words", IP, False, ("0", "4", "32", "184", "252")),
    Field("ip_dscp", 6, "dec", IP),
    Field("nw_ecn", 2, "dec", IP),
    Field("nw_ttl", 8, "dec", IP),
    Field("ipv6_src", 128, "ip6", V6, True),
    Field("ipv6_dst", 128, "ip6", V6, True),
    Field("ipv6_label", 20, "hex", V6, True),
    Field("tcp_src", 16, "dec", TCP),
    Field("tcp_dst", 16, "dec", TCP),
    Field("udp_src", 16, "dec", ("udp", "udp6")),
    Field("udp_dst", 16, "dec", ("udp", "udp6")),
    Field("sctp_src", 16, "dec", ("sctp", "sctp6")),
    Field("sctp_dst", 16, "dec", ("sctp", "sctp6")),
    Field("icmp_type", 8, "dec", ("icmp",)),
    Field("icmp_code", 8, "dec", ("icmp",)),
    Field("icmpv6_type", 8, "words", ("icmp6",), False, ("128", "129")),
    Field("icmpv6_code", 8, "dec", ("icmp6",)),
    Field("nd_target", 128, "ip6", ("nd",), True),
    Field("nd_sll", 48, "mac", ("nd",)),
    Field("arp_op", 16, "words", ("arp", "rarp"), False, ("1", "2")),
    Field("arp_spa", 32, "ip", ("arp", "rarp"), True),
    Field("arp_tpa", 32, "ip", ("arp", "rarp"), True),
    Field("arp_sha", 48, "mac", ("arp", "rarp"), True),
    Field("arp_tha", 48, "mac", ("arp", "rarp"), True),
]

NSH = [
    Field("nsh_flags", 8, "dec", ("nsh",), True),
    Field("nsh_ttl", 6, "dec", ("nsh",)),
    Field("nsh_spi", 24, "hex", ("nsh",)),
    Field("nsh_si", 8, "dec", ("nsh",)),
    Field("nsh_c1", 32, "hex", ("nsh",), True),
    Field("nsh_c4", 32, "hex", ("nsh",), True),
]

TUNNEL = [
    Field("tun_id", 64, "hex", (), True),
    Field("tun_src", 32, "ip", (), True),
    Field("tun_dst", 32, "ip", (), True),
    Field("tun_ipv6_src", 128, "ip6", (), True),
    Field("tun_ipv6_dst", 128, "ip6", (), True),
    Field("tun_gbp_id", 16, "dec"),
    Field("tun_gbp_flags", 8, "hex"),
]

CONNECTION = [Field("ct_mark", 32, "hex", (), True), Field("ct_label", 128, "hex", (), True)]

READABLE = [Field("in_port", 16, "dec"), Field("eth_type", 16, "hex"), Field("ip_proto", 8, "dec", IP)]

MACS = (
    "02:00:00:00:00:01",
    "02:00:00:00:00:ff",
    "ff:ff:ff:ff:ff:ff",
    "00:00:00:00:00:00",
    "01:00:5e:00:00:05",
)
MAC_MASKS = ("01:00:00:00:00:00", "ff:ff:ff:00:00:00", "0f:f0:00:00:00:ff")
ADDRESSES = ("10.0.0.1", "192.168.1.1", "0.0.0.0", "255.255.255.255", "224.0.0.5")
ADDRESS_MASKS = ("8", "24", "31", "255.0.255.0", "0.0.0.255")
ADDRESSES6 = ("fd00::1", "fe80::200:ff:fe00:1", "::", "::1", "ff02::1", "2001:db8::ffff:0:1")
ADDRESS6_MASKS = ("64", "10", "127", "ffff::ffff")


def numbers(bits: int) -> st.SearchStrategy[int]:
    """Small and large ones, and those at the ends."""
    top = (1 << bits) - 1
    return st.one_of(
        st.sampled_from([0, 1, top, top >> 1]), st.integers(0, min(top, 20)), st.integers(0, top)
    )


def _and(value: str, mask: str, base: int) -> str:
    """The value's bits under the mask, written as the value is."""
    separator = ":" if base == 16 else "."
    pairs = zip(value.split(separator), mask.split(separator), strict=True)
    return separator.join(
        (f"{int(v, 16) & int(m, 16):02x}" if base == 16 else f"{int(v) & int(m)}") for v, m in pairs
    )


def _ipv4_masked(value: str, mask: str) -> str:
    number = int.from_bytes(bytes(map(int, value.split("."))), "big")
    if "." in mask:
        return f"{_and(value, mask, 10)}/{mask}"
    number &= -1 << (32 - int(mask))
    return ".".join(map(str, (number & 0xFFFFFFFF).to_bytes(4, "big"))) + f"/{mask}"


def values(field: Field) -> st.SearchStrategy[str]:
    """Values of the whole field, as set_field writes them."""
    match field.kind:
        case "words":
            return st.sampled_from(field.words)
        case "mac":
            return st.sampled_from(MACS)
        case "ip":
            return st.sampled_from(ADDRESSES)
        case "ip6":
            return st.sampled_from(ADDRESSES6)
        case "dec":
            return numbers(field.bits).map(str)
        case _:
            return numbers(field.bits).map(hex)


def masked_values(field: Field) -> st.SearchStrategy[str]:
    """VALUE/MASK, with no bit of the value outside the mask; the mask is neither empty nor whole."""
    match field.kind:
        case "mac":
            pairs = st.tuples(st.sampled_from(MACS), st.sampled_from(MAC_MASKS))
            return pairs.map(lambda p: f"{_and(p[0], p[1], 16)}/{p[1]}")
        case "ip":
            return st.builds(_ipv4_masked, st.sampled_from(ADDRESSES), st.sampled_from(ADDRESS_MASKS))
        case "ip6":
            return st.sampled_from(["fd00::/64", "fe80::/10", "fd00::1/ffff::ffff", "::/96", "2001:db8::/32"])
        case _:
            top = (1 << field.bits) - 1
            masks = st.integers(1, top - 1)
            return st.tuples(numbers(field.bits), masks).map(lambda p: f"{p[0] & p[1]:#x}/{p[1]:#x}")


@st.composite
def parts(draw: st.DrawFn, field: Field, width: int = 0) -> tuple[str, int]:
    """A run of the field's bits as text, and how many they are: `width` of them, or any number."""
    size = width or draw(st.one_of(st.just(field.bits), st.integers(1, field.bits)))
    first = draw(st.integers(0, field.bits - size))
    if size == field.bits:
        return f"{field.name}{draw(st.sampled_from(['', '[]']))}", size
    return (f"{field.name}[{first}]" if size == 1 else f"{field.name}[{first}..{first + size - 1}]"), size
