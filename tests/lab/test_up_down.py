"""A lab comes up, works, and goes, on every datapath and shipped topology."""

import json
from pathlib import Path

import pytest

from lab.topology.load import shipped
from tests.integration import datapaths
from tests.lab.harness import Lab, run_lab, topology_file

pytestmark = [pytest.mark.root, pytest.mark.netns]


@pytest.mark.parametrize("datapath", datapaths.ALL)
@pytest.mark.parametrize("topology", [name for name in shipped() if name != "vlan"])
def test_shipped_topology_works(lab: Lab, topology: str, datapath: str) -> None:
    document = lab.up_document("--topology", topology, "--datapath", datapath)
    assert document["pings"]
    assert all(ping["received"] == ping["sent"] for ping in document["pings"])
    assert document["tcp"]["holds"] is True
    assert document["tcp"]["bits_per_second"] > 1e6
    mode = "kernel bridge" if datapath == "linux-bridge" else "native copy"
    ports = [end for link in document["links"] for end in link["ends"] if not end["node"].startswith("h")]
    assert [end["mode"] for end in ports] == [mode] * len(ports)


@pytest.mark.afxdp
def test_vlans_keep_apart_what_they_should(lab: Lab) -> None:
    document = lab.up_document("--topology", "vlan")
    talking = {(ping["source"], ping["target"]) for ping in document["pings"] if ping["received"]}
    assert talking == {("h1", "h3"), ("h2", "h4")}
    assert all(ping["holds"] for ping in document["pings"])
    assert len(document["pings"]) == 6


def test_vlans_on_a_bridge_work_or_the_kernel_is_named(lab: Lab) -> None:
    done = lab.up("--topology", "vlan", "--datapath", "linux-bridge", check=False)
    if done.returncode == 0:
        assert "isolated, as the VLANs want it" in done.stdout
    else:
        assert "links[0].vlan: this kernel's bridge knows no VLANs" in done.stderr
        assert "CONFIG_BRIDGE_VLAN_FILTERING" in done.stderr
        assert "way out: datapath: ringside" in done.stderr


def test_tables_and_figures_at_the_end(lab: Lab) -> None:
    done = lab.up("--datapath", "linux-bridge")
    assert "h1-s1  eth0 ─ h1" in done.stdout
    assert "h1 → h2" in done.stdout
    assert "Gbit/s over" in done.stdout or "Mbit/s over" in done.stdout
    assert "add node h1, h2, s1" in done.stderr, "progress goes to standard error"


def test_up_again_has_nothing_to_do(lab: Lab) -> None:
    lab.up("--datapath", "linux-bridge", "--no-check")
    assert "is up already; nothing to do" in lab.up("--datapath", "linux-bridge").stdout


def test_down_of_nothing_is_no_error(lab: Lab) -> None:
    assert "was not up" in lab.down().stdout


def test_two_labs_side_by_side_do_not_meet(lab: Lab) -> None:
    other = Lab(lab.name + "b")
    try:
        lab.up("--datapath", "linux-bridge", "--no-check")
        other.up("--datapath", "linux-bridge")
        assert run_lab("exec", "--name", lab.name, "h1", "--", "ping", "-c", "1", "10.0.0.2").returncode == 0
        wrong = run_lab("exec", "h1", "--", "true", check=False)
        assert wrong.returncode == 1
        assert "--name LAB says which" in wrong.stderr
        listed = json.loads(run_lab("list", "--json").stdout)["labs"]
        assert listed[lab.name] == listed[other.name] == "up"
    finally:
        other.down()
    assert lab.exec("h1", "ping", "-c", "1", "10.0.0.2").returncode == 0


def test_lab_whose_name_begins_like_anothers_is_not_taken_with_it(lab: Lab) -> None:
    longer = Lab(lab.name + "-s1")
    try:
        longer.up("--datapath", "linux-bridge", "--no-check")
        lab.up("--datapath", "linux-bridge", "--no-check")
        lab.down()
        assert longer.exec("h1", "ping", "-c", "1", "10.0.0.2").returncode == 0
    finally:
        longer.down()


def test_hosts_back_to_back(lab: Lab, tmp_path: Path) -> None:
    file = topology_file(tmp_path, "name: b2b\nhosts: {h1: , h2: }\nlinks: [{ends: [h1, h2]}]")
    document = lab.up_document("--topology", file)
    assert document["tcp"]["holds"] is True
    assert document["links"][0]["offload"] == "kernel's own"


@pytest.mark.parametrize("datapath", datapaths.ALL)
def test_switch_with_an_address_of_its_own(lab: Lab, tmp_path: Path, datapath: str) -> None:
    text = (
        "name: own\nhosts: {h1: {gateway: 10.0.0.254}}\n"
        f"switches: {{s1: {{datapath: {datapath}, addresses: [10.0.0.254/24]}}}}\nlinks: [{{ends: [h1, s1]}}]"
    )
    lab.up("--topology", topology_file(tmp_path, text))
    assert "3 received" in lab.exec("h1", "ping", "-c", "3", "-i", "0.02", "10.0.0.254").stdout
    # Under test.sanitize `ip` itself would end here: its own strncpy() copies a name onto itself.
    ip = ("env", "-u", "LD_PRELOAD", "ip")
    route = json.loads(lab.exec("h1", *ip, "-j", "route", "get", "192.0.2.1").stdout)
    assert route[0]["gateway"] == "10.0.0.254"


@pytest.mark.slow  # It waits for a connection that must not come about.
@pytest.mark.afxdp
def test_wrong_offload_policy_is_found_out_by_the_transfer(lab: Lab) -> None:
    lab.up("--no-check")
    for host in (
        "h1",
        "h2",
    ):  # Behind the lab's back: the switch goes on believing that checksums are finished.
        lab.exec(host, "ethtool", "-K", "eth0", "tx", "on")
    done = run_lab("verify", "--name", lab.name, check=False)
    assert done.returncode == 1
    assert "TCP h1 → h2: FAILED" in done.stdout
    assert "segments arrived with a wrong checksum: a link's offload policy is wrong" in done.stderr
    assert "complete, h1 tx on" in done.stdout
