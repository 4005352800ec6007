"""A hypothesis strategy for matches: random, consistent, in ovs-ofctl syntax.

Every match that it draws meets its prerequisites and says nothing twice, so that it is a rule as it stands.
Values come from small pools as often as from anywhere, so that matches overlap and frames of frames.py meet
them. tun_metadata0 wants the TLV map TLV_MAP.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.differential.frames import GROUP_MACS, MACS

TLV_MAP = "{class=0x0102,type=0x80,len=4}->tun_metadata0"

PORTS = {"tcp": 6, "udp": 17, "sctp": 132}
CT_FLAGS = ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")
TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns")


@dataclass(frozen=True)
class MatchText:
    """Words of a match, and what actions may rely on: its protocol's keyword (or ""), that it has a tag."""

    words: tuple[str, ...]
    keyword: str = ""
    tagged: bool = False

    @property
    def text(self) -> str:
        return ",".join(self.words)


@dataclass(frozen=True)
class Offer:
    """Which families of fields matches are drawn from."""

    tunnel: bool = True
    conntrack: bool = True
    metadata: bool = True
    other_packets: bool = False  # packet_type: packets that are not Ethernet.
    ports: tuple[str, ...] = ("1", "2", "3", "4", "LOCAL")


EVERYTHING = Offer()

# -- numbers and masks ---------------------------------------------------------------------------


def numbers(bits: int) -> st.SearchStrategy[int]:
    top = (1 << bits) - 1
    return st.one_of(st.integers(0, min(3, top)), st.just(top), st.just(1 << bits - 1), st.integers(0, top))


def masks(bits: int) -> st.SearchStrategy[int]:
    """Masks that are not all ones: single bits, runs, anything."""
    top = (1 << bits) - 1
    run = st.builds(lambda n, s: ((1 << n) - 1) << s & top, st.integers(1, bits), st.integers(0, bits - 1))
    return st.one_of(st.integers(0, bits - 1).map(lambda b: 1 << b), run, st.integers(1, top)).filter(
        lambda mask: 0 < mask < top
    )


@st.composite
def number(draw: st.DrawFn, name: str, bits: int, maskable: bool = True) -> str:
    """name=value or name=value/mask; the value may have bits outside the mask, which do not count."""
    form = "#x" if bits > 64 else draw(st.sampled_from(["d", "#x"]))
    value = draw(numbers(bits))
    if not maskable or draw(st.integers(0, 2)) < 2:
        return f"{name}={value:{form}}"
    return f"{name}={value:{form}}/{draw(masks(bits)):#x}"


def not_zero(name: str, bits: int) -> st.SearchStrategy[str]:
    """For fields whose zero Open vSwitch loses on the way to its switch."""
    return st.integers(1, (1 << bits) - 1).map(lambda n: f"{name}={n}")


@st.composite
def ipv4(draw: st.DrawFn, name: str) -> str:
    pool = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.1.1", "224.0.0.5"])
    address = draw(st.one_of(pool, st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n)))))
    mask = ipaddress.IPv4Address(draw(masks(32)))
    suffix = draw(st.sampled_from(["", "", f"/{draw(st.integers(1, 32))}", f"/{mask}"]))
    return f"{name}={address}{suffix}"


@st.composite
def ipv6(draw: st.DrawFn, name: str) -> str:
    pool = st.sampled_from(
        ["fd00::1", "fd00::2", "fe80::1", "2001:db8::1", "ff02::1:ff00:1", "::", "::ffff:1.2.3.4"]
    )
    address = draw(st.one_of(pool, st.integers(0, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n)))))
    mask = ipaddress.IPv6Address(draw(masks(128)))
    if str(mask)[0].isdigit():  # ovs-ofctl takes such a mask for a prefix length, and refuses the rest.
        mask = ipaddress.IPv6Address(int(mask) | 0xF << 124)
    suffix = draw(st.sampled_from(["", "", f"/{draw(st.integers(1, 128))}", f"/{mask}"]))
    return f"{name}={address}{suffix}"


