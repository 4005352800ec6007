"""`stats [--watch [SEC]] [PORT]`: counters, rates, drops by name."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from switch.cli.client import Client
from switch.cli.command import Subparsers, add_command, connect
from switch.cli.output import Column, print_json, rate, table_text

_TEXT = """
received + copies = sent + delivered + dropped, for each port, to the packet: sent, delivered and dropped tell
what became of packets that came in on the port, transmitted counts those that left by it. Drops are shown by
name.
"""
_TOTAL = (
    Column("port"),
    Column("received", number=True),
    Column("copies", number=True),
    Column("sent", number=True),
    Column("delivered", number=True),
    Column("dropped", number=True),
    Column("balance"),
    Column("transmitted", number=True),
    Column("drops by name"),
)
_RATES = (
    Column("port"),
    Column("rx pps", number=True),
    Column("rx Mbit/s", number=True),
    Column("tx pps", number=True),
    Column("tx Mbit/s", number=True),
    Column("drop pps", number=True),
    Column("drops by name, per second"),
)


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verb."""
    stats = add_command(commands, "stats", show_stats, "show counters of every port", epilog=_TEXT)
    stats.add_argument("port", nargs="?", help="this port only")
    help_text = "show rates every SEC seconds (default 1) until Ctrl-C; with --json one document a line"
    stats.add_argument("--watch", nargs="?", type=float, const=1.0, metavar="SEC", help=help_text)
    stats.add_argument("--count", type=int, metavar="N", help="with --watch: end after N rounds")


def show_stats(options: argparse.Namespace) -> int:
    """Prints the counters, once or again and again."""
    if options.watch is not None and options.watch <= 0:
        print("ringside stats: --watch: a time above 0 s", file=sys.stderr)
        return 2
    with connect(options) as client:
        if options.watch is None:
            now = take(client, options.port)
            if options.json:
                print_json(now)
            else:
                print(total_text(now))
            return 0
        try:
            watch(client, options)
        except KeyboardInterrupt:
            return 0
    return 0


def take(client: Client, port: str | None) -> dict[str, Any]:
    """One snapshot."""
    snapshot: dict[str, Any] = client.call("stats", {"port": port} if port else {})
    return snapshot


def watch(client: Client, options: argparse.Namespace) -> None:
    """Rates between snapshots, until Ctrl-C or the count is reached."""
    before = take(client, options.port)
    rounds = 0
    while options.count is None or rounds < options.count:
        time.sleep(options.watch)
        now = take(client, options.port)
        rates = rates_between(before, now)
        if options.json:
            import json

            print(json.dumps({"switch": now["switch"], "time": now["time"], "rates": rates}), flush=True)
        else:
            clear = "\033[2J\033[H" if sys.stdout.isatty() else ""
            stamp = time.strftime("%H:%M:%S", time.localtime(now["time"]))
            print(f"{clear}{now['switch']}  {stamp}\n{rates_text(rates)}\n", flush=True)
        before = now
        rounds += 1


def drops_text(drops: dict[str, float], form: Any = "{:,}".format) -> str:
    """Drop counters that are not zero, largest first."""
    falling = sorted(drops.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {form(count)}" for name, count in falling if count)


def total_text(snapshot: dict[str, Any]) -> str:
    """The table of counters since the ports were opened, and the poll-mode thread in a line."""
    rows = [
        (
            name,
            port["received"],
            port["copies"],
            port["sent"],
            port["delivered"],
            port["dropped"],
            "ok" if port["balance"]["holds"] else f"{port['balance']['in']} ≠ {port['balance']['out']}",
            port["tx_packets"],
            drops_text(port["drops"]),
        )
        for name, port in snapshot["ports"].items()
    ]
    pmd = snapshot["pmd"]
    hits = 100 * pmd["cache_hits"] / pmd["packets"] if pmd["packets"] else 0.0
    line = f"pmd: {pmd['packets']:,} packets, {hits:.1f} % from the cache, {pmd['upcalls']:,} upcalls"
    return f"{table_text(_TOTAL, rows)}\n{line}, slept {pmd['sleeps']:,} times{_kernel_text(snapshot)}"


def _kernel_text(snapshot: dict[str, Any]) -> str:
    """What the kernel's six AF_XDP counters hold against us, if anything."""
    lines = []
    for name, port in snapshot["ports"].items():
        normal = "tx_ring_empty_descs"  # The kernel looked once more and found nothing left to send.
        bad = drops_text({key: value for key, value in port["xsk"].items() if key != normal})
        if bad:
            lines.append(f"\n{name}: AF_XDP sockets: {bad}")
    return "".join(lines)


def rates_between(before: dict[str, Any], now: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Per second and port: {rx_pps, rx_mbps, tx_pps, tx_mbps, drop_pps, drops: {name: pps}}.

    A port that is new, or whose counters began anew, counts from zero.
    """
    seconds: float = max(now["time"] - before["time"], 1e-6)
    rates = {}
    for name, port in now["ports"].items():
        old = before["ports"].get(name)
        if old is None or old["received"] > port["received"] or old["tx_packets"] > port["tx_packets"]:
            old = {}

        def gain(key: str, port: dict[str, Any] = port, old: dict[str, Any] = old) -> float:
            difference: float = port[key] - old.get(key, 0)
            return difference / seconds

        drops = {
            reason: (count - old.get("drops", {}).get(reason, 0)) / seconds
            for reason, count in port["drops"].items()
        }
        rates[name] = {
            "rx_pps": gain("received"),
            "rx_mbps": gain("received_bytes") * 8 / 1e6,
            "tx_pps": gain("tx_packets"),
            "tx_mbps": gain("tx_bytes") * 8 / 1e6,
            "drop_pps": gain("dropped"),
            "drops": {reason: value for reason, value in drops.items() if value},
        }
    return rates


def rates_text(rates: dict[str, dict[str, Any]]) -> str:
    """The table of rates."""
    rows = [
        (
            name,
            rate(each["rx_pps"]),
            f"{each['rx_mbps']:,.1f}",
            rate(each["tx_pps"]),
            f"{each['tx_mbps']:,.1f}",
            rate(each["drop_pps"]),
            drops_text(each["drops"], rate),
        )
        for name, each in rates.items()
    ]
    return table_text(_RATES, rows)
