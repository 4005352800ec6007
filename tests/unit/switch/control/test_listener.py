"""One daemon for each socket; a dead one's file is in nobody's way."""

import socket
import stat
from pathlib import Path

import pytest

from switch.control.errors import ControlError
from switch.control.listener import Listener
from switch.control.rundir import alive, find_socket, sockets


def test_the_socket_is_its_owners_only_and_goes_when_closed(tmp_path: Path) -> None:
    path = tmp_path / "run" / "s1.sock"
    listener = Listener(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    assert [each.name for each in path.parent.iterdir()] == ["s1.sock"]
    assert alive(path)
    listener.close()
    assert list(path.parent.iterdir()) == []


def test_a_second_daemon_is_refused_and_the_first_lives_on(tmp_path: Path) -> None:
    first = Listener(tmp_path / "s1.sock")
    with pytest.raises(ControlError, match="runs already"):
        Listener(tmp_path / "s1.sock")
    assert alive(first.path)
    first.close()


def test_a_dead_daemons_file_is_cleared(tmp_path: Path) -> None:
    path = tmp_path / "s1.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert not alive(path)
    listener = Listener(path)
    assert alive(path)
    listener.close()


def test_a_file_that_is_no_longer_ours_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s1.sock"
    listener = Listener(path)
    path.unlink()
    path.write_text("somebody else's")
    listener.close()
    assert path.read_text() == "somebody else's"


def test_a_path_too_long_for_the_kernel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="107 bytes"):
        Listener(tmp_path / ("x" * 100) / "s1.sock")


def test_the_only_daemon_is_found_and_several_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGSIDE_RUNDIR", str(tmp_path))
    monkeypatch.delenv("RINGSIDE_SOCKET", raising=False)
    with pytest.raises(ControlError, match="no switchd found"):
        find_socket(None, None)
    one = Listener(tmp_path / "labs" / "pair" / "s1.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    assert set(sockets()) == {"dead", "pair/s1"}
    assert find_socket(None, None) == find_socket("s1", None) == find_socket("pair/s1", None) == one.path
    two = Listener(tmp_path / "labs" / "trio" / "s1.sock")
    for name in (None, "s1"):
        with pytest.raises(ControlError, match="pair/s1, trio/s1"):
            find_socket(name, None)
    assert find_socket("trio/s1", None) == two.path
    with pytest.raises(ControlError, match="no switchd 's9'"):
        find_socket("s9", None)
    monkeypatch.setenv("RINGSIDE_SOCKET", "/elsewhere")
    assert find_socket(None, None) == Path("/elsewhere")
    assert find_socket(None, "/given") == Path("/given")
    assert find_socket("pair/s1", None) == one.path
    one.close()
    two.close()