@st.composite
def mac(draw: st.DrawFn, name: str) -> str:
    def colons(n: int) -> str:
        return n.to_bytes(6, "big").hex(":")

    address = draw(st.one_of(st.sampled_from(MACS + GROUP_MACS), st.integers(0, 2**48 - 1).map(colons)))
    mask = draw(st.sampled_from(["", "", "", "/01:00:00:00:00:00", f"/{colons(draw(masks(48)))}"]))
    return f"{name}={address}{mask}"


@st.composite
def flags(draw: st.DrawFn, name: str, names: tuple[str, ...]) -> str:
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    if draw(st.integers(0, 3)) == 3:
        return f"{name}={'|'.join(chosen)}"
    return f"{name}={''.join(draw(st.sampled_from('+-')) + flag for flag in chosen)}"


# -- families of fields --------------------------------------------------------------------------


@dataclass
class _Words:
    """Words so far."""

    draw: st.DrawFn
    found: list[str] = field(default_factory=list)

    def some(self, one_in: int, *words: st.SearchStrategy[str]) -> None:
        """Adds each of these with a chance of its own. One draw for all of them, that shrinks to none."""
        dice = self.draw(st.integers(0, one_in ** len(words) - 1))
        for word in words:
            dice, face = divmod(dice, one_in)
            if face == one_in - 1:
                self.found.append(self.draw(word))


def _metadata(words: _Words, offer: Offer) -> None:
    words.some(3, st.sampled_from(offer.ports).map(lambda port: f"in_port={port}"))
    if not offer.metadata:
        return
    words.some(5, number("metadata", 64), number("pkt_mark", 32))
    words.some(20, st.integers(1, 2**32 - 1).map(lambda n: f"conj_id={n}"))
    words.some(20, st.sampled_from(offer.ports).map(lambda port: f"actset_output={port}"))
    # Registers, in views that do not cover one another.
    words.some(6, *(number(f"reg{i}", 32) for i in (0, 1, 5, 10, 15)))
    words.some(8, number("xreg1", 64), number("xreg3", 64), number("xxreg2", 128))
    words.some(10, st.sampled_from(["reg14[3]=1", "reg14[0..7]=0x2a", "reg14[8..31]=0"]))


def _tunnel(words: _Words) -> None:
    words.some(4, number("tun_id", 64), ipv4("tun_src"), ipv4("tun_dst"))
    words.some(12, ipv6("tun_ipv6_src"), ipv6("tun_ipv6_dst"))
    words.some(12, st.sampled_from(["tun_flags=+oam", "tun_flags=-oam", "tun_flags=oam"]))
    words.some(12, number("tun_gbp_id", 16), not_zero("tun_gbp_flags", 8))
    # Masks of whole low bytes Open vSwitch takes for exact.
    option = number("tun_metadata0", 32).filter(lambda word: not re.search("/0x(ff)+$", word))
    words.some(5, st.one_of(option, st.just("tun_metadata0")))
    words.some(20, not_zero("tun_gtpu_flags", 8), not_zero("tun_gtpu_msgtype", 8))
    version = words.draw(st.sampled_from([0] * 20 + [1, 2]))
    if version == 1:
        words.found += ["tun_erspan_ver=1", words.draw(not_zero("tun_erspan_idx", 20))]
    elif version == 2:
        words.found += ["tun_erspan_ver=2", "tun_erspan_dir=1"]
        words.some(2, not_zero("tun_erspan_hwid", 6))


def _conntrack(words: _Words, family: str) -> None:
    """`family`: "4", "6", or "" of packets whose connections have no addresses to match."""
    tracked = words.draw(st.sampled_from(["+trk-inv", "+est+trk", "+new-est+trk", "+rpl+trk"]))
    original = bool(family) and words.draw(st.integers(0, 2)) == 2
    if original:
        words.found.append(f"ct_state={tracked}")
        address = (
            (ipv4("ct_nw_src"), ipv4("ct_nw_dst"))
            if family == "4"
            else (ipv6("ct_ipv6_src"), ipv6("ct_ipv6_dst"))
        )
        words.some(2, *address)
        if words.draw(st.booleans()):
            words.found.append(f"ct_nw_proto={words.draw(st.sampled_from([6, 17, 132]))}")
            words.some(2, number("ct_tp_src", 16), number("ct_tp_dst", 16))
    else:
        words.some(2, flags("ct_state", CT_FLAGS))
    words.some(4, number("ct_zone", 16, maskable=False), number("ct_mark", 32), number("ct_label", 128))


