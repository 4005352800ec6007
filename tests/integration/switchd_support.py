"""What the tests of switchd share: a room of network namespaces of its own, the daemon in it, and its
command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from lab.host.netns import prepare_dir, release_dir
from switch.cli.client import Client

ROOT = Path(__file__).resolve().parents[2]
RINGSIDE = [sys.executable, "-m", "switch.cli"]
_rooms = count()


def run(*words: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """A command; its output is text. Fails the test with its error output."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout)
    said = f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
    assert not check or done.returncode == 0, said
    return done


def until(condition: Callable[[], Any], what: str, seconds: float = 10) -> Any:
    """Waits for something to become true; its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)
    return value


@dataclass
class Daemon:
    """A running switchd and its socket."""

    process: subprocess.Popen[str]
    socket: Path
    log: Path
    environment: dict[str, str]

    def call(self, verb: str, args: object = None) -> Any:
        """A verb through the socket."""
        with Client(self.socket) as client:
            return client.call(verb, args)

    def port(self, name: str) -> dict[str, Any]:
        """What `show` tells of a port."""
        found: dict[str, Any] = next(each for each in self.call("port.list") if each["name"] == name)
        return found

    def stats(self, name: str) -> dict[str, Any]:
        """A port's counters."""
        counters: dict[str, Any] = self.call("stats")["ports"][name]
        return counters

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`ringside` as a person types it."""
        done = subprocess.run(
            [*RINGSIDE, "--socket", str(self.socket), *words],
            capture_output=True,
            text=True,
            timeout=30,
            env=self.environment,
            cwd=ROOT,
        )
        assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def xdp_links(self) -> set[int]:
        """Numbers of the BPF links that the daemon holds."""
        infos = Path(f"/proc/{self.process.pid}/fdinfo").iterdir()
        lines = [line.split() for path in infos for line in path.read_text().splitlines()]
        return {int(words[1]) for words in lines if words[:1] == ["link_id:"]}

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends the daemon; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(20)


def links_left(numbers: set[int]) -> set[int]:
    """Those of the BPF links that are still there."""
    return numbers & {link["id"] for link in json.loads(run("bpftool", "-j", "link", "show").stdout)}


@dataclass
class Room:
    """Namespaces with a name of their own: one for the switch, one for each host. `close()` removes them."""

    folder: Path
    name: str = field(default_factory=lambda: f"rst{os.getpid()}-{next(_rooms)}")
    nodes: list[str] = field(default_factory=list)
    daemons: list[Daemon] = field(default_factory=list)

    def netns(self, node: str) -> str:
        """The namespace of a node; made when it is first asked for."""
        name = f"{self.name}-{node}"
        if node not in self.nodes:
            prepare_dir()  # What iproute2 would make of /run/netns by itself, it would leave.
            run("ip", "netns", "add", name)
            self.nodes.append(node)
            run("ip", "-n", name, "link", "set", "lo", "up")
        return name

    def ip(self, node: str, *words: str) -> str:
        """`ip` in the namespace of a node."""
        return run("ip", "-n", self.netns(node), *words).stdout

    def inside(self, node: str, *words: str) -> list[str]:
        """The words that run a command in the namespace of a node."""
        return ["ip", "netns", "exec", self.netns(node), *words]

    def host(self, number: int, mtu: int = 1500) -> str:
        """A host hN with address 10.9.0.N on eth0; its link's other end is the device hN of the switch."""
        host, switch = f"h{number}", self.netns("sw")
        veth = ["mtu", str(mtu), "type", "veth", "peer", "name", "eth0", "mtu", str(mtu)]
        # Router solicitations would come and go among the packets that a test counts.
        run(*self.inside(host, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"))
        run("ip", "-n", switch, "link", "add", "name", host, *veth, "netns", self.netns(host))
        self.ip("sw", "link", "set", host, "up")
        self.ip(host, "address", "add", f"10.9.0.{number}/24", "dev", "eth0")
        self.ip(host, "link", "set", "eth0", "up")
        return host

    def devices(self) -> set[str]:
        """Names of the devices in the switch's namespace."""
        return {link["ifname"] for link in json.loads(self.ip("sw", "-j", "link", "show"))}

    def ping(self, source: int, target: int, packets: int = 1, flood: bool = False) -> int:
        """Pings; how many answers came."""
        words = ["ping", "-q", "-c", str(packets), "-W", "2", f"10.9.0.{target}"]
        done = run(*self.inside(f"h{source}", *words, *(["-f"] if flood else [])), check=False)
        return int(done.stdout.split("transmitted, ")[1].split()[0])

    def environment(self) -> dict[str, str]:
        """Environment with a run directory of our own."""
        kept = {key: value for key, value in os.environ.items() if key != "RINGSIDE_SOCKET"}
        return {**kept, "RINGSIDE_RUNDIR": str(self.folder / "run"), "PYTHONPATH": str(ROOT)}

    def launch(
        self, ports: list[dict[str, Any]], *prefix: str, name: str = "s1", **more: Any
    ) -> tuple[subprocess.Popen[str], int, Path]:
        """Starts a switchd; the process, the descriptor on which it says READY, its log."""
        config, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        config.write_text(json.dumps({"name": name, "ports": ports, **more}))
        ready, told = os.pipe()
        words = [*RINGSIDE, "switchd", "--config", str(config), "--ready-fd", str(told)]
        with log.open("a") as output:
            process = subprocess.Popen(
                self.inside("sw", *prefix, *words),
                pass_fds=[told],
                stdout=output,
                stderr=output,
                text=True,
                env=self.environment(),
                cwd=ROOT,
            )
        os.close(told)
        return process, ready, log

    def start(self, ports: list[dict[str, Any]], name: str = "s1", **more: Any) -> Daemon:
        """Starts a switchd and waits until it is ready."""
        process, ready, log = self.launch(ports, name=name, **more)
        with os.fdopen(ready) as pipe:
            told = pipe.read()
        daemon = Daemon(process, self.folder / "run" / f"{name}.sock", log, self.environment())
        self.daemons.append(daemon)
        assert told == "READY\n", log.read_text()
        return daemon

    def refuse(self, ports: list[dict[str, Any]], *prefix: str, **more: Any) -> str:
        """Starts a switchd that must fail with exit code 1 and leave nothing; what it said."""
        devices = self.devices()
        process, ready, log = self.launch(ports, *prefix, **more)
        with os.fdopen(ready) as pipe:
            told = pipe.read()
        if told:
            process.terminate()
        assert process.wait(20) == 1, log.read_text()
        assert told == "", log.read_text()
        assert self.devices() == devices
        links = json.loads(self.ip("sw", "-j", "-d", "link", "show"))
        ours = [link["ifname"] for link in links if "rs_" in str(link.get("xdp", ""))]
        assert ours == []
        assert not any((self.folder / "run").glob("*")) if (self.folder / "run").exists() else True
        return log.read_text()

    def close(self) -> None:
        """Ends what runs and removes the namespaces."""
        for daemon in self.daemons:
            daemon.end(signal.SIGKILL)
        for node in self.nodes:
            run("ip", "netns", "del", f"{self.name}-{node}", check=False)
        release_dir()


@contextmanager
def room(folder: Path) -> Iterator[Room]:
    """A room that is gone afterwards."""
    made = Room(folder)
    try:
        yield made
    finally:
        made.close()


def afxdp(number: int, **more: Any) -> dict[str, Any]:
    """The desired state of the port of host hN."""
    return {"name": f"h{number}", "ofport": number, **more}
