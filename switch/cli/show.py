"""`show`, `list`, `version`: what is there."""

from __future__ import annotations

import argparse
from typing import Any

from switch.cli.command import Subparsers, add_command, call
from switch.cli.output import Column, number, print_json, print_table
from switch.control.rundir import alive, sockets

PORT_COLUMNS = (
    Column("port"),
    Column("no", number=True),
    Column("type"),
    Column("device"),
    Column("link"),
    Column("xdp"),
    Column("copy"),
    Column("queues"),
    Column("mtu", number=True),
    Column("vlan"),
    Column("checksum"),
)


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verbs."""
    add_command(commands, "show", show, "show the switch: its ports, how they run, and why")
    add_command(commands, "list", list_switches, "list the switches that run on this host")
    add_command(commands, "version", show_version, "show the versions of the command and the daemon")


def vlan_text(vlan: dict[str, Any]) -> str:
    """VLANs in a word: "access 10", "trunk 10,20 native 5", "all"."""
    if "access" in vlan:
        return f"access {vlan['access']}"
    trunk = "trunk " + ",".join(map(str, vlan["trunk"])) if "trunk" in vlan else ""
    native = f"native {vlan['native']}" if "native" in vlan else ""
    return " ".join(part for part in (trunk, native) if part) or "all"


def copy_text(port: dict[str, Any]) -> str:
    """How packets come into the umem."""
    if port["xdp_mode"] is None:
        return ""
    return "zero copy" if port["zero_copy"] else "copy"


def port_row(port: dict[str, Any]) -> tuple[object, ...]:
    """A port's line of the table."""
    return (
        port["name"],
        port["ofport"],
        port["type"],
        port["device"],
        "up" if port["up"] else "down",
        port["xdp_mode"],
        copy_text(port),
        ",".join(map(str, port["queues"])),
        str(port["mtu"]),
        vlan_text(port["vlan"]),
        port["checksum"]["policy"],
    )


def print_ports(ports: list[dict[str, Any]]) -> None:
    """The table of ports, then what a reader would ask about it: fallbacks, and why checksums are done so."""
    print_table(PORT_COLUMNS, (port_row(port) for port in ports), "no ports: `ringside port add NAME`")
    for port in ports:
        for step in port["ladder"]:
            if step["errno"]:
                print(f"{port['name']}: {step['step']} refused: {step['errno']}: {step['message']}")
    reasons: dict[str, list[str]] = {}
    for port in ports:
        checksum = port["checksum"]
        reasons.setdefault(f"{checksum['policy']}: {checksum['why']}", []).append(port["name"])
    for why, names in reasons.items():
        print(f"checksum {why} ({', '.join(names)})")


def show(options: argparse.Namespace) -> int:
    """Prints the switch."""
    state = call(options, "show")
    if options.json:
        print_json(state)
        return 0
    poll = state["poll"]
    cpu = "any CPU" if poll["cpu"] is None else f"CPU {poll['cpu']}"
    spin = f", sleeps after {poll['spin_us']} µs" if poll["mode"] == "adaptive" else ""
    about = f"pid {state['pid']}, version {state['version']}, up {state['uptime_s']:.0f} s"
    print(f"switch {state['name']} ({about})")
    print(f"polling {poll['mode']} on {cpu}{spin}; {number(state['flows'])} flow(s)")
    for umem in state["umem"]:
        size = umem["frames"] * umem["frame_size"] >> 20
        free = f"{number(umem['free_frames'])} of {number(umem['frames'])} frames free"
        print(f"umem {size} MiB, {free}, {umem['sockets']} socket(s)")
    print()
    print_ports(state["ports"])
    for port in state["missing"]:
        error = port["error"] or {}
        print(f"{port['name']}: not open: {error.get('field', '')}: {error.get('message', 'unknown')}")
    return 0


def list_switches(options: argparse.Namespace) -> int:
    """Prints every switch that answers on this host."""
    running = [{"name": name, "socket": str(path)} for name, path in sockets().items() if alive(path)]
    if options.json:
        print_json(running)
        return 0
    rows = [(each["name"], each["socket"]) for each in running]
    print_table((Column("switch"), Column("socket")), rows, "no switch runs: `ringside switchd --name s1`")
    return 0


def show_version(options: argparse.Namespace) -> int:
    """Prints this command's version; the daemon's too where one is named."""
    from switch.control.version import version

    versions = {"ringside": version()}
    if options.switch or options.socket:
        versions["switchd"] = call(options, "version")["version"]
    if options.json:
        print_json(versions)
    else:
        print("\n".join(f"{name} {each}" for name, each in versions.items()))
    return 0
