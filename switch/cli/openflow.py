"""`group`, `meter`, `tlv`, `table`: the rest of the OpenFlow state."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from switch.cli.command import Subparsers, add_command, add_group, call
from switch.cli.output import Column, number, print_json, print_table

_GROUP_TEXT = """
Groups are written as for ovs-ofctl(8), "Group Syntax":

  ringside group add 'group_id=1,type=select,bucket=weight:2,output:h2,bucket=weight:1,output:h3'
"""
_METER_TEXT = """
  ringside meter add 'meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100'
"""
_TLV_TEXT = """
  ringside tlv add '{class=0x0102,type=0x80,len=4}->tun_metadata0'
"""


@dataclass(frozen=True)
class _Noun:
    """A thing that is changed by one text and listed as lines."""

    name: str
    text: str
    epilog: str
    changes: tuple[str, ...]
    has_stats: bool


_NOUNS = (
    _Noun(
        "group",
        "groups: several ways for a packet",
        _GROUP_TEXT,
        ("add", "mod", "del", "insert-buckets", "remove-buckets"),
        True,
    ),
    _Noun("meter", "meters: limits on a rate", _METER_TEXT, ("add", "mod", "del"), True),
    _Noun("tlv", "which tunnel options tun_metadata fields are", _TLV_TEXT, ("add", "del"), False),
)


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verbs."""
    for noun in _NOUNS:
        verbs = add_group(commands, noun.name, noun.text)
        for change in noun.changes:
            run = _changer(noun.name, change)
            command = add_command(verbs, change, run, f"{change} one", epilog=noun.epilog)
            if change == "del":
                command.add_argument("text", nargs="?", default="", help="as below; without it: all")
            else:
                command.add_argument("text", help="as below")
        shown = add_command(verbs, "list", _lister(noun.name), "list them")
        if noun.has_stats:
            shown.add_argument("--stats", action="store_true", help="what they have counted")
    verbs = add_group(commands, "table", "the flow tables: how full, how often asked, their limits")
    add_command(verbs, "list", list_tables, "list the tables that hold rules or a limit")
    limit = add_command(verbs, "set", set_table, "limit a table")
    limit.add_argument("table", type=int, help="0 to 254")
    limit.add_argument("--max-flows", type=int, help="rules at most; default: no limit")
    limit.add_argument("--evict", action="store_true", help="over the limit, evict the least important rule")
    limit.add_argument("--name", default="", help="a name for people")


def _changer(noun: str, change: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        answer = call(options, f"{noun}.mod", {"change": change, "text": options.text})
        if options.json:
            print_json(answer)
        return 0

    return run


def _lister(noun: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        args = {"stats": options.stats} if hasattr(options, "stats") else {}
        answer = call(options, f"{noun}.list", args)
        if options.json:
            print_json(answer)
            return 0
        print("\n".join(answer["lines"]) or f"no {noun}")
        return 0

    return run


def list_tables(options: argparse.Namespace) -> int:
    """Prints the tables in use."""
    tables = call(options, "table.list")
    if options.json:
        print_json(tables)
        return 0
    names = ("table", "name", "rules", "limit", "lookups", "matched", "subtables", "memory kB")
    columns = [Column(name, number=name != "name") for name in names]
    rows = [
        (
            each["table"],
            each["name"],
            each["flows"],
            "-" if each["max_flows"] is None else number(each["max_flows"]),
            each["lookups"],
            each["matched"],
            each["subtables"],
            each["bytes"] // 1024,
        )
        for each in tables
    ]
    print_table(columns, rows, "every table is empty")
    return 0


def set_table(options: argparse.Namespace) -> int:
    """Limits a table."""
    args = {
        "table": options.table,
        "max_flows": options.max_flows,
        "evict": options.evict,
        "name": options.name,
    }
    answer = call(options, "table.set", args)
    if options.json:
        print_json(answer)
    return 0
