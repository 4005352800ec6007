"""switchd carries packets between namespaces, and goes on while it is being changed."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, UDP
from scapy.utils import PcapNgReader

from tests.integration.switchd_support import RINGSIDE, Daemon, Room, afxdp, room, run, until

pytestmark = [pytest.mark.root, pytest.mark.netns, pytest.mark.afxdp]

Pair = tuple[Room, Daemon]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two hosts and a switch."""
    with room(tmp_path) as made:
        made.host(1)
        made.host(2)
        yield made, made.start([afxdp(1), afxdp(2)])


def balanced(daemon: Daemon) -> None:
    for name, port in daemon.call("stats")["ports"].items():
        assert port["balance"]["holds"], (name, port)
        assert port["balance"]["in"] == port["received"] + port["copies"]
        assert port["balance"]["out"] == port["sent"] + port["delivered"] + sum(port["drops"].values())


def test_a_ping_flood_loses_nothing_and_the_counters_balance(pair: Pair) -> None:
    net, daemon = pair
    assert net.ping(1, 2) == 1
    before = daemon.stats("h1"), daemon.stats("h2")
    assert net.ping(1, 2, 5000, flood=True) == 5000
    balanced(daemon)
    for was, name, other in ((before[0], "h1", "h2"), (before[1], "h2", "h1")):
        assert daemon.stats(name)["sent"] - was["sent"] >= 5000
        assert daemon.stats(other)["tx_packets"] >= 5000
        assert daemon.stats(name)["xdp"]["redirect"] >= 5000


TCP_SERVER = """
import socket, hashlib
s = socket.create_server(("10.9.0.2", 5001)); print("ready", flush=True)
c, _ = s.accept(); h = hashlib.sha256()
while d := c.recv(1 << 16): h.update(d)
print(h.hexdigest(), flush=True)
"""
TCP_CLIENT = """
import socket, hashlib, random
data = random.Random(1).randbytes(20_000_000); print(hashlib.sha256(data).hexdigest())
s = socket.create_connection(("10.9.0.2", 5001), timeout=20); s.sendall(data)
"""


