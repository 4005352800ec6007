"""The flow key in Python, and the doors to the C extractor. Its slow twin is extract_twin.py."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields
from typing import Any

from tests.c.support.native import ffi, lib

CFI = 0x1000
NONE = 0xFFFF  # RS_OFS_NONE

Nsh = tuple[int, int, int, int, int, tuple[int, int, int, int]]
NO_NSH: Nsh = (0, 0, 0, 0, 0, (0, 0, 0, 0))
NO_TUNNEL = bytes(336)

# Kinds of plain fields: "host" order, or bytes in network order as a number of 16, 32 or 64 bits.
BIG_ENDIAN = {
    "be16": ("dl_type", "tcp_flags", "tp_src", "tp_dst", "ct_tp_src", "ct_tp_dst"),
    "be32": ("packet_type", "nw_src", "nw_dst", "ct_nw_src", "ct_nw_dst", "ipv6_label", "igmp_group_ip4"),
    "be64": ("metadata",),
}
SIZE = {name: int(kind[2:]) // 8 for kind, names in BIG_ENDIAN.items() for name in names}


@dataclass(frozen=True)
class Key:
    """struct flow, numbers in host order."""

    in_port: int = 1
    recirc_id: int = 0
    dp_hash: int = 0
    pkt_mark: int = 0
    skb_priority: int = 0
    ct_state: int = 0
    ct_nw_proto: int = 0
    ct_zone: int = 0
    ct_mark: int = 0
    ct_label: bytes = bytes(16)
    packet_type: int = 0
    metadata: int = 0
    regs: tuple[int, ...] = (0,) * 16
    conj_id: int = 0
    actset_output: int = 0
    tunnel: bytes = NO_TUNNEL
    dl_dst: bytes = bytes(6)
    dl_src: bytes = bytes(6)
    dl_type: int = 0
    vlans: tuple[tuple[int, int], ...] = ((0, 0), (0, 0))  # (tpid, tci), outermost first
    mpls_lse: tuple[int, ...] = (0, 0, 0)
    nw_src: int = 0
    nw_dst: int = 0
    ct_nw_src: int = 0
    ct_nw_dst: int = 0
    ipv6_src: bytes = bytes(16)
    ipv6_dst: bytes = bytes(16)
    ct_ipv6_src: bytes = bytes(16)
    ct_ipv6_dst: bytes = bytes(16)
    ipv6_label: int = 0
    nw_frag: int = 0
    nw_tos: int = 0
    nw_ttl: int = 0
    nw_proto: int = 0
    nd_target: bytes = bytes(16)
    arp_sha: bytes = bytes(6)
    arp_tha: bytes = bytes(6)
    tcp_flags: int = 0
    nsh: Nsh = NO_NSH
    tp_src: int = 0
    tp_dst: int = 0
    ct_tp_src: int = 0
    ct_tp_dst: int = 0
    igmp_group_ip4: int = 0


PLAIN = [f.name for f in fields(Key) if f.name not in ("regs", "tunnel", "vlans", "mpls_lse", "nsh")]


@dataclass(frozen=True)
class Metadata:
    """What a packet brings along beside its bytes. None = the packet has no such thing."""

    in_port: int = 1
    recirc_id: int = 0
    dp_hash: int = 0
    pkt_mark: int = 0
    skb_priority: int = 0
    # (state, protocol, zone, mark, source port, destination port, label)
    ct: tuple[int, int, int, int, int, int, bytes] | None = None
    tunnel: bytes | None = None
    packet_type: int | None = None


@dataclass(frozen=True)
class Offsets:
    """Where headers begin, NONE where there are none."""

    l2_5: int = NONE
    l3: int = NONE
    l4: int = NONE
    proto: int = 0


@dataclass(frozen=True)
class Extracted:
    """What the extractor says of a frame. reason 0xff = it has a key."""

    reason: int
    key: Key
    offsets: Offsets = field(default_factory=Offsets)
    words: dict[int, int] = field(default_factory=dict, compare=False)  # The compressed form.


def swap(value: int, size: int) -> int:
    """Network order to host order, or back."""
    return int.from_bytes(int(value).to_bytes(size, sys.byteorder), "big")


def from_c(raw: Any) -> Key:
    """A Key of a struct flow."""
    found: dict[str, Any] = {}
    for name in PLAIN:
        value = getattr(raw, name)
        if name in SIZE:
            found[name] = swap(value, SIZE[name])
        else:
            found[name] = value if isinstance(value, int) else bytes(value)
    nsh = raw.nsh
    context = tuple(swap(word, 4) for word in nsh.context)
    return Key(
        **found,
        regs=tuple(raw.regs),
        tunnel=bytes(ffi.buffer(ffi.addressof(raw.tunnel))),
        vlans=tuple((swap(v.tpid, 2), swap(v.tci, 2)) for v in raw.vlans),
        mpls_lse=tuple(swap(lse, 4) for lse in raw.mpls_lse),
        nsh=(nsh.flags, nsh.ttl, nsh.mdtype, nsh.np, swap(nsh.path_hdr, 4), context),  # type: ignore[arg-type]
    )


def to_c(key: Key) -> Any:
    """A struct flow of a Key."""
    raw = ffi.new("struct flow *")
    for name in PLAIN:
        value = getattr(key, name)
        setattr(raw, name, swap(value, SIZE[name]) if name in SIZE else value)
    raw.regs = key.regs
    ffi.buffer(ffi.addressof(raw.tunnel))[:] = key.tunnel
    for i, (tpid, tci) in enumerate(key.vlans):
        raw.vlans[i].tpid, raw.vlans[i].tci = swap(tpid, 2), swap(tci, 2)
    raw.mpls_lse = [swap(lse, 4) for lse in key.mpls_lse]
    raw.nsh.flags, raw.nsh.ttl, raw.nsh.mdtype, raw.nsh.np = key.nsh[:4]
    raw.nsh.path_hdr, raw.nsh.context = swap(key.nsh[4], 4), [swap(word, 4) for word in key.nsh[5]]
    return raw


def metadata_to_c(md: Metadata) -> Any:
    raw = ffi.new("struct flow_metadata *")
    for name in ("in_port", "recirc_id", "dp_hash", "pkt_mark", "skb_priority"):
        setattr(raw, name, getattr(md, name))
    if md.ct is not None:
        raw.flags |= lib.PKT_HAS_CT
        raw.ct_state, raw.ct_nw_proto, raw.ct_zone, raw.ct_mark = md.ct[:4]
        raw.ct_tp_src, raw.ct_tp_dst, raw.ct_label = swap(md.ct[4], 2), swap(md.ct[5], 2), md.ct[6]
    if md.tunnel is not None:
        raw.flags |= lib.PKT_HAS_TUNNEL
        ffi.buffer(ffi.addressof(raw.tunnel))[:] = md.tunnel
    if md.packet_type is not None:
        raw.flags |= lib.PKT_NOT_ETHERNET
        raw.packet_type = swap(md.packet_type, 4)
    return raw


def key_words(key: Any) -> dict[int, int]:
    """Word number -> value of a struct dp_key, which must be well formed."""
    numbers = ffi.new(f"uint8_t[{lib.FLOW_WORDS}]")
    count = lib.flow_test_words(key, numbers)
    assert count == key.words == bin(key.map.bits[0]).count("1") + bin(key.map.bits[1]).count("1")
    assert list(numbers[0:count]) == sorted(set(numbers[0:count]))
    return {numbers[i]: key.values[i] for i in range(count)}


def extract(frame: bytes, in_port: int = 1, md: Metadata | None = None) -> Extracted:
    """Runs the C extractor, and asserts that its full form says the same."""
    raw_md = metadata_to_c(md or Metadata(in_port))
    key, offsets = ffi.new("struct dp_key *"), ffi.new("struct flow_offsets *")
    flow, full = ffi.new("struct flow *"), ffi.new("struct flow *")
    reason = lib.flow_test_extract(frame, len(frame), raw_md, key, offsets)
    assert key.hash == 0
    words = key_words(key)
    lib.flow_test_expand(key, flow)
    assert lib.flow_test_extract_full(frame, len(frame), raw_md, full) == reason
    assert bytes(ffi.buffer(flow)) == bytes(ffi.buffer(full))
    found = Offsets(offsets.l2_5_ofs, offsets.l3_ofs, offsets.l4_ofs, offsets.l4_proto)
    return Extracted(reason, from_c(flow), found, words)
