"""Hypothesis strategies for translation: packets as ofproto/trace takes them, and rules that chain the
families of actions (MPLS, NSH, connection tracking, clones, stack, groups …) through a few tables.

The values are those of flow_sets.py, so that its rules and these meet the same packets.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.differential.flow_sets import (
    TABLES,
    FlowSet,
    groups,
    ipv4,
    ipv6,
    l4_port,
    mac,
    port,
    reg,
    rules,
    small,
)

table = st.integers(1, TABLES - 1)


# ---- packets -----------------------------------------------------------------------------------


@st.composite
def _ip_words(draw: st.DrawFn, kind: str) -> list[str]:
    v6 = kind.endswith("6") or kind == "ipv6"
    address, name = (ipv6, "ipv6") if v6 else (ipv4, "nw")
    words = [f"{name}_src={draw(address)}", f"{name}_dst={draw(address)}"]
    words.append(f"nw_ttl={draw(st.sampled_from([1, 2, 64]))}")
    words.append(f"nw_tos={draw(st.sampled_from([0, 32, 184]))},nw_ecn={draw(small)}")
    frag = draw(st.sampled_from(["no", "no", "no", "no", "first", "later"]))
    words.append(f"nw_frag={frag}")
    base = kind.rstrip("6")
    if base in ("tcp", "udp", "sctp") and frag != "later":
        words.append(f"{base}_src={draw(l4_port)},{base}_dst={draw(l4_port)}")
    if base == "tcp" and frag != "later":
        words.append(f"tcp_flags={draw(st.sampled_from([0, 2, 16, 17]))}")
    if kind == "icmp":
        words.append(f"icmp_type={draw(st.sampled_from([0, 3, 8]))},icmp_code={draw(small)}")
    return words


@st.composite
def packets(draw: st.DrawFn) -> str:
    """A packet in the syntax of ofproto/trace."""
    kinds = ["tcp", "udp", "ip", "icmp", "arp", "tcp6", "udp6", "ipv6", "sctp", "mpls", "", "tcp"]
    kind = draw(st.sampled_from(kinds))
    words = [f"in_port={draw(st.one_of(port, port, port, st.just('LOCAL')))}"]
    words += [kind] if kind else ["dl_type=0x1234"]
    words += [f"dl_src={draw(mac)}", f"dl_dst={draw(mac)}"]
    vid = draw(st.sampled_from([None, None, None, 0, 10, 20]))
    if vid is not None:
        words.append(f"vlan_tci={0x1000 | draw(st.sampled_from([0, 3])) << 13 | vid:#x}")
    if kind == "mpls":
        label, traffic_class, ttl = (
            draw(st.sampled_from([5, 16, 1000])),
            draw(small),
            draw(st.sampled_from([1, 64])),
        )
        bottom = draw(st.sampled_from([1, 1, 0]))
        words.append(f"mpls_label={label},mpls_tc={traffic_class},mpls_ttl={ttl},mpls_bos={bottom}")
    elif kind == "arp":
        words.append(f"arp_op={draw(st.sampled_from([1, 2]))},arp_spa={draw(ipv4)},arp_tpa={draw(ipv4)}")
    elif kind:
        words += draw(_ip_words(kind))
    return ",".join(words)


# ---- rules -------------------------------------------------------------------------------------

_any = [
    "push_mpls:0x8847,set_field:5->mpls_label,output:2",
    "push_mpls:0x8847,push_mpls:0x8847,dec_mpls_ttl,output:2",
    "push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,output:1",
    "clone(push_mpls:0x8847,output:1),output:3",
    "push_vlan:0x88a8,set_field:0x1005->vlan_vid,push_vlan:0x8100,output:3",
    "encap(nsh(md_type=1)),set_field:0x1234->nsh_spi,encap(ethernet),set_field:02:00:00:00:00:07->eth_dst,output:2",
    "clone(encap(nsh),set_field:1->nsh_si,dec_nsh_ttl,encap(ethernet),in_port),output:2",
    "output(port=2,max_len=64),output:3",
    "enqueue:2:5,output:3",
    "set_queue:7,output:2,pop_queue,output:3",
    "controller(max_len=50,id=3)",
    "controller(reason=no_match),output:1",
    "CONTROLLER:64",
    "push:NXM_OF_ETH_SRC[],push:NXM_NX_REG0[0..15],pop:NXM_NX_REG1[16..31],pop:NXM_OF_ETH_DST[],output:2",
    "pop:NXM_NX_REG1[],output:1",
    "learn(table=3,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
    "set_field:0x1/0x1->metadata,set_field:0x20->xreg1,move:NXM_NX_XXREG0[0..63]->NXM_NX_XXREG1[64..127]",
    "output:NXM_NX_REG0[0..15]",
    "bundle_load(symmetric_l3,3,hrw,ofport,NXM_NX_REG3[0..15],members:1,2,3,4),output:NXM_NX_REG3[]",
    "multipath(symmetric_l3l4+udp,9,hrw,4,0,NXM_NX_REG2[0..1])",
    "set_tunnel:0x123,set_field:9->pkt_mark,output:2",
    "exit",
    "note:00",
]
_ip = [
    "ct(table=2)",
    "ct(commit,zone=5,exec(set_field:0x7->ct_mark,set_field:0x1/0x1->ct_label)),output:2",
    "ct(commit,table=1,zone=NXM_NX_REG0[0..15],nat(src=10.9.9.9-10.9.9.12:100-200,random)),output:1",
    "ct(commit,force,table=3,nat(dst=10.9.9.9))",
    "ct(table=4,nat),ct_clear,output:2",
    "clone(ct(table=1),output:1),output:2",
    "dec_ttl(1,2),output:2",
    "mod_nw_tos:4,mod_nw_ecn:1,mod_nw_ttl:9,output:1",
]
_tracked = ["resubmit(,1,ct)", "resubmit(,2,ct),output:1", "ct_clear,resubmit(,1)", "ct(commit,table=2)"]
_vlan = [
    "pop_vlan,output:2",
    "clone(pop_vlan,output:1),output:2",
    "pop_vlan,resubmit(,1),output:3",
    "push_vlan:0x8100,set_field:0x1007->vlan_vid,output:4",
    "set_field:5->vlan_pcp,output:1",
    "mod_vlan_vid:33,mod_vlan_pcp:2,output:4",
]
_mpls = [
    "pop_mpls:0x0800,output:2",
    "pop_mpls:0x0800,dec_ttl,output:2",
    "pop_mpls:0x0800,resubmit(,1),output:3",
    "pop_mpls:0x0800,group:1,output:2",
    "pop_mpls:0x8847,output:2",
    "dec_mpls_ttl,output:1",
    "set_field:3->mpls_tc,set_field:77->mpls_label,output:2",
    "push_mpls:0x8848,output:2",
    "clone(pop_mpls:0x0800,dec_ttl,output:1),output:2",
]


@st.composite
def _words(draw: st.DrawFn, kind: str) -> str:
    """Actions of one rule: a run of ready-made pieces, with lookups and outputs between them."""
    ip = [*_ip, *_ip, *_any]
    pools = {"": _any, "ip": ip, "mpls": _mpls, "vlan": [*_vlan, *_any], "trk": [*_tracked, *ip]}
    pieces: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        piece = draw(
            st.one_of(
                st.sampled_from(pools[kind]),
                st.sampled_from(pools[kind]),
                table.map(lambda t: f"resubmit(,{t})"),
                port.map(lambda p: f"output:{p}"),
                st.builds(lambda v, r: f"set_field:{v}->reg{r}", small, reg),
            )
        )
        pieces.append(piece)
    # Behind a push or pop of labels, what the pieces need may no longer be there.
    changing = [
        i for i, piece in enumerate(pieces) if any(word in piece for word in ("mpls", "nsh", "pop_vlan"))
    ]
    return ",".join(pieces[: changing[0] + 1] if changing else pieces)


@st.composite
def _larger(draw: st.DrawFn) -> str:
    size = draw(st.sampled_from([64, 1500]))
    return f"check_pkt_larger({size})->NXM_NX_REG0[0],{draw(_words(''))}"


@st.composite
def chains(draw: st.DrawFn) -> str:
    """One rule."""
    kind = draw(st.sampled_from(["", "", "ip", "ip", "mpls", "vlan", "trk"]))
    words = [
        f"table={draw(st.sampled_from([0, 0, *range(TABLES)]))}",
        f"priority={draw(st.sampled_from([5, 10, 25]))}",
    ]
    words += {"": [], "vlan": ["vlan_tci=0x1000/0x1000"], "trk": ["ip,ct_state=+trk-inv"]}.get(kind, [kind])
    more = {
        "": st.sampled_from(["", "", "in_port=1", "reg0=0x1/0x1", "dl_vlan=10"]),
        "ip": st.one_of(st.just(""), ipv4.map(lambda v: f"nw_dst={v}"), st.just("ct_state=+trk+new")),
        "mpls": st.sampled_from(["", "", "mpls_label=5", "mpls_bos=1"]),
        "vlan": st.sampled_from(["", "ip", "reg0=0x1/0x1"]),
        "trk": st.sampled_from(["", "ct_mark=7", "reg0=0x1/0x1"]),
    }
    words += [word for word in [draw(more[kind])] if word]
    actions = draw(st.one_of(_words(kind), _words(kind), _larger() if not kind else _words(kind)))
    if draw(st.integers(1, 6)) == 1:
        set_ = (
            f"set_field:{draw(mac)}->eth_src,{draw(st.sampled_from(['output:2', 'group:2', 'resubmit(,2)']))}"
        )
        actions = f"{actions},write_actions({set_})"
    return ",".join([*words, f"actions={actions}"])


@st.composite
def translation_sets(draw: st.DrawFn) -> FlowSet:
    """Groups, rules of both kinds, and something in each table for all packets."""
    flows = draw(st.lists(st.one_of(chains(), chains(), rules()), min_size=2, max_size=12))
    for number in range(TABLES):
        if draw(st.booleans()):
            flows.append(f"table={number},priority=1,actions={draw(_words(''))}")
    return FlowSet(tuple(flows), draw(groups()))
