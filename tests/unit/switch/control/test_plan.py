"""The plan leads from any state to any other, disturbs nothing that may stay, and is empty once done."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from switch.control.config import check_together
from switch.control.errors import ControlError
from switch.control.model import Checksum, Mode, Poll, Port, PortType, Switch, Vlan
from switch.control.reconcile.actual import Actual, ActualPort
from switch.control.reconcile.apply import apply
from switch.control.reconcile.plan import Operation, plan, ranges, vlan_words

NAMES = ["a", "b", "c", "d", "e"]
vlans = st.one_of(
    st.builds(Vlan, access=st.integers(1, 4)),
    st.builds(Vlan, trunk=st.lists(st.integers(1, 4), unique=True).map(lambda v: tuple(sorted(v)))),
)
ports = st.builds(
    Port,
    name=st.sampled_from(NAMES),
    type=st.sampled_from([PortType.AFXDP, PortType.TAP, PortType.DUMMY]),
    device=st.sampled_from(["", "x", "y"]),
    ofport=st.one_of(st.none(), st.integers(1, 6)),
    mode=st.sampled_from(list(Mode)),
    checksum=st.sampled_from(list(Checksum)),
    vlan=vlans,
    mtu=st.sampled_from([None, 1400]),
)


def agree(candidates: list[Port]) -> tuple[Port, ...]:
    """As many of the ports as can stand together."""
    kept: tuple[Port, ...] = ()
    for port in candidates:
        try:
            check_together((*kept, port))
        except ControlError:
            continue
        kept = (*kept, port)
    return kept


states = st.builds(
    Switch,
    name=st.just("s1"),
    ports=st.lists(ports, max_size=5).map(agree),
    flows=st.lists(st.sampled_from(["x", "y"]), max_size=2).map(tuple),
)


class FakeSwitch:
    """Holds ports as the real one does: a name, a number and a device are each had by one port."""

    def __init__(self) -> None:
        self.open: dict[str, ActualPort] = {}
        self.flows: tuple[str, ...] | None = None
        self.disturbed: set[str] = set()
        self.refuse: set[str] = set()

    def open_port(self, spec: Port) -> str:
        if spec.name in self.refuse:
            raise ControlError(spec.name, "refused")
        taken = {port.ofport for port in self.open.values()}
        devices = {port.spec.device_name for port in self.open.values()} - {""}
        ofport = spec.ofport or next(n for n in range(1, 256) if n not in taken)
        if spec.name in self.open or ofport in taken or spec.device_name in devices:
            raise ControlError(spec.name, f"clash: {ofport} {spec.device_name}")
        self.open[spec.name] = ActualPort(spec, ofport)
        return "opened"

    def close_port(self, name: str) -> None:
        self.disturbed.add(name)
        del self.open[name]

    def set_vlan(self, name: str, vlan: Vlan) -> None:
        now = self.open[name]
        self.open[name] = replace(now, spec=replace(now.spec, vlan=vlan))

    def set_checksum(self, name: str, checksum: Checksum) -> None:
        now = self.open[name]
        self.open[name] = replace(now, spec=replace(now.spec, checksum=checksum))

    def set_flows(self, flows: tuple[str, ...]) -> int:
        self.flows = flows
        return len(flows)

    def actual(self) -> Actual:
        return Actual(Poll(), tuple(self.open.values()), self.flows)


def started(state: Switch) -> FakeSwitch:
    switch = FakeSwitch()
    assert all(outcome.ok for outcome in apply(plan(state, switch.actual()), switch))
    return switch


@given(states, states)
def test_the_plan_carried_out_makes_the_desired_state_true(first: Switch, second: Switch) -> None:
    switch = started(first)
    outcomes = apply(plan(second, switch.actual()), switch)
    assert [each.message for each in outcomes if not each.ok] == []
    same = {name: port.spec.device_name for name, port in switch.open.items()}
    assert same == {port.name: port.device_name for port in second.ports}
    for wanted in second.ports:
        now = switch.open[wanted.name]
        assert wanted.ofport in (None, now.ofport)
        assert replace(now.spec, device="", ofport=None) == replace(wanted, device="", ofport=None)
    assert switch.flows == second.flows
    assert plan(second, switch.actual()) == []


@given(states, states)
def test_a_port_that_may_stay_is_not_disturbed(first: Switch, second: Switch) -> None:
    switch = started(first)
    promised = {port.ofport for port in second.ports}
    same = {
        port.name
        for port in second.ports
        if port in first.ports and (port.ofport or switch.open[port.name].ofport not in promised)
    }
    apply(plan(second, switch.actual()), switch)
    assert not same & switch.disturbed


@given(states)
def test_the_same_state_again_is_nothing_to_do(state: Switch) -> None:
    assert plan(state, started(state).actual()) == []


@given(states, st.sets(st.sampled_from(NAMES)))
def test_a_port_that_fails_does_not_stop_the_others(state: Switch, refused: set[str]) -> None:
    switch = FakeSwitch()
    switch.refuse = refused
    outcomes = apply(plan(state, switch.actual()), switch)
    wanted = {port.name for port in state.ports}
    assert set(switch.open) == wanted - refused
    assert {each.operation.port for each in outcomes if not each.ok} == wanted & refused
    assert switch.flows == state.flows


def test_vlan_and_checksum_change_in_place() -> None:
    port = Port("a")
    switch = started(Switch("s1", ports=(port,)))
    changed = replace(port, vlan=Vlan(access=3), checksum=Checksum.SOFTWARE)
    operations = plan(Switch("s1", ports=(changed,)), switch.actual())
    assert [each.verb for each in operations] == ["set-vlan", "set-checksum"]
    assert operations[0].why == "trunk all → access 3"


def test_a_change_that_needs_it_opens_the_port_anew_and_says_why() -> None:
    switch = started(Switch("s1", ports=(Port("a"),)))
    operations = plan(Switch("s1", ports=(Port("a", mode=Mode.GENERIC),)), switch.actual())
    assert [each.verb for each in operations] == ["remove", "add"]
    assert "mode auto → generic" in operations[0].why


def test_a_number_taken_by_chance_makes_room_for_a_promise() -> None:
    switch = started(Switch("s1", ports=(Port("a"),)))
    desired = Switch("s1", ports=(Port("a"), Port("b", ofport=1)))
    assert all(each.ok for each in apply(plan(desired, switch.actual()), switch))
    assert (switch.open["b"].ofport, switch.open["a"].ofport) == (1, 2)


def test_a_stale_port_is_opened_anew() -> None:
    actual = Actual(Poll(), (ActualPort(Port("a"), 1, "its device was made again"),), Switch("s1").flows)
    operations = plan(Switch("s1", ports=(Port("a"),)), actual)
    assert [(each.verb, each.port) for each in operations] == [("remove", "a"), ("add", "a")]
    assert "made again" in operations[1].why


def test_polling_cannot_change_and_that_is_said() -> None:
    switch = FakeSwitch()
    operation = plan(Switch("s1", poll=Poll(spin_us=7), flows=()), Actual(Poll(), (), ()))
    assert operation == [Operation("poll", "", "adaptive/100 µs → adaptive/7 µs")]
    (outcome,) = apply(operation, switch)
    assert outcome.error is not None
    assert "restart" in outcome.error.hint


def test_numbers_are_drawn_together_for_people() -> None:
    assert ranges((1, 2, 3, 7, 9, 10)) == "1-3,7,9-10"
    assert vlan_words(Vlan(trunk=(1, 2), native=9)) == "trunk 1-2 native 9"
