"""The verbs of the OpenFlow state and of the megaflows below it. As in verbs.py: arguments in, plain JSON
out, in the control thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from switch.binding.groups import GroupCommand, MeterCommand, TlvCommand
from switch.binding.megaflow import CacheConfig
from switch.binding.packets import PORT_CONTROLLER, PORT_LOCAL, PORT_NONE, PacketIn
from switch.binding.table import N_TABLES, TableConfig
from switch.control import views
from switch.control.controller import Controller
from switch.control.errors import ControlError
from switch.control.fields import Fields, near
from switch.control.model import MAX_OFPORT

Verb = Callable[[Controller, object], Any]

MAX_FRAME = 4096
PACKETS_AT_A_TIME = 256
_MAX_LIMIT = 1 << 20
_RESERVED = {"controller": PORT_CONTROLLER, "local": PORT_LOCAL, "none": PORT_NONE}
_GROUP_CHANGES = {
    "add": GroupCommand.ADD,
    "mod": GroupCommand.MODIFY,
    "del": GroupCommand.DELETE,
    "insert-buckets": GroupCommand.INSERT_BUCKET,
    "remove-buckets": GroupCommand.REMOVE_BUCKET,
}
_METER_CHANGES = {"add": MeterCommand.ADD, "mod": MeterCommand.MODIFY, "del": MeterCommand.DELETE}


# ---- flows -------------------------------------------------------------------------------------------------


def flow_list(controller: Controller, args: object) -> Any:
    """Rules as objects."""
    fields = Fields(args or {}, "args", ("match", "names"), "the arguments of flow.list")
    return views.flows_view(controller, fields.text("match", ""), fields.flag("names"))


def flow_dump(controller: Controller, args: object) -> Any:
    """Rules as lines of ovs-ofctl dump-flows."""
    fields = Fields(args, "args", ("match", "names", "stats"), "the arguments of flow.dump")
    flows = controller.engine.flows
    return {"lines": list(flows.lines(fields.text("match", ""), fields.flag("stats"), fields.flag("names")))}


def flow_add(controller: Controller, args: object) -> Any:
    """Adds a rule."""
    fields = Fields(args, "args", ("rule",), "the arguments of flow.add")
    controller.add_flow(fields.text("rule"))
    return {"flows": len(controller.engine.flows)}


def flow_mod(controller: Controller, args: object) -> Any:
    """Gives rules other actions."""
    fields = Fields(args, "args", ("rule", "strict"), "the arguments of flow.mod")
    return {"modified": controller.modify_flows(fields.text("rule"), fields.flag("strict"))}


def flow_del(controller: Controller, args: object) -> Any:
    """Deletes rules."""
    fields = Fields(args, "args", ("match", "strict"), "the arguments of flow.del")
    return {"deleted": controller.delete_flows(fields.text("match", ""), fields.flag("strict"))}


def flow_load(controller: Controller, args: object) -> Any:
    """Carries out changes, a line each."""
    fields = Fields(args, "args", ("text", "bundle"), "the arguments of flow.load")
    text = fields.get("text")
    if not isinstance(text, str):
        raise ControlError("args.text", "missing", "the rules, a line each")
    lines = controller.load_flows(text, fields.flag("bundle"))
    return {"lines": lines, "flows": len(controller.engine.flows)}


def flow_replace(controller: Controller, args: object) -> Any:
    """Replaces all rules."""
    fields = Fields(args, "args", ("rules",), "the arguments of flow.replace")
    changed = controller.replace_flows(fields.texts("rules"))
    return {"flows": len(controller.engine.flows), "changed": changed}


# ---- groups, meters, tunnel options, tables ----------------------------------------------------------------


def _change(fields: Fields, known: dict[str, Any]) -> Any:
    word = fields.text("change")
    if word not in known:
        raise ControlError("args.change", f"found {word!r}", near(word, known))
    return known[word]


def group_mod(controller: Controller, args: object) -> Any:
    """One change of a group."""
    fields = Fields(args, "args", ("change", "text"), "the arguments of group.mod")
    controller.engine.groups.mod(fields.text("text", ""), _change(fields, _GROUP_CHANGES))
    return {}


def group_list(controller: Controller, args: object) -> Any:
    """Groups as lines of ovs-ofctl dump-groups or dump-group-stats."""
    fields = Fields(args, "args", ("stats",), "the arguments of group.list")
    return {"lines": controller.engine.groups.lines(stats=fields.flag("stats"))}


def meter_mod(controller: Controller, args: object) -> Any:
    """One change of a meter."""
    fields = Fields(args, "args", ("change", "text"), "the arguments of meter.mod")
    controller.engine.meters.mod(fields.text("text", ""), _change(fields, _METER_CHANGES))
    return {}


def meter_list(controller: Controller, args: object) -> Any:
    """Meters as lines of ovs-ofctl dump-meters or meter-stats."""
    fields = Fields(args, "args", ("stats",), "the arguments of meter.list")
    return {"lines": controller.engine.meters.text(stats=fields.flag("stats")).rstrip("\n").splitlines()}


def tlv_mod(controller: Controller, args: object) -> Any:
    """One change of the TLV map; deleting nothing in particular deletes all."""
    fields = Fields(args, "args", ("change", "text"), "the arguments of tlv.mod")
    text = fields.text("text", "")
    change = _change(fields, {"add": TlvCommand.ADD, "del": TlvCommand.DELETE})
    controller.engine.tlv_map.mod(
        text, TlvCommand.CLEAR if change is TlvCommand.DELETE and not text else change
    )
    return {}


def tlv_list(controller: Controller, args: object) -> Any:
    """The TLV map as ovs-ofctl dump-tlv-map prints it."""
    Fields(args, "args", (), "the arguments of tlv.list")
    return {"lines": controller.engine.tlv_map.text().rstrip("\n").splitlines()}


def table_list(controller: Controller, args: object) -> Any:
    """Tables that hold rules, or have a limit or a name."""
    Fields(args or {}, "args", (), "the arguments of table.list")
    tables = (controller.engine.flows.table(number) for number in range(N_TABLES))
    return [views.table_view(each) for each in tables if each.flows or each.config != TableConfig()]


def table_set(controller: Controller, args: object) -> Any:
    """How a table behaves when it is full."""
    fields = Fields(args, "args", ("table", "max_flows", "evict", "name"), "the arguments of table.set")
    number = fields.integer("table", 0, N_TABLES - 1)
    if number is None:
        raise ControlError("args.table", "missing", f"0 to {N_TABLES - 1}")
    limit = fields.integer("max_flows", 0, 0xFFFFFFFE)
    config = TableConfig(limit, fields.flag("evict"), name=fields.text("name", ""))
    controller.engine.flows.configure(number, config)
    return {}


# ---- megaflows and caches ----------------------------------------------------------------------------------


def megaflow_list(controller: Controller, args: object) -> Any:
    """Megaflows as lines of dpctl/dump-flows."""
    fields = Fields(args, "args", ("match", "more", "names"), "the arguments of megaflow.list")
    lines = controller.engine.megaflows.lines(
        fields.text("match", ""), fields.flag("names"), fields.flag("more")
    )
    return {"lines": list(lines)}


def megaflow_flush(controller: Controller, args: object) -> Any:
    """Takes all megaflows back."""
    Fields(args or {}, "args", (), "the arguments of megaflow.flush")
    return {"flushed": controller.engine.megaflows.flush()}


def megaflow_stats(controller: Controller, args: object) -> Any:
    """What the revalidator has done."""
    Fields(args or {}, "args", (), "the arguments of megaflow.stats")
    return asdict(controller.engine.megaflows.stats())


def megaflow_set(controller: Controller, args: object) -> Any:
    """How many megaflows there may be, and how long an idle one lives."""
    fields = Fields(args, "args", ("limit", "max_idle_ms"), "the arguments of megaflow.set")
    given = {
        "limit": fields.integer("limit", 1, _MAX_LIMIT),
        "max_idle_ms": fields.integer("max_idle_ms", 1, 0x7FFFFFFF),
    }
    controller.engine.megaflows.configure(**{key: value for key, value in given.items() if value is not None})
    return {}


def cache(controller: Controller, args: object) -> Any:
    """The caches' switches, after changing those that are given."""
    fields = Fields(args or {}, "args", ("emc", "smc", "emc_insert_every"), "the arguments of cache")
    now = controller.engine.megaflows.cache
    every = fields.integer("emc_insert_every", 0, 1 << 20)
    wanted = CacheConfig(
        emc=now.emc if fields.get("emc") is None else fields.flag("emc"),
        smc=now.smc if fields.get("smc") is None else fields.flag("smc"),
        emc_insert_every=now.emc_insert_every if every is None else every,
    )
    if wanted != now:
        controller.engine.megaflows.set_cache(wanted)
    return asdict(controller.engine.megaflows.cache)


