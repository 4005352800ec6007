"""Hypothesis strategies for whole flow sets: a few tables, groups, and rules whose matches and actions are
drawn from the same few values that the frames of frames.py carry, so that packets meet rules.

Everything here is valid: refused rules are other tests' business. Loops are possible, and end by the limit.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.differential.frames import GROUP_MACS, MACS

PORTS = 4
TABLES = 5
GROUPS = 4

port = st.integers(1, PORTS)
table = st.integers(0, TABLES - 1)
mac = st.sampled_from([*MACS[:4], *GROUP_MACS[:2]])
ipv4 = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.1.1"])
prefix = st.sampled_from(
    ["10.0.0.0/8", "10.0.0.0/31", "10.0.0.0/24", "192.168.0.0/16", "10.0.0.1/255.0.0.255"]
)
ipv6 = st.sampled_from(["fd00::1", "fd00::2", "fe80::1"])
prefix6 = st.sampled_from(["fd00::/64", "fd00::/16", "fe80::/10"])
l4_port = st.sampled_from([1, 53, 80, 443, 8080, 65535])
reg = st.integers(0, 15)
small = st.integers(0, 3)


@dataclass(frozen=True)
class FlowSet:
    """Rules and groups, in ovs-ofctl syntax."""

    flows: tuple[str, ...]
    groups: tuple[str, ...] = ()


def _maybe(draw: st.DrawFn, words: list[str], chance: int, strategy: st.SearchStrategy[str]) -> None:
    """Adds a word in one of `chance` cases."""
    if draw(st.integers(1, chance)) == 1:
        words.append(draw(strategy))


def _pair(name: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return values.map(lambda value: f"{name}={value}")


def _l4_words(draw: st.DrawFn, protocol: str) -> list[str]:
    words: list[str] = []
    if protocol in ("tcp", "udp", "sctp", "tcp6", "udp6"):
        _maybe(
            draw, words, 2, _pair("tp_dst", st.one_of(l4_port, st.sampled_from(["0x50/0xfff0", "80/0xffff"])))
        )
        _maybe(draw, words, 4, _pair("tp_src", l4_port))
    if protocol in ("tcp", "tcp6"):
        _maybe(draw, words, 5, _pair("tcp_flags", st.sampled_from(["+syn", "-ack", "+syn-ack", "0x2"])))
    if protocol == "icmp":
        _maybe(draw, words, 2, _pair("icmp_type", st.sampled_from([0, 3, 8])))
    return words


@st.composite
def matches(draw: st.DrawFn) -> list[str]:
    """Words of a match whose prerequisites are met."""
    words: list[str] = []
    _maybe(draw, words, 3, _pair("in_port", port))
    _maybe(draw, words, 4, _pair("dl_src", mac))
    _maybe(draw, words, 3, _pair("dl_dst", st.one_of(mac, st.just("01:00:00:00:00:00/01:00:00:00:00:00"))))
    vlan = st.sampled_from(
        ["vlan_tci=0/0x1fff", "vlan_tci=0x1000/0x1000", "dl_vlan=10", "dl_vlan=20", "dl_vlan_pcp=3"]
    )
    _maybe(draw, words, 5, vlan)
    _maybe(draw, words, 4, st.builds(lambda r, v: f"reg{r}={v}", st.integers(0, 7), small))
    _maybe(draw, words, 8, st.builds(lambda r, v: f"reg{r}={v:#x}/0x3", st.integers(8, 15), small))
    _maybe(draw, words, 6, _pair("metadata", st.one_of(small, st.just("0x1/0x1"))))
    kind = draw(st.sampled_from(["", "", "ip", "tcp", "udp", "icmp", "arp", "ipv6", "tcp6", "udp6", "sctp"]))
    if not kind:
        return words
    words.insert(0, kind)
    if kind in ("ip", "tcp", "udp", "icmp", "sctp"):
        _maybe(draw, words, 3, _pair("nw_src", st.one_of(ipv4, prefix)))
        _maybe(draw, words, 3, _pair("nw_dst", st.one_of(ipv4, prefix)))
        _maybe(draw, words, 8, _pair("nw_ttl", st.sampled_from([1, 64])))
    if kind == "ip":  # With ports, only some of its values make sense.
        frags = st.sampled_from(["no", "yes", "first", "later", "not_later"])
        _maybe(draw, words, 8, _pair("nw_frag", frags))
    if kind in ("ipv6", "tcp6", "udp6"):
        _maybe(draw, words, 3, _pair("ipv6_src", st.one_of(ipv6, prefix6)))
        _maybe(draw, words, 3, _pair("ipv6_dst", st.one_of(ipv6, prefix6)))
    if kind not in ("arp",):
        _maybe(draw, words, 8, _pair("nw_tos", st.sampled_from([0, 32, 184])))
        _maybe(draw, words, 10, _pair("nw_ecn", small))
    if kind == "arp":
        _maybe(draw, words, 2, _pair("arp_op", st.sampled_from([1, 2])))
        _maybe(draw, words, 2, _pair("arp_tpa", st.one_of(ipv4, prefix)))
    return words + _l4_words(draw, kind)


def _set_actions(kind: str) -> list[st.SearchStrategy[str]]:
    """Rewrites that a rule with this keyword may do."""
    found: list[st.SearchStrategy[str]] = []
    if kind in ("ip", "tcp", "udp", "icmp", "sctp"):
        found += [
            ipv4.map(lambda v: f"set_field:{v}->ip_dst"),
            ipv4.map(lambda v: f"mod_nw_src:{v}"),
            st.just("dec_ttl"),
            st.just("mod_nw_tos:184"),
            st.just("mod_nw_ecn:2"),
            st.just("set_field:9->nw_ttl"),
            st.just("load:0x7->NXM_OF_IP_DST[0..7]"),
            st.just("move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]"),
            st.just("move:NXM_OF_IP_SRC[0..15]->NXM_NX_REG2[4..19]"),
        ]
    if kind in ("ipv6", "tcp6", "udp6"):
        found += [
            ipv6.map(lambda v: f"set_field:{v}->ipv6_dst"),
            st.just("dec_ttl"),
            st.just("set_field:0x12345->ipv6_label"),
        ]
    if kind in ("tcp", "tcp6"):
        found += [
            st.just("fin_timeout(idle_timeout=5)"),
            l4_port.map(lambda v: f"set_field:{v}->tcp_dst"),
            l4_port.map(lambda v: f"mod_tp_src:{v}"),
        ]
    if kind in ("udp", "udp6"):
        found += [l4_port.map(lambda v: f"set_field:{v}->udp_dst"), l4_port.map(lambda v: f"mod_tp_dst:{v}")]
    if kind == "arp":
        found += [st.just("set_field:2->arp_op"), st.just("move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]")]
    return found


_outputs: list[st.SearchStrategy[str]] = [
    port.map(lambda p: f"output:{p}"),
    port.map(lambda p: f"output:{p}"),
    st.just("in_port"),
    st.just("all"),
    st.just("flood"),
    st.just("NORMAL"),
    reg.map(lambda r: f"output:NXM_NX_REG{r}[]"),
    st.integers(1, GROUPS).map(lambda g: f"group:{g}"),
]

_registers: list[st.SearchStrategy[str]] = [
    st.builds(lambda v, r: f"set_field:{v}->reg{r}", small, reg),
    st.builds(lambda v, r: f"load:{v}->NXM_NX_REG{r}[0..3]", small, reg),
    st.builds(lambda v, m: f"set_field:{v & m}/{m}->metadata", small, st.sampled_from([1, 3, 7])),
    st.builds(lambda a, b: f"move:NXM_NX_REG{a}[]->NXM_NX_REG{b}[]", reg, reg),
    st.builds(lambda a, b: f"push:NXM_NX_REG{a}[],pop:NXM_NX_REG{b}[]", reg, reg),
    st.just("move:NXM_OF_IN_PORT[]->NXM_NX_REG1[0..15]"),
]

_frames: list[st.SearchStrategy[str]] = [
    mac.map(lambda v: f"set_field:{v}->eth_dst"),
    mac.map(lambda v: f"mod_dl_src:{v}"),
    st.just("push_vlan:0x8100,set_field:0x100a->vlan_vid"),
    st.just("move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]"),
]

_tagged_frames = st.sampled_from(["set_field:0x1014->vlan_vid", "set_field:3->vlan_pcp", "pop_vlan"])

_flows: list[st.SearchStrategy[str]] = [
    table.map(lambda t: f"resubmit(,{t})"),
    table.map(lambda t: f"resubmit(,{t})"),
    st.builds(lambda p, t: f"resubmit({p},{t})", port, table),
    st.sampled_from(["note:01.02", "exit"]),
]


@st.composite
def action_lists(draw: st.DrawFn, kind: str, tagged: bool, depth: int = 0) -> str:
    """Actions of a rule with this keyword, for packets with a VLAN tag or not; "drop" if there are none."""
    pool = [*_outputs, *_outputs, *_registers, *_frames, *_flows, *_flows, *_set_actions(kind)]
    if tagged and draw(st.booleans()):
        return f"{draw(_tagged_frames)},{draw(st.sampled_from(_outputs).flatmap(lambda each: each))}"
    words: list[str] = []
    for _ in range(draw(st.integers(0, 5))):
        words.append(draw(draw(st.sampled_from(pool))))
    if depth == 0 and draw(st.integers(1, 8)) == 1:
        inner = draw(action_lists(kind, False, 1))
        if inner != "drop":
            words.insert(draw(st.integers(0, len(words))), f"clone({inner})")
    if depth == 0 and draw(st.integers(1, 8)) == 1:
        fields = draw(st.sampled_from(["eth_src", "symmetric_l4", "nw_src", "symmetric_l3"]))
        algorithm = draw(st.sampled_from(["modulo_n", "hash_threshold", "hrw", "iter_hash"]))
        words.insert(0, f"multipath({fields},50,{algorithm},4,0,NXM_NX_REG0[0..1])")
    if depth == 0 and draw(st.integers(1, 10)) == 1:
        fields = draw(st.sampled_from(["eth_src", "symmetric_l4", "nw_dst"]))
        algorithm = draw(st.sampled_from(["active_backup", "hrw"]))
        words.append(f"bundle({fields},7,{algorithm},ofport,members:1,2,3)")
    return ",".join(words) or "drop"


@st.composite
def rules(draw: st.DrawFn) -> str:
    """One rule."""
    where = draw(st.sampled_from([0, 0, *range(TABLES)]))
    priority = draw(st.sampled_from([0, 10, 10, 20, 30]))
    words = draw(matches())
    kind = words[0] if words and "=" not in words[0] else ""
    tagged = any(word.startswith(("dl_vlan", "vlan_tci=0x1000")) for word in words)
    actions = draw(action_lists(kind, tagged))
    if where < TABLES - 1 and draw(st.integers(1, 4)) == 1:
        actions = (
            "" if actions == "drop" else actions + ","
        ) + f"goto_table:{draw(st.integers(where + 1, TABLES - 1))}"
    elif draw(st.integers(1, 6)) == 1 and actions != "drop":
        actions = f"write_actions(set_field:{draw(mac)}->eth_dst,output:{draw(port)})"
    return ",".join([f"table={where}", f"priority={priority}", *words, f"actions={actions}"])


@st.composite
def _bucket(draw: st.DrawFn, kind: str) -> str:
    words = ["bucket="]
    if kind == "select":
        words.append(f"weight:{draw(st.sampled_from([1, 1, 2, 5]))},")
    if kind == "fast_failover":
        words.append(f"watch_port:{draw(port)},")
    first = draw(st.sampled_from(["", "set_field:02:00:00:00:00:01->eth_dst,", "set_field:3->reg0,"]))
    last = draw(st.one_of(port.map(lambda p: f"output:{p}"), table.map(lambda t: f"resubmit(,{t})")))
    return "".join(words) + f"actions={first}{last}"


@st.composite
def groups(draw: st.DrawFn) -> tuple[str, ...]:
    """Groups 1 to GROUPS."""
    found = []
    for number in range(1, GROUPS + 1):
        kind = draw(st.sampled_from(["all", "indirect", "fast_failover", "select"]))
        count = 1 if kind == "indirect" else draw(st.integers(1, 4))
        buckets = ",".join(draw(_bucket(kind)) for _ in range(count))
        method = ",selection_method=hash,fields(eth_src,ip_dst)" if kind == "select" else ""
        found.append(f"group_id={number},type={kind}{method},{buckets}")
    return tuple(found)


@st.composite
def conjunctions(draw: st.DrawFn) -> list[str]:
    """A conjunctive match in table 0, and what it comes to."""
    words = []
    for source in draw(st.lists(ipv4, min_size=1, max_size=3, unique=True)):
        words.append(f"table=0,priority=15,ip,nw_src={source},actions=conjunction(7,1/2)")
    for target in draw(st.lists(st.one_of(ipv4, prefix), min_size=1, max_size=3, unique=True)):
        words.append(f"table=0,priority=15,ip,nw_dst={target},actions=conjunction(7,2/2)")
    words.append(f"table=0,priority=15,conj_id=7,ip,actions=output:{draw(port)}")
    return words


@st.composite
def flow_sets(draw: st.DrawFn) -> FlowSet:
    """Groups and a dozen rules."""
    flows = draw(st.lists(rules(), min_size=1, max_size=14))
    if draw(st.integers(1, 4)) == 1:
        flows = [*flows, *draw(conjunctions())]
    return FlowSet(tuple(flows), draw(groups()))
