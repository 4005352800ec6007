"""How a switchd begins and ends: it says when it forwards, and leaves nothing behind."""

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.switchd_support import RINGSIDE, ROOT, Room, afxdp, links_left, room, until

pytestmark = [pytest.mark.root, pytest.mark.netns, pytest.mark.afxdp]

PORTS = [afxdp(1), {"name": "s1", "type": "internal"}, {"name": "t0", "type": "tap"}]


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        made.host(1)
        yield made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_nothing_is_left(net: Room, number: signal.Signals) -> None:
    before = net.devices()
    daemon = net.start(PORTS)
    assert net.devices() - before == {"s1", "t0"}
    assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(daemon.socket.parent.stat().st_mode) == 0o755
    links = daemon.xdp_links()
    assert len(links) == 1
    assert daemon.end(number) == 0
    assert net.devices() == before
    assert list(daemon.socket.parent.iterdir()) == []
    until(lambda: not links_left(links), "the links are gone")


def test_after_kill_9_only_the_socket_file_is_left_and_the_next_start_clears_it(net: Room) -> None:
    before = net.devices()
    first = net.start(PORTS)
    links = first.xdp_links()
    assert len(links) == 1
    first.end(signal.SIGKILL)
    until(lambda: not links_left(links), "the links are gone")
    until(lambda: net.devices() == before, "the devices are gone")
    assert [path.name for path in first.socket.parent.iterdir()] == ["s1.sock"]
    second = net.start(PORTS)
    assert second.call("version")["pid"] == second.process.pid
    assert second.end() == 0
    assert list(first.socket.parent.iterdir()) == []


def test_a_second_one_of_the_same_name_is_refused_and_the_first_lives_on(net: Room) -> None:
    first = net.start([afxdp(1)])
    process, ready, log = net.launch([])
    with os.fdopen(ready) as pipe:
        assert pipe.read() == ""
    assert process.wait(20) == 1
    assert "a switchd runs already" in log.read_text()
    assert first.call("version")["pid"] == first.process.pid


def test_the_service_manager_is_told(net: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        daemon = net.start([afxdp(1)])
        assert manager.recv(64) == b"READY=1"
        assert "READY" in daemon.log.read_text()
        daemon.end()
        assert manager.recv(64) == b"STOPPING=1"


def test_a_queue_that_was_just_freed_is_had_again(net: Room) -> None:
    for _ in range(3):
        daemon = net.start([afxdp(1)])
        daemon.call("port.del", {"name": "h1"})
        daemon.call("port.add", afxdp(1))
        assert daemon.port("h1")["xdp_mode"] == "native"
        daemon.end(signal.SIGKILL)


def test_the_only_daemon_is_found_without_being_named(net: Room) -> None:
    daemon = net.start([{"name": "d0", "type": "dummy"}])

    def ringside(*words: str) -> subprocess.CompletedProcess[str]:
        words = (*RINGSIDE, *words)
        return subprocess.run(words, capture_output=True, text=True, env=daemon.environment, cwd=ROOT)

    state = json.loads(ringside("show", "--json").stdout)
    assert (state["name"], state["ports"][0]["name"]) == ("s1", "d0")
    assert [each["name"] for each in json.loads(ringside("list", "--json").stdout)] == ["s1"]
    assert ringside("-s", "s1", "version").stdout.splitlines()[1].startswith("switchd ")
    assert ringside("-s", "s9", "show").returncode == 3
    daemon.end()
    assert ringside("show").returncode == 3
