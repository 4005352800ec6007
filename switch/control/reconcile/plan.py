"""(desired, actual) → the ordered list of operations that leads from one to the other. Pure.

Order, and why:

    remove      first, so that names, port numbers, devices and queues are free again
    set-vlan    changes in place: no packet of the port is lost
    set-checksum
    add         ports with a number of their own before those that take the first free one
    set-flows   last: rules may name the new ports
    poll        what cannot be changed while the switch runs is said, not silently skipped

A port whose change cannot be made in place is removed and added; the reason is kept in the operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from switch.control.model import Port, Switch, Vlan
from switch.control.reconcile.actual import Actual, ActualPort

Verb = Literal["remove", "set-vlan", "set-checksum", "add", "set-flows", "poll"]


@dataclass(frozen=True)
class Operation:
    """One step. `port` is "" for steps of the whole switch; `wanted` is set where the verb needs it."""

    verb: Verb
    port: str = ""
    why: str = ""
    wanted: Port | None = None
    flows: tuple[str, ...] = ()


def plan(desired: Switch, actual: Actual) -> list[Operation]:
    """The operations, in the order in which they must be carried out. Empty if there is nothing to do."""
    removes: list[Operation] = []
    changes: list[Operation] = []
    adds: list[Operation] = []
    numbers = {port.ofport: port.name for port in desired.ports if port.ofport is not None}
    for now in actual.ports:
        wanted = desired.port(now.spec.name)
        if wanted is None:
            removes.append(Operation("remove", now.spec.name, "not wanted any more"))
        elif reason := reopen_reason(wanted, now, numbers):
            removes.append(Operation("remove", now.spec.name, f"to be opened anew: {reason}"))
            adds.append(Operation("add", wanted.name, reason, wanted))
        else:
            changes += _in_place(wanted, now)
    for wanted in desired.ports:
        if actual.port(wanted.name) is None:
            adds.append(Operation("add", wanted.name, "new", wanted))
    adds.sort(key=lambda each: each.wanted is not None and each.wanted.ofport is None)
    return [*removes, *changes, *adds, *_whole_switch(desired, actual)]


def reopen_reason(wanted: Port, now: ActualPort, numbers: dict[int, str]) -> str:
    """Why the port must be opened anew, in words; "" if it can stay open.

    `numbers`: port numbers that the desired state gives out by name. A port that merely took the first
    free number has to make room for one that was promised it.
    """
    if now.stale:
        return now.stale
    if wanted.ofport not in (None, now.ofport):
        return f"port number {now.ofport} → {wanted.ofport}"
    if wanted.ofport is None and now.ofport in numbers:
        return f"port number {now.ofport} is promised to {numbers[now.ofport]}"
    if wanted.device_name != now.spec.device_name:
        return f"device {now.spec.device_name or '-'} → {wanted.device_name or '-'}"
    if wanted.type is not now.spec.type:
        return f"type {now.spec.type} → {wanted.type}"
    for key in ("mode", "queues", "mtu"):
        old, new = getattr(now.spec, key), getattr(wanted, key)
        if old != new:
            return f"{key} {_words(old)} → {_words(new)}"
    return ""


def _words(value: object) -> str:
    if value is None:
        return "default"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _in_place(wanted: Port, now: ActualPort) -> list[Operation]:
    operations = []
    if wanted.vlan != now.spec.vlan:
        change = f"{vlan_words(now.spec.vlan)} → {vlan_words(wanted.vlan)}"
        operations.append(Operation("set-vlan", wanted.name, change, wanted))
    if wanted.checksum is not now.spec.checksum:
        change = f"{now.spec.checksum} → {wanted.checksum}"
        operations.append(Operation("set-checksum", wanted.name, change, wanted))
    return operations


def _whole_switch(desired: Switch, actual: Actual) -> list[Operation]:
    operations = []
    if desired.flows != actual.flows:
        why = f"{len(desired.flows)} rule" + ("" if len(desired.flows) == 1 else "s")
        operations.append(Operation("set-flows", "", why, flows=desired.flows))
    if desired.poll != actual.poll:
        old, new = actual.poll, desired.poll
        operations.append(Operation("poll", "", f"{old.mode}/{old.spin_us} µs → {new.mode}/{new.spin_us} µs"))
    return operations


def vlan_words(vlan: Vlan) -> str:
    """The VLANs of a port in a word or two: "access 10", "trunk 1-3,7 native 5", "trunk all"."""
    if vlan.access is not None:
        return f"access {vlan.access}"
    native = f" native {vlan.native}" if vlan.native is not None else ""
    return f"trunk {ranges(vlan.trunk) if vlan.trunk else 'all'}{native}"


def ranges(numbers: tuple[int, ...]) -> str:
    """Ascending numbers, runs drawn together: (1, 2, 3, 7) → "1-3,7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