# ---- packets -----------------------------------------------------------------------------------------------


def frame_of(fields: Fields) -> bytes:
    """The frame under `hex`. Raises ControlError."""
    text = fields.text("hex")
    try:
        frame = bytes.fromhex(text)
    except ValueError as error:
        hint = "two digits for each byte, from the first of Ethernet"
        raise ControlError("args.hex", f"no hexadecimal: {error}", hint) from None
    if not 0 < len(frame) <= MAX_FRAME:
        raise ControlError("args.hex", f"{len(frame)} bytes", f"a frame has 1 to {MAX_FRAME}")
    return frame


def _in_port(controller: Controller, fields: Fields) -> int:
    word = fields.text("in_port", "CONTROLLER")
    if word.lower() in _RESERVED:
        return _RESERVED[word.lower()]
    return (
        int(word)
        if word.isdecimal() and int(word) <= MAX_OFPORT
        else controller.ports.entry(word).info.ofport
    )


def packet_out(controller: Controller, args: object) -> Any:
    """Runs actions on a frame."""
    fields = Fields(args, "args", ("in_port", "actions", "hex"), "the arguments of packet.out")
    frame = frame_of(fields)
    controller.engine.packets.out(fields.text("actions"), frame, _in_port(controller, fields))
    return {}


def packet_in(controller: Controller, args: object) -> Any:
    """Takes some of the packets that wait for a controller."""
    Fields(args or {}, "args", (), "the arguments of packet.in")
    found: list[PacketIn] = []
    for packet in controller.engine.packets:
        found.append(packet)
        if len(found) == PACKETS_AT_A_TIME:
            break
    counts = asdict(controller.engine.packets.stats())
    return {"packets": [views.packet_in_view(each) for each in found], **counts}


VERBS: dict[str, Verb] = {
    "flow.list": flow_list,
    "flow.dump": flow_dump,
    "flow.add": flow_add,
    "flow.mod": flow_mod,
    "flow.del": flow_del,
    "flow.load": flow_load,
    "flow.replace": flow_replace,
    "group.mod": group_mod,
    "group.list": group_list,
    "meter.mod": meter_mod,
    "meter.list": meter_list,
    "tlv.mod": tlv_mod,
    "tlv.list": tlv_list,
    "table.list": table_list,
    "table.set": table_set,
    "megaflow.list": megaflow_list,
    "megaflow.flush": megaflow_flush,
    "megaflow.stats": megaflow_stats,
    "megaflow.set": megaflow_set,
    "cache": cache,
    "packet.out": packet_out,
    "packet.in": packet_in,
}