def _ethernet(words: _Words) -> bool:
    """True: packets that match have a tag."""
    words.some(4, mac("dl_src"), mac("dl_dst"))
    kind = words.draw(st.sampled_from(["", "", "", "none", "vid", "pcp", "both", "tci", "any", "oxm"]))
    vid = words.draw(st.one_of(st.sampled_from([0, 10, 20, 4095]), st.integers(0, 4095)))
    pcp = words.draw(st.integers(0, 7))
    tci = words.draw(st.integers(0, 0xFFFF))
    mask = words.draw(st.one_of(st.just(0xFFFF), masks(16)))
    found = {
        "": [],
        "none": ["vlan_tci=0"],
        "vid": [f"dl_vlan={vid}"],
        "pcp": [f"dl_vlan_pcp={pcp}"],
        "both": [f"dl_vlan={vid}", f"dl_vlan_pcp={pcp}"],
        "tci": [f"vlan_tci={tci:#x}/{mask:#x}"],
        "any": ["vlan_tci=0x1000/0x1000"],
        "oxm": [f"vlan_vid={0x1000 | vid:#x}", f"vlan_pcp={pcp}"],
    }[kind]
    words.found += found
    return kind in ("vid", "pcp", "both", "any", "oxm")


def _ip(words: _Words, keyword: str) -> bool:
    """True: packets that match may have an L4 header."""
    if keyword.endswith("6"):
        words.some(3, ipv6("ipv6_src"), ipv6("ipv6_dst"))
        words.some(6, number("ipv6_label", 20))
    else:
        names = words.draw(st.sampled_from([("nw_src", "nw_dst"), ("ip_src", "ip_dst")]))
        words.some(3, ipv4(names[0]), ipv4(names[1]))
    tos = st.integers(0, 63).flatmap(lambda n: st.sampled_from([f"nw_tos={n << 2}", f"ip_dscp={n}"]))
    words.some(
        6,
        tos,
        st.integers(0, 3).map(lambda n: f"nw_ecn={n}"),
        st.integers(0, 255).map(lambda n: f"nw_ttl={n}"),
    )
    frag = words.draw(st.sampled_from([""] * 10 + ["no", "yes", "first", "later", "not_later"]))
    if frag:
        words.found.append(f"{words.draw(st.sampled_from(['nw_frag', 'ip_frag']))}={frag}")
    return frag != "later"


def _ports(words: _Words, keyword: str) -> None:
    name = words.draw(st.sampled_from(["tp", keyword.removesuffix("6")]))
    words.some(3, number(f"{name}_src", 16), number(f"{name}_dst", 16))
    if keyword.startswith("tcp"):
        numeric = st.builds(lambda v, m: f"tcp_flags={v & m:#x}/{m:#x}", st.integers(0, 0xFFF), masks(12))
        words.some(4, st.one_of(flags("tcp_flags", TCP_FLAGS), numeric))


def _neighbour(words: _Words) -> None:
    kind = words.draw(st.sampled_from([135, 136]))
    words.found += [f"icmpv6_type={kind}", *words.draw(st.sampled_from([[], ["icmpv6_code=0"]]))]
    words.some(2, ipv6("nd_target"))
    words.some(2, mac("nd_sll" if kind == 135 else "nd_tll"))
    words.some(6, number("nd_reserved", 32, maskable=False), number("nd_options_type", 8, maskable=False))


def _icmp(words: _Words, keyword: str) -> None:
    if keyword == "icmp6" and words.draw(st.booleans()):
        _neighbour(words)
        return
    prefix = "icmpv6" if keyword == "icmp6" else "icmp"
    words.some(2, number(f"{prefix}_type", 8, maskable=False), number(f"{prefix}_code", 8, maskable=False))
    if f"{prefix}_type" not in " ".join(words.found):
        words.some(4, st.integers(1, 134).map(lambda n: f"{prefix}_type={n}"))


def _arp(words: _Words) -> None:
    words.some(2, st.integers(0, 255).map(lambda n: f"arp_op={n}"))
    words.some(3, ipv4("arp_spa"), ipv4("arp_tpa"), mac("arp_sha"), mac("arp_tha"))