def test_tcp_works_though_the_hosts_leave_checksums_unfinished(pair: Pair) -> None:
    net, daemon = pair
    offload = run(*net.inside("h1", "ethtool", "-k", "eth0")).stdout
    assert "tx-checksumming: on" in offload
    assert daemon.port("h1")["checksum"]["policy"] == "software"
    server = subprocess.Popen(
        net.inside("h2", "python3", "-c", TCP_SERVER), stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    sent = run(*net.inside("h1", "python3", "-c", TCP_CLIENT)).stdout.strip()
    out, _ = server.communicate(timeout=20)
    assert out.strip() == sent
    assert daemon.stats("h1")["checksums_completed"] > 1000
    balanced(daemon)


def test_adding_and_removing_a_port_disturbs_nobody(pair: Pair) -> None:
    net, daemon = pair
    net.host(3)
    net.ping(1, 2)
    flood = subprocess.Popen(
        net.inside("h1", "ping", "-q", "-f", "-c", "30000", "10.9.0.2"), stdout=subprocess.PIPE, text=True
    )
    changes = 0
    while flood.poll() is None or changes < 3:
        daemon.call("port.add", afxdp(3))
        daemon.call("port.del", {"name": "h3"})
        changes += 1
    assert flood.stdout is not None
    out = flood.stdout.read()
    assert "30000 packets transmitted, 30000 received" in out, out
    assert changes >= 3
    balanced(daemon)


def test_a_removed_ports_device_is_the_kernels_again(pair: Pair) -> None:
    net, daemon = pair
    net.ip("sw", "address", "add", "10.9.0.9/24", "dev", "h1")
    assert run(*net.inside("h1", "ping", "-c1", "-W1", "10.9.0.9"), check=False).returncode == 1
    daemon.command("port", "del", "h1")
    assert run(*net.inside("h1", "ping", "-c1", "-W5", "10.9.0.9")).returncode == 0
    assert "xdp" not in json.loads(net.ip("sw", "-j", "-d", "link", "show", "h1"))[0]


def test_vlan_and_checksum_change_in_place(pair: Pair) -> None:
    net, daemon = pair
    assert net.ping(1, 2) == 1
    result = daemon.call("apply", {"ports": [afxdp(1, vlan={"access": 10}), afxdp(2, checksum="complete")]})
    assert [(each["op"], each["port"], each["ok"]) for each in result["operations"]] == [
        ("set-vlan", "h1", True),
        ("set-checksum", "h2", True),
    ]
    assert daemon.port("h2")["checksum"] == {"policy": "complete", "why": "asked for"}
    assert net.ping(1, 2) == 0  # h2 is a trunk: it gets VLAN 10 tagged, and answers untagged
    daemon.call("apply", {"ports": [afxdp(1, vlan={"access": 10}), afxdp(2, vlan={"access": 10})]})
    assert net.ping(1, 2) == 1
    assert (
        daemon.call("apply", {"ports": [afxdp(1, vlan={"access": 10}), afxdp(2, vlan={"access": 10})]})[
            "operations"
        ]
        == []
    )
    balanced(daemon)


def test_rules_steer_and_are_counted(pair: Pair) -> None:
    net, daemon = pair
    assert net.ping(1, 2) == 1
    daemon.command("flow", "add", "priority=10,icmp,in_port=h1,actions=drop")
    assert net.ping(1, 2) == 0
    assert daemon.stats("h1")["drops"]["rule_drop"] >= 1
    listed = json.loads(daemon.command("flow", "list", "--json").stdout)
    assert [each["priority"] for each in listed] == [10, 0]
    assert listed[0]["packets"] >= 1
    daemon.command("flow", "del", "icmp")
    assert net.ping(1, 2) == 1
    bad = daemon.command("flow", "add", "priority=10,nw_dst=10.0.0.300,actions=drop", check=False)
    assert bad.returncode == 1
    assert "nw_dst" in bad.stderr


def test_learned_addresses_are_listed_and_forgotten(pair: Pair) -> None:
    net, daemon = pair
    net.ping(1, 2)
    mac = json.loads(net.ip("h1", "-j", "link", "show", "eth0"))[0]["address"]
    learned = {each["mac"]: each["port"] for each in json.loads(daemon.command("fdb", "--json").stdout)}
    assert learned[mac] == "h1"
    assert "forgotten" in daemon.command("fdb", "flush").stdout


def test_trace_tells_where_a_packet_would_go(pair: Pair) -> None:
    net, daemon = pair
    net.ping(1, 2)
    mac = json.loads(net.ip("h2", "-j", "link", "show", "eth0"))[0]["address"]
    words = daemon.command("trace", f"in_port=h1,icmp,dl_src=02:00:00:00:00:01,dl_dst={mac}").stdout
    assert words.splitlines()[-1] == "Datapath actions: 2"
    frame = f"{mac.replace(':', '')}0200000000010806" + "00" * 46
    answer = json.loads(daemon.command("trace", "--port", "h1", "--hex", frame, "--json").stdout)
    assert answer["text"].splitlines()[-1] == "Datapath actions: 2"


def test_a_capture_holds_both_directions_and_the_reason_of_a_drop(pair: Pair, tmp_path: Path) -> None:
    net, daemon = pair
    net.ping(1, 2)
    daemon.call("flow.add", {"rule": "priority=10,udp,actions=drop"})
    path = tmp_path / "h1.pcapng"
    capture = subprocess.Popen(
        [*run_words(daemon), "capture", "h1", "-w", str(path), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=daemon.environment,
    )
    assert capture.stderr is not None
    assert "capturing" in capture.stderr.readline()
    net.ping(1, 2, 3)
    udp = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('10.9.0.2', 9))"
    run(*net.inside("h1", "python3", "-c", udp))
    until(lambda: daemon.stats("h1")["drops"].get("rule_drop"), "the UDP packet is dropped")
    capture.terminate()
    out, _ = capture.communicate(timeout=10)
    packets = list(PcapNgReader(str(path)))
    assert json.loads(out)["packets"] == len(packets)
    assert json.loads(out)["lost"] == 0
    icmp = [each.direction for each in packets if each.haslayer(ICMP)]
    assert icmp.count(1) == icmp.count(2) == 3
    assert [each.comments for each in packets if each.haslayer(UDP)] == [[b"dropped: rule_drop"]]


def run_words(daemon: Daemon) -> list[str]:
    return [*RINGSIDE, "--socket", str(daemon.socket)]


def test_a_capture_ends_after_its_count_and_with_its_port(pair: Pair, tmp_path: Path) -> None:
    net, daemon = pair
    counted = subprocess.Popen(
        [*run_words(daemon), "capture", "h2", "-w", str(tmp_path / "c"), "-c", "4"], env=daemon.environment
    )
    endless = subprocess.Popen(
        [*run_words(daemon), "capture", "h2", "-w", str(tmp_path / "e")],
        stderr=subprocess.PIPE,
        text=True,
        env=daemon.environment,
    )
    while counted.poll() is None:
        net.ping(1, 2, 2)
    assert counted.returncode == 0
    assert len(list(PcapNgReader(str(tmp_path / "c")))) == 4
    daemon.command("port", "del", "h2")
    _, said = endless.communicate(timeout=10)
    assert "the port was removed" in said


def test_a_link_that_goes_down_is_seen(pair: Pair) -> None:
    net, daemon = pair
    assert net.ping(1, 2) == 1
    net.ip("h2", "link", "set", "eth0", "down")
    until(lambda: not daemon.port("h2")["up"], "h2 is down")
    net.ping(1, 2, 2)
    assert daemon.stats("h1")["drops"]["tx_down"] >= 1
    net.ip("h2", "link", "set", "eth0", "up")
    until(lambda: daemon.port("h2")["up"], "h2 is up")
    assert net.ping(1, 2) == 1
    balanced(daemon)


def test_a_changed_mtu_is_followed(pair: Pair) -> None:
    net, daemon = pair
    net.ip("sw", "link", "set", "h1", "mtu", "1400")
    until(lambda: daemon.port("h1")["mtu"] == 1400, "h1 has the new MTU")
    assert net.ping(1, 2) == 1
    assert daemon.port("h2")["mtu"] == 1500


def test_a_device_that_goes_and_comes_back_is_taken_again(pair: Pair) -> None:
    net, daemon = pair
    net.ip("sw", "link", "del", "h2")
    until(lambda: not daemon.port("h2")["up"], "h2 has gone")
    net.ip("h1", "link", "set", "eth0", "up")
    net.host(2)
    until(lambda: daemon.port("h2")["up"], "h2 is back")
    assert net.ping(1, 2) == 1
    balanced(daemon)


def test_a_port_that_waits_for_its_device_is_opened_when_it_comes(pair: Pair) -> None:
    net, daemon = pair
    result = daemon.call("apply", {"ports": [afxdp(1), afxdp(2), afxdp(3)]})
    assert not result["ok"]
    (failed,) = [each for each in result["operations"] if not each["ok"]]
    assert failed["error"]["field"] == "h3"
    (missing,) = daemon.call("show")["missing"]
    assert "no such device" in missing["error"]["message"]
    net.host(3)
    until(lambda: not daemon.call("show")["missing"], "h3 was opened")
    assert net.ping(1, 3) == 1


def test_the_internal_port_is_the_switchs_own_interface(pair: Pair) -> None:
    net, daemon = pair
    daemon.command("port", "add", "s1", "--type", "internal")
    link = json.loads(net.ip("sw", "-j", "link", "show", "s1"))[0]
    assert link["ifalias"] == "ringside"
    net.ip("sw", "address", "add", "10.9.0.254/24", "dev", "s1")
    assert run(*net.inside("h1", "ping", "-q", "-c3", "-W2", "10.9.0.254")).returncode == 0
    assert daemon.stats("h1")["delivered"] >= 3
    balanced(daemon)
    daemon.command("port", "del", "s1")
    assert "s1" not in net.devices()


def test_generic_mode_carries_packets_too(tmp_path: Path) -> None:
    with room(tmp_path) as net:
        net.host(1)
        net.host(2)
        daemon = net.start([afxdp(1, mode="generic"), afxdp(2, mode="native")])
        assert (daemon.port("h1")["xdp_mode"], daemon.port("h2")["xdp_mode"]) == ("generic", "native")
        assert net.ping(1, 2, 200, flood=True) == 200
        balanced(daemon)


def test_watching_shows_rates(pair: Pair) -> None:
    _, daemon = pair
    words = ("stats", "--watch", "0.2", "--count", "2", "--json")
    lines = daemon.command(*words).stdout.splitlines()
    assert [set(json.loads(line)["rates"]) for line in lines] == [{"h1", "h2"}] * 2
    assert "rx pps" in daemon.command("stats", "--watch", "0.1", "--count", "1").stdout
    table = daemon.command("stats").stdout
    assert "ok" in table
    assert "pmd:" in table
