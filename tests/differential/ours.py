"""Our switch, driven as tests/differential/ovs.py drives Open vSwitch."""

from __future__ import annotations

from collections.abc import Sequence

from switch.binding.groups import TlvCommand
from switch.binding.port import PortConfig, PortType
from switch.binding.switch import Switch
from switch.binding.trace import TraceOptions


def open_ports(switch: Switch, count: int) -> None:
    """Dummy ports h1, h2 … with ofports 1, 2 …"""
    for i in range(1, count + 1):
        port, _ = switch.open_port(PortConfig(f"h{i}", PortType.DUMMY, ofport=i, mtu=1500))
        port.start()


def load_flows(switch: Switch, rules: Sequence[str]) -> None:
    """Adds rules, all at once."""
    switch.flows.apply("\n".join(rules), bundle=True)


def add_groups(switch: Switch, groups: Sequence[str]) -> None:
    for group in groups:
        switch.groups.add(group)


def dump_flows(switch: Switch) -> set[str]:
    """As Ovs.dump_flows()."""
    return {line.strip() for line in switch.flows.lines(stats=False)}


def trace(switch: Switch, flow: str, ct_states: Sequence[str] = ()) -> str:
    return switch.trace_flow(flow, TraceOptions(ct_next=ct_states))


def add_tlv_map(switch: Switch, mapping: str) -> None:
    switch.tlv_map.mod(mapping)


def clear_tlv_map(switch: Switch) -> None:
    switch.flows.delete()
    switch.tlv_map.mod("", TlvCommand.CLEAR)
