"""`flow add|del|list|replace` and `fdb [flush]`: the two tables that decide where a packet goes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from switch.cli.command import FILE, Subparsers, add_command, add_group, call
from switch.cli.output import Column, print_json, print_table
from switch.control.errors import ControlError

_RULE_TEXT = """
Rules are written as for ovs-ofctl; ports by number or name:

  ringside flow add 'priority=10,in_port=h1,tcp,tp_dst=80,actions=output:h2'
  ringside flow add 'priority=5,ip,nw_dst=10.0.0.0/8,actions=drop'
"""


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verbs."""
    verbs = add_group(commands, "flow", "add, delete, list and replace rules of the flow table")
    add = add_command(verbs, "add", add_flow, "add a rule", epilog=_RULE_TEXT)
    add.add_argument("rule", help="e.g. 'priority=10,in_port=h1,actions=output:h2'")
    delete = add_command(verbs, "del", delete_flows, "delete rules: all that are at least as specific")
    delete.add_argument("match", nargs="?", default="", help="default: every rule")
    delete.add_argument("--strict", action="store_true", help="only the rule with this very match")
    add_command(verbs, "list", list_flows, "list the rules with what they have matched")
    replace = add_command(verbs, "replace", replace_flows, "replace the whole table at once, all or nothing")
    file = replace.add_argument("file", help="one rule a line, # begins a comment; - is standard input")
    file.complete = FILE  # type: ignore[attr-defined]
    fdb = add_command(commands, "fdb", show_fdb, "show the learned MAC addresses, or forget them")
    fdb.add_argument("action", nargs="?", choices=("flush",), help="flush: forget all")


def add_flow(options: argparse.Namespace) -> int:
    """Adds a rule."""
    answer = call(options, "flow.add", {"rule": options.rule})
    if options.json:
        print_json(answer)
    return 0


def delete_flows(options: argparse.Namespace) -> int:
    """Deletes rules and says how many."""
    answer = call(options, "flow.del", {"match": options.match, "strict": options.strict})
    if options.json:
        print_json(answer)
    else:
        print(f"{answer['deleted']} rule(s) deleted")
    return 0


def list_flows(options: argparse.Namespace) -> int:
    """Prints the rules."""
    flows = call(options, "flow.list")
    if options.json:
        print_json(flows)
        return 0
    if not flows:
        print("the table is empty: every packet is dropped (no_rule)")
    sys.stdout.writelines(f"{flow_text(each)}\n" for each in flows)
    return 0


def flow_text(flow: dict[str, Any]) -> str:
    """A rule in a line, as `ovs-ofctl dump-flows` has it.

    Not a table, as everything else is: there may be 100,000 rules, which keep rich busy for a minute, and
    lines can be written as they are made.
    """
    counted = f"n_packets={flow['packets']}, n_bytes={flow['bytes']}, duration={flow['age_s']:.3f}s"
    return f"{counted}, {flow['rule'].replace(',actions=', ' actions=', 1)}"


def read_rules(file: str) -> list[str]:
    """The rules of a file, without comments and empty lines. Raises ControlError."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ControlError(file, str(error), "a text file with one rule a line") from None
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def replace_flows(options: argparse.Namespace) -> int:
    """Replaces the table."""
    answer = call(options, "flow.replace", {"rules": read_rules(options.file)})
    if options.json:
        print_json(answer)
    else:
        print(f"{answer['flows']} rule(s) in the table")
    return 0


def show_fdb(options: argparse.Namespace) -> int:
    """Prints or flushes the MAC table."""
    if options.action == "flush":
        answer = call(options, "fdb.flush")
        if options.json:
            print_json(answer)
        else:
            print(f"{answer['flushed']} address(es) forgotten")
        return 0
    entries = call(options, "fdb.list")
    if options.json:
        print_json(entries)
        return 0
    columns = (Column("port"), Column("vlan", number=True), Column("mac"), Column("age s", number=True))
    rows = [(each["port"], each["vlan"], each["mac"], f"{each['age_s']:.1f}") for each in entries]
    print_table(columns, rows, "no address learned yet")
    return 0
