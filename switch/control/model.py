"""The desired state: frozen values, no behaviour beyond questions about themselves.

Whatever the source (a file, the socket, later a database), it becomes these values, and the reconciler
knows nothing else. Two states are the same exactly when they compare equal.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

MAX_OFPORT = 255
MAX_QUEUES = 64
NAME_LENGTH = 15
"""Longest name of a switch, a port or a device: the kernel's IFNAMSIZ less the closing zero."""
DEFAULT_FLOWS = ("priority=0,actions=NORMAL",)


class PortType(enum.StrEnum):
    """Where a port's packets come from."""

    AFXDP = "afxdp"
    TAP = "tap"
    INTERNAL = "internal"
    DUMMY = "dummy"

    @property
    def makes_device(self) -> bool:
        """True if the switch itself makes the network device, and removes it with the port."""
        return self in (PortType.TAP, PortType.INTERNAL)


class Mode(enum.StrEnum):
    """How deep in the kernel an afxdp port takes its packets; any but `AUTO` must be reached."""

    AUTO = "auto"
    ZERO_COPY = "zero-copy"
    NATIVE = "native"
    GENERIC = "generic"


class Checksum(enum.StrEnum):
    """Who finishes the L4 checksums of packets that come in on a port."""

    AUTO = "auto"
    COMPLETE = "complete"
    SOFTWARE = "software"


class PollMode(enum.StrEnum):
    """What the poll-mode thread does when there is nothing to do."""

    ADAPTIVE = "adaptive"
    BUSY = "busy"


@dataclass(frozen=True)
class Poll:
    """The poll-mode thread. `spin_us`: microseconds without a packet before it sleeps (adaptive)."""

    mode: PollMode = PollMode.ADAPTIVE
    spin_us: int = 100
    cpu: int | None = None


@dataclass(frozen=True)
class Vlan:
    """The VLANs a port carries. `access`: one, untagged. Else a trunk; `trunk` empty = all of them."""

    access: int | None = None
    trunk: tuple[int, ...] = ()
    native: int | None = None


@dataclass(frozen=True)
class Port:
    """One port. None is: `ofport` the first free one, `queues` all receive queues, `mtu` the device's."""

    name: str
    type: PortType = PortType.AFXDP
    device: str = ""
    ofport: int | None = None
    mode: Mode = Mode.AUTO
    queues: tuple[int, ...] | None = None
    checksum: Checksum = Checksum.AUTO
    vlan: Vlan = field(default_factory=Vlan)
    mtu: int | None = None

    @property
    def device_name(self) -> str:
        """Name of the network device; "" for a port without one."""
        if self.type is PortType.DUMMY:
            return ""
        return self.device or self.name


@dataclass(frozen=True)
class Switch:
    """The whole desired state of one switch. `flows`: its rules, in ovs-ofctl syntax."""

    name: str
    poll: Poll = field(default_factory=Poll)
    ports: tuple[Port, ...] = ()
    flows: tuple[str, ...] = DEFAULT_FLOWS

    def port(self, name: str) -> Port | None:
        """The port of that name."""
        return next((port for port in self.ports if port.name == name), None)

    def with_port(self, port: Port) -> Switch:
        """This state with one more port, or with the port of the same name replaced."""
        others = tuple(each for each in self.ports if each.name != port.name)
        return replace(self, ports=(*others, port))

    def without_port(self, name: str) -> Switch:
        """This state without the port `name`."""
        return replace(self, ports=tuple(each for each in self.ports if each.name != name))
