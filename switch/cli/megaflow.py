"""`megaflow list|flush|stats|set` and `cache`: what the datapath keeps of decisions."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from switch.cli.command import Subparsers, add_command, add_group, call
from switch.cli.output import Column, number, print_json, print_table

_SWITCHES = ("on", "off")


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verbs."""
    verbs = add_group(commands, "megaflow", "the datapath's flows: each answers for many packets")
    shown = add_command(verbs, "list", list_megaflows, "list them as ovs-appctl dpctl/dump-flows does")
    shown.add_argument("match", nargs="?", default="", help="only those that such a packet could hit")
    shown.add_argument(
        "-m", "--more", action="store_true", help="with ufid and the fields that do not matter"
    )
    shown.add_argument("--names", action="store_true", help="ports by name")
    add_command(verbs, "flush", flush_megaflows, "take all back; those in use are made again")
    add_command(verbs, "stats", show_stats, "what the revalidator does to keep them true")
    limits = add_command(verbs, "set", set_limits, "how many, and how long without a packet")
    limits.add_argument("--limit", type=int, help="megaflows at most")
    limits.add_argument("--max-idle-ms", type=int, help="a megaflow that nothing hits lives so long")
    cache = add_command(
        commands, "cache", show_cache, "show the caches in front of the megaflows, or switch them"
    )
    cache.add_argument("--emc", choices=_SWITCHES, help="exact match cache")
    cache.add_argument("--smc", choices=_SWITCHES, help="signature match cache, for very many flows")
    cache.add_argument(
        "--emc-insert-every",
        type=int,
        metavar="N",
        help="one of N misses enters the EMC; 1 = each, 0 = none",
    )


def list_megaflows(options: argparse.Namespace) -> int:
    """Prints the megaflows."""
    args = {"match": options.match, "more": options.more, "names": options.names}
    answer = call(options, "megaflow.list", args)
    if options.json:
        print_json(answer)
        return 0
    sys.stdout.writelines(f"{line}\n" for line in answer["lines"])
    return 0


def flush_megaflows(options: argparse.Namespace) -> int:
    """Takes all megaflows back."""
    answer = call(options, "megaflow.flush")
    if options.json:
        print_json(answer)
    else:
        print(f"{answer['flushed']} megaflow(s) taken back")
    return 0


def show_stats(options: argparse.Namespace) -> int:
    """Prints the revalidator's account."""
    _print_values(options, call(options, "megaflow.stats"))
    return 0


def set_limits(options: argparse.Namespace) -> int:
    """Changes limits."""
    args = {"limit": options.limit, "max_idle_ms": options.max_idle_ms}
    answer = call(options, "megaflow.set", {key: value for key, value in args.items() if value is not None})
    if options.json:
        print_json(answer)
    return 0


def show_cache(options: argparse.Namespace) -> int:
    """Prints, or first changes, the caches' switches."""
    args: dict[str, Any] = {}
    for name in ("emc", "smc"):
        if getattr(options, name) is not None:
            args[name] = getattr(options, name) == "on"
    if options.smc is not None:
        args["smc"] = options.smc == "on"
    if options.emc_insert_every is not None:
        args["emc_insert_every"] = options.emc_insert_every
    _print_values(options, call(options, "cache", args))
    return 0


def _print_values(options: argparse.Namespace, values: dict[str, Any]) -> None:
    if options.json:
        print_json(values)
        return
    rows = [(name.replace("_", " "), _word(value)) for name, value in values.items()]
    print_table((Column("what"), Column("value", number=True)), rows, "nothing")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return _SWITCHES[0] if value else _SWITCHES[1]
    return number(value) if isinstance(value, int) else str(value)
