"""Packets of each kind that a set() rewrites, built byte by byte with right checksums; fitting keys."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.differential.action_frame import ARP, ICMP, ICMPV6, IPV4, IPV6, NSH, SCTP, TCP, UDP
from tests.differential.action_sums import crc32c, ones_sum

EXTENSIONS = {
    "options": (0, bytes([0, 0, 1, 4, 0, 0, 0, 0])),
    "destination": (60, bytes([0, 0, 1, 4, 0, 0, 0, 0])),
    "routing": (43, bytes([0, 4, 0, 2, 0, 0, 0, 0]) + bytes(range(1, 33))),  # Two addresses to go.
    "routed": (43, bytes([0, 2, 0, 0, 0, 0, 0, 0]) + bytes(range(1, 17))),
    "atomic": (44, bytes([0, 0, 0, 0, 0, 0, 0, 7])),
    "first": (44, bytes([0, 0, 0, 1, 0, 0, 0, 7])),
    "later": (44, bytes([0, 0, 0, 9, 0, 0, 0, 7])),
    "authentication": (51, bytes([0, 2, 0, 0]) + bytes(12)),
}
PROTOCOLS = {"tcp": TCP, "udp": UDP, "sctp": SCTP, "icmp": ICMP, "icmpv6": ICMPV6, "nd": ICMPV6}


@dataclass(frozen=True)
class Kind:
    """A sort of packet, and what set() may name in it."""

    l3: str  # ipv4, ipv6, arp, mpls, nsh.
    l4: str = ""
    fragment: str = ""  # ipv4: first, later.
    extensions: tuple[str, ...] = ()
    checksum: bool = True

    @property
    def keys(self) -> tuple[str, ...]:
        l4 = ("nd", "nd_ext", "icmpv6") if self.l4 == "nd" else (self.l4,) if self.l4 else ()
        return (self.l3, *l4)

    def __str__(self) -> str:
        parts = [self.l3, *self.extensions, self.fragment, self.l4, "" if self.checksum else "no_checksum"]
        return "-".join(filter(None, parts))


KINDS = [
    *[Kind("ipv4", l4) for l4 in ("tcp", "udp", "sctp", "icmp", "")],
    *[Kind("ipv4", l4, fragment) for l4 in ("tcp", "udp", "sctp") for fragment in ("first", "later")],
    Kind("ipv4", "udp", checksum=False),
    *[Kind("ipv6", l4) for l4 in ("tcp", "udp", "sctp", "icmpv6", "nd", "")],
    *[Kind("ipv6", "udp", extensions=(name,)) for name in EXTENSIONS],
    *[Kind("ipv6", "tcp", extensions=("options", name)) for name in ("routing", "first", "later")],
    Kind("ipv6", "nd", extensions=("destination",)),
    Kind("ipv6", "udp", checksum=False),
    Kind("arp"),
    Kind("mpls"),
    Kind("nsh"),
]


def word(value: int) -> bytes:
    return value.to_bytes(2, "big")


def with_checksum(body: bytes, at: int, pseudo: bytes = b"") -> bytes:
    value = 0xFFFF - ones_sum(pseudo + body) or 0xFFFF
    return body[:at] + word(value) + body[at + 2 :]


def with_crc(body: bytes) -> bytes:
    return body[:8] + crc32c(body).to_bytes(4, "little") + body[12:]


@st.composite
def nd_message(draw: st.DrawFn) -> bytes:
    option = st.sampled_from([1, 2]).flatmap(
        lambda t: st.binary(min_size=6, max_size=6).map(lambda mac: bytes([t, 1]) + mac)
    )
    other = st.sampled_from([b"\x05\x01" + bytes(6), b"\x01\x02" + bytes(14), b"\x0e\0" + bytes(6)])
    options = draw(st.lists(st.one_of(option, option, other), max_size=3))
    head = bytes([draw(st.sampled_from([135, 136])), 0, 0, 0]) + draw(st.binary(min_size=20, max_size=20))
    return head + b"".join(options)


@st.composite
def l4_bytes(draw: st.DrawFn, kind: Kind) -> bytes:
    """With zeros for a checksum."""
    ports, rest = draw(st.binary(min_size=4, max_size=4)), draw(st.binary(max_size=21))
    match kind.l4:
        case "tcp":
            return ports + bytes(8) + b"\x50\x10\0\0" + bytes(4) + rest
        case "udp":
            return ports + word(8 + len(rest)) + bytes(2) + rest
        case "sctp":
            return ports + bytes(8) + rest
        case "icmp" | "icmpv6":
            return bytes([8 if kind.l4 == "icmp" else 128, 0, 0, 0, 0, 1, 0, 2]) + rest
        case "nd":
            return draw(nd_message())
        case _:
            return rest


def finished(kind: Kind, body: bytes, pseudo: bytes) -> bytes:
    """With its checksum. Of a first fragment it covers what is not here: any value will do."""
    if kind.fragment == "first" or "first" in kind.extensions:
        body, pseudo = body, pseudo + b"what is not here"
    match kind.l4:
        case "tcp":
            return with_checksum(body, 16, pseudo)
        case "udp":
            return with_checksum(body, 6, pseudo) if kind.checksum else body
        case "sctp":
            return with_crc(body)
        case "icmp":
            return with_checksum(body, 2)
        case "icmpv6" | "nd":
            return with_checksum(body, 2, pseudo)
        case _:
            return body


@st.composite
def over_ipv4(draw: st.DrawFn, kind: Kind) -> bytes:
    body, options = draw(l4_bytes(kind)), draw(st.sampled_from([b"", b"\x94\x04\0\0"]))
    proto = PROTOCOLS.get(kind.l4, 200)
    addresses = draw(st.binary(min_size=8, max_size=8))
    pseudo = addresses + bytes([0, proto]) + word(len(body))
    fragment = {"first": 0x2000, "later": 0x2003}.get(kind.fragment, 0)
    tos, ttl = draw(st.integers(0, 255)), draw(st.integers(0, 255))
    head = bytes([0x45 + len(options) // 4, tos]) + word(20 + len(options) + len(body)) + bytes(2)
    head += word(fragment) + bytes([ttl, proto, 0, 0]) + addresses + options
    return with_checksum(head, 10) + finished(kind, body, pseudo)


@st.composite
def over_ipv6(draw: st.DrawFn, kind: Kind) -> bytes:
    body, proto = draw(l4_bytes(kind)), PROTOCOLS.get(kind.l4, 200)
    addresses = draw(st.binary(min_size=32, max_size=32))
    final = EXTENSIONS["routing"][1][-16:] if "routing" in kind.extensions else addresses[16:]
    pseudo = addresses[:16] + final + len(body).to_bytes(4, "big") + bytes([0, 0, 0, proto])
    chain, following = b"", proto
    for name in reversed(kind.extensions):
        number, extension = EXTENSIONS[name]
        chain, following = bytes([following]) + extension[1:] + chain, number
    first = draw(st.integers(0, 2**28 - 1)) | 6 << 28
    head = (
        first.to_bytes(4, "big")
        + word(len(chain) + len(body))
        + bytes([following, draw(st.integers(0, 255))])
    )
    return head + addresses + chain + finished(kind, body, pseudo)


@st.composite
def l3_bytes(draw: st.DrawFn, kind: Kind) -> tuple[int, bytes]:
    match kind.l3:
        case "ipv4":
            return IPV4, draw(over_ipv4(kind))
        case "ipv6":
            return IPV6, draw(over_ipv6(kind))
        case "arp":
            return ARP, b"\0\1\x08\0\6\4\0\1" + draw(st.binary(min_size=20, max_size=20))
        case "mpls":
            lses = draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3))
            stack = [lse & ~0x100 | (0x100 if i == len(lses) - 1 else 0) for i, lse in enumerate(lses)]
            inner = draw(over_ipv4(replace(kind, l4="udp")))
            return 0x8847, b"".join(lse.to_bytes(4, "big") for lse in stack) + inner
        case _:
            return NSH, b"\x0f\xc6\x01\x03" + draw(st.binary(min_size=20, max_size=20)) + bytes(20)


@st.composite
def frames_of(draw: st.DrawFn, kind: Kind) -> bytes:
    """An Ethernet frame of this kind, perhaps with tags, perhaps padded."""
    ethertype, inner = draw(l3_bytes(kind))
    tags = draw(st.sampled_from([b"", b"", b"\x81\0\x20\x05", b"\x88\xa8\0\x07\x81\0\x40\x09"]))
    data = draw(st.binary(min_size=12, max_size=12)) + tags + word(ethertype) + inner
    return data + bytes(draw(st.sampled_from([0, 0, 3, 18])))