def _mpls(words: _Words) -> None:
    words.some(2, number("mpls_label", 20, maskable=False))
    words.some(4, number("mpls_tc", 3, maskable=False), number("mpls_bos", 1, maskable=False))
    words.some(4, number("mpls_ttl", 8, maskable=False))


def _nsh(words: _Words) -> None:
    words.some(
        3, number("nsh_flags", 8), number("nsh_np", 8, maskable=False), number("nsh_si", 8, maskable=False)
    )
    words.some(3, number("nsh_spi", 24, maskable=False), st.integers(0, 63).map(lambda n: f"nsh_ttl={n}"))
    if words.draw(st.booleans()):
        words.found.append("nsh_mdtype=1")
        words.some(2, *(number(f"nsh_c{i}", 32) for i in (1, 2, 3, 4)))


IPV4_WORDS = ("ip", "tcp", "udp", "sctp", "icmp")
IPV6_WORDS = ("ipv6", "tcp6", "udp6", "sctp6", "icmp6")
OTHER_WORDS = ("arp", "rarp", "mpls", "mplsm", "nsh", "dl_type")


def _protocol(words: _Words, keyword: str) -> None:
    """The fields of a protocol, its keyword first."""
    if keyword in ("nsh", "dl_type"):
        kind = (
            "0x894f"
            if keyword == "nsh"
            else words.draw(st.sampled_from(["0x88cc", "0x05ff", "0x9000", "1536"]))
        )
        words.found.append(f"{words.draw(st.sampled_from(['dl_type', 'eth_type']))}={kind}")
    else:
        words.found.append(keyword)
    if keyword in IPV4_WORDS + IPV6_WORDS:
        has_l4 = _ip(words, keyword)
        base = keyword.removesuffix("6")
        if base in PORTS and has_l4:
            _ports(words, keyword)
        elif base == "icmp" and has_l4:
            _icmp(words, keyword)
        elif keyword in ("ip", "ipv6"):
            words.some(4, st.sampled_from([0, 2, 47, 50, 89, 255]).map(lambda n: f"nw_proto={n}"))
    elif keyword in ("arp", "rarp"):
        _arp(words)
    elif keyword.startswith("mpls"):
        _mpls(words)
    elif keyword == "nsh":
        _nsh(words)


_POOL = ("", "", *IPV4_WORDS, *IPV4_WORDS, *IPV6_WORDS, *OTHER_WORDS)


@st.composite
def matches(draw: st.DrawFn, offer: Offer = EVERYTHING) -> MatchText:
    """One match. Its words are in any order."""
    words = _Words(draw)
    keyword = draw(st.sampled_from(_POOL))
    is_other = offer.other_packets and keyword in ("ip", "ipv6") and draw(st.integers(0, 3)) == 3
    _metadata(words, offer)
    if offer.tunnel and draw(st.integers(0, 3)) == 3:
        _tunnel(words)
    if offer.conntrack and draw(st.integers(0, 2)) == 2:
        family = "4" if keyword in IPV4_WORDS else "6" if keyword in IPV6_WORDS else ""
        _conntrack(words, "" if is_other else family)
    if is_other:
        words.found.append("packet_type=(1,0x800)" if keyword == "ip" else "packet_type=(1,0x86dd)")
        _ip(words, keyword)
        return MatchText(tuple(draw(st.permutations(words.found))))
    tagged = _ethernet(words)
    if keyword:
        _protocol(words, keyword)
    return MatchText(tuple(draw(st.permutations(words.found))), keyword, tagged)


@st.composite
def flow_texts(draw: st.DrawFn, offer: Offer = EVERYTHING) -> str:
    """A rule's match as add-flow takes it: with a table, a priority, blanks or commas between its words."""
    words = list(draw(matches(offer)).words)
    if draw(st.booleans()):
        words.insert(draw(st.integers(0, len(words))), f"priority={draw(numbers(16))}")
    if draw(st.booleans()):
        words.insert(draw(st.integers(0, len(words))), f"table={draw(st.integers(0, 20))}")
    return draw(st.sampled_from([",", ", ", " ", "\t"])).join(words)
