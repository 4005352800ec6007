"""Hypothesis strategies for lists of actions, as text, with the match that they need: all of ovs-actions(7).

    rule = draw(action_rules(Space(ports=(1, 2), tables=(1, 2))))     # rule.match, rule.actions

What a list may speak of is a Space (strategies_space.py). Lists are valid: each action finds the layers that
it needs in the match, or in what the actions before have made of the packet.

Spellings. The wire formats of OpenFlow versions cannot say everything as it was written: 1.0 makes set_field
a load or a mod_*, 1.5 makes load a set_field. A Space with `spelling` "10", "13" or "15" has those actions
that this version keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from tests.differential import strategies_fields as fields
from tests.differential import strategies_nested as nested
from tests.differential.strategies_fields import IP, V4, Field, masked_values, numbers, parts, values
from tests.differential.strategies_space import ActionRule, Space, State

ALL = ("10", "13", "15")


Step = tuple[str, State]
Maker = Callable[[Space, State], st.SearchStrategy[Step]]


@dataclass(frozen=True)
class Atom:
    """One kind of action."""

    make: Maker
    needs: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ALL
    when: Callable[[Space, State], bool] = field(default=lambda space, state: True)

    def fits(self, space: Space, state: State) -> bool:
        spelled = not space.spelling or space.spelling in self.spellings
        return spelled and state.has(self.needs) and self.when(space, state)


def _same(text: st.SearchStrategy[str]) -> Maker:
    """An action that changes nothing of what is known."""
    return lambda space, state: text.map(lambda words: (words, state))


def _const(*texts: str) -> Maker:
    return _same(st.sampled_from(texts))


def _of(make: Callable[[Space], st.SearchStrategy[str]]) -> Maker:
    return lambda space, state: make(space).map(lambda words: (words, state))


def _port(space: Space) -> st.SearchStrategy[int]:
    return st.sampled_from(space.ports)


def _table(space: Space) -> st.SearchStrategy[int]:
    return st.sampled_from(space.tables)


# ---- fields ------------------------------------------------------------------------------------


def _writable(space: Space, state: State) -> list[Field]:
    found = [*fields.REGISTERS, *fields.HEADERS, *(fields.TUNNEL if space.tunnel else [])]
    return [each for each in found if state.has(each.needs)]


def _one_of(
    space: Space, state: State, fits: Callable[[Field], bool] = lambda f: True
) -> st.SearchStrategy[Field]:
    """One of the fields that the packet has; of registers and headers about as often."""
    found = [each for each in _writable(space, state) if fits(each)]
    headers = [each for each in found if each not in fields.REGISTERS]
    every = st.sampled_from(found)
    return st.one_of(every, st.sampled_from(headers)) if headers else every


def _set_field(space: Space, state: State) -> st.SearchStrategy[Step]:
    def make(f: Field) -> st.SearchStrategy[str]:
        return values(f).map(lambda value: f"set_field:{value}->{f.name}")

    return _one_of(space, state).flatmap(make).map(lambda words: (words, state))


def _set_field_masked(space: Space, state: State) -> st.SearchStrategy[Step]:
    def make(f: Field) -> st.SearchStrategy[str]:
        return masked_values(f).map(lambda value: f"set_field:{value}->{f.name}")

    return _one_of(space, state, lambda f: f.maskable).flatmap(make).map(lambda words: (words, state))


def _load(space: Space, state: State) -> st.SearchStrategy[Step]:
    plain = _one_of(space, state, lambda f: f.name not in ("vlan_vid", "nw_tos"))
    return plain.flatmap(nested.load_text).map(lambda words: (words, state))


@st.composite
def _move(draw: st.DrawFn, space: Space, state: State) -> Step:
    target = draw(_one_of(space, state))
    readable = [f for f in (*_writable(space, state), *fields.READABLE) if state.has(f.needs)]
    source = draw(st.sampled_from(readable))
    size = draw(st.integers(1, min(source.bits, target.bits)))
    return f"move:{draw(parts(source, size))[0]}->{draw(parts(target, size))[0]}", state


@st.composite
def _stack(draw: st.DrawFn, space: Space, state: State) -> Step:
    source = draw(parts(draw(_one_of(space, state))))[0]
    target = draw(parts(draw(_one_of(space, state))))[0]
    return f"push:{source},pop:{target}", state


def _bit(_: Space) -> st.SearchStrategy[str]:
    return st.builds(lambda r, b: f"reg{r}[{b}]", st.integers(0, 15), st.integers(0, 31))


# ---- headers -----------------------------------------------------------------------------------


def _push_vlan(space: Space, state: State) -> st.SearchStrategy[Step]:
    after = replace(state, tags=state.tags + 1)
    return st.sampled_from(["push_vlan:0x8100", "push_vlan:0x88a8"]).map(lambda words: (words, after))


def _pop(*texts: str) -> Maker:
    return lambda space, state: st.sampled_from(texts).map(lambda t: (t, replace(state, tags=state.tags - 1)))


def _mod_vlan(space: Space, state: State) -> st.SearchStrategy[Step]:
    after = replace(state, tags=max(state.tags, 1))
    vid = st.integers(0, 4095).map(lambda v: f"mod_vlan_vid:{v}")
    return st.one_of(vid, st.integers(0, 7).map(lambda v: f"mod_vlan_pcp:{v}")).map(lambda t: (t, after))


def _push_mpls(space: Space, state: State) -> st.SearchStrategy[Step]:
    after = replace(state, layer="mpls")
    return st.sampled_from(["push_mpls:0x8847", "push_mpls:0x8848"]).map(lambda words: (words, after))


def _pop_mpls(space: Space, state: State) -> st.SearchStrategy[Step]:
    layers = {"0x0800": "ip", "0x86dd": "ipv6", "0x8847": "mpls"}
    return st.sampled_from(sorted(layers)).map(lambda t: (f"pop_mpls:{t}", replace(state, layer=layers[t])))


@st.composite
def _nsh(draw: st.DrawFn, space: Space, state: State) -> Step:
    """A service header below a new Ethernet header."""
    head = draw(st.sampled_from(["nsh", "nsh(md_type=1)", "nsh(md_type=2,tlv(0x1000,10,0x12345678))"]))
    f = draw(st.sampled_from(fields.NSH))
    change = f"set_field:{draw(values(f))}->{f.name}"
    return f"encap({head}),{change},encap(ethernet)", replace(state, layer="nsh")


# ---- lists within ------------------------------------------------------------------------------


def _clone(space: Space, state: State) -> st.SearchStrategy[Step]:
    inner = action_lists(replace(space, length=3), replace(state, depth=state.depth + 1))
    return inner.map(lambda words: (f"clone({words})", state))


# ---- the rest ----------------------------------------------------------------------------------


def _outputs(space: Space) -> st.SearchStrategy[str]:
    port = _port(space)
    return st.one_of(
        port.map(lambda p: f"output:{p}"),
        port.map(str),
        st.sampled_from(["in_port", "ALL", "flood", "NORMAL", "LOCAL"]),
        st.integers(0, 15).map(lambda r: f"output:reg{r}[0..15]"),
        st.builds(lambda p, n: f"output(port={p},max_len={n})", port, st.integers(14, 2000)),
    )


def _resubmit(space: Space) -> st.SearchStrategy[str]:
    both = st.builds(lambda p, t: f"resubmit({p},{t})", _port(space), _table(space))
    return st.one_of(_table(space).map(lambda t: f"resubmit(,{t})"), both)


_controller = st.sampled_from([
    "controller", "controller:128", "controller(max_len=64)", "controller(reason=invalid_ttl)",
    "controller(max_len=5,id=3)", "controller(userdata=01.02.ff)", "controller(userdata=00.00.00.11,pause)",
    "controller(reason=packet_out,meter_id=5)",
])  # fmt: skip
_sample = st.builds(
    lambda p, c, d: f"sample(probability={p},collector_set_id={c},obs_domain_id=2,obs_point_id=3{d})",
    st.integers(1, 65535), numbers(32), st.sampled_from(["", ",ingress", ",egress", ",sampling_port=1"]),
)  # fmt: skip
_note = st.binary(max_size=16).map(lambda data: "note:" + data.hex("."))
_mac = st.sampled_from(fields.MACS)
_ipv4 = st.sampled_from(fields.ADDRESSES)

ATOMS = [
    *[Atom(_of(_outputs))] * 3,
    *[Atom(_of(_resubmit))] * 2,
    Atom(_of(lambda s: st.sampled_from(s.groups).map("group:{}".format)), when=lambda s, _: bool(s.groups)),
    Atom(_of(lambda s: _port(s).map(lambda p: f"enqueue:{p}:1")), (), ("10",)),
    Atom(_same(st.integers(0, 9).map(lambda q: f"set_queue:{q}"))),
    Atom(_const("pop_queue")),
    *[Atom(_set_field, (), ("13", "15"))] * 3,
    Atom(_set_field_masked, (), ("15",)),
    *[Atom(_load, (), ("10", "13"))] * 2,
    *[Atom(_move)] * 2,
    Atom(_stack),
    Atom(_push_vlan, (), ("13", "15"), lambda _, state: state.tags < 2),
    Atom(_pop("pop_vlan"), ("vlan",), ("13", "15")),
    Atom(_pop("strip_vlan"), ("vlan",), ("10",)),
    Atom(_mod_vlan, (), ("10",)),
    Atom(_same(_mac.map(lambda m: f"mod_dl_src:{m}")), (), ("10",)),
    Atom(_same(_mac.map(lambda m: f"mod_dl_dst:{m}")), (), ("10",)),
    Atom(_same(_ipv4.map(lambda a: f"mod_nw_src:{a}")), V4, ("10",)),
    Atom(_same(_ipv4.map(lambda a: f"mod_nw_dst:{a}")), V4, ("10",)),
    Atom(_same(st.integers(0, 63).map(lambda d: f"mod_nw_tos:{d * 4}")), IP, ("10",)),
    Atom(_same(numbers(16).map(lambda p: f"mod_tp_src:{p}")), ("tcp", "udp", "tcp6", "udp6"), ("10",)),
    Atom(_same(numbers(16).map(lambda p: f"mod_tp_dst:{p}")), ("tcp", "udp", "tcp6", "udp6"), ("10",)),
    Atom(_nsh, (), ("13", "15"), lambda s, _: s.nsh),
    Atom(_const("dec_nsh_ttl"), ("nsh",)),
    Atom(_const("dec_ttl"), IP),
    Atom(_const("dec_ttl(1,2)"), IP, when=lambda s, _: not s.quiet),
    Atom(_push_mpls),
    Atom(_pop_mpls, ("mpls",)),
    Atom(_const("dec_mpls_ttl"), ("mpls",)),
    Atom(_same(numbers(20).map(lambda label: f"set_mpls_label({label})")), ("mpls",), ("10",)),
    Atom(_same(st.integers(0, 7).map(lambda tc: f"set_mpls_tc({tc})")), ("mpls",), ("10",)),
    Atom(_same(numbers(8).map(lambda ttl: f"set_mpls_ttl({ttl})")), ("mpls",), ("10",)),
    Atom(_same(numbers(64).map(lambda n: f"set_tunnel{'64' if n >> 32 else ''}:{n:#x}")), (), ("10",),
         lambda s, _: s.tunnel),
    Atom(_const("fin_timeout(idle_timeout=5)", "fin_timeout(idle_timeout=1,hard_timeout=2)"), fields.TCP),
    Atom(nested.learn),
    Atom(_of(nested.multipath)),
    Atom(_of(nested.bundle)),
    Atom(_clone, when=lambda _, state: state.depth < 2),
    Atom(_of(lambda s: _bit(s).map(lambda b: f"check_pkt_larger(1500)->{b}"))),
    Atom(_const("exit")),
    Atom(nested.ct, IP, when=lambda s, _: s.ct),
    Atom(_const("ct_clear"), when=lambda s, _: s.ct),
    Atom(_same(st.one_of(_controller, _sample, _note)), when=lambda s, _: not s.quiet),
    Atom(_const("delete_field:tun_metadata0"), when=lambda s, _: s.tunnel),
]  # fmt: skip


@st.composite
def action_lists(draw: st.DrawFn, space: Space, state: State) -> str:
    """Actions for a packet of which this is known; "drop" if there are none."""
    words = []
    for _ in range(draw(st.integers(0, space.length))):
        atoms = [atom for atom in ATOMS if atom.fits(space, state)]
        text, state = draw(draw(st.sampled_from(atoms)).make(space, state))
        words.append(text)
    return ",".join(words) or "drop"


_layers = [
    "",
    "ip",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "ipv6",
    "tcp6",
    "udp6",
    "sctp6",
    "icmp6",
    "nd",
    "arp",
    "rarp",
    "mpls",
]
_match_words = {"nd": "icmp6,icmp_type=135"}


@st.composite
def states(draw: st.DrawFn) -> tuple[str, State]:
    """A match, and what it says of the packet."""
    layer = draw(st.sampled_from(_layers))
    tagged = draw(st.integers(0, 3)) == 0
    words = [
        _match_words.get(layer, layer),
        draw(st.sampled_from(["dl_vlan=10", "vlan_tci=0x1000/0x1000"])) if tagged else "",
    ]
    return ",".join(word for word in words if word), State(layer, int(tagged))


@st.composite
def instructions(draw: st.DrawFn, space: Space, state: State, list_of: str, table: int = 0) -> str:
    """The list with instructions around it. Not for OpenFlow 1.0, which has none."""
    words = (
        [f"meter:{draw(st.sampled_from(space.meters))}"]
        if space.meters and draw(st.integers(0, 3)) == 0
        else []
    )
    words += [list_of] if list_of != "drop" else []
    words += ["clear_actions"] if draw(st.integers(0, 5)) == 0 else []
    if draw(st.integers(0, 3)) == 0:
        target = draw(
            st.one_of(
                _outputs(replace(space, spelling="13")).filter(lambda t: "reg" not in t and "(" not in t)
            )
        )
        words.append(f"write_actions(set_field:{draw(_mac)}->eth_dst,{target})")
    words += draw(st.sampled_from([[], [], ["write_metadata:0x5"], ["write_metadata:0xf0/0xff"]]))
    later = [t for t in space.tables if t > table]
    words += [f"goto_table:{draw(st.sampled_from(later))}"] if later and draw(st.integers(0, 2)) == 0 else []
    return ",".join(words) or "drop"


@st.composite
def action_rules(
    draw: st.DrawFn, space: Space, with_instructions: bool = False, table: int = 0
) -> ActionRule:
    """A match and a list of actions that fits it, for a rule of `table`."""
    match, state = draw(states())
    actions = draw(action_lists(space, state))
    if with_instructions and space.spelling != "10":
        actions = draw(instructions(space, state, actions, table))
    return ActionRule(match, actions)
