"""A slow twin of the executor of datapath actions: bytes in, bytes out, every checksum computed anew.

A checksum that was right is right afterwards; one that was wrong stays wrong by as much (that is what
changing it along with the bytes means): the twin finds out by how much before each change: 0 for a right one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.differential.action_frame import (
    ARP,
    ETHERNET,
    ICMP,
    ICMPV6,
    IPV4,
    IPV6,
    L4,
    NSH,
    SCTP,
    TCP,
    UDP,
    Frame,
    l3_of,
    l4_of,
)
from tests.differential.action_hash import hash_l4, hash_symmetric
from tests.differential.action_model import KEYS, Action, Field
from tests.differential.action_sums import crc32c, ones_sum

PROTOCOLS = {
    "tcp": TCP,
    "udp": UDP,
    "sctp": SCTP,
    "icmp": ICMP,
    "icmpv6": ICMPV6,
    "nd": ICMPV6,
    "nd_ext": ICMPV6,
}


@dataclass
class Result:
    """What left: (kind, id, frame), kinds "sent", "recirc", "controller"."""

    events: list[tuple[str, int, Frame]] = field(default_factory=list)


def checksum_places(frame: Frame) -> dict[str, tuple[int, bytes]]:
    """name -> (where the checksum lies, what it covers, with zeros for itself)."""
    places = {}
    ip = l3_of(frame, IPV4, 20)
    if ip is not None:
        end = min(ip + max(20, (frame.data[ip] & 15) * 4), len(frame.data))
        # Of a header that is cut off, what is behind it counts for nothing: it does not change.
        places["ip"] = (ip + 10, _without(frame.data, ip, end, ip + 10, 2))
    l4 = l4_of(frame)
    at = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}.get(l4.proto) if l4 and l4.begin is not None else None
    if (
        l4 is not None
        and at is not None
        and l4.begin is not None
        and not (l4.proto == ICMPV6 and l4.version == 4)
    ):
        where = l4.begin + at
        pseudo = b"" if l4.proto == ICMP else l4.pseudo
        places["l4"] = (where, pseudo + _without(frame.data, l4.begin, l4.end, where, 2))
    if l4 and l4.begin is not None and l4.proto == SCTP:
        places["sctp"] = (l4.begin + 8, _without(frame.data, l4.begin, l4.end, l4.begin + 8, 4))
    return places


def _without(data: bytes, begin: int, end: int, at: int, size: int) -> bytes:
    return data[begin:at] + bytes(size) + data[at + size : end]


def errors(frame: Frame) -> dict[str, int]:
    """By how much each checksum is wrong."""
    found = {}
    for name, (where, covered) in checksum_places(frame).items():
        if name == "sctp":
            found[name] = int.from_bytes(frame.data[where : where + 4], "little") ^ crc32c(covered)
        else:
            found[name] = (ones_sum(covered) + frame.u16(where)) % 0xFFFF
    return found


def mended(frame: Frame, wrong: dict[str, int], old: bytes) -> Frame:
    """The frame with checksums computed anew, wrong by as much as before; unchanged, as it was."""
    data = bytearray(frame.data)
    if bytes(data) == old:
        return frame
    for name, (where, covered) in checksum_places(frame).items():
        if name not in wrong:
            continue
        if name == "sctp":
            data[where : where + 4] = (crc32c(covered) ^ wrong[name]).to_bytes(4, "little")
            continue
        l4 = l4_of(frame)
        udp = name == "l4" and l4 is not None and l4.proto == UDP
        if udp and frame.u16(where) == 0:
            continue
        # wrong = covered + checksum (mod 0xffff), so the checksum is wrong - covered.
        value = (wrong[name] - ones_sum(covered)) % 0xFFFF
        was = frame.u16(where)
        same = (was - value) % 0xFFFF == 0
        value = was if same else 0xFFFF if udp and value == 0 else value
        data[where : where + 2] = value.to_bytes(2, "big")
    return replace(frame, data=bytes(data))


# ---- set ----------------------------------------------------------------------------------------


def put(data: bytearray, base: int, where: Field, value: int, mask: int) -> None:
    word = int.from_bytes(data[base + where.at : base + where.at + where.size], "big")
    word = word & ~(mask << where.shift) | (value & mask) << where.shift
    data[base + where.at : base + where.at + where.size] = word.to_bytes(where.size, "big")


def option_of(frame: Frame, l4: L4) -> int | None:
    """The first link layer address option of a neighbour discovery message."""
    assert l4.begin is not None
    at = l4.begin + 24
    while at + 8 <= l4.end:
        size = frame.data[at + 1] * 8
        if size == 0 or at + size > l4.end:
            return None
        if size == 8 and frame.data[at] in (1, 2):
            return at
        at += size
    return None


def base_of(frame: Frame, action: Action) -> int | None:
    """Where the header of the key begins; None: the packet has no such header."""
    key = action.key
    if key in ("eth", "vlan"):
        need = 14 if key == "eth" else 18
        fits = not frame.packet_type and len(frame.data) >= need
        return 0 if fits and (key == "eth" or frame.u16(12) in (0x8100, 0x88A8)) else None
    if key == "mpls":
        at = frame.at(frame.l25)
        return at if at is not None and at + 4 <= len(frame.data) else None
    if key in ("ipv4", "ipv6", "arp", "nsh"):
        kind, need = {"ipv4": (IPV4, 20), "ipv6": (IPV6, 40), "arp": (ARP, 28), "nsh": (NSH, 8)}[key]
        at = l3_of(frame, kind, need)
        plain = at is not None and (key != "arp" or frame.data[at : at + 6] == b"\0\1\x08\0\6\4")
        return at if plain else None
    l4 = l4_of(frame)
    if l4 is None or l4.begin is None or l4.proto != PROTOCOLS[key]:
        return None
    size = l4.end - l4.begin
    if key.startswith("nd"):
        return l4.begin if size >= 24 and frame.data[l4.begin] in (135, 136) else None
    return l4.begin if size >= 8 else None


def set_fields(frame: Frame, action: Action) -> Frame:
    if action.key in ("skb_mark", "skb_priority"):
        _, value, mask = action.fields[0]
        return frame.with_meta(**{action.key: frame.meta_get(action.key) & ~mask | value})
    base = base_of(frame, action)
    if base is None:
        return frame
    data, wrong = bytearray(frame.data), errors(frame)
    l4 = l4_of(frame)
    for name, value, mask in action.fields:
        where, at = KEYS[action.key][name], base
        if action.key == "nd" and name in ("sll", "tll"):
            assert l4 is not None
            option = option_of(frame, l4)
            if option is None or frame.data[option] != (1 if name == "sll" else 2):
                continue
            at = option
        if name == "nd_options_type" and (l4 is None or l4.end - base < 32):
            continue
        if action.key == "nsh" and name in ("c1", "c2", "c3", "c4") and not _has_context(frame, base):
            continue
        put(data, at, where, value, mask)
    return mended(replace(frame, data=bytes(data)), wrong, frame.data)


def _has_context(frame: Frame, base: int) -> bool:
    return (
        frame.data[base + 2] & 15 == 1
        and (frame.data[base + 1] & 63) * 4 >= 24
        and len(frame.data) - base >= 24
    )


# ---- headers that come and go -------------------------------------------------------------------


def push_vlan(frame: Frame, tpid: int, tci: int) -> Frame:
    if frame.packet_type or len(frame.data) < 14:
        return frame
    tag = tpid.to_bytes(2, "big") + tci.to_bytes(2, "big")
    return replace(frame, data=frame.data[:12] + tag + frame.data[12:])


def pop_vlan(frame: Frame) -> Frame:
    if frame.packet_type or len(frame.data) < 18 or frame.u16(12) not in (0x8100, 0x88A8):
        return frame
    return replace(frame, data=frame.data[:12] + frame.data[16:])


def with_ethertype(frame: Frame, before: int, kind: int) -> Frame:
    if frame.packet_type or len(frame.data) < 14 or before < 14:
        return frame
    at = before - 2 if frame.u16(12) in (0x8100, 0x88A8) else 12
    return replace(frame, data=frame.data[:at] + kind.to_bytes(2, "big") + frame.data[at + 2 :])


def push_mpls(frame: Frame, lse: int, kind: int) -> Frame:
    before = frame.at(frame.l25 if frame.l25 is not None else frame.l3)
    if before is None:
        return frame
    frame = with_ethertype(frame, before, kind)
    data = frame.data[:before] + lse.to_bytes(4, "big") + frame.data[before:]
    kind = 0x10000 | kind if frame.packet_type else 0
    return replace(frame, data=data, l25=len(data) - before, packet_type=kind)


def add_mpls(frame: Frame, lse: int, kind: int) -> Frame:
    data = lse.to_bytes(4, "big") + frame.data
    return replace(frame, data=data, l25=len(data), packet_type=0x10000 | kind)


def pop_mpls(frame: Frame, kind: int) -> Frame | None:
    at = frame.at(frame.l25)
    if at is None or at + 4 > len(frame.data):
        return frame
    if at == 0 and len(frame.data) == 4:
        return None
    bottom = frame.data[at + 2] & 1
    frame = with_ethertype(frame, at, kind)
    data = frame.data[:at] + frame.data[at + 4 :]
    frame = replace(frame, data=data, l25=None if bottom else len(data) - at)
    if not frame.packet_type:
        return frame
    if kind == ETHERNET:
        return replace(frame, packet_type=0, l25=None, l3=None)
    return replace(frame, packet_type=0x10000 | kind)


def push_eth(frame: Frame, src: int, dst: int) -> Frame:
    if not frame.packet_type:
        return frame
    head = dst.to_bytes(6, "big") + src.to_bytes(6, "big") + (frame.packet_type & 0xFFFF).to_bytes(2, "big")
    return replace(frame, data=head + frame.data, packet_type=0)


def pop_eth(frame: Frame) -> Frame | None:
    if frame.packet_type:
        return frame
    at = frame.at(frame.l25 if frame.l25 is not None else frame.l3)
    if at is None or at < 14 or at >= len(frame.data):
        return None
    return replace(frame, data=frame.data[at:], packet_type=0x10000 | frame.u16(at - 2))


def push_nsh(frame: Frame, args: Sequence[int]) -> Frame:
    flags, ttl, _, _, spi, si, *context = args
    inner = {0: 3, 0x10800: 1, 0x186DD: 2, 0x1894F: 4}.get(frame.packet_type)
    if inner is None:
        return frame
    word = flags << 12 | ttl << 6 | 6
    head = word.to_bytes(2, "big") + bytes([1, inner]) + (spi << 8 | si).to_bytes(4, "big")
    head += b"".join(each.to_bytes(4, "big") for each in context)
    data = head + frame.data
    return Frame(data, 0x1894F, None, len(data), frame.meta)


def pop_nsh(frame: Frame) -> Frame | None:
    if frame.packet_type != 0x1894F:
        return frame
    size = (frame.data[1] & 63) * 4 if len(frame.data) >= 8 else 0
    inner = {1: 0x10800, 2: 0x186DD, 3: 0, 4: 0x1894F}.get(frame.data[3]) if size >= 8 else None
    if inner is None or size >= len(frame.data):
        return None
    return Frame(frame.data[size:], inner, None, None, frame.meta)


# ---- lists --------------------------------------------------------------------------------------


def change(frame: Frame, action: Action) -> Frame | None:
    """The packet afterwards; None if it cannot go on."""
    args = action.args
    match action.kind:
        case "set":
            return set_fields(frame, action)
        case "push_vlan":
            return push_vlan(frame, *args)
        case "pop_vlan":
            return pop_vlan(frame)
        case "push_mpls":
            return push_mpls(frame, *args)
        case "add_mpls":
            return add_mpls(frame, *args)
        case "pop_mpls":
            return pop_mpls(frame, *args)
        case "push_eth":
            return push_eth(frame, *args)
        case "pop_eth":
            return pop_eth(frame)
        case "push_nsh":
            return push_nsh(frame, args)
        case "pop_nsh":
            return pop_nsh(frame)
        case "hash":
            return frame.with_meta(dp_hash=hash_l4(frame, args[0]))
        case "hash_sym":
            return frame.with_meta(dp_hash=hash_symmetric(frame, args[0]))
        case _:
            return frame  # ct_clear.


def length_of(frame: Frame, cut: int) -> int:
    """Without what pads the frame behind its IP packet."""
    end = len(frame.data)
    ip4, ip6 = l3_of(frame, IPV4, 20), l3_of(frame, IPV6, 40)
    if ip4 is not None:
        end = min(end, ip4 + frame.u16(ip4 + 2))
    elif ip6 is not None:
        end = min(end, ip6 + 40 + frame.u16(ip6 + 4))
    padding = len(frame.data) - end
    return max(0, len(cut_off(frame, cut).data) - padding)


def cut_off(frame: Frame, cut: int) -> Frame:
    """Without its last bytes; an Ethernet header is always left."""
    least = min(14, len(frame.data))
    return replace(frame, data=frame.data[: max(len(frame.data) - cut, least)])


def execute(frame: Frame, actions: Sequence[Action], result: Result, cut: int = 0) -> None:
    """Does what the list says to a packet of its own."""
    for action in actions:
        leaving = cut_off(frame, cut)
        if action.kind in ("output", "recirc", "controller"):
            kind = {"output": "sent"}.get(action.kind, action.kind)
            result.events.append((kind, action.args[0], leaving))
            cut = 0
        elif action.kind == "clone":
            execute(frame, action.lists[0], result, cut)
            cut = 0
        elif action.kind == "sample":
            if action.args[0] == 100:
                execute(frame, action.lists[0], result, cut)
        elif action.kind == "check_pkt_len":
            is_long = length_of(frame, cut) > action.args[0]
            execute(frame, action.lists[0 if is_long else 1], result, cut)
        elif action.kind == "trunc":
            cut = max(0, len(frame.data) - action.args[0])
        elif action.kind == "drop":
            return
        else:
            changed = change(frame, action)
            if changed is None:
                return
            frame = changed
