"""From flow to flow: executing what odp_commit() says turns a packet that looks like base into flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.c.support.commit import NOTHING, commit
from tests.c.support.execute import Bench, Packet, check, show
from tests.differential.action_frame import arrive, l4_of
from tests.differential.action_packets import KINDS, Kind, frames_of
from tests.differential.key import CFI, NO_TUNNEL, Key, Metadata, extract

IP, IP6, ARP, MPLS, NSH = 0x0800, 0x86DD, 0x0806, 0x8847, 0x894F
MAC = b"\2\0\0\0\0\1"

byte, two, four = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1)
mac, ip6 = st.binary(min_size=6, max_size=6), st.binary(min_size=16, max_size=16)
ETHERNET: dict[str, st.SearchStrategy[Any]] = {
    "dl_dst": mac,
    "dl_src": mac,
    "skb_priority": four,
    "pkt_mark": four,
}
NETWORK: dict[int, dict[str, st.SearchStrategy[Any]]] = {
    IP: {"nw_src": four, "nw_dst": four, "nw_tos": byte, "nw_ttl": byte},
    IP6: {
        "ipv6_src": ip6,
        "ipv6_dst": ip6,
        "ipv6_label": st.integers(0, 0xFFFFF),
        "nw_tos": byte,
        "nw_ttl": byte,
    },
    ARP: {
        "nw_src": four,
        "nw_dst": four,
        "nw_proto": st.integers(1, 255),
        "arp_sha": mac,
        "arp_tha": mac,
    },
}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench() as made:
        yield made


def settable(key: Key) -> dict[str, st.SearchStrategy[Any]]:
    """Fields that OpenFlow actions change in such a packet."""
    found: dict[str, st.SearchStrategy[Any]] = {**ETHERNET, **NETWORK.get(key.dl_type, {})}
    if key.dl_type in (IP, IP6) and not key.nw_frag & 2:
        if key.nw_proto in (6, 17, 132):
            found |= {"tp_src": two, "tp_dst": two}
        elif key.nw_proto in (1, 58) and key.tp_src not in (135, 136):
            found |= {"tp_dst": byte}
        elif key.nw_proto == 58:
            found["nd_target"] = ip6
            found |= {"arp_sha": mac} if any(key.arp_sha) else {}
            found |= {"arp_tha": mac} if any(key.arp_tha) else {}
    if not key.nw_proto and key.dl_type in NETWORK:  # Open vSwitch leaves such headers alone.
        return ETHERNET
    return found


@st.composite
def tags(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    n = draw(st.integers(0, 2))
    made = [(draw(st.sampled_from([0x8100, 0x88A8])), CFI | draw(two)) for _ in range(n)]
    return tuple([*made, (0, 0), (0, 0)][:2])


@st.composite
def changed(draw: st.DrawFn, key: Key) -> Key:
    wanted = settable(key)
    names = draw(st.lists(st.sampled_from(sorted(wanted)), max_size=6, unique=True))
    flow = replace(key, **{name: draw(wanted[name]) for name in names})
    if draw(st.booleans()):
        flow = replace(flow, vlans=draw(tags()))
    if key.dl_type == NSH and draw(st.booleans()):
        flags, ttl, spi, context = (
            draw(st.integers(0, 3)),
            draw(st.integers(0, 63)),
            draw(four),
            draw(st.tuples(four, four, four, four)),
        )
        flow = replace(flow, nsh=(flags, ttl, key.nsh[2], key.nsh[3], spi, context))
    return flow


def mpls_changed(draw: st.DrawFn, key: Key) -> Key:
    """Other labels above the same bottom, one to three in all."""
    n = sum(1 for lse in key.mpls_lse if lse)
    keep = draw(st.integers(0, n))
    below = list(key.mpls_lse[n - keep : n])
    above = [
        draw(four) & ~0x100 | 0x1000 for _ in range(draw(st.integers(0 if below else 1, 3 - len(below))))
    ]
    if not below:
        above[-1] |= 0x100
    return replace(key, mpls_lse=tuple([*above, *below, 0, 0, 0][:3]))


def has_one_address_at_most(frame: bytes) -> bool:
    """Of two link layer addresses, which no sender of neighbour discovery has, the key shows one or none."""
    l4 = l4_of(arrive(frame))
    if l4 is None or l4.begin is None or l4.proto != 58 or frame[l4.begin] not in (135, 136):
        return True
    at, addresses = l4.begin + 24, 0
    while at + 8 <= l4.end and frame[at + 1] > 0:
        addresses += frame[at] in (1, 2)
        at += 8 * frame[at + 1]
    return addresses <= 1


def visible(key: Key) -> Key:
    """What odp_commit() answers for: not what only the packet's payload or another layer shows."""
    return replace(key, tcp_flags=0, ct_nw_src=0)


