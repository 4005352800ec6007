"""The command line: exit codes, where errors go, and the arithmetic of rates."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from switch.cli.__main__ import build_parser, main
from switch.cli.output import Column, rate, table_text
from switch.cli.port import port_from
from switch.cli.stats import drops_text, rates_between
from switch.control.errors import ControlError

Answer = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def rundir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGSIDE_RUNDIR", str(tmp_path))
    monkeypatch.delenv("RINGSIDE_SOCKET", raising=False)
    return tmp_path


@pytest.fixture
def daemon(rundir: Path) -> Iterator[Callable[[Answer], list[dict[str, Any]]]]:
    """A daemon of one answer for every request; what it was asked is kept."""
    listening = socket.socket(socket.AF_UNIX)
    asked: list[dict[str, Any]] = []

    def start(answer: Answer) -> list[dict[str, Any]]:
        listening.bind(str(rundir / "s1.sock"))
        listening.listen()
        threading.Thread(target=serve, args=(answer,), daemon=True).start()
        return asked

    def serve(answer: Answer) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                for line in lines:
                    asked.append(json.loads(line))
                    lines.write(json.dumps({"id": asked[-1]["id"], **answer(asked[-1])}).encode() + b"\n")
                    lines.flush()

    yield start
    listening.shutdown(socket.SHUT_RDWR) if asked else None
    listening.close()


def test_no_daemon_is_exit_code_3(rundir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show"]) == 3
    assert "no switchd found" in capsys.readouterr().err
    assert main(["--socket", str(rundir / "none.sock"), "show"]) == 3


def test_a_refusal_is_exit_code_1_with_field_message_and_way_out(
    daemon: Callable[[Answer], list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"field": "eth9", "message": "no such device", "hint": "did you mean 'eth0'?"}
    asked = daemon(lambda request: {"ok": False, "error": error})
    assert main(["port", "add", "eth9", "--access", "10", "--queues", "0,1"]) == 1
    assert capsys.readouterr().err == "ringside: eth9: no such device\n  way out: did you mean 'eth0'?\n"
    assert asked[0]["verb"] == "port.add"
    assert asked[0]["args"] == {"name": "eth9", "queues": [0, 1], "vlan": {"access": 10}}


@pytest.mark.parametrize("words", [["nothing"], ["port"], ["port", "add"], ["show", "--jsn"], []])
def test_wrong_usage_is_exit_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


def test_apply_tells_each_operation_and_fails_if_one_did(
    daemon: Callable[[Answer], list[dict[str, Any]]], rundir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operations = [
        {"op": "remove", "port": "h1", "ok": True, "message": "not wanted any more"},
        {"op": "add", "port": "h2", "ok": False, "message": "no", "error": {"hint": "look"}},
    ]
    asked = daemon(lambda request: {"ok": True, "result": {"operations": operations, "ok": False}})
    (rundir / "s1.yaml").write_text("name: s1\nports: [{name: h2}]\n")
    assert main(["apply", str(rundir / "s1.yaml")]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["ok", "remove", "h1", "not", "wanted", "any", "more"]
    assert out[1].split()[:3] == ["failed", "add", "h2"]
    assert "way out: look" in out[2]
    assert asked[0]["args"] == {"name": "s1", "ports": [{"name": "h2"}]}


def test_json_goes_to_standard_output_alone(
    daemon: Callable[[Answer], list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    daemon(lambda request: {"ok": True, "result": [{"mac": "02:00:00:00:00:01"}]})
    assert main(["fdb", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == [{"mac": "02:00:00:00:00:01"}]
    assert captured.err == ""


def test_port_options_that_are_no_numbers(rundir: Path) -> None:
    options = build_parser().parse_args(["port", "add", "h1", "--trunk", "10,x"])
    with pytest.raises(ControlError, match="'10,x' is no list of numbers"):
        port_from(options)


def test_every_verb_explains_itself() -> None:
    text = build_parser().format_help()
    verbs = ["show", "list", "version", "port", "flow", "fdb", "stats", "trace"]
    for verb in (*verbs, "capture", "apply", "switchd", "completion"):
        assert f"\n    {verb} " in text


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script_that_the_shell_takes(
    shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "capture" in script
    assert "--strict" in script
    if shell == "bash":
        (tmp_path / "c").write_text(script)
        subprocess.run(["bash", "-n", str(tmp_path / "c")], check=True)


def port(received: int, tx: int, drops: dict[str, int]) -> dict[str, Any]:
    return {
        "received": received,
        "received_bytes": received * 100,
        "tx_packets": tx,
        "tx_bytes": tx * 100,
        "dropped": sum(drops.values()),
        "drops": drops,
    }


def test_rates_are_differences_over_time() -> None:
    before = {"time": 10.0, "ports": {"h1": port(100, 50, {"no_rule": 5})}}
    now = {"time": 12.0, "ports": {"h1": port(2100, 50, {"no_rule": 5, "runt": 4}), "h2": port(10, 0, {})}}
    rates = rates_between(before, now)
    assert rates["h1"]["rx_pps"] == 1000
    assert rates["h1"]["rx_mbps"] == pytest.approx(0.8)
    assert rates["h1"]["tx_pps"] == 0
    assert rates["h1"]["drops"] == {"runt": 2}
    assert rates["h2"]["rx_pps"] == 5


def test_a_port_that_was_opened_anew_counts_from_zero() -> None:
    before = {"time": 0.0, "ports": {"h1": port(100, 100, {})}}
    now = {"time": 1.0, "ports": {"h1": port(7, 0, {})}}
    assert rates_between(before, now)["h1"]["rx_pps"] == 7


def test_numbers_for_people() -> None:
    assert [rate(value) for value in (0, 999, 12_345, 1_234_567)] == ["0", "999", "12.3 k", "1.235 M"]
    assert drops_text({"a": 1, "b": 2000, "c": 0}) == "b 2,000, a 1"
    lines = table_text([Column("port"), Column("n", number=True)], [("h1", 1234), ("h2", None)]).splitlines()
    assert lines[0].split() == ["port", "n"]
    assert [line.split() for line in lines[2:4]] == [["h1", "1,234"], ["h2", "-"]]


def test_a_table_is_neither_cut_nor_coloured_where_no_terminal_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    long = "[bold] " + "x" * 300
    text = table_text([Column("a"), Column("b")], [(long, "end"), ("short", "")])
    assert "\033" not in text
    lines = text.splitlines()
    assert len(lines) == 4
    assert lines[2] == f"{long}   end"
    assert lines[3].split() == ["short", "-"]


def test_rules_are_listed_line_by_line_as_the_daemon_tells_them(
    daemon: Callable[[Answer], list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [" cookie=0x0, duration=1.5s, table=0, n_packets=3, n_bytes=180, priority=7,ip actions=drop"]
    asked = daemon(lambda request: {"ok": True, "result": {"lines": lines}})
    assert main(["flow", "list", "table=0,ip", "--names"]) == 0
    assert capsys.readouterr().out.splitlines() == lines
    assert asked[0]["verb"] == "flow.dump"
    assert asked[0]["args"] == {"match": "table=0,ip", "names": True, "stats": True}


def test_a_file_of_changes_goes_to_the_daemon_as_it_stands(
    daemon: Callable[[Answer], list[dict[str, Any]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rules.txt"
    file.write_text("# two\nip,actions=drop\ndelete arp\n")
    asked = daemon(lambda request: {"ok": True, "result": {"lines": 2, "flows": 1}})
    assert main(["flow", "load", "--bundle", str(file)]) == 0
    assert asked[0]["args"] == {"text": file.read_text(), "bundle": True}
    assert capsys.readouterr().out == "2 change(s), 1 rule(s) in the tables\n"


def test_a_group_without_a_text_can_only_be_deleted(
    daemon: Callable[[Answer], list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = daemon(lambda request: {"ok": True, "result": {}})
    with pytest.raises(SystemExit):
        main(["group", "add"])
    assert main(["group", "del"]) == 0
    assert asked[0]["args"] == {"change": "del", "text": ""}


def test_a_command_does_not_pay_for_the_libraries_of_the_daemon_and_of_tables() -> None:
    code = "import sys, switch.cli.__main__ as m; m.build_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "switch.cli.stats" in loaded
    assert not loaded & {"pyroute2", "rich", "_ringside_switch"}
