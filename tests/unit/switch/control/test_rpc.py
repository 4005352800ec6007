"""The socket protocol: framing, limits, and clients that misbehave without hurting the others."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.binding.capture import CapturedPacket
from switch.control import rpc
from switch.control.capture import CaptureHub, Subscriber
from switch.control.errors import ControlError
from switch.control.listener import Listener
from switch.control.rpc import RpcServer


class FakeHub:
    """Hands packets to whoever subscribed, without a switch."""

    def __init__(self) -> None:
        self.subscribers: list[Subscriber] = []
        self.ring_lost = 0

    async def subscribe(self, name: str, snaplen: int) -> Subscriber:
        if name != "h1":
            raise ControlError("port", f"there is no port {name!r}", "ports: h1")
        self.subscribers.append(Subscriber(name, 1, snaplen))
        return self.subscribers[-1]

    async def unsubscribe(self, subscriber: Subscriber) -> None:
        self.subscribers.remove(subscriber)


async def handler(verb: str, args: object) -> Any:
    match verb:
        case "echo":
            return args
        case "refuse":
            raise ControlError("ports[0].vlan", "found nothing", "give something")
        case "crash":
            raise ZeroDivisionError("oh")
        case "wait":
            await asyncio.Event().wait()
    raise ControlError("verb", f"unknown verb {verb!r}", "")


Session = Callable[[asyncio.StreamReader, asyncio.StreamWriter, FakeHub], Awaitable[None]]


def serve(path: Path, session: Session) -> None:
    """Runs a server and one client session against it."""

    async def run() -> None:
        hub, listener = FakeHub(), Listener(path / "s1.sock")
        server = RpcServer(handler, cast(CaptureHub, hub))
        await server.start(listener.socket)
        try:
            reader, writer = await asyncio.open_unix_connection(str(listener.path))
            async with asyncio.timeout(20):
                await session(reader, writer, hub)
            writer.close()
        finally:
            await server.close()
            listener.close()
        assert hub.subscribers == []

    asyncio.run(run())


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> dict[str, Any]:
    writer.write(line + b"\n")
    return await answer(reader)


async def answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(await reader.readuntil(b"\n"))
    return decoded


def request(verb: str, args: object = None, number: object = 1) -> bytes:
    return json.dumps({"id": number, "verb": verb, "args": args}).encode()


def test_an_answer_carries_the_requests_id(tmp_path: Path) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        for number in (7, "x", None):
            got = await ask(reader, writer, request("echo", {"a": 1}, number))
            assert got == {"id": number, "ok": True, "result": {"a": 1}}

    serve(tmp_path, session)


def test_an_error_carries_field_message_and_hint(tmp_path: Path) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        got = await ask(reader, writer, request("refuse"))
        error = {"field": "ports[0].vlan", "message": "found nothing", "hint": "give something"}
        assert got == {"id": 1, "ok": False, "error": error}

    serve(tmp_path, session)


def test_a_fault_of_ours_is_told_and_the_connection_lives_on(tmp_path: Path) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        assert "ZeroDivisionError" in (await ask(reader, writer, request("crash")))["error"]["message"]
        assert (await ask(reader, writer, request("echo")))["ok"]

    serve(tmp_path, session)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"{", "no JSON"),
        (b"[1]", "a list"),
        (b"7", "a number"),
        (b"\xff\xfe", "no JSON"),
        (b"{}", "missing"),
        (b'{"verb": 7}', "a number 7"),
        (b'{"verb": "echo", "agrs": {}}', "unknown key"),
        (b"[" * 100_000, "nested"),
        (b'{"verb": "a\\ud800"}', "no plain text"),
        (b'{"verb": "nothing"}', "unknown verb"),
        (b'{"id": ' + b"9" * 5000 + b', "verb": "echo"}', "no JSON"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_kept(
    tmp_path: Path, line: bytes, found: str
) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        got = await ask(reader, writer, line)
        assert not got["ok"]
        assert found in got["error"]["message"] or found in got["error"]["field"]
        assert (await ask(reader, writer, request("echo")))["ok"]

    serve(tmp_path, session)


def test_empty_lines_are_skipped_and_requests_may_come_together(tmp_path: Path) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        writer.write(b"\n \n" + request("echo", number=1) + b"\n" + request("echo", number=2) + b"\n")
        assert [(await answer(reader))["id"], (await answer(reader))["id"]] == [1, 2]

    serve(tmp_path, session)


def test_a_line_beyond_the_limit_ends_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "MAX_LINE", 1 << 20)

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        writer.write(b"x" * ((1 << 21) + 10))
        assert "longer than 1 MiB" in (await answer(reader))["error"]["message"]
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await answer(reader)

    serve(tmp_path, session)


def test_one_who_waits_or_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        path = str(tmp_path / "s1.sock")
        deaf, waiting, half = (socket.socket(socket.AF_UNIX) for _ in range(3))
        for each in (deaf, waiting, half):
            each.connect(path)
            each.setblocking(False)
        big = request("echo", "x" * 1_000_000) + b"\n"
        for _ in range(64):
            try:
                deaf.send(big)
            except BlockingIOError:
                break
        waiting.send(request("wait") + b"\n")
        half.send(b'{"id": 1, "ve')
        for number in range(20):
            assert (await ask(reader, writer, request("echo", number=number)))["id"] == number
        for each in (deaf, waiting, half):
            each.close()

    serve(tmp_path, session)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=80).filter(lambda line: b"\n" not in line and line.strip()), max_size=5))
def test_any_bytes_are_answered_line_by_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        for line in lines:
            assert (await ask(reader, writer, line))["ok"] is False
        assert (await ask(reader, writer, request("echo")))["ok"]

    serve(tmp_path_factory.mktemp("rpc"), session)


# ---- capture -------------------------------------------------------------------------------------


def packet(number: int) -> CapturedPacket:
    return CapturedPacket(number, 1, number % 2 == 1, "no_rule" if number == 2 else None, 100, bytes(100))


def test_packets_stream_until_a_line_ends_it(tmp_path: Path) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        started = await ask(reader, writer, request("capture", {"port": "h1", "snaplen": 60}, 9))
        assert started == {"id": 9, "ok": True, "result": {"port": "h1", "ofport": 1, "snaplen": 60}}
        for number in range(3):
            hub.subscribers[0].offer(packet(number))
        events = [await answer(reader) for _ in range(3)]
        assert [each["direction"] for each in events] == ["in", "out", "in"]
        assert [each["drop"] for each in events] == [None, None, "no_rule"]
        assert all(each["id"] == 9 and each["length"] == 100 and len(each["data"]) == 80 for each in events)
        hub.ring_lost = 5
        end = await ask(reader, writer, b"")
        assert end == {"id": 9, "event": "end", "reason": "asked to", "lost": 5}
        assert (await ask(reader, writer, request("echo")))["ok"]

    serve(tmp_path, session)


def test_a_removed_port_ends_its_stream(tmp_path: Path) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        await ask(reader, writer, request("capture", {"port": "h1"}))
        hub.subscribers[0].ended.set()
        assert (await answer(reader))["reason"] == "the port was removed"

    serve(tmp_path, session)


def test_a_client_that_hangs_up_ends_its_stream(tmp_path: Path) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        await ask(reader, writer, request("capture", {"port": "h1"}))
        writer.close()
        await writer.wait_closed()
        while hub.subscribers:
            await asyncio.sleep(0)

    serve(tmp_path, session)


@pytest.mark.parametrize(
    ("args", "field"),
    [({"port": "h9"}, "port"), ({}, "args.port"), ({"port": "h1", "snaplen": 1}, "args.snaplen"), ([], "")],
)
def test_a_capture_that_cannot_be_is_refused(tmp_path: Path, args: object, field: str) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: FakeHub) -> None:
        got = await ask(reader, writer, request("capture", args))
        assert not got["ok"]
        assert field in got["error"]["field"]

    serve(tmp_path, session)


def test_a_slow_reader_loses_packets_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        subscriber = Subscriber("h1", 1, 60, asyncio.Queue(4))
        for number in range(10):
            subscriber.offer(packet(number))
        assert subscriber.queue.qsize() == 4
        assert subscriber.lost == 6

    asyncio.run(run())
