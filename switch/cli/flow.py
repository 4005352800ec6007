"""`flow add|mod|del|load|replace|list` and `fdb [flush]`: what decides where a packet goes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from switch.cli.command import FILE, Subparsers, add_command, add_group, call
from switch.cli.output import Column, print_json, print_table
from switch.control.errors import ControlError

_RULE_TEXT = """
Rules are written as for ovs-ofctl; ports by number or name:

  ringside flow add 'table=0,priority=10,in_port=h1,tcp,tp_dst=80,actions=output:h2'
  ringside flow add 'priority=5,ip,nw_dst=10.0.0.0/8,actions=drop'

ovs-fields(7) and ovs-actions(7) list what may stand there.
"""
_LIST_TEXT = """
  ringside flow list 'table=1,ip'           rules at least as specific as this
  ringside flow list 'cookie=0x1/-1'        with this cookie
  ringside flow list 'out_port=2'           that send to this port
"""


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verbs."""
    verbs = add_group(commands, "flow", "add, modify, delete, list and replace rules of the flow tables")
    add = add_command(verbs, "add", add_flow, "add a rule", epilog=_RULE_TEXT)
    add.add_argument("rule", help="e.g. 'priority=10,in_port=h1,actions=output:h2'")
    mod = add_command(
        verbs, "mod", modify_flows, "give other actions to all rules that are at least as specific"
    )
    mod.add_argument("rule", help="match and actions")
    delete = add_command(verbs, "del", delete_flows, "delete rules: all that are at least as specific")
    delete.add_argument("match", nargs="?", default="", help="default: every rule")
    for each in (mod, delete):
        each.add_argument(
            "--strict", action="store_true", help="only the rule with this very match and priority"
        )
    shown = add_command(
        verbs, "list", list_flows, "list the rules with what they have matched", epilog=_LIST_TEXT
    )
    shown.add_argument("match", nargs="?", default="", help="default: every rule")
    shown.add_argument(
        "--no-stats", action="store_true", help="rules only, as ovs-ofctl --no-stats dump-flows"
    )
    shown.add_argument("--names", action="store_true", help="ports by name")
    load = add_command(
        verbs, "load", load_flows, "carry out a file of changes; a line is a rule to add, or says what it is"
    )
    load.add_argument("--bundle", action="store_true", help="all at once, or none")
    replace = add_command(verbs, "replace", replace_flows, "replace all rules at once, all or nothing")
    for each in (load, replace):
        file = each.add_argument("file", help="one rule a line, # begins a comment; - is standard input")
        file.complete = FILE  # type: ignore[attr-defined]
    fdb = add_command(commands, "fdb", show_fdb, "show the learned MAC addresses, or forget them")
    fdb.add_argument("action", nargs="?", choices=("flush",), help="flush: forget all")


def add_flow(options: argparse.Namespace) -> int:
    """Adds a rule."""
    answer = call(options, "flow.add", {"rule": options.rule})
    if options.json:
        print_json(answer)
    return 0


def modify_flows(options: argparse.Namespace) -> int:
    """Modifies rules and says how many."""
    answer = call(options, "flow.mod", {"rule": options.rule, "strict": options.strict})
    if options.json:
        print_json(answer)
    else:
        print(f"{answer['modified']} rule(s) modified")
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
    """Prints the rules.

    Lines, not a table as everything else is: there may be 100,000 rules, which keep rich busy for a minute,
    and lines can be written as they are made.
    """
    if options.json:
        print_json(call(options, "flow.list", {"match": options.match, "names": options.names}))
        return 0
    args = {"match": options.match, "names": options.names, "stats": not options.no_stats}
    lines = call(options, "flow.dump", args)["lines"]
    if not lines and not options.match:
        print("the tables are empty: every packet is dropped (no_rule)")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def read_text(file: str) -> str:
    """A file of rules. Raises ControlError."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ControlError(file, str(error), "a text file with one rule a line") from None


def load_flows(options: argparse.Namespace) -> int:
    """Carries a file of changes out."""
    args = {"text": read_text(options.file), "bundle": options.bundle}
    answer = call(options, "flow.load", args)
    if options.json:
        print_json(answer)
    else:
        print(f"{answer['lines']} change(s), {answer['flows']} rule(s) in the tables")
    return 0


def replace_flows(options: argparse.Namespace) -> int:
    """Replaces the tables."""
    lines = (line.split("#", 1)[0].strip() for line in read_text(options.file).splitlines())
    answer = call(options, "flow.replace", {"rules": [line for line in lines if line]})
    if options.json:
        print_json(answer)
    else:
        print(f"{answer['flows']} rule(s) in the tables, {answer['changed']} changed")
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
