"""`lab.up` on a running lab applies the difference, and only that."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.host import netns
from tests.integration import datapaths
from tests.lab.harness import Lab, topology_file

pytestmark = [pytest.mark.root, pytest.mark.netns]

Up = Callable[..., None]
RINGSIDE_ONLY = [pytest.param("ringside", marks=pytest.mark.afxdp)]


@pytest.fixture
def up(lab: Lab, tmp_path: Path, datapath: str) -> Up:
    """Brings the lab up with hosts h1 … hN on one switch; `h2="mtu: 1400"` is for h2's link."""

    def bring(hosts: int, **extra: str) -> None:
        names = [f"h{number}" for number in range(1, hosts + 1)]
        links = "".join(f"  - {{ends: [{name}, s1], {extra.get(name, '')}}}\n" for name in names)
        nodes = ", ".join(f"{name}: " for name in names)
        text = f"name: t\nhosts: {{{nodes}}}\nswitches: {{s1: {{datapath: {datapath}}}}}\nlinks:\n{links}"
        lab.up("--topology", topology_file(tmp_path, text), "--no-check")

    return bring


@pytest.fixture(params=datapaths.ALL)
def datapath(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def talks(lab: Lab, source: str, address: str, *words: str) -> bool:
    # Three seconds: longer than a host waits between two ARP requests, if one has gone unanswered before.
    done = lab.exec(source, "ping", "-c", "2", "-i", "0.02", "-W", "3", *words, address, check=False)
    return "2 received" in done.stdout


def inode(lab: Lab, node: str) -> int:
    return netns.path_of(lab.netns(node)).stat().st_ino


def test_host_is_added_and_removed(lab: Lab, up: Up) -> None:
    up(2)
    before = inode(lab, "h1"), inode(lab, "s1")
    up(3)
    assert talks(lab, "h1", "10.0.0.3")
    up(2)
    assert not netns.exists(lab.netns("h3"))
    assert talks(lab, "h1", "10.0.0.2")
    assert before == (inode(lab, "h1"), inode(lab, "s1"))


def test_addresses_change(lab: Lab, up: Up) -> None:
    up(2)
    up(2, h2="addresses: [10.0.0.77/24, 'fd00::77/64']")
    assert talks(lab, "h1", "10.0.0.77")
    assert talks(lab, "h1", "fd00::77")
    shown = lab.exec("h2", "ip", "-br", "address", "show", "dev", "eth0").stdout
    assert "10.0.0.2/" not in shown


def test_mtu_changes(lab: Lab, up: Up) -> None:
    up(2)
    up(2, h1="mtu: 2000", h2="mtu: 2000")
    assert talks(lab, "h1", "10.0.0.2", "-M", "do", "-s", "1972")
    assert not talks(lab, "h1", "10.0.0.2", "-M", "do", "-s", "1973")


def test_queues_change_with_a_new_device(lab: Lab, up: Up) -> None:
    up(2)
    up(2, h2="queues: 2")
    shown = json.loads(lab.exec("h2", "ip", "-j", "-d", "link", "show", "dev", "eth0").stdout)
    assert shown[0]["num_rx_queues"] == 2
    assert talks(lab, "h1", "10.0.0.2")


@pytest.mark.parametrize("datapath", RINGSIDE_ONLY)
def test_vlan_changes_without_disturbing_the_switch(lab: Lab, up: Up) -> None:
    up(2)
    pids = [one["pid"] for node in lab.status()["nodes"] for one in node["processes"]]
    up(2, h1="vlan: 10", h2="vlan: 20")
    assert not talks(lab, "h1", "10.0.0.2")
    up(2, h1="vlan: 20", h2="vlan: 20")
    assert talks(lab, "h1", "10.0.0.2")
    assert pids == [one["pid"] for node in lab.status()["nodes"] for one in node["processes"]]


@pytest.mark.parametrize("datapath", RINGSIDE_ONLY)
def test_offload_policy_changes_and_the_features_come_back(lab: Lab, up: Up) -> None:
    def features() -> dict[str, bool]:
        shown = json.loads(lab.exec("h2", "ethtool", "--json", "-k", "eth0").stdout)[0]
        return {name: one["active"] for name, one in shown.items() if isinstance(one, dict)}

    up(2)
    assert features()["tx-checksum-ip-generic"] is False
    up(2, h2="offload: software")
    assert features()["tx-checksum-ip-generic"] is True
    assert features()["tx-vlan-offload"] is False
    assert lab.status()["links"][1]["offload"] == "software, h2 tx on"
    # The default topology again, and with it the default policy.
    assert lab.up_document()["tcp"]["holds"] is True
    assert features()["tx-checksum-ip-generic"] is False


@pytest.mark.afxdp
@pytest.mark.parametrize("datapath", ["ringside"])
def test_datapath_changes_and_the_offloads_follow(lab: Lab, datapath: str) -> None:
    lab.up("--datapath", "ringside", "--no-check")
    document = lab.up_document("--datapath", "linux-bridge")
    assert document["changed"] == ["stop switch s1", "change link h1-s1, h2-s1", "start switch s1"]
    assert document["tcp"]["holds"] is True
    shown = json.loads(lab.exec("h1", "ethtool", "--json", "-k", "eth0").stdout)[0]
    assert shown["tx-checksum-ip-generic"]["active"] is True
    back = lab.up_document("--datapath", "ringside")
    assert back["tcp"]["holds"] is True


def test_device_that_was_deleted_is_made_again(lab: Lab, up: Up) -> None:
    up(2)
    lab.exec("h2", "ip", "link", "del", "eth0")
    up(2)
    assert talks(lab, "h1", "10.0.0.2")


def test_change_that_fails_is_taken_back(lab: Lab, up: Up, tmp_path: Path, datapath: str) -> None:
    up(2)
    # An address that the kernel refuses where the file cannot know better: the gateway is on no subnet of the
    # host's.
    text = (
        "name: t\nhosts: {h1: , h2: , h3: {gateway: 192.0.2.1}}\n"
        f"switches: {{s1: {{datapath: {datapath}}}}}\n"
        "links: [{ends: [h1, s1]}, {ends: [h2, s1], mtu: 1400}, {ends: [h3, s1]}]"
    )
    done = lab.up("--topology", topology_file(tmp_path, text), "--no-check", check=False)
    assert done.returncode == 1
    assert "gateway 192.0.2.1" in done.stderr
    assert not netns.exists(lab.netns("h3"))
    assert lab.status()["phase"] == "up"
    assert lab.status()["links"][1]["mtu"] == 1500
    assert talks(lab, "h1", "10.0.0.2", "-M", "do", "-s", "1472")
