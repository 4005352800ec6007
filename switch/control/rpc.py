"""The daemon's socket: one JSON object a line, in and out (README.md has the protocol).

Every client is a task of its own: one that does not read, or sends half a line, holds up nobody else. The
verbs themselves run one after another in the control thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from switch.control.capture import CaptureHub, Subscriber, packet_view
from switch.control.errors import ControlError
from switch.control.fields import Fields

MAX_LINE = 32 << 20
"""Bytes of one request: room for a table of 200,000 rules."""
_WRITE_HIGH = 1 << 20
_SNAPLEN = (14, 4096)

Handler = Callable[[str, object], Awaitable[Any]]
log = logging.getLogger("switchd")


def encode(message: dict[str, Any]) -> bytes:
    """One line of the protocol."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def failure(number: object, error: ControlError) -> dict[str, Any]:
    """The answer to a request that was refused."""
    return {"id": number, "ok": False, "error": error.as_json()}


def decode(line: bytes) -> Fields:
    """One request. Raises ControlError for what is no JSON object with the keys id, verb, args."""
    try:
        raw = json.loads(line)
    except RecursionError:
        raise ControlError("request", "nested too deeply", "one object: id, verb, args") from None
    except ValueError as error:
        raise ControlError("request", f"no JSON: {error}", "one object a line, in UTF-8") from None
    return Fields(raw, "", ("id", "verb", "args"), "a request")


class RpcServer:
    """Serves the verbs on a listening UNIX socket."""

    def __init__(self, handler: Handler, captures: CaptureHub) -> None:
        self._handler = handler
        self._captures = captures
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, listening: Any) -> None:
        """Begins to serve on a socket that is bound and listening already."""
        self._server = await asyncio.start_unix_server(self._client, sock=listening, limit=MAX_LINE)

    async def close(self) -> None:
        """Stops listening and hangs up on every client."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        writer.transport.set_write_buffer_limits(high=_WRITE_HIGH)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # The client hung up, or the daemon ends: either way there is nobody to answer.
        finally:
            self._clients.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                error = ControlError("request", f"longer than {MAX_LINE >> 20} MiB", "send it in parts")
                await self._send(writer, failure(None, error))
                return
            if line.strip():
                await self._answer(line, reader, writer)

    async def _answer(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number: object = None
        try:
            request = decode(line)
            number = request.get("id")
            verb = request.text("verb")
            args = request.get("args")
            if verb == "capture":
                await self._capture(number, args or {}, reader, writer)
                return
            result = await self._handler(verb, {} if args is None else args)
            answer = {"id": number, "ok": True, "result": result}
        except ControlError as error:
            answer = failure(number, error)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:  # A fault of ours: the client is told, the others and the ports live on.
            log.exception("request failed")
            fault = f"fault in the daemon: {type(error).__name__}: {error}"
            answer = failure(number, ControlError("", fault, "its log has the traceback"))
        await self._send(writer, answer)

    async def _send(self, writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        writer.write(encode(message))
        await writer.drain()

    # ---- capture -----------------------------------------------------------------------------

    async def _capture(
        self, number: object, args: object, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Streams until the client hangs up or sends a line, or the port goes; then says how many were
        lost.
        """
        fields = Fields(args, "args", ("port", "snaplen"), "the arguments of capture")
        snaplen = fields.integer("snaplen", *_SNAPLEN) or _SNAPLEN[1]
        subscriber = await self._captures.subscribe(fields.text("port"), snaplen)
        lost_before = self._captures.ring_lost
        stop = asyncio.create_task(reader.read(1 << 16))
        try:
            result = {"port": subscriber.name, "ofport": subscriber.ofport, "snaplen": snaplen}
            await self._send(writer, {"id": number, "ok": True, "result": result})
            await self._stream(number, subscriber, stop, writer)
            lost = subscriber.lost + self._captures.ring_lost - lost_before
            reason = "the port was removed" if subscriber.ended.is_set() else "asked to"
            await self._send(writer, {"id": number, "event": "end", "reason": reason, "lost": lost})
        finally:
            stop.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await stop
            await self._captures.unsubscribe(subscriber)

    async def _stream(
        self,
        number: object,
        subscriber: Subscriber,
        stop: asyncio.Task[bytes],
        writer: asyncio.StreamWriter,
    ) -> None:
        ended = asyncio.create_task(subscriber.ended.wait())
        try:
            while True:
                packet = asyncio.create_task(subscriber.queue.get())
                await asyncio.wait({packet, stop, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not packet.done():
                    packet.cancel()
                    return
                batch = [packet.result()]
                while not subscriber.queue.empty():
                    batch.append(subscriber.queue.get_nowait())
                for each in batch:
                    writer.write(encode({"id": number, **packet_view(each, subscriber)}))
                await writer.drain()
        finally:
            ended.cancel()
