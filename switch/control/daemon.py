"""`ringside switchd`: wires the parts together, starts and stops them in order.

- start: socket taken (so that there is one daemon) → switch, ports, flows → link news → verbs → READY
- stop: verbs → link news → ports detached and closed → switch → socket file

A failure on the way up undoes what was done, in reverse, and is the exit code's reason. SIGTERM and
SIGINT are the ordinary end. When the process is killed the kernel detaches the programs (BPF links),
closes the sockets and removes the tap devices; the socket file stays and the next start clears it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switch.control.capture import CaptureHub
from switch.control.controller import Controller
from switch.control.errors import ControlError
from switch.control.listener import Listener
from switch.control.model import Switch
from switch.control.netlink.client import Link
from switch.control.netlink.monitor import LinkMonitor
from switch.control.rpc import RpcServer
from switch.control.sdnotify import notify
from switch.control.verbs import run_verb
from switch.control.worker import Worker

log = logging.getLogger("switchd")


@dataclass(frozen=True)
class Options:
    """How the daemon was started. `ready_fd`: gets a line "READY" when packets flow, None = nobody waits."""

    desired: Switch
    socket: Path
    ready_fd: int | None = None


def run(options: Options) -> int:
    """Runs the daemon until it is told to stop; the exit code. Errors go to standard error."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    try:
        asyncio.run(_daemon(options))
    except ControlError as error:
        print(f"ringside switchd: {error.text()}", file=sys.stderr)
        return 1
    return 0


async def _daemon(options: Options) -> None:
    async with AsyncExitStack() as undo:
        stop = _stop_signal()
        listener = Listener(options.socket)
        undo.callback(listener.close)
        worker = Worker()
        undo.callback(worker.close)
        controller = await worker.run(Controller, options.desired)
        undo.push_async_callback(worker.run, controller.close)
        await worker.run(_bring_up, controller, options.desired)
        monitor = _monitor(controller, worker)
        undo.callback(monitor.close)
        worker.post(_guarded, controller.refresh)  # What changed between reading a device and listening.
        server = await _serve(controller, worker, listener)
        undo.push_async_callback(server.close)
        _ready(options)
        await stop.wait()
        notify("STOPPING=1")
        log.info("stopping")


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _bring_up(controller: Controller, desired: Switch) -> None:
    """Everything desired, or ControlError with the first reason why not."""
    for outcome in controller.reconcile(desired):
        if outcome.error is not None:
            raise outcome.error


def _monitor(controller: Controller, worker: Worker) -> LinkMonitor:
    def changed(link: Link, gone: bool) -> None:
        worker.post(_guarded, controller.device_changed, link, gone)

    def lost() -> None:
        worker.post(_guarded, controller.refresh)

    return LinkMonitor(changed, lost)


def _guarded(call: Callable[..., None], *args: Any) -> None:
    """Runs a reaction to news that nobody waits for: what goes wrong is logged."""
    try:
        call(*args)
    except Exception:  # The daemon goes on with the ports that it has.
        log.exception("reaction to a device's news failed")


async def _serve(controller: Controller, worker: Worker, listener: Listener) -> RpcServer:
    async def handle(verb: str, args: object) -> Any:
        return await worker.run(run_verb, controller, verb, args)

    server = RpcServer(handle, CaptureHub(controller, worker))
    await server.start(listener.socket)
    return server


def _ready(options: Options) -> None:
    ports = len(options.desired.ports)
    log.info("READY: %s forwards on %d port(s), socket %s", options.desired.name, ports, options.socket)
    notify("READY=1")
    if options.ready_fd is not None:
        os.write(options.ready_fd, b"READY\n")
        os.close(options.ready_fd)
