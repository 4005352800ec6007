"""After `kill -9` of anything, at any moment, `lab.down` leaves the host as it was."""

import random
import signal
import subprocess
import sys

import pytest

from tests.integration import datapaths
from tests.lab.harness import Lab, environment, host_state

pytestmark = [pytest.mark.root, pytest.mark.netns]

KILLS = 6


def start_up(lab: Lab, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab", "up", "--name", lab.name, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True,
    )  # fmt: skip


def seconds_of_up(lab: Lab, *words: str) -> float:
    """How long a bring-up takes now, so that kills fall into all of it."""
    seconds: float = lab.up_document(*words)["seconds"]
    lab.down()
    return seconds + 0.7  # The interpreter and its imports, before the lab's own clock starts.


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda sign: sign.name)
@pytest.mark.parametrize("datapath", datapaths.ALL)
def test_up_stopped_at_random_moments(lab: Lab, datapath: str, sign: signal.Signals) -> None:
    before = host_state(lab.name)
    words = ("--topology", "chain", "--datapath", datapath)
    longest = seconds_of_up(lab, *words)
    chance = random.Random(f"{datapath} {sign}")
    for _ in range(KILLS):
        moment = chance.uniform(0.3, longest)
        up = start_up(lab, *words)
        try:
            up.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            up.send_signal(sign)
        _, said = up.communicate(timeout=60)
        if "what was made has been undone" not in said:  # Killed, or stopped before or after its work.
            assert up.returncode in (0, -sign, 130), said
            lab.down()
        assert host_state(lab.name) == before, f"after {moment:.3f} s of {longest:.3f} s; {said}"


@pytest.mark.parametrize("line", ["add node", "add link", "start switch", "forwards", "ping between"])
@pytest.mark.parametrize("datapath", datapaths.ALL)
def test_up_killed_at_each_step(lab: Lab, datapath: str, line: str) -> None:
    before = host_state(lab.name)
    up = start_up(lab, "--datapath", datapath)
    assert up.stderr is not None
    assert any(line in said for said in up.stderr)
    up.kill()
    up.communicate()
    lab.down()
    assert host_state(lab.name) == before


@pytest.mark.parametrize("line", ["add link", "ping between"])
def test_up_after_a_killed_up_cleans_first(lab: Lab, line: str) -> None:
    up = start_up(lab, "--datapath", "linux-bridge")
    assert up.stderr is not None
    assert any(line in said for said in up.stderr)
    up.kill()
    up.communicate()
    done = lab.up("--datapath", "linux-bridge")
    assert "a lab.up that did not end has left things; removing them first" in done.stderr
    assert "Gbit/s" in done.stdout or "Mbit/s" in done.stdout


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=lambda sign: sign.name)
def test_up_that_is_stopped_undoes_what_it_made(lab: Lab, sign: signal.Signals) -> None:
    before = host_state(lab.name)
    up = start_up(lab, "--datapath", "linux-bridge")
    assert up.stderr is not None
    assert any("ping between" in said for said in up.stderr)
    up.send_signal(sign)
    _, said = up.communicate(timeout=30)
    assert up.returncode == 128 + sign
    assert "what was made has been undone" in said
    assert host_state(lab.name) == before


@pytest.mark.afxdp
def test_switchd_killed(lab: Lab) -> None:
    before = host_state(lab.name)
    lab.up("--no-check")
    switch = next(node for node in lab.status()["nodes"] if node["name"] == "s1")
    subprocess.run(["kill", "-9", str(switch["processes"][0]["pid"])], check=True)
    assert [node["alive"] for node in lab.status()["nodes"]] == [True, True, False]
    lab.down()
    assert host_state(lab.name) == before


@pytest.mark.afxdp
def test_switchd_killed_is_started_again_by_up(lab: Lab) -> None:
    lab.up("--no-check")
    switch = next(node for node in lab.status()["nodes"] if node["name"] == "s1")
    subprocess.run(["kill", "-9", str(switch["processes"][0]["pid"])], check=True)
    document = lab.up_document()
    assert document["changed"] == ["stop switch s1", "start switch s1"]
    assert document["tcp"]["holds"] is True


@pytest.mark.parametrize("datapath", datapaths.ALL)
def test_process_of_a_host_killed_or_left_running(lab: Lab, datapath: str) -> None:
    before = host_state(lab.name)
    lab.up("--datapath", datapath, "--no-check")
    killed, left = (lab.background(node, "sh", "-c", "echo ready; exec sleep 1000") for node in ("h1", "h2"))
    for one in (killed, left):
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    killed.kill()
    killed.communicate()
    lab.down()
    assert left.wait(timeout=10) == -signal.SIGTERM
    assert left.stdout is not None
    left.stdout.close()
    assert host_state(lab.name) == before


def test_down_without_any_state_finds_things_by_their_tag(lab: Lab) -> None:
    before = host_state(lab.name)
    lab.up("--datapath", "linux-bridge", "--no-check")
    sleeper = lab.background("h1", "sh", "-c", "echo ready; exec sleep 1000")
    assert sleeper.stdout is not None
    assert sleeper.stdout.readline() == "ready\n"
    for file in lab.folder.iterdir():
        file.unlink()
    lab.folder.rmdir()
    lab.down()
    sleeper.communicate(timeout=10)
    assert host_state(lab.name) == before


def test_down_killed_half_way_is_finished_by_the_next(lab: Lab) -> None:
    before = host_state(lab.name)
    lab.up("--datapath", "linux-bridge", "--no-check")
    down = subprocess.Popen(
        [sys.executable, "-m", "lab", "down", "--name", lab.name],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    assert down.stderr is not None
    assert any("remove rs-" in said for said in down.stderr)
    down.kill()
    down.communicate()
    lab.down()
    assert host_state(lab.name) == before
