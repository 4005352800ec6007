"""`port add|del|list`."""

from __future__ import annotations

import argparse
from typing import Any

from switch.cli.command import Subparsers, add_command, add_group, call
from switch.cli.output import print_json
from switch.cli.show import print_ports
from switch.control.errors import ControlError

_ADD_TEXT = """
A port of type afxdp takes over a network device; tap and internal make one; dummy has none.

  ringside port add h1                           the device h1, best mode it can
  ringside port add up --device eth1 --mode native --queues 0,1
  ringside port add s1 --type internal           the switch's own interface in the kernel
  ringside port add h2 --access 10               one VLAN, untagged
  ringside port add x --trunk 10,20 --native 10
"""


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verbs."""
    verbs = add_group(commands, "port", "add, remove and list ports; the others go on undisturbed")
    add = add_command(verbs, "add", add_port, "add a port", epilog=_ADD_TEXT)
    add.add_argument("name", help="the port's name")
    add.add_argument("--type", choices=("afxdp", "tap", "internal", "dummy"), help="default: afxdp")
    add.add_argument("--device", help="network device; default: the port's name")
    add.add_argument("--ofport", type=int, metavar="N", help="OpenFlow number 1-255; default: the first free")
    add.add_argument("--mode", choices=("auto", "zero-copy", "native", "generic"), help="default: auto")
    add.add_argument("--queues", metavar="all|0,1", help="receive queues to take; default: all")
    add.add_argument("--checksum", choices=("auto", "complete", "software"), help="default: auto")
    add.add_argument("--access", type=int, metavar="VID", help="VLAN of an access port")
    add.add_argument("--trunk", metavar="VID,…", help="VLANs of a trunk; default: all")
    add.add_argument("--native", type=int, metavar="VID", help="VLAN of untagged packets on a trunk")
    add.add_argument("--mtu", type=int, metavar="BYTES", help="default: the device's")
    delete = add_command(verbs, "del", delete_port, "remove a port")
    delete.add_argument("name", help="the port's name")
    add_command(verbs, "list", list_ports, "list the ports")


def numbers(text: str, field: str) -> list[int]:
    """Numbers out of "1,2". Raises ControlError for `field`."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ControlError(field, f"{text!r} is no list of numbers", "numbers with commas: 0,1") from None


def port_from(options: argparse.Namespace) -> dict[str, Any]:
    """The desired port that the options describe; only what was given."""
    keys = ("name", "type", "device", "ofport", "mode", "checksum", "mtu")
    port = {key: getattr(options, key) for key in keys if getattr(options, key) is not None}
    if options.queues is not None:
        port["queues"] = "all" if options.queues == "all" else numbers(options.queues, "--queues")
    vlan = {key: getattr(options, key) for key in ("access", "native") if getattr(options, key) is not None}
    if options.trunk is not None:
        vlan["trunk"] = numbers(options.trunk, "--trunk")
    if vlan:
        port["vlan"] = vlan
    return port


def add_port(options: argparse.Namespace) -> int:
    """Adds the port that the options describe."""
    answer = call(options, "port.add", port_from(options))
    if options.json:
        print_json(answer["result"])
    else:
        print(f"{options.name}: added: {answer['message']}")
    return 0


def delete_port(options: argparse.Namespace) -> int:
    """Removes a port."""
    answer = call(options, "port.del", {"name": options.name})
    if options.json:
        print_json(answer)
    else:
        print(f"{options.name}: removed")
    return 0


def list_ports(options: argparse.Namespace) -> int:
    """Prints the ports."""
    ports = call(options, "port.list")
    if options.json:
        print_json(ports)
    else:
        print_ports(ports)
    return 0