def bits(mask: Any) -> int:
    if isinstance(mask, int):
        return mask
    if isinstance(mask, bytes):
        return int.from_bytes(mask, "big")
    return int("".join(f"{bits(each) & (2**64 - 1):016x}" for each in mask) or "0", 16)


def differing(a: Key, b: Key) -> dict[str, int]:
    return {
        f.name: bits(getattr(a, f.name)) ^ bits(getattr(b, f.name))
        for f in fields(Key)
        if f.name not in ("vlans", "mpls_lse")
    }


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(data=st.data())
@settings(max_examples=25)
def test_a_packet_like_base_becomes_one_like_flow(bench: Bench, kind: Kind, data: st.DataObject) -> None:
    frame = data.draw(frames_of(kind).filter(has_one_address_at_most))
    base = extract(frame).key
    flow = data.draw(changed(base))
    if kind.l3 == "mpls" and data.draw(st.booleans()):
        flow = data.draw(st.composite(lambda draw: mpls_changed(draw, flow))())
    result = commit(flow, base)
    assert check(result.actions) is None
    if result.actions:
        (event,) = bench.run(result.actions + b"\0\0\x08\0\1\0\0\0", [Packet(frame)]).events
        md = Metadata(pkt_mark=event.pkt_mark, skb_priority=event.skb_priority)
        assert visible(extract(event.data, md=md).key) == visible(flow)
    assert visible(result.base) == visible(flow)
    for name, differs in differing(base, flow).items():
        assert bits(getattr(result.wc, name)) & differs == differs, f"{name} decides and is not in wc"


@given(st.data())
def test_nothing_changed_is_nothing_done(data: st.DataObject) -> None:
    base = extract(data.draw(frames_of(data.draw(st.sampled_from(KINDS))))).key
    result = commit(base, base)
    assert (result.actions, result.base, result.wc) == (b"", base, NOTHING)


def actions_of(flow: Key, base: Key, wc: Key = NOTHING) -> str:
    return show(commit(flow, base, wc).actions)


TCP4 = Key(dl_type=IP, nw_proto=6, nw_src=0x01020304, nw_ttl=64, tp_src=5, dl_dst=MAC)
TWO_LABELS = Key(dl_type=MPLS, mpls_lse=(0x00005040, 0x00006140, 0))
TAG, OTHER = (0x8100, CFI | 5), (0x88A8, CFI | 0x6007)


@pytest.mark.parametrize(
    ("base", "changes", "wc", "text"),
    [
        (TCP4, {"nw_src": 0x01020305}, {}, "set(ipv4(src=0.0.0.1/0.0.0.1))"),
        (TCP4, {"nw_src": 0x01020305}, {"nw_src": 0xFFFFFFFF}, "set(ipv4(src=1.2.3.5))"),
        (TCP4, {"nw_src": 0x01020305}, {"nw_dst": 0xFFFFFFFF}, "set(ipv4(src=0.0.0.1/0.0.0.1))"),
        (
            TCP4,
            {"nw_ttl": 63, "tp_dst": 80},
            {"nw_ttl": 255, "tp_dst": 65535},
            "set(ipv4(ttl=63)),set(tcp(dst=80))",
        ),
        (TCP4, {"vlans": (TAG, (0, 0))}, {}, "push_vlan(vid=5,pcp=0)"),
        (TCP4, {"vlans": (OTHER, TAG)}, {}, "push_vlan(vid=5,pcp=0),push_vlan(tpid=0x88a8,vid=7,pcp=3)"),
        (replace(TCP4, vlans=(OTHER, TAG)), {"vlans": (TAG, (0, 0))}, {}, "pop_vlan"),
        (
            replace(TCP4, vlans=(TAG, (0, 0))),
            {"vlans": (OTHER, (0, 0))},
            {},
            "pop_vlan,push_vlan(tpid=0x88a8,vid=7,pcp=3)",
        ),
        (
            TCP4,
            {"dl_src": MAC, "pkt_mark": 1, "skb_priority": 2},
            {"dl_src": b"\xff" * 6, "pkt_mark": 255, "skb_priority": 2**32 - 1},
            "set(eth(src=02:00:00:00:00:01)),set(skb_priority(0x2)),set(skb_mark(0x1/0xff))",
        ),
        (
            TCP4,
            {"dl_type": MPLS, "mpls_lse": (0x00063140, 0, 0), "nw_proto": 0},
            {},
            "push_mpls(label=99,tc=0,ttl=64,bos=1,eth_type=0x8847)",
        ),
        (
            TWO_LABELS,
            {"dl_type": IP, "mpls_lse": (0, 0, 0)},
            {},
            "pop_mpls(eth_type=0x8847),pop_mpls(eth_type=0x800)",
        ),
        (TWO_LABELS, {"mpls_lse": (0x00007040, 0x00006140, 0)}, {}, "set(mpls(label=7,tc=0,ttl=64,bos=0))"),
        (
            TWO_LABELS,
            {"mpls_lse": (0x00007140, 0, 0)},
            {},
            "pop_mpls(eth_type=0x8847),set(mpls(label=7,tc=0,ttl=64,bos=1))",
        ),
        (Key(dl_type=IP, nw_proto=1, tp_src=3), {"tp_src": 8}, {}, "set(icmp(type=8,code=0))"),
        (
            Key(dl_type=IP6, nw_proto=58, tp_src=135),
            {"nd_target": b"\1" * 16, "tcp_flags": 2},
            {"tcp_flags": 255},
            "set(nd_ext(nd_reserved=0x0,nd_options_type=2)),set(nd(target=101:101:101:101:101:101:101:101/101:101:101:101:101:101:101:101))",
        ),
        (Key(dl_type=ARP, nw_proto=1), {"nw_proto": 2}, {"nw_proto": 255}, "set(arp(op=2))"),
        (Key(dl_type=IP, nw_proto=0, nw_ttl=64), {"nw_ttl": 63}, {}, "drop"),
        (Key(dl_type=0x1234), {"nw_src": 1}, {}, "drop"),
    ],
)
def test_the_actions_are_open_vswitchs(
    base: Key, changes: dict[str, Any], wc: dict[str, Any], text: str
) -> None:
    assert actions_of(replace(base, **changes), base, replace(NOTHING, **wc)) == text


