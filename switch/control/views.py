"""What the socket tells of the switch: values of the rooms below as plain JSON. The shapes are a
contract.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import Any

from switch.binding.packets import PacketIn
from switch.binding.stats import PortStats
from switch.binding.table import TableStats
from switch.control.controller import Controller
from switch.control.model import Port, Vlan
from switch.control.ports import Entry
from switch.control.version import version

Json = dict[str, Any]


def version_view() -> Json:
    """Version of the daemon and of what it was built for."""
    return {"name": "ringside", "version": version(), "pid": os.getpid()}


def vlan_view(vlan: Vlan) -> Json:
    """A VLAN choice as in the desired state: empty = a trunk of everything."""
    view: Json = {}
    if vlan.access is not None:
        view["access"] = vlan.access
    if vlan.trunk:
        view["trunk"] = list(vlan.trunk)
    if vlan.native is not None:
        view["native"] = vlan.native
    return view


def port_view(entry: Entry) -> Json:
    """One open port, with how it came to stand where it stands."""
    info = entry.info
    return {
        "name": entry.spec.name,
        "type": str(entry.spec.type),
        "ofport": info.ofport,
        "device": entry.spec.device_name or None,
        "ifindex": entry.link.ifindex if entry.link else None,
        "kind": entry.link.kind if entry.link else None,
        "mac": entry.link.mac if entry.link else None,
        "mtu": info.mtu,
        "up": entry.link.up if entry.link else entry.spec.device_name == "",
        "mode": str(entry.spec.mode),
        "xdp_mode": entry.attachment.mode if entry.attachment else None,
        "zero_copy": info.zero_copy,
        "queues": list(info.queues) if entry.attachment else [],
        "checksum": {"policy": str(entry.checksum.policy), "why": entry.checksum.why},
        "ladder": [asdict(step) for step in entry.steps],
        "umem_shared": info.umem_shared,
        "bind_wait_ms": info.bind_wait_ms,
        "vlan": vlan_view(entry.spec.vlan),
    }


def missing_view(port: Port, controller: Controller) -> Json:
    """A desired port that is not open, with the reason."""
    failure = controller.failures.get(port.name)
    error = failure.error.as_json() if failure else None
    return {"name": port.name, "type": str(port.type), "device": port.device_name or None, "error": error}


def show_view(controller: Controller) -> Json:
    """The switch at a glance."""
    poll = controller.desired.poll
    opened = {entry.spec.name for entry in controller.ports}
    return {
        "name": controller.desired.name,
        "pid": os.getpid(),
        "version": version(),
        "uptime_s": round(time.time() - controller.started, 3),
        "poll": {"mode": str(poll.mode), "spin_us": poll.spin_us, "cpu": poll.cpu},
        "ports": [port_view(entry) for entry in controller.ports],
        "missing": [missing_view(p, controller) for p in controller.desired.ports if p.name not in opened],
        "flows": len(controller.engine.flows),
        "umem": [asdict(umem) for umem in controller.engine.umems()],
    }


def stats_view(controller: Controller, only: str | None = None) -> Json:
    """All counters at one moment between two batches, so that every port balances to the packet."""
    entries = [controller.ports.entry(only)] if only else list(controller.ports)
    snapshot = controller.engine.stats()
    ports = {
        entry.spec.name: port_stats_view(entry, snapshot.ports[entry.info.ofport])
        for entry in entries
        if entry.info.ofport in snapshot.ports
    }
    name = controller.desired.name
    return {"switch": name, "time": time.time(), "ports": ports, "pmd": asdict(snapshot.pmd)}


def port_stats_view(entry: Entry, stats: PortStats) -> Json:
    """One port's counters; drop reasons that are zero are left out."""
    return {
        "received": stats.received,
        "received_bytes": stats.received_bytes,
        "copies": stats.copies,
        "sent": stats.sent,
        "delivered": stats.delivered,
        "drops": {name: count for name, count in stats.drops.items() if count},
        "dropped": stats.dropped,
        "balance": {
            "in": stats.balance_in,
            "out": stats.balance_out,
            "holds": stats.balance_in == stats.balance_out,
        },
        "tx_packets": stats.tx_packets,
        "tx_bytes": stats.tx_bytes,
        "xdp": entry.attachment.actions() if entry.attachment else {},
        "xsk": asdict(stats.xsk) if entry.attachment else {},
        "checksums_completed": stats.checksums_completed,
        "bad_frames": stats.bad_frames,
    }


def flows_view(controller: Controller, match: str = "", names: bool = False) -> list[Json]:
    """Rules by table and falling priority, each with what it has matched."""
    return [
        {
            "rule": rule.text,
            "table": rule.table,
            "priority": rule.priority,
            "cookie": rule.cookie,
            "packets": rule.packets,
            "bytes": rule.bytes,
            "age_s": round(rule.age_s, 3),
            "idle_s": round(rule.idle_s, 3),
        }
        for rule in controller.engine.flows.rules(match, names)
    ]


def table_view(table: TableStats) -> Json:
    """One flow table. max_flows null = no limit."""
    return {
        "table": table.table,
        "name": table.config.name,
        "flows": table.flows,
        "max_flows": table.config.max_flows,
        "evict": table.config.evict,
        "lookups": table.lookups,
        "matched": table.matched,
        "subtables": table.subtables,
        "bytes": table.bytes,
    }


def packet_in_view(packet: PacketIn) -> Json:
    """A packet for a controller; frame and userdata in hexadecimal."""
    return {
        "reason": packet.reason.name.lower(),
        "table": packet.table,
        "cookie": packet.cookie,
        "controller_id": packet.controller_id,
        "in_port": packet.in_port,
        "total_len": packet.total_len,
        "metadata": packet.metadata,
        "userdata": packet.userdata.hex(),
        "continuation": packet.continuation,
        "hex": packet.data.hex(),
    }


def fdb_view(controller: Controller) -> list[Json]:
    """Learned addresses, by port name."""
    names = {entry.info.ofport: entry.spec.name for entry in controller.ports}
    return [
        {
            "port": names.get(each.ofport, str(each.ofport)),
            "ofport": each.ofport,
            "vlan": each.vlan,
            "mac": each.mac,
            "age_s": round(each.age_ms / 1000, 3),
        }
        for each in controller.engine.fdb
    ]
