"""Open vSwitch as oracle: its userspace datapath with dummy ports, in a private directory, no kernel
devices.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
SBIN = "/usr/sbin:/sbin"
BRIDGE = "br0"


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=SBIN)
    assert found, f"{name} is not installed"
    return found


class Unixctl:
    """A connection to a daemon's control socket (JSON-RPC), kept open: a call takes a fraction of
    ovs-appctl's time.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.settimeout(20)
        self._decoder = json.JSONDecoder()
        self._pending = ""

    def close(self) -> None:
        self._socket.close()

    def set_timeout(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def call(self, method: str, *params: str) -> str:
        request = {"id": 0, "method": method, "params": list(params)}
        self._socket.sendall(json.dumps(request).encode())
        while True:
            try:
                reply, end = self._decoder.raw_decode(self._pending)
            except ValueError:
                data = self._socket.recv(65536)
                assert data, "the daemon closed the connection"
                self._pending += data.decode()
                continue
            self._pending = self._pending[end:]
            assert reply["error"] is None, reply["error"]
            return str(reply["result"])


@dataclass(frozen=True)
class Ovs:
    """A bridge br0 with dummy ports h1, h2 … whose OpenFlow numbers are 1, 2 …"""

    run: Path
    control: Unixctl
    n_ports: int

    def _tool(self, name: str, *words: str) -> str:
        done = subprocess.run(
            [tool(name), *words], env=environment(self.run), capture_output=True, text=True, check=True
        )
        return done.stdout

    def vsctl(self, *words: str) -> None:
        self._tool("ovs-vsctl", f"--db=unix:{self.run}/db.sock", *words)

    def limit_vlans(self, count: int) -> None:
        """How many VLAN tags it looks behind. Ours: two."""
        self.vsctl("set", "Open_vSwitch", ".", f"other_config:vlan-limit={count}")

    def replace_flows(self, rules: Sequence[str]) -> None:
        (self.run / "flows.txt").write_text("\n".join(rules) + "\n")
        mgmt = f"unix:{self.run}/{BRIDGE}.mgmt"
        self._tool("ovs-ofctl", "replace-flows", mgmt, f"{self.run}/flows.txt")

    def ofctl(self, verb: str, *words: str) -> str:
        """ovs-ofctl with OpenFlow 1.5, on the bridge."""
        mgmt = f"unix:{self.run}/{BRIDGE}.mgmt"
        return self._tool("ovs-ofctl", "-O", "OpenFlow15", "--bundle", verb, mgmt, *words)

    def refusal(self, verb: str, *words: str) -> str:
        """What ovs-ofctl says to a request that is refused; empty if it is not."""
        mgmt = f"unix:{self.run}/{BRIDGE}.mgmt"
        command = [tool("ovs-ofctl"), "-O", "OpenFlow15", verb, mgmt, *words]
        done = subprocess.run(command, env=environment(self.run), capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else ""

    def add_tlv_map(self, mapping: str) -> None:
        self._tool("ovs-ofctl", "add-tlv-map", f"unix:{self.run}/{BRIDGE}.mgmt", mapping)

    def load_flows(self, rules: Sequence[str]) -> None:
        """Adds rules, all at once."""
        (self.run / "flows.txt").write_text("\n".join(rules) + "\n")
        self.ofctl("add-flows", f"{self.run}/flows.txt")

    def nxm(self, verb: str, *words: str) -> str:
        """ovs-ofctl with the matches of before OpenFlow 1.2, which carry all that it says of VLAN tags."""
        mgmt = f"unix:{self.run}/{BRIDGE}.mgmt"
        return self._tool("ovs-ofctl", "-F", "nxm", verb, mgmt, *words)

    def matches_as_dumped(self, texts: Sequence[str]) -> list[str]:
        """What dump-flows prints for rules with these matches and priorities 1, 2 …; "" for one not there."""
        lines = [
            ",".join(filter(None, (f"priority={i}", text, "actions=drop"))) for i, text in enumerate(texts, 1)
        ]
        (self.run / "flows.txt").write_text("\n".join(lines) + "\n")
        self.nxm("del-flows")
        self.nxm("add-flows", f"{self.run}/flows.txt")
        found: dict[int, str] = {}
        for line in self.nxm("dump-flows", "--no-stats", "--no-names").splitlines():
            if priority := re.search(r"priority=(\d+)", line):
                found[int(priority[1])] = line.strip().removesuffix(" actions=drop")
        return [found.get(i, "") for i in range(1, len(texts) + 1)]

    def add_ports(self, first: int, last: int) -> None:
        """More dummy ports, without captures of what they send."""
        words: list[str] = []
        for port in range(first, last + 1):
            name = f"h{port}"
            interface = ["set", "interface", name, "type=dummy", f"ofport_request={port}"]
            words += ["--", "add-port", BRIDGE, name, "--", *interface]
        self.vsctl(*words[1:])

    def trace(self, flow: str, ct_states: Sequence[str] = ()) -> str:
        """ofproto/trace of a packet written as a flow."""
        states = [word for state in ct_states for word in ("--ct-next", state)]
        return self.control.call("ofproto/trace", *states, BRIDGE, flow)

    def dump_flows(self, version: str = "OpenFlow15") -> set[str]:
        """Its rules as a version of OpenFlow has them, without statistics."""
        mgmt = f"unix:{self.run}/{BRIDGE}.mgmt"
        words = ("-O", version, "--no-stats", "--no-names", "dump-flows", mgmt)
        return {line.strip() for line in self._tool("ovs-ofctl", *words).splitlines()}

    def datapath_ports(self) -> dict[int, int]:
        """OpenFlow port of each datapath port; the bridge's own is 0 in both of ours."""
        shown = self.control.call("dpif/show")
        pairs = re.findall(r"^ +(\S+) (\d+)/(\d+): ", shown, re.MULTILINE)
        return {int(datapath): int(ofport) for _, ofport, datapath in pairs}

    def key_text(self, frame: bytes, in_port: int = 1) -> str:
        """The flow that OVS extracts from a frame, as ofproto/trace prints it."""
        lines = self.control.call("ofproto/trace", BRIDGE, f"in_port={in_port}", frame.hex()).splitlines()
        return next(line for line in lines if line.startswith("Flow: ")).removeprefix("Flow: ")

    def forget_addresses(self) -> None:
        self.control.call("fdb/flush", BRIDGE)

    def exchange(self, ofport: int, frame: bytes) -> dict[int, list[bytes]]:
        """What leaves when a frame comes in on a port, by port."""
        before = {port: self._pcap_size(port) for port in range(1, self.n_ports + 1)}
        self.control.call("revalidator/purge")  # Its cached flows may be stale for a while after a change.
        looked_up = self._lookups()
        self.control.call("netdev-dummy/receive", f"h{ofport}", frame.hex())
        while self._lookups() == looked_up:  # The daemon's main loop takes it when it comes round.
            pass
        sent = {port: self._sent(port, size) for port, size in before.items()}
        return {port: frames for port, frames in sent.items() if frames}

    def execute(self, key: str, actions: str, frame: bytes) -> dict[int, list[bytes]]:
        """What leaves when a frame of port 1 that this datapath key matches meets these datapath actions.

        Revalidators would take the flow back: they must be paused ("revalidator/pause").
        """
        datapath = "dummy@ovs-dummy"
        self.control.call("dpctl/del-flows", datapath)
        self.control.call("dpctl/add-flow", datapath, key, actions)
        before = {port: self._pcap_size(port) for port in range(1, self.n_ports + 1)}
        looked_up, missed = self._lookups(), self._missed()
        self.control.call("netdev-dummy/receive", "h1", frame.hex())
        give_up = time.monotonic() + 20
        while self._lookups() == looked_up:
            assert time.monotonic() < give_up, f"it never looked at {frame.hex()} ({key}, {actions})"
        sent = {port: self._sent(port, size) for port, size in before.items()}
        assert self._missed() == missed, f"{key} does not match {frame.hex()}"
        return {port: frames for port, frames in sent.items() if frames}

    def _missed(self) -> int:
        return int(re.findall(r"missed:(\d+)", self.control.call("dpctl/show", "dummy@ovs-dummy"))[0])

    def _lookups(self) -> int:
        """Packets looked up so far. One thread does that and answers us: what is counted has been sent."""
        hit, missed = re.findall(r"(?:hit|missed):(\d+)", self.control.call("dpctl/show", "dummy@ovs-dummy"))[
            :2
        ]
        return int(hit) + int(missed)

    def _pcap(self, port: int) -> Path:
        return self.run / f"h{port}.pcap"

    def _pcap_size(self, port: int) -> int:
        return self._pcap(port).stat().st_size

    def _sent(self, port: int, since: int) -> list[bytes]:
        with self._pcap(port).open("rb") as file:
            file.seek(since)
            data = file.read()
        frames, at = [], 0
        while at < len(data):
            length = struct.unpack_from("=IIII", data, at)[2]
            frames.append(data[at + 16 : at + 16 + length])
            at += 16 + length
        return frames


def environment(run: Path) -> dict[str, str]:
    directories = ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")
    return {**os.environ, **dict.fromkeys(directories, str(run))}


def _daemon(stack: ExitStack, run: Path, name: str, *words: str) -> None:
    """Starts a daemon that says when it is ready (--detach returns then); it is stopped at the end."""
    pidfile = run / f"{name}.pid"
    command = [tool(name), "--detach", f"--pidfile={pidfile}", f"--log-file={run}/{name}.log"]
    control = run / f"{name}.ctl"
    subprocess.run(
        [*command, f"--unixctl={control}", *words], env=environment(run), check=True, capture_output=True
    )
    stack.callback(_end, run, int(pidfile.read_text()), control)


EXIT_TAKES = 3.0  # seconds, at most: it was seen to wait for its own revalidator for ever


def _end(run: Path, pid: int, control: Path) -> None:
    """Asks a daemon to exit, and ends it if it does not."""
    appctl = [tool("ovs-appctl"), "--timeout=3", "-t", str(control), "exit"]
    subprocess.run(appctl, env=environment(run), check=False, capture_output=True)
    try:
        daemon = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        gone, _, _ = select.select([daemon], [], [], EXIT_TAKES)
        if not gone:
            signal.pidfd_send_signal(daemon, signal.SIGKILL)
            select.select([daemon], [], [])
    finally:
        os.close(daemon)


@contextmanager
def open_vswitch(run: Path, n_ports: int) -> Iterator[Ovs]:
    """A running Open vSwitch whose files are all in `run`."""
    with ExitStack() as stack:
        subprocess.run([tool("ovsdb-tool"), "create", f"{run}/conf.db", str(SCHEMA)], check=True)
        _daemon(stack, run, "ovsdb-server", f"--remote=punix:{run}/db.sock", f"{run}/conf.db")
        subprocess.run([tool("ovs-vsctl"), f"--db=unix:{run}/db.sock", "--no-wait", "init"], check=True)
        _daemon(
            stack, run, "ovs-vswitchd", "--enable-dummy=override", "--disable-system", f"unix:{run}/db.sock"
        )
        control = Unixctl(run / "ovs-vswitchd.ctl")
        stack.callback(control.close)
        ovs = Ovs(run, control, n_ports)
        ovs.limit_vlans(2)
        ovs.vsctl("add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=dummy", "fail-mode=secure")
        for port in range(1, n_ports + 1):
            name = f"h{port}"
            interface = ["set", "interface", name, "type=dummy", f"ofport_request={port}"]
            ovs.vsctl("add-port", BRIDGE, name, "--", *interface, f"options:tx_pcap={run}/{name}.pcap")
        yield ovs
