"""Commands in nodes: theirs is the exit code, the namespace, the right /sys, and the switch's socket."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.harness import Lab, environment, run_lab, running

pytestmark = [pytest.mark.root, pytest.mark.netns]


@pytest.fixture(scope="module")
def pair() -> Iterator[Lab]:
    with running("--datapath", "linux-bridge", "--no-check") as lab:
        yield lab


@pytest.mark.parametrize("code", [0, 1, 7, 125])
def test_exit_code_is_the_commands(pair: Lab, code: int) -> None:
    assert pair.exec("h1", "sh", "-c", f"exit {code}", check=False).returncode == code


def test_signal_that_ends_the_command_is_seen(pair: Lab) -> None:
    assert pair.exec("h1", "sh", "-c", "kill -9 $$", check=False).returncode == -9


def test_command_that_is_not_there(pair: Lab) -> None:
    done = pair.exec("h1", "no-such-command", check=False)
    assert done.returncode == 127
    assert "no-such-command: command not found" in done.stderr


def test_no_command(pair: Lab) -> None:
    done = run_lab("exec", "--name", pair.name, "h1", check=False)
    assert done.returncode == 2
    assert "which command?" in done.stderr


def test_words_of_the_command_stay_as_they_are(pair: Lab) -> None:
    assert pair.exec("h1", "printf", "%s|", "a b", "--json", "", "*").stdout == "a b|--json||*|"


def test_sys_is_the_nodes(pair: Lab) -> None:
    assert pair.exec("s1", "ls", "/sys/class/net").stdout.split() == ["h1", "h2", "lo", "s1"]


def test_owner_tag_and_node_are_in_the_environment(pair: Lab) -> None:
    shown = pair.exec("h1", "sh", "-c", "echo $RINGSIDE_LAB $RINGSIDE_NODE").stdout
    assert shown.split() == [pair.name, "h1"]


def test_devices_carry_the_owner_tag(pair: Lab) -> None:
    links = json.loads(pair.exec("s1", "ip", "-j", "link").stdout)
    assert {one["ifname"]: one.get("ifalias") for one in links if one["ifname"] != "lo"} == dict.fromkeys(
        ("h1", "h2", "s1"), f"ringside:{pair.name}"
    )


def test_nothing_of_a_lab_is_in_the_root_namespace(pair: Lab) -> None:
    links = subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    assert "ringside:" not in links


def test_unknown_node(pair: Lab) -> None:
    done = pair.exec("h9", "true", check=False)
    assert done.returncode == 1
    assert f"lab {pair.name} has no such node" in done.stderr
    assert "nodes: h1, h2, s1" in done.stderr


def test_plain_iproute2_finds_the_node(pair: Lab) -> None:
    plain = ["ip", "netns", "exec", pair.netns("h1"), "ip", "-br", "address"]
    assert "10.0.0.1/24" in subprocess.run(plain, capture_output=True, text=True).stdout


def test_shell_says_in_its_prompt_where_it_is(pair: Lab) -> None:
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        [sys.executable, "-m", "lab", "shell", "--name", pair.name, "h1"],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment({"SHELL": "/bin/bash", "TERM": "dumb"}),
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, b"ip -br address show dev eth0; exit 5\n")
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:  # The shell has closed its terminal.
        pass
    os.close(ours)
    assert shell.wait(timeout=20) == 5
    assert f"(h1@{pair.name})" in said.decode()
    assert "10.0.0.1/24" in said.decode()


def test_capture_writes_a_file_that_tcpdump_reads(pair: Lab, tmp_path: Path) -> None:
    file = tmp_path / "link.pcap"
    two = ("-c", "2", "icmp")
    watching = subprocess.Popen(
        [sys.executable, "-m", "lab", "capture", "--name", pair.name, "s1-h1", "-w", str(file), "--", *two],
        stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    assert watching.stderr is not None
    assert any("listening on eth0" in line for line in watching.stderr)
    pair.exec("h1", "ping", "-c", "1", "10.0.0.2")
    watching.communicate(timeout=20)
    shown = subprocess.run(["tcpdump", "-n", "-r", str(file)], capture_output=True, text=True).stdout
    assert re.search(r"10\.0\.0\.1 > 10\.0\.0\.2: ICMP echo request", shown)
    assert re.search(r"10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo reply", shown)


def test_graph_of_the_running_lab(pair: Lab, tmp_path: Path) -> None:
    text = run_lab("graph", "--name", pair.name).stdout
    assert "├── h1  10.0.0.1/24 fd00::1/64" in text
    svg = tmp_path / "lab.svg"
    run_lab("graph", "--name", pair.name, "--svg", str(svg))
    assert svg.read_text().count("<title>h1</title>") == 1


def test_status_tells_the_facts_of_the_machine(pair: Lab) -> None:
    facts = json.loads(run_lab("status", "--json", "--name", pair.name).stdout)["facts"]
    assert facts["kernel"]["release"] == os.uname().release
    assert facts["cpu"]["online"] == os.cpu_count()
    assert isinstance(facts["mitigations"], dict)
    assert facts["versions"]["ip"].startswith("ip utility")
    assert set(facts["commit"]) == {"id", "modified"}


def test_status_for_people(pair: Lab) -> None:
    shown = run_lab("status", "--name", pair.name).stdout
    assert f"lab {pair.name}: up" in shown
    assert f"{pair.netns('h1')}  yes" in shown


@pytest.mark.afxdp
def test_switch_node_knows_its_socket_and_links_between_switches_their_way_out() -> None:
    with running("--topology", "chain", "--no-check") as chain:
        shown = [chain.exec(node, "ringside", "show", "--json").stdout for node in ("s1", "s2")]
        assert [json.loads(one)["name"] for one in shown] == ["s1", "s2"]
        done = run_lab("capture", "--name", chain.name, "s1-s2", check=False)
        assert done.returncode == 1
        assert "both ends are ports of AF_XDP switches" in done.stderr
        assert "ringside capture s2 -w FILE.pcapng" in done.stderr