def test_a_set_that_hangs_on_the_protocol_looks_at_it() -> None:
    assert commit(replace(TCP4, tp_src=6), TCP4).wc.nw_proto == 255
    no_protocol = replace(TCP4, nw_proto=0)
    assert commit(replace(no_protocol, nw_ttl=1), no_protocol).wc.nw_proto == 255
    assert commit(replace(TCP4, dl_src=MAC), TCP4).wc.nw_proto == 0


def test_popped_tags_are_looked_at() -> None:
    base = replace(TCP4, vlans=(OTHER, TAG))
    assert commit(replace(base, vlans=(TAG, (0, 0))), base).wc.vlans == ((0xFFFF, 0xFFFF), (0, 0))


def test_an_unchanged_ecn_of_a_tunnels_packet_stays_the_packets() -> None:
    tunnel = bytes(4) + b"\1\2\3\4" + bytes(328)
    base, wc = replace(TCP4, tunnel=tunnel), replace(NOTHING, nw_tos=255)
    assert actions_of(replace(base, nw_tos=0x10), base, wc) == "set(ipv4(tos=0x10/0xfc))"
    assert actions_of(replace(base, nw_tos=0x11), base, wc) == "set(ipv4(tos=0x11))"
    assert actions_of(replace(TCP4, nw_tos=0x10), TCP4, wc) == "set(ipv4(tos=0x10))"


def test_tunnel_metadata_is_set_when_it_says_where_to() -> None:
    to = bytes(4) + b"\1\2\3\4" + bytes(328)
    assert actions_of(replace(TCP4, tunnel=to), TCP4) == "set(tunnel(dst=1.2.3.4,ttl=0,flags(0)))"
    assert actions_of(replace(TCP4, tunnel=to), replace(TCP4, tunnel=to)) == "drop"
    assert actions_of(TCP4, replace(TCP4, tunnel=to)) == "drop"
    assert to != NO_TUNNEL


def test_encapsulation_takes_along_what_was_set_in_the_new_header() -> None:
    base = replace(TCP4, packet_type=0x10800)
    ethernet = commit(replace(base, packet_type=0, dl_src=MAC), base, encap=True)
    assert show(ethernet.actions) == "push_eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:01)"
    assert ethernet.base.packet_type == 0 and ethernet.wc.packet_type == 2**32 - 1
    nsh = replace(
        NOTHING, in_port=1, packet_type=0x1894F, dl_type=NSH, nsh=(0, 63, 2, 3, 0x1234FF, (0, 0, 0, 0))
    )
    result = commit(nsh, TCP4, encap=True, md2=bytes.fromhex("10000a0412345678"))
    assert (
        show(result.actions)
        == "push_nsh(flags=0,ttl=63,mdtype=2,np=3,spi=0x1234,si=255,md2=0x10000a0412345678)"
    )
    assert result.base == replace(nsh, nsh=nsh.nsh)
    labelled = replace(TCP4, packet_type=0x18847, dl_type=MPLS, mpls_lse=(0x140, 0, 0))
    assert (
        show(commit(labelled, TCP4, encap=True).actions)
        == "add_mpls(label=0,tc=0,ttl=64,bos=1,eth_type=0x8847)"
    )


def test_decapsulation_takes_off_what_base_has() -> None:
    bare = replace(TCP4, packet_type=0x10800, dl_dst=bytes(6))
    result = commit(bare, TCP4, encap=False)
    assert (show(result.actions), result.base) == ("pop_eth", bare)
    nsh = replace(NOTHING, in_port=1, packet_type=0x1894F, dl_type=NSH)
    assert show(commit(replace(TCP4, packet_type=0), nsh, encap=False).actions).startswith("pop_nsh()")
