"""Random flow mods, bundles, packets and times against a model of the tables."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import lib
from tests.c.support.otab import (
    ADD,
    DELETE,
    DELETE_STRICT,
    MODIFY,
    MODIFY_STRICT,
    Flow,
    Match,
    Mod,
    Model,
    Tables,
)

FIELDS = ("in_port", "metadata", "reg0")
matches: st.SearchStrategy[Match] = st.dictionaries(st.sampled_from(FIELDS), st.integers(1, 2)).map(
    lambda m: tuple(sorted(m.items(), key=lambda item: ("reg0", "metadata", "in_port").index(item[0])))
)
cookies = st.sampled_from([0, 1, 2, 0x10, 0x11])


@st.composite
def mods(draw: st.DrawFn) -> Mod:
    command = draw(st.sampled_from([ADD, ADD, ADD, ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT]))
    deletes = command in (DELETE, DELETE_STRICT)
    cookie = draw(st.one_of(st.none(), cookies))
    mask = draw(st.sampled_from([1, 0x10, 2**64 - 1])) if deletes or draw(st.booleans()) else None
    if command == ADD or cookie is None:
        mask = None
    cookie = None if deletes and mask is None else cookie
    return Mod(
        command,
        draw(st.sampled_from([None, 0, 1, 1])),
        draw(matches),
        draw(st.sampled_from([1, 2, 32768])),
        draw(st.sampled_from(["drop", "output:1", "output:2"])),
        cookie,
        mask,
        draw(st.sampled_from([0, 0, 5, 20])),
        draw(st.sampled_from([0, 0, 0, 7, 30])),
        draw(st.sampled_from([0, 0, 3])) if command == ADD else 0,
        tuple(sorted(draw(st.sets(st.sampled_from(["send_flow_rem", "check_overlap", "reset_counts"]))))),
        draw(st.sampled_from([None, None, 1, 2])) if deletes else None,
    )


steps = st.lists(
    st.one_of(
        st.tuples(st.just("mod"), mods()),
        st.tuples(st.just("mod"), mods()),
        st.tuples(st.just("mod"), mods()),
        st.tuples(st.just("bundle"), st.tuples(st.lists(mods(), max_size=6), st.booleans())),
        st.tuples(st.just("packets"), st.integers(0, 100)),
        st.tuples(st.just("sleep"), st.integers(1, 12000)),
        st.tuples(st.just("limit"), st.tuples(st.integers(0, 1), st.integers(1, 6), st.booleans())),
    ),
    min_size=1,
    max_size=25,
)


def row(f: Flow) -> tuple[Any, ...]:
    return f.table, -f.priority, f.text, f.cookie, f.packets, f.created, f.modified


def agree(tables: Tables, model: Model) -> None:
    shown = [
        (r.table, -r.priority, r.text.strip(), r.cookie, r.packets, r.created, r.modified)
        for r in tables.rules()
    ]
    assert [(r[0], r[1]) for r in shown] == sorted((r[0], r[1]) for r in shown)
    assert sorted(shown) == sorted(row(f) for f in model.flows.values())
    assert sorted(tables.events()) == sorted(model.events)
    model.events.clear()


def both(tables: Tables, model: Model, mod: Mod) -> bool:
    """Applies it to both; whether it went well."""
    expected = model.apply(mod)
    found, _ = tables.try_flow(mod.command, mod.text)
    assert (found.split()[0] if found else None) == expected, mod.text
    return expected is None


def run_bundle(tables: Tables, model: Model, changes: list[Mod], commit: bool) -> None:
    before = copy.deepcopy((model.flows, model.events))
    assert lib.otab_bundle_open(tables.c)
    well = True
    for mod in changes:
        well = well and both(tables, model, mod)
    lib.otab_bundle_end(tables.c, well and commit)
    if not (well and commit):
        model.flows, model.events = before


def use(tables: Tables, model: Model, number: int) -> None:
    """Packets for one of the rules, if it is the one that they find."""
    flows = sorted(model.flows.values(), key=lambda f: f.key)
    if not flows:
        return
    flow = flows[number % len(flows)]
    fields = {"in_port": 3, "metadata": 9, "reg0": 9, **dict(flow.match)}
    wanted = [f for f in flows if f.table == flow.table and all(fields[n] == v for n, v in f.match)]
    best = max(f.priority for f in wanted)
    handle = tables.find(flow.table, ",".join(f"{n}={v}" for n, v in fields.items()))
    if flow.priority == best and sum(f.priority == best for f in wanted) == 1:
        tables.credit(handle, 10)
        model.flows[flow.key] = Flow(**{**flow.__dict__, "packets": flow.packets + 10, "used": model.now})
    lib.otab_drop_all(tables.c)


@given(steps=steps)
def test_tables_hold_and_tell_what_the_model_does(steps: list[tuple[str, Any]]) -> None:
    tables, model = Tables(), Model()
    for what, details in steps:
        # A millisecond between changes: no two timeouts end at once.
        tables.sleep(1)
        model.now = tables.now
        if what == "mod" and not both(tables, model, details):
            pass
        elif what == "bundle":
            run_bundle(tables, model, *details)
        elif what == "packets":
            use(tables, model, details)
        elif what == "sleep":
            tables.sleep(details)
            model.now = tables.now
            lib.otab_expire(tables.c)
            model.expire()
        elif what == "limit":
            table, limit, evict = details
            lib.otab_table(tables.c, table, limit, evict)
            model.limits[table] = (limit, evict)
        agree(tables, model)
