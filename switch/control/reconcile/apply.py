"""Carries operations out, one by one, and reports each. One that fails stops neither the rest nor the
other ports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from switch.control.errors import ControlError
from switch.control.model import Checksum, Port, Vlan
from switch.control.reconcile.plan import Operation


class Actions(Protocol):
    """What applying needs of the switch. Each raises ControlError and leaves nothing half done then."""

    def open_port(self, spec: Port) -> str:
        """Opens a port; returns what it became, in words."""

    def close_port(self, name: str) -> None:
        """Closes a port."""

    def set_vlan(self, name: str, vlan: Vlan) -> None:
        """Changes a port's VLANs."""

    def set_checksum(self, name: str, checksum: Checksum) -> None:
        """Changes a port's checksum policy."""

    def set_flows(self, flows: tuple[str, ...]) -> int:
        """Replaces the flow table, all or nothing."""


@dataclass(frozen=True)
class Outcome:
    """An operation that was carried out, or was not: `error` says why."""

    operation: Operation
    message: str
    error: ControlError | None = None

    @property
    def ok(self) -> bool:
        """Carried out."""
        return self.error is None

    def as_json(self) -> dict[str, object]:
        """{op, port, ok, message} and, on failure, the error."""
        shown: dict[str, object] = {
            "op": self.operation.verb,
            "port": self.operation.port,
            "ok": self.ok,
            "message": self.message,
        }
        if self.error is not None:
            shown["error"] = self.error.as_json()
        return shown


def apply(operations: Iterable[Operation], actions: Actions) -> list[Outcome]:
    """All operations in order, each with its outcome."""
    outcomes = []
    for operation in operations:
        try:
            outcomes.append(Outcome(operation, _CARRY_OUT[operation.verb](operation, actions)))
        except ControlError as error:
            outcomes.append(Outcome(operation, str(error), error))
    return outcomes


def _wanted(operation: Operation) -> Port:
    assert operation.wanted is not None, operation
    return operation.wanted


def _add(operation: Operation, actions: Actions) -> str:
    return actions.open_port(_wanted(operation))


def _remove(operation: Operation, actions: Actions) -> str:
    actions.close_port(operation.port)
    return operation.why


def _set_vlan(operation: Operation, actions: Actions) -> str:
    actions.set_vlan(operation.port, _wanted(operation).vlan)
    return operation.why


def _set_checksum(operation: Operation, actions: Actions) -> str:
    actions.set_checksum(operation.port, _wanted(operation).checksum)
    return operation.why


def _set_flows(operation: Operation, actions: Actions) -> str:
    actions.set_flows(operation.flows)
    return operation.why


def _poll(operation: Operation, actions: Actions) -> str:
    message = f"{operation.why}: cannot be changed while the switch runs"
    raise ControlError("poll", message, "restart the switchd with the new file")


_CARRY_OUT: dict[str, Callable[[Operation, Actions], str]] = {
    "remove": _remove,
    "add": _add,
    "set-vlan": _set_vlan,
    "set-checksum": _set_checksum,
    "set-flows": _set_flows,
    "poll": _poll,
}
