"""YAML or JSON → the desired state. Everything that can be seen to be wrong without asking the kernel is
refused here, by the path of the field ("ports[2].vlan.access").

Which keys there are, and what they mean, stands in README.md beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from switch.control.errors import ControlError
from switch.control.fields import Fields, shown
from switch.control.model import (
    DEFAULT_FLOWS,
    MAX_OFPORT,
    MAX_QUEUES,
    Checksum,
    Mode,
    Poll,
    PollMode,
    Port,
    PortType,
    Switch,
    Vlan,
)

MAX_SPIN_US = 1_000_000
_SWITCH_KEYS = ("name", "poll", "ports", "flows")
_PORT_KEYS = ("name", "type", "device", "ofport", "mode", "queues", "checksum", "vlan", "mtu")
_ONLY_AFXDP = ("mode", "queues")


def load_file(path: Path, name: str | None = None) -> Switch:
    """Reads a desired state from a file; `name` stands in for a missing `name:`.

    Raises:
        ControlError: the file cannot be read, is no YAML or JSON, or says something impossible.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise ControlError(str(path), error.strerror or str(error), "give a file that can be read") from None
    except UnicodeDecodeError as error:
        raise ControlError(str(path), f"byte {error.start} is no UTF-8", "give a YAML or JSON file") from None
    return parse(load_text(text, str(path)), name)


def load_text(text: str, where: str) -> object:
    """YAML or JSON text as plain values. JSON is tried first: it is 20 times faster."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    import yaml  # Imported when needed: it costs 40 ms.

    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"{where}:{mark.line + 1}" if mark else where
        hint = "the keys are explained by `ringside apply --help`"
        raise ControlError(line, f"no YAML: {error.problem}", hint) from None
    except yaml.YAMLError as error:
        raise ControlError(where, f"no YAML: {error}", "is it a text file?") from None


def parse(raw: object, name: str | None = None) -> Switch:
    """Plain values → the desired state. Raises ControlError for the first fault."""
    fields = Fields(raw, "", _SWITCH_KEYS, "the switch")
    found = fields.name("name", name)
    if name is not None and found != name:
        message = f"the state is that of switch {found!r}, this is {name!r}"
        raise ControlError("name", message, "use its own file")
    ports = fields.get("ports")
    if ports is not None and not isinstance(ports, list):
        raise ControlError("ports", f"found {shown(ports)}, not a list", "write one `- {name: …}` a port")
    parsed = tuple(parse_port(each, f"ports[{i}]") for i, each in enumerate(ports or ()))
    check_together(parsed)
    return Switch(found, _poll(fields), parsed, fields.texts("flows", DEFAULT_FLOWS))


def parse_port(raw: object, path: str) -> Port:
    """One port. Raises ControlError."""
    fields = Fields(raw, path, _PORT_KEYS, "a port")
    name = fields.name("name")
    kind = fields.choice("type", PortType, PortType.AFXDP)
    for key in _ONLY_AFXDP:
        if kind is not PortType.AFXDP and fields.get(key) is not None:
            message = f"a port of type {kind} has none"
            raise ControlError(fields.at(key), message, "leave it out, or type: afxdp")
    if kind is PortType.DUMMY and fields.get("device") is not None:
        raise ControlError(fields.at("device"), "a dummy port has no device", "leave it out")
    return Port(
        name=name,
        type=kind,
        device=fields.name("device", ""),
        ofport=fields.integer("ofport", 1, MAX_OFPORT),
        mode=fields.choice("mode", Mode, Mode.AUTO),
        queues=_queues(fields),
        checksum=fields.choice("checksum", Checksum, Checksum.AUTO),
        vlan=parse_vlan(fields.get("vlan"), fields.at("vlan")),
        mtu=fields.integer("mtu", 68, 65535),
    )


def parse_vlan(raw: object, path: str) -> Vlan:
    """The VLANs of a port: {access: V} or {trunk: [V, …], native: V}; None is a trunk of everything."""
    if raw is None:
        return Vlan()
    fields = Fields(raw, path, ("access", "trunk", "native"), "a VLAN choice")
    access = fields.integer("access", 1, 4094)
    native = fields.integer("native", 1, 4094)
    trunk = fields.integers("trunk", 1, 4094)
    if access is not None and (trunk or native is not None):
        found = "an access port carries one VLAN only, yet trunk or native is given too"
        raise ControlError(fields.at("access"), found, "leave `access` out, or `trunk` and `native`")
    return Vlan(access, trunk, native)


def check_together(ports: Iterable[Port], last: str = "") -> None:
    """What ports must not share: a name, an ofport, a device; and there is one internal port at most.

    `last`: what to call the last port in an error where it is not a member of a list ("port h1").
    """
    ports = tuple(ports)
    for i, port in enumerate(ports):
        path = last if last and i == len(ports) - 1 else f"ports[{i}]"
        keys: dict[str, Callable[[Port], object]] = {
            "name": lambda each: each.name,
            "ofport": lambda each: each.ofport,
            "device": lambda each: each.device_name,
            "type": lambda each: each.type is PortType.INTERNAL,
        }
        for key, of in keys.items():
            twin = next((other for other in ports[:i] if of(port) and of(other) == of(port)), None)
            if twin is not None:
                raise _shared(f"{path}.{key}", key, of(port), twin)


def _shared(path: str, key: str, value: object, twin: Port) -> ControlError:
    if key == "type":
        message = f"port {twin.name} is internal already"
        return ControlError(path, message, "a switch has one at most; for another device: type: tap")
    return ControlError(path, f"{value!r} is taken by port {twin.name}", "each may be used once")


def _queues(fields: Fields) -> tuple[int, ...] | None:
    if fields.get("queues") in (None, "all"):
        return None
    if isinstance(fields.get("queues"), str):
        raise ControlError(fields.at("queues"), f"found {shown(fields.get('queues'))}", "`all`, or [0, 1, …]")
    queues = fields.integers("queues", 0, MAX_QUEUES - 1)
    if not queues:
        raise ControlError(fields.at("queues"), "the list is empty", "`all`, or numbers of receive queues")
    return queues


def _poll(fields: Fields) -> Poll:
    raw = fields.get("poll")
    if raw is None:
        return Poll()
    poll = Fields(raw, "poll", ("mode", "spin_us", "cpu"), "the polling choice")
    spin = poll.integer("spin_us", 0, MAX_SPIN_US)
    default = Poll()
    return Poll(
        mode=poll.choice("mode", PollMode, default.mode),
        spin_us=default.spin_us if spin is None else spin,
        cpu=poll.integer("cpu", 0, 4095),
    )
