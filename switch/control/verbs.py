"""The verbs of the socket: one function each, arguments in, plain JSON out. Run in the control thread.

`capture` is not here: it streams, see capture.py and rpc.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from switch.binding.errors import SwitchError
from switch.binding.trace import TraceOptions
from switch.control import openflow_verbs, views
from switch.control.config import parse, parse_port
from switch.control.controller import Controller
from switch.control.errors import ControlError
from switch.control.fields import Fields, near
from switch.control.model import MAX_OFPORT
from switch.control.openflow_verbs import frame_of
from switch.control.translate import as_control_error
from switch.control.version import version

Verb = Callable[[Controller, object], Any]


def run_verb(controller: Controller, verb: str, args: object) -> Any:
    """Carries a verb out. Raises ControlError."""
    if verb not in VERBS:
        raise ControlError("verb", f"unknown verb {verb!r}", near(verb, (*VERBS, "capture")))
    try:
        return VERBS[verb](controller, args)
    except SwitchError as error:
        raise as_control_error(error, verb) from error


def _none(args: object, verb: str) -> None:
    Fields(args, "args", (), f"the arguments of {verb}")


def _version(controller: Controller, args: object) -> Any:
    _none(args, "version")
    return {**views.version_view(), "switch": controller.desired.name, "version": version()}


def _show(controller: Controller, args: object) -> Any:
    _none(args, "show")
    return views.show_view(controller)


def _port_list(controller: Controller, args: object) -> Any:
    _none(args, "port.list")
    return [views.port_view(entry) for entry in controller.ports]


def _port_add(controller: Controller, args: object) -> Any:
    port = parse_port(args, "port")
    outcome = controller.add_port(port)
    return {**outcome.as_json(), "result": views.port_view(controller.ports.entry(port.name))}


def _port_del(controller: Controller, args: object) -> Any:
    fields = Fields(args, "args", ("name",), "the arguments of port.del")
    return controller.delete_port(fields.text("name")).as_json()


def _fdb_list(controller: Controller, args: object) -> Any:
    _none(args, "fdb.list")
    return views.fdb_view(controller)


def _fdb_flush(controller: Controller, args: object) -> Any:
    _none(args, "fdb.flush")
    return {"flushed": controller.engine.fdb.flush()}


def _stats(controller: Controller, args: object) -> Any:
    fields = Fields(args, "args", ("port",), "the arguments of stats")
    return views.stats_view(controller, fields.text("port", "") or None)


def _trace(controller: Controller, args: object) -> Any:
    known = ("flow", "hex", "port", "ct_next", "actions", "names")
    fields = Fields(args, "args", known, "the arguments of trace")
    actions = None if fields.get("actions") is None else fields.text("actions")
    options = TraceOptions(fields.texts("ct_next", ()), actions, fields.flag("names"))
    if fields.get("hex") is None:
        return {"text": controller.engine.trace_flow(fields.text("flow"), options)}
    frame = frame_of(fields)
    return {"text": controller.engine.trace_packet(_ofport(controller, fields), frame, options)}


def _ofport(controller: Controller, fields: Fields) -> int:
    """A port given by name or number."""
    if isinstance(fields.get("port"), int):
        return fields.integer("port", 1, MAX_OFPORT) or 0
    name = fields.text("port")
    return int(name) if name.isdecimal() else controller.ports.entry(name).info.ofport


def _apply(controller: Controller, args: object) -> Any:
    desired = parse(args, controller.desired.name)
    operations = [outcome.as_json() for outcome in controller.reconcile(desired)]
    return {"operations": operations, "ok": all(each["ok"] for each in operations)}


VERBS: dict[str, Verb] = {
    "version": _version,
    "show": _show,
    "port.list": _port_list,
    "port.add": _port_add,
    "port.del": _port_del,
    "fdb.list": _fdb_list,
    "fdb.flush": _fdb_flush,
    "stats": _stats,
    "trace": _trace,
    "apply": _apply,
    **openflow_verbs.VERBS,
}
