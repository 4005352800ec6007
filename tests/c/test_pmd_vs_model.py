"""The PMD against a model that takes one packet at a time: random rules, batches and kills."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import lib
from tests.c.support.pmd import Bench, frame, output, recirc, sport


@dataclass(frozen=True)
class Rule:
    recirc_id: int
    sport: int | None
    outputs: tuple[int, ...]  # Each but what goes around again.
    then: int  # Recirculation id, 0 = none.
    install: bool


def model(rules: list[Rule], flow: int) -> tuple[list[int], dict[str, int]]:
    """Ports that a frame leaves by, ascending, and the drops."""
    out: list[int] = []
    recirc_id = 0
    for _ in range(1 + lib.PMD_MAX_RECIRC):
        rule = next((r for r in rules if r.recirc_id == recirc_id and r.sport in (None, flow)), None)
        if rule is None or not (rule.outputs or rule.then):
            return sorted(out), {"no_output": 1}
        out += rule.outputs
        if not rule.then:
            return sorted(out), {}
        recirc_id = rule.then
    return sorted(out), {"recirc_too_deep": 1}


rules = st.lists(
    st.builds(
        Rule,
        st.integers(0, 4),
        st.one_of(st.none(), st.integers(1, 5)),
        st.lists(st.integers(1, 3), max_size=3).map(tuple),
        st.integers(0, 4),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


@pytest.mark.parametrize(("emc", "smc"), [(True, False), (False, False), (False, True)])
@given(rules, st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=40), max_size=4), st.integers(0, 9))
def test_packets_go_where_a_model_sends_them(
    emc: bool, smc: bool, listed: list[Rule], batches: list[list[int]], kills: int
) -> None:
    with Bench(3) as b:
        b.configure(emc, smc=smc)
        for r in listed:
            actions = output(*r.outputs) + (recirc(r.then) if r.then else b"")
            match = {"recirc_id": r.recirc_id} | ({} if r.sport is None else {"tp_src": sport(r.sport)})
            b.rule(actions, r.install, False, **match)
        drops: dict[str, int] = defaultdict(int)
        for batch in batches:
            out = b.exchange(1, *[frame(flow, number=i) for i, flow in enumerate(batch)])
            expected = defaultdict(list)
            for i, flow in enumerate(batch):
                ports, lost = model(listed, flow)
                for port in ports:
                    expected[port].append(frame(flow, number=i))
                for name, n in lost.items():
                    drops[name] += n
            assert {p: sorted(f) for p, f in out.items()} == {p: sorted(f) for p, f in expected.items()}
            lib.look_kill_some(b.table, kills)
        assert b.ports[0].counts().drops == drops
        b.assert_sums()
