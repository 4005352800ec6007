"""Hypothesis strategies for actions that have arguments of many kinds: ct, nat, learn, bundle, multipath."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.differential import strategies_fields as fields
from tests.differential.strategies_fields import V4, Field, masked_values, numbers, parts, values
from tests.differential.strategies_space import Space, State


@st.composite
def load_text(draw: st.DrawFn, f: Field) -> str:
    """A number into some of the field's bits."""
    text, size = draw(parts(f))
    return f"load:{draw(numbers(size)):#x}->{text}"


@st.composite
def _nat(draw: st.DrawFn, state: State) -> str:
    if state.layer in V4:
        address = draw(st.sampled_from(["10.0.0.1", "10.0.0.1-10.0.0.9"]))
        port = draw(st.sampled_from(["", ":80", ":1000-2000"]))
    else:
        port = draw(st.sampled_from(["", ":80"]))
        address = draw(st.sampled_from(["[fc00::1]", "[fc00::1]-[fc00::9]"])) if port else "fc00::1"
    option = draw(st.sampled_from(["", ",persistent", ",hash", ",random", ",persistent,random"]))
    return f"nat({draw(st.sampled_from(['src', 'dst']))}={address}{port}{option})"


@st.composite
def _ct_exec(draw: st.DrawFn, space: Space) -> str:
    f = draw(st.sampled_from(fields.CONNECTION))
    choices = [values(f).map(lambda value: f"set_field:{value}->{f.name}")]
    if space.spelling != "15":
        choices.append(load_text(f))
    if space.spelling in ("", "15"):
        choices.append(masked_values(f).map(lambda value: f"set_field:{value}->{f.name}"))
    if space.spelling == "10":
        choices = choices[1:]
    return f"exec({draw(st.one_of(choices))})"


@st.composite
def ct(draw: st.DrawFn, space: Space, state: State) -> tuple[str, State]:
    words = []
    commit = draw(st.booleans())
    if commit:
        words.append(draw(st.sampled_from(["commit", "commit,force"])))
    if draw(st.booleans()):
        words.append(f"table={draw(st.sampled_from(space.tables))}")
    words += draw(st.sampled_from([[], ["zone=7"], ["zone=reg3[0..15]"], ["zone=65535"]]))
    words += [draw(_nat(state)) if commit else "nat"] if draw(st.booleans()) else []
    words += [draw(_ct_exec(space))] if commit and draw(st.booleans()) else []
    helper = {"tcp": "ftp", "tcp6": "ftp", "udp": "tftp", "udp6": "tftp"}.get(state.layer)
    words += [f"alg={helper}"] if helper and commit and draw(st.integers(0, 4)) == 0 else []
    return f"ct({','.join(words)})", state


@st.composite
def learn(draw: st.DrawFn, space: Space, state: State) -> tuple[str, State]:
    words = [f"table={draw(st.sampled_from(space.tables))}"]
    for name in ("idle_timeout", "hard_timeout", "priority", "limit"):
        words += [f"{name}={draw(st.integers(1, 100))}"] if draw(st.integers(0, 3)) == 0 else []
    words += draw(st.sampled_from([[], [], ["delete_learned"], ["cookie=0x5"], ["fin_idle_timeout=3"]]))
    words += draw(st.sampled_from([[], [], ["send_flow_rem"], ["result_dst=NXM_NX_REG2[4]"]]))
    words += draw(st.sampled_from([[], ["NXM_OF_VLAN_TCI[0..11]"], ["in_port=2"], ["reg5[0..7]=0x1f"]]))
    words += draw(
        st.sampled_from([["NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]"], ["eth_dst"], ["dl_src=02:00:00:00:00:09"]])
    )
    if state.layer in V4 and draw(st.booleans()):
        words += [
            "eth_type=0x800",
            draw(st.sampled_from(["NXM_OF_IP_SRC[]=NXM_OF_IP_DST[]", "nw_dst=10.0.0.7"])),
        ]
    loads = [
        "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]",
        "load:0x7->NXM_NX_REG1[0..3]",
        "load:0xabc->eth_src[3..20]",
    ]
    words += draw(st.lists(st.sampled_from(loads), max_size=2))
    words += draw(st.sampled_from([[], ["output:NXM_OF_IN_PORT[]"], ["output:reg1[0..15]"]]))
    return f"learn({','.join(words)})", state


_hashes = [
    "eth_src",
    "symmetric_l4",
    "symmetric_l3l4",
    "symmetric_l3l4+udp",
    "nw_src",
    "nw_dst",
    "symmetric_l3",
]


def multipath(space: Space) -> st.SearchStrategy[str]:
    algorithm = st.sampled_from(["modulo_n", "hash_threshold", "hrw", "iter_hash"])
    basis, links = st.integers(0, 65535), st.integers(1, 16)
    return st.builds(
        lambda f, b, a, n, r: f"multipath({f},{b},{a},{n},{n * (a == 'iter_hash')},NXM_NX_REG{r}[0..15])",
        st.sampled_from(_hashes), basis, algorithm, links, st.integers(0, 15),
    )  # fmt: skip


def bundle(space: Space) -> st.SearchStrategy[str]:
    members = st.lists(st.sampled_from(space.ports), max_size=4).map(lambda ports: ",".join(map(str, ports)))
    head = st.builds(
        lambda f, b, a: f"{f},{b},{a},ofport",
        st.sampled_from(_hashes), st.integers(0, 65535), st.sampled_from(["hrw", "active_backup"]),
    )  # fmt: skip
    load = st.builds(
        lambda h, r, m: f"bundle_load({h},reg{r}[0..15],members:{m})", head, st.integers(0, 15), members
    )
    return st.one_of(st.builds(lambda h, m: f"bundle({h},members:{m})", head, members), load)
