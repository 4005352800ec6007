"""The open ports: the one room that opens, changes and closes them.

Opening, in this order, each step undone if a later one fails: doors → ladder (program attached, sockets
bound) → link state → XSKMAP filled → port started.

Closing: the program is detached first (packets go to the kernel from now on, none is lost in a map that
points at a closed socket), then the port is taken from the poll-mode thread and its sockets and rings go,
which frees the queues.

Everything here runs in the control thread, and may take as long as a busy queue takes to be freed: a
second.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from switch.binding.errors import SwitchError
from switch.binding.port import BindMode, CsumPolicy, PortConfig, PortInfo, VlanConfig, VlanMode
from switch.binding.port import Port as OpenPort
from switch.binding.port import PortType as OpenType
from switch.binding.switch import Switch
from switch.control import limits
from switch.control.checksum import ChecksumChoice, choose_checksum
from switch.control.device import Device, check_device, check_free_name, read_device, wanted_queues
from switch.control.errors import ControlError
from switch.control.ladder import Attachment, Footing, Step, climb
from switch.control.model import Checksum, Port, PortType, Vlan
from switch.control.netlink.client import Link, Netlink
from switch.control.reconcile.actual import ActualPort
from switch.control.translate import as_control_error
from xdp.loader.errors import LoaderError

_DEFAULT_MTU = 1500

log = logging.getLogger("switchd")


@dataclass
class Entry:
    """One open port: what was asked for and what came of it. `link` None: it has no device, or lost it."""

    spec: Port
    port: OpenPort
    info: PortInfo
    link: Link | None
    checksum: ChecksumChoice
    attachment: Attachment | None = None
    steps: tuple[Step, ...] = ()
    stale: str = ""


def owner_alias() -> str:
    """The alias by which a device that we make is known as ours."""
    lab = os.environ.get("RINGSIDE_LAB", "")
    return f"ringside:{lab}" if lab else "ringside"


def vlan_config(vlan: Vlan) -> VlanConfig:
    """A VLAN choice as the datapath takes it."""
    if vlan.access is not None:
        return VlanConfig(VlanMode.ACCESS, vlan.access)
    if vlan.native is not None:
        return VlanConfig(VlanMode.NATIVE, vlan.native, frozenset(vlan.trunk))
    return VlanConfig(VlanMode.TRUNK, 0, frozenset(vlan.trunk))


def csum_policy(choice: ChecksumChoice) -> CsumPolicy:
    """A checksum choice as the datapath takes it."""
    return CsumPolicy.SOFTWARE if choice.policy is Checksum.SOFTWARE else CsumPolicy.COMPLETE


class Ports:
    """All open ports of one switch. Control thread only."""

    def __init__(self, switch: Switch, netlink: Netlink) -> None:
        self._switch = switch
        self._netlink = netlink
        self._entries: dict[str, Entry] = {}

    def __iter__(self) -> Iterator[Entry]:
        """Open ports by ascending number."""
        return iter(sorted(self._entries.values(), key=lambda entry: entry.info.ofport))

    def entry(self, name: str) -> Entry:
        """The open port `name`. Raises ControlError that lists those there are."""
        if name not in self._entries:
            names = ", ".join(sorted(self._entries)) or "none"
            raise ControlError("port", f"there is no port {name!r}", f"ports: {names}")
        return self._entries[name]

    def actual(self) -> tuple[ActualPort, ...]:
        """What is open, for the plan."""
        return tuple(ActualPort(entry.spec, entry.info.ofport, entry.stale) for entry in self)

    def open(self, spec: Port) -> Entry:
        """Opens and starts a port. Raises ControlError; nothing is left behind then."""
        try:
            entry = self._open_afxdp(spec) if spec.type is PortType.AFXDP else self._open_other(spec)
        except (SwitchError, LoaderError, OSError) as error:
            raise as_control_error(error, spec.device_name or spec.name) from error
        self._entries[spec.name] = entry
        return entry

    def close(self, name: str) -> None:
        """Closes a port; the others go on undisturbed. Raises ControlError if it is not open."""
        entry = self.entry(name)
        del self._entries[name]
        if entry.attachment is not None:
            entry.attachment.close()
        try:
            entry.port.close()
        except SwitchError as error:
            raise as_control_error(error, name) from error

    def close_all(self) -> None:
        """Closes every port; one that fails is logged and does not keep the others open."""
        for entry in list(self):
            try:
                self.close(entry.spec.name)
            except ControlError as error:
                log.error("remove %s: %s", entry.spec.name, error)

    def set_vlan(self, name: str, vlan: Vlan) -> None:
        """Changes the VLANs of an open port in place."""
        entry = self.entry(name)
        try:
            entry.port.set_vlan(vlan_config(vlan))
        except SwitchError as error:
            raise as_control_error(error, f"{name}.vlan") from error
        entry.spec = replace(entry.spec, vlan=vlan)

    def set_checksum(self, name: str, checksum: Checksum) -> None:
        """Changes the checksum policy of an open port in place."""
        entry = self.entry(name)
        spec = replace(entry.spec, checksum=checksum)
        choice = choose_checksum(spec, entry.link.kind if entry.link else "")
        try:
            entry.port.set_csum(csum_policy(choice))
        except SwitchError as error:
            raise as_control_error(error, f"{name}.checksum") from error
        entry.spec, entry.checksum = spec, choice

    def link_changed(self, link: Link, gone: bool) -> bool:
        """Takes in news of a device; True if a port must be opened anew (its `stale` says why)."""
        entry = next((each for each in self if each.spec.device_name == link.name), None)
        if entry is None:
            return False
        same = entry.link is not None and entry.link.ifindex == link.ifindex
        if gone:
            return self._device_gone(entry) if same else False
        if not same:
            entry.stale = "its device was removed and made again"
            return True
        was_up = entry.link is not None and entry.link.up
        entry.link = link
        if link.up != was_up:
            entry.port.set_up(link.up)
        if entry.spec.mtu is None and link.mtu != entry.info.mtu:
            entry.stale = f"MTU of the device {entry.info.mtu} → {link.mtu}"
        return bool(entry.stale)

    def refresh(self) -> bool:
        """Reads all devices anew, after news were lost; True if a port must be opened anew."""
        links = {link.name: link for link in self._netlink.links()}
        stale = False
        for entry in list(self):
            now = links.get(entry.spec.device_name)
            if now is not None:
                stale |= self.link_changed(now, gone=False)
            elif entry.link is not None:
                stale |= self._device_gone(entry)
        return stale

    def _device_gone(self, entry: Entry) -> bool:
        entry.link = None
        entry.port.set_up(False)
        if entry.spec.type.makes_device:
            entry.stale = "its device was removed"
        return bool(entry.stale)

    def _config(self, spec: Port, choice: ChecksumChoice, mtu: int) -> PortConfig:
        return PortConfig(
            name=spec.name,
            type=OpenType[spec.type.name],
            device=spec.device_name,
            ofport=spec.ofport or 0,
            csum=csum_policy(choice),
            mtu=mtu,
            vlan=vlan_config(spec.vlan),
        )

    def _open_afxdp(self, spec: Port) -> Entry:
        capabilities = limits.effective_capabilities()
        limits.check_permission(spec.device_name, capabilities, needs_xdp=True)
        limits.check_locked_memory(spec.device_name, capabilities, limits.locked_memory_limit())
        device = read_device(self._netlink, spec)
        check_device(self._netlink, spec, device)
        choice = choose_checksum(spec, device.link.kind)
        config = replace(
            self._config(spec, choice, spec.mtu or device.link.mtu),
            ifindex=device.link.ifindex,
            queues=wanted_queues(spec, device),
            bind_mode=BindMode.AUTO,
        )
        return self._start_afxdp(spec, device, choice, climb(spec.mode, config, self._switch.open_port))

    def _start_afxdp(self, spec: Port, device: Device, choice: ChecksumChoice, footing: Footing) -> Entry:
        with ExitStack() as undo:
            undo.callback(footing.port.close)
            undo.callback(footing.attachment.close)
            footing.port.set_up(device.link.up)
            footing.attachment.feed(zip(footing.info.queues, footing.info.xsk_fds, strict=True))
            footing.port.start()
            undo.pop_all()
        return Entry(spec, footing.port, footing.info, device.link, choice, footing.attachment, footing.steps)

    def _open_other(self, spec: Port) -> Entry:
        choice = choose_checksum(spec, "")
        if spec.type.makes_device:
            limits.check_permission(spec.device_name, limits.effective_capabilities(), needs_xdp=False)
            check_free_name(spec.device_name, self._netlink.links())
        port, info = self._switch.open_port(self._config(spec, choice, spec.mtu or _DEFAULT_MTU))
        with ExitStack() as undo:
            undo.callback(port.close)
            link = None
            if spec.type.makes_device:
                link = read_device(self._netlink, spec).link
                self._netlink.set_alias(link.ifindex, owner_alias())
                port.set_up(link.up)
            port.start()
            undo.pop_all()
        return Entry(spec, port, info, link, choice)
