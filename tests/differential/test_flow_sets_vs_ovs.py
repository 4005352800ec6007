"""Random flow sets and random packets in both switches: what leaves, byte for byte and port by port, and what
a trace says of the actions and the bits that decided.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from switch.binding.switch import SwitchConfig
from tests.differential import ours
from tests.differential.flow_sets import PORTS, FlowSet, flow_sets
from tests.differential.frames import frame
from tests.differential.ovs import BRIDGE, Ovs, open_vswitch
from tests.differential.rig import Rig, rig
from tests.differential.trace_text import is_explained, passes

pytestmark = [pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")]
Packets = Sequence[tuple[bytes, int]]
packets = st.lists(st.tuples(frame(), st.integers(1, PORTS)), min_size=1, max_size=12)


def examples(count: int) -> settings:
    """One Open vSwitch serves all examples of a module: that is meant."""
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    )


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with ExitStack() as stack:
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rs-sets-")))
        yield stack.enter_context(open_vswitch(run, PORTS))


@contextmanager
def both(ovs: Ovs, flow_set: FlowSet) -> Iterator[Rig]:
    """Both switches hold the flow set, and no learned address."""
    ovs.ofctl("del-flows")
    ovs.ofctl("del-groups")
    (ovs.run / "groups.txt").write_text("\n".join(flow_set.groups) + "\n")
    ovs.ofctl("add-groups", f"{ovs.run}/groups.txt")
    ovs.load_flows(flow_set.flows)
    ovs.forget_addresses()
    with rig(PORTS, [], config=SwitchConfig(BRIDGE, threaded=False, umem_frames=4096)) as r:
        ours.add_groups(r.switch, flow_set.groups)
        ours.load_flows(r.switch, flow_set.flows)
        yield r


@examples(40)
@given(flow_set=flow_sets(), packets=packets)
def test_packets_leave_alike(ovs: Ovs, flow_set: FlowSet, packets: Packets) -> None:
    with both(ovs, flow_set) as r:
        for data, in_port in packets:
            assert r.exchange(in_port, data) == ovs.exchange(in_port, data), (in_port, data.hex())
        r.assert_balanced()


@examples(40)
@given(flow_set=flow_sets(), packets=packets)
def test_traces_agree(ovs: Ovs, flow_set: FlowSet, packets: Packets) -> None:
    # A trace of a whole packet learns its address there, and never here: NORMAL is compared by what leaves.
    flow_set = FlowSet(tuple(each.replace("NORMAL", "flood") for each in flow_set.flows), flow_set.groups)
    ports = ovs.datapath_ports()
    with both(ovs, flow_set) as r:
        for data, in_port in packets:
            theirs = ovs.control.call("ofproto/trace", BRIDGE, f"in_port={in_port}", data.hex())
            found, expected = passes(r.switch.trace_packet(in_port, data)), passes(theirs, ports)
            assert [each.actions for each in found] == [each.actions for each in expected], data.hex()
            for one, other in zip(found, expected, strict=True):
                assert is_explained(one.megaflow, other.megaflow), (in_port, data.hex(), one, other)
