"""The switch as the control plane runs it: the desired state, the open ports, and the way between the two.

Everything that changes ports goes through `reconcile`: a file, a verb of the socket, a device that comes
back. Control thread only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from switch.binding.errors import SwitchError
from switch.binding.switch import Switch as Engine
from switch.binding.switch import SwitchConfig
from switch.control.config import check_together
from switch.control.errors import ControlError
from switch.control.model import Checksum, PollMode, Port, Switch, Vlan
from switch.control.netlink.client import Link, Netlink
from switch.control.ports import Ports
from switch.control.reconcile.actual import Actual
from switch.control.reconcile.apply import Outcome, apply
from switch.control.reconcile.plan import Operation, plan
from switch.control.translate import as_control_error

log = logging.getLogger("switchd")


@dataclass(frozen=True)
class Failure:
    """Why a desired port is not open, and what its device was like when that was tried."""

    error: ControlError
    link: Link | None


class Controller:
    """One running switch. `close()` leaves nothing behind."""

    def __init__(self, desired: Switch) -> None:
        poll = desired.poll
        try:
            busy = poll.mode is PollMode.BUSY
            self.engine = Engine(SwitchConfig(desired.name, busy=busy, spin_us=poll.spin_us, cpu=poll.cpu))
        except SwitchError as error:
            raise as_control_error(error, "poll") from error
        self.desired = replace(desired, ports=(), flows=())
        self.started = time.time()
        self._poll = poll
        self.failures: dict[str, Failure] = {}
        self._flows: tuple[str, ...] | None = None  # None: changed by hand since the table was filled.
        self.netlink = Netlink()
        self.ports = Ports(self.engine, self.netlink)

    def close(self) -> None:
        """Closes all ports, stops the poll-mode thread, frees everything."""
        self.ports.close_all()
        self.engine.close()
        self.netlink.close()

    # ---- desired → actual ------------------------------------------------------------------

    def actual(self) -> Actual:
        """What is there now."""
        return Actual(self._poll, self.ports.actual(), self._flows)

    def reconcile(self, desired: Switch, keep_flows: bool = False) -> list[Outcome]:
        """Makes `desired` true as far as it goes.

        A port that cannot be opened stays desired and is tried again when its device changes.
        `keep_flows`: the flow table stays as it is, however it was changed by hand.
        """
        actual = self.actual()
        if keep_flows:
            actual = replace(actual, flows=desired.flows)
        outcomes = apply(plan(desired, actual), self)
        for outcome in outcomes:
            operation = outcome.operation
            level = logging.INFO if outcome.ok else logging.ERROR
            log.log(level, "%s %s: %s", operation.verb, operation.port or "switch", outcome.message)
            self.failures.pop(operation.port, None)
            if outcome.error is not None and operation.wanted is not None:
                link = self.netlink.link(operation.wanted.device_name)
                self.failures[operation.port] = Failure(outcome.error, link)
        self.desired = replace(desired, poll=self._poll)
        return outcomes

    def add_port(self, port: Port) -> Outcome:
        """One more port. Raises ControlError if it clashes with another, or with why it could not be
        opened.
        """
        check_together((*self.desired.ports, port), f"port {port.name}")
        for entry in self.ports:
            if entry.info.ofport == port.ofport:
                message = f"{port.ofport} is taken by port {entry.spec.name}"
                raise ControlError(f"port {port.name}.ofport", message, "another, or none: the first free")
        outcomes = self.reconcile(self.desired.with_port(port), keep_flows=True)
        outcome = next(each for each in outcomes if each.operation.port == port.name)
        if outcome.error is not None:
            self._forget(port.name)
            raise outcome.error
        return outcome

    def delete_port(self, name: str) -> Outcome:
        """One port less. Raises ControlError if there is none of that name."""
        if name in self.failures and self.desired.port(name) is not None:
            self._forget(name)
            return Outcome(Operation("remove", name), "was desired, but not open")
        self.ports.entry(name)
        outcomes = self.reconcile(self.desired.without_port(name), keep_flows=True)
        outcome = next(each for each in outcomes if each.operation.port == name)
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def _forget(self, name: str) -> None:
        self.desired = self.desired.without_port(name)
        self.failures.pop(name, None)

    def device_changed(self, link: Link, gone: bool) -> None:
        """News of a device: link state is passed on, a port whose device changed under it is opened anew."""
        stale = self.ports.link_changed(link, gone)
        if stale or (not gone and self._awaited(link)):
            self.reconcile(self.desired, keep_flows=True)

    def refresh(self) -> None:
        """News of devices were lost: everything is read again."""
        if self.ports.refresh() or any(self._awaited(link) for link in self.netlink.links()):
            self.reconcile(self.desired, keep_flows=True)

    def _awaited(self, link: Link) -> bool:
        """A port that could not be opened wants this device, and it is not as it was when that was tried."""
        for name, failure in self.failures.items():
            port = self.desired.port(name)
            if port is not None and port.device_name == link.name and failure.link != link:
                return True
        return False

    # ---- what reconcile/apply.py asks for ----------------------------------------------------

    def open_port(self, spec: Port) -> str:
        """Opens a port and tells how it stands."""
        entry = self.ports.open(spec)
        words = [f"port {entry.info.ofport}"]
        if entry.attachment is not None:
            words.append(f"{entry.attachment.mode} XDP")
            words.append("zero copy" if entry.info.zero_copy else "copy")
            words.append("queues " + ",".join(map(str, entry.info.queues)))
        return ", ".join(words)

    def close_port(self, name: str) -> None:
        """Closes a port."""
        self.ports.close(name)

    def set_vlan(self, name: str, vlan: Vlan) -> None:
        """Changes a port's VLANs."""
        self.ports.set_vlan(name, vlan)

    def set_checksum(self, name: str, checksum: Checksum) -> None:
        """Changes a port's checksum policy."""
        self.ports.set_checksum(name, checksum)

    def set_flows(self, flows: tuple[str, ...]) -> int:
        """Replaces the flow tables, all or nothing; returns how many rules changed."""
        changed = self._change(lambda: self.engine.flows.replace(flows), "flows")
        self._flows = flows
        return changed

    # ---- flow tables by hand -------------------------------------------------------------------

    def _change(self, change: Callable[[], int], field: str) -> int:
        """A change of the flow tables. Raises ControlError that names the field."""
        try:
            return change()
        except SwitchError as error:
            raise as_control_error(error, field) from error
        finally:
            self._flows = None

    def add_flow(self, rule: str) -> None:
        """Adds a rule."""
        self._change(lambda: self.engine.flows.mod(rule), "flow")

    def modify_flows(self, rule: str, strict: bool) -> int:
        """Gives rules other actions; returns how many."""
        return self._change(lambda: self.engine.flows.modify(rule, strict), "flow")

    def delete_flows(self, match: str, strict: bool) -> int:
        """Deletes rules; returns how many."""
        return self._change(lambda: self.engine.flows.delete(match, strict), "flow")

    def load_flows(self, text: str, bundle: bool) -> int:
        """Carries out changes, a line each; returns how many lines."""
        return self._change(lambda: self.engine.flows.apply(text, bundle=bundle), "flows")

    def replace_flows(self, rules: tuple[str, ...]) -> int:
        """Replaces the tables; the new rules are the desired ones from now on. Returns how many changed."""
        changed = self.set_flows(rules)
        self.desired = replace(self.desired, flows=rules)
        return changed
