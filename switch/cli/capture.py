"""`capture PORT -w FILE`: packets as the switch sees them, both directions, with the reason of each drop."""

from __future__ import annotations

import argparse
import base64
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from switch.cli.client import Client
from switch.cli.command import FILE, Subparsers, add_command, connect
from switch.cli.output import print_json
from switch.cli.pcapng import PcapngWriter
from switch.control.errors import ControlError
from switch.control.version import version

_TEXT = """
tcpdump sees nothing of what goes through AF_XDP sockets: this looks inside the switch instead. In Wireshark a
dropped packet carries the reason as its comment (filter: frame.comment).

  ringside capture h1 -w h1.pcapng               until Ctrl-C
  ringside capture h1 -w - -c 100 | tcpdump -nr -
"""


def add_commands(commands: Subparsers) -> None:
    """Adds this module's verb."""
    text = "write a port's packets to a pcapng file"
    capture = add_command(commands, "capture", run_capture, text, epilog=_TEXT)
    capture.add_argument("port", help="the port's name")
    file = capture.add_argument("-w", "--write", required=True, metavar="FILE", help="- is standard output")
    file.complete = FILE  # type: ignore[attr-defined]
    capture.add_argument("-c", "--count", type=int, metavar="N", help="end after N packets")
    capture.add_argument("-s", "--snaplen", type=int, metavar="BYTES", help="of each packet; default: 4096")


def run_capture(options: argparse.Namespace) -> int:
    """Captures until the count is reached, Ctrl-C, or the port goes."""
    args = {"port": options.port}
    if options.snaplen is not None:
        args["snaplen"] = options.snaplen
    with connect(options) as client:
        started = client.call("capture", args)
        if options.write == "-":
            summary = record(client, sys.stdout.buffer, started, options.count)
        else:
            try:
                with Path(options.write).open("wb") as file:
                    summary = record(client, file, started, options.count)
            except OSError as error:
                raise ControlError(options.write, error.strerror or str(error), "-w FILE") from None
    report(summary, options)
    return 0


def record(client: Client, file: BinaryIO, started: dict[str, Any], count: int | None) -> dict[str, Any]:
    """Writes what the daemon streams; {packets, lost, reason}."""
    writer = PcapngWriter(file, f"ringside {version()}")
    description = f"port {started['ofport']} of a ringside switch"
    interface = writer.add_interface(started["port"], description, started["snaplen"])
    file.flush()
    print(f"capturing on {started['port']}, Ctrl-C ends", file=sys.stderr, flush=True)
    stop_on_signals(client)
    packets, time_ns = 0, 0
    summary: dict[str, Any] = {"lost": 0, "reason": "the daemon hung up"}
    for event in client.events():
        if event.get("event") == "end":
            summary = {"lost": event["lost"], "reason": event["reason"]}
        elif count is None or packets < count:
            write_event(writer, interface, event)
            packets, time_ns = packets + 1, event["time_ns"]
            if packets == count:
                client.stop()
            if file.isatty() or packets % 64 == 0:
                file.flush()
    writer.write_lost(interface, time_ns, summary["lost"])
    file.flush()
    return {**summary, "packets": packets}


def write_event(writer: PcapngWriter, interface: int, event: dict[str, Any]) -> None:
    """One streamed packet as pcapng."""
    comment = f"dropped: {event['drop']}" if event["drop"] else ""
    data = base64.b64decode(event["data"])
    outbound = event["direction"] == "out"
    writer.write_packet(interface, event["time_ns"], data, event["length"], outbound, comment)


def stop_on_signals(client: Client) -> None:
    """Ctrl-C and SIGTERM end the stream in order, so that the file is whole and the losses are known."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        client.stop()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def report(summary: dict[str, Any], options: argparse.Namespace) -> None:
    """How it went; never on the standard output that packets go to."""
    if options.json and options.write != "-":
        print_json({"file": options.write, **summary})
        return
    lost = f", {summary['lost']} lost because the reader was too slow" if summary["lost"] else ""
    print(f"{summary['packets']} packet(s){lost} ({summary['reason']})", file=sys.stderr)
