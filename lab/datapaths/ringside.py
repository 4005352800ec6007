"""Our switch: one `ringside switchd` in the node's namespace, reached as anybody would: by its socket.

<lab folder>/s1.yaml   the state it is to have        s1.sock   its socket        s1.log   what it says
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.datapaths.base import Datapath, Node, Port, PortState
from lab.errors import CommandError, Problem
from lab.host import addr, command, link, process
from lab.rundir import switch_socket, write_atomically
from lab.topology.model import RINGSIDE, Topology, Vlan

START_TIMEOUT = 20.0
"""Seconds until the daemon must say READY: a loaded machine compiles nothing here, but imports a good deal.
"""
ANSWER_TIMEOUT = 20.0
"""Seconds for an answer on the socket: a port that waits for a queue to be freed takes up to a few."""
_AF_XDP = 44  # Python has no name for it.
_PROJECT = Path(__file__).resolve().parents[2]


def _refusals(topology: Topology) -> list[Problem]:
    if not any(switch.datapath == RINGSIDE for switch in topology.switches.values()):
        return []
    try:
        socket.socket(_AF_XDP, socket.SOCK_RAW).close()
    except OSError as error:
        return [
            Problem(
                "datapath ringside",
                f"this kernel opens no AF_XDP socket: {error.strerror}",
                "a kernel with CONFIG_XDP_SOCKETS (./invoke doctor), or --datapath linux-bridge",
            )
        ]
    return []


def desired_state(node: Node, ports: Sequence[Port]) -> dict[str, Any]:
    """The switch's desired state, as its configuration file has it."""
    poll = node.switch.poll
    state: dict[str, Any] = {
        "name": node.name,
        "poll": {"mode": poll.mode, "spin_us": poll.spin_us, "cpu": poll.cpu},
        "ports": [_port_state(port) for port in ports],
    }
    if node.switch.addresses:
        state["ports"].append({"name": node.name, "type": "internal"})
    if node.switch.flows is not None:
        state["flows"] = list(node.switch.flows)
    return state


def _port_state(port: Port) -> dict[str, Any]:
    state: dict[str, Any] = {
        "name": port.device,
        "type": "afxdp",
        "device": port.device,
        "ofport": port.ofport,
        "mode": port.mode,
        "queues": "all",
        "checksum": port.checksum,
    }
    if port.vlan is not None:
        state["vlan"] = _vlan_state(port.vlan)
    return state


def _vlan_state(vlan: Vlan) -> dict[str, Any]:
    if vlan.access is not None:
        return {"access": vlan.access}
    return {"trunk": list(vlan.trunk), **({"native": vlan.native} if vlan.native is not None else {})}


def _write_state(node: Node, ports: Sequence[Port]) -> Path:
    path = node.folder / f"{node.name}.yaml"
    write_atomically(path, yaml.safe_dump(desired_state(node, ports), sort_keys=False))
    return path


def _start(node: Node, ports: Sequence[Port]) -> None:
    config = _write_state(node, ports)
    log = node.folder / f"{node.name}.log"
    read_fd, write_fd = os.pipe()
    try:
        number = node.ledger.intend("process", role="switchd", node=node.name)
        try:
            pid = command.start(
                [
                    sys.executable,
                    "-m",
                    "switch.cli",
                    "switchd",
                    "--name",
                    node.name,
                    "--config",
                    str(config),
                    "--socket",
                    str(switch_socket(node.folder, node.name)),
                    "--ready-fd",
                    str(write_fd),
                ],
                netns=node.netns,
                log=log,
                env=_environment(node),
                ready_fd=write_fd,
            )
        finally:
            os.close(write_fd)
        started = process.look(pid)
        if started is not None:
            node.ledger.amend(number, pid=pid, start=started.start)
        command.wait_ready(read_fd, f"switch {node.name}", log, START_TIMEOUT)
    finally:
        os.close(read_fd)
    _settle_addresses(node)


def _environment(node: Node) -> dict[str, str]:
    path = os.environ.get("PYTHONPATH")
    return {
        process.TAG: node.lab,
        process.NODE_TAG: node.name,
        "PYTHONPATH": f"{_PROJECT}{os.pathsep}{path}" if path else str(_PROJECT),
    }


def _settle_addresses(node: Node) -> None:
    if node.switch.addresses:
        with link.session(node.netns, node.lab) as net:
            net.set(node.name, state="up")
            addr.settle(net, node.name, node.switch.addresses)


def _apply(node: Node, ports: Sequence[Port]) -> None:
    _write_state(node, ports)
    done = ask(switch_socket(node.folder, node.name), "apply", desired_state(node, ports))
    refused = [operation["error"] for operation in done["operations"] if not operation["ok"]]
    if refused:
        raise CommandError(*(_refusal(node.name, error) for error in refused))
    _settle_addresses(node)


def ask(path: Path, verb: str, arguments: dict[str, Any] | None = None) -> Any:
    """One question to a daemon. Raises CommandError with the daemon's own words."""
    question = {"id": 1, "verb": verb, "args": arguments or {}}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_TIMEOUT)
            line.connect(str(path))
            line.sendall((json.dumps(question) + "\n").encode())
            answer = json.loads(line.makefile("rb").readline() or b"{}")
    except (OSError, ValueError) as error:
        raise CommandError(Problem(str(path), f"{verb}: no answer: {error}", "./invoke lab.status")) from None
    if not answer.get("ok"):
        raise CommandError(_refusal(path.stem, answer.get("error") or {"message": "the daemon went away"}))
    return answer["result"]


def _refusal(switch: str, error: dict[str, Any]) -> Problem:
    """What the daemon refused, in its own words."""
    where = f"switch {switch}" + (f", {error['field']}" if error.get("field") else "")
    return Problem(where, error.get("message", ""), error.get("hint") or "")


def _ports(node: Node) -> list[PortState]:
    shown = ask(switch_socket(node.folder, node.name), "show")
    return [port_state(port) for port in shown["ports"] if port["type"] == "afxdp"]


def port_state(port: dict[str, Any]) -> PortState:
    """A port of `show`, for the lab's tables."""
    copy = "zero copy" if port["zero_copy"] else "copy"
    notes = tuple(
        f"{step['step']} refused: {step['errno']}, {step['message']}"
        for step in port.get("ladder") or ()
        if step.get("errno")
    )
    return PortState(
        device=port["device"],
        mode=f"{port['xdp_mode'] or 'no'} {copy}",
        queues=tuple(port["queues"]),
        zero_copy=bool(port["zero_copy"]),
        checksum=port["checksum"]["policy"],
        notes=notes,
    )


def _daemon(node: Node) -> process.Process | None:
    entry = node.ledger.find("process", role="switchd", node=node.name)
    if entry is None or "pid" not in entry.what:
        return None
    daemon = process.Process(entry.what["pid"], entry.what["start"], f"switchd {node.name}")
    return daemon if process.is_alive(daemon) else None


def _alive(node: Node) -> bool:
    return _daemon(node) is not None


def _stop(node: Node) -> None:
    daemon = _daemon(node)
    if daemon is not None:
        process.end([daemon], node.lab)
    for entry in node.ledger.entries("process"):
        if entry.what.get("role") == "switchd" and entry.what.get("node") == node.name:
            node.ledger.undone(entry.number)
    switch_socket(node.folder, node.name).unlink(missing_ok=True)


DATAPATH = Datapath(
    name=RINGSIDE,
    refusals=_refusals,
    start=_start,
    apply=_apply,
    ports=_ports,
    stop=_stop,
    alive=_alive,
    takes_offloads=False,
)
