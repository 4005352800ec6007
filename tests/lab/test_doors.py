"""What must not go on is stopped at the door: exit code 1, one clear message, nothing on the host."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.host import netns
from tests.lab.harness import Lab, environment, run_lab, topology_file

pytestmark = [pytest.mark.root, pytest.mark.netns]

HEAD = "name: t\nhosts: {h1: , h2: }\nswitches: {s1: {datapath: linux-bridge}}\n"
RINGSIDE = HEAD.replace("linux-bridge", "ringside")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "links: [{ends: [h1, s1], colour: red}]", "links[0].colour: unknown key"),
        (HEAD + "links: [{ends: [h1, s9]}]", "links[0].ends[1]: leads to 's9'"),
        (RINGSIDE + "links: [{ends: [h1, s1], mtu: 9000}]", "links[0].mtu: found 9000"),
    ],
)
def test_wrong_topology(lab: Lab, tmp_path: Path, text: str, message: str) -> None:
    done = lab.up("--topology", topology_file(tmp_path, text), check=False)
    assert done.returncode == 1
    assert f"error: {message}" in done.stderr
    assert "way out:" in done.stderr
    assert "Traceback" not in done.stderr


def test_not_root(lab: Lab) -> None:
    nobody = ("setpriv", "--reuid", "65534", "--clear-groups")
    up = (sys.executable, "-m", "lab", "up", "--name", lab.name)
    done = subprocess.run([*nobody, *up], capture_output=True, text=True, env=environment())
    assert done.returncode == 1
    assert "needs root" in done.stderr
    assert "sudo ./invoke lab.up" in done.stderr


def test_bad_name_of_a_lab(lab: Lab) -> None:
    done = run_lab("up", "--name", "a/b", check=False)
    assert done.returncode == 1
    assert "error: --name: found 'a/b'" in done.stderr


def test_program_that_is_missing(lab: Lab, tmp_path: Path) -> None:
    for program in ("ip", "tc", "ping", "nstat"):
        (tmp_path / program).symlink_to("/bin/true")
    done = subprocess.run(
        [sys.executable, "-m", "lab", "up", "--name", lab.name],
        capture_output=True, text=True, env=environment({"PATH": str(tmp_path)}),
    )  # fmt: skip
    assert done.returncode == 1
    assert "error: ethtool: is not installed" in done.stderr


def test_from_inside_a_lab(lab: Lab) -> None:
    lab.up("--datapath", "linux-bridge", "--no-check")
    inside = [sys.executable, "-m", "lab"]
    up = lab.exec("h1", *inside, "up", "--name", lab.name + "x", check=False)
    assert up.returncode == 1
    assert f"this shell runs inside lab {lab.name}" in up.stderr
    down = lab.exec("h1", *inside, "down", "--name", lab.name, check=False)
    assert down.returncode == 1
    assert "this command runs inside it" in down.stderr
    assert lab.status()["phase"] == "up"


def test_no_lab_is_up(lab: Lab) -> None:
    done = lab.exec("h1", "true", check=False)
    assert done.returncode == 1
    assert "way out:" in done.stderr


def test_second_command_on_the_same_lab_is_told_of_the_first(lab: Lab) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "lab", "up", "--name", lab.name, "--datapath", "linux-bridge"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    try:
        assert first.stderr is not None
        assert any("ping between all hosts" in line for line in first.stderr)
        first.send_signal(signal.SIGSTOP)  # However slow this machine is, the first is not done.
        second = lab.down(check=False)
    finally:
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate(timeout=60)
    assert first.returncode == 0, said
    assert second.returncode == 1
    assert f"lab {lab.name}: lab.up (pid {first.pid}) is at work on it" in second.stderr


def broken(tmp_path: Path) -> str:
    """A topology whose hosts should talk, for all the file can know, and do not: h2's subnet is too small."""
    links = "[{ends: [h1, s1], addresses: [10.0.0.9/24]}, {ends: [h2, s1], addresses: [10.0.0.2/30]}]"
    return topology_file(tmp_path, f"{HEAD}links: {links}")


def test_lab_that_does_not_work_is_undone(lab: Lab, tmp_path: Path) -> None:
    done = lab.up("--topology", broken(tmp_path), check=False)
    assert done.returncode == 1
    assert "ping h1 → h2 (10.0.0.2): 0 of 3 answers" in done.stderr
    assert lab.exec("h1", "true", check=False).returncode == 1


@pytest.mark.slow
def test_lab_that_does_not_work_is_kept_if_asked_for(lab: Lab, tmp_path: Path) -> None:
    assert lab.up("--topology", broken(tmp_path), "--keep", check=False).returncode == 1
    assert lab.exec("h1", "true").returncode == 0


def test_foreign_namespace_under_our_name_is_told(lab: Lab) -> None:
    # Somebody's namespace that looks like a leftover of this lab: it carries our tag, its name.
    netns.prepare_dir()  # So that the mount that iproute2 would make, and leave, is the lab's to take back.
    subprocess.run(["ip", "netns", "add", lab.netns("h1")], check=True)
    done = lab.up("--datapath", "linux-bridge", "--no-check")
    assert "has left things; removing them first" in done.stderr


def test_stranger_in_a_namespace_is_left_alone_and_named(lab: Lab) -> None:
    lab.up("--datapath", "linux-bridge", "--no-check")
    env = {name: value for name, value in os.environ.items() if name != "RINGSIDE_LAB"}
    ready = "echo ready; exec cat"
    stranger = subprocess.Popen(
        ["ip", "netns", "exec", lab.netns("h1"), "sh", "-c", ready],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip
    try:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "ready\n"
        done = lab.down()
        assert f"process {stranger.pid} (cat) is in it and is not the lab's: left alone" in done.stderr
        assert stranger.poll() is None
    finally:
        stranger.communicate("")
