"""Open vSwitch with its userspace datapath on AF_XDP (`type=afxdp`): the peer, where Debian's package is
installed.

It is started by hand and not as a service: its own database, its own run directory in our private /run,
inside the room. A host's own Open vSwitch notices nothing.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from lab.bench.dut_base import DutCounters
from lab.bench.rooms import IN, OUT, Room
from lab.errors import CommandError, LabError, Problem, UnsupportedError
from lab.host import command
from lab.traffic import child

PROGRAMS = ("ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl")
SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
READY_TIMEOUT = 20.0


class OvsAfxdp:
    """ovs-vswitchd and ovsdb-server with one bridge, two afxdp ports and one rule."""

    far_end: str | None = None

    def __init__(self, name: str, title: str, rule: str, *, learns: bool) -> None:
        self.name = name
        self.title = title
        self.learns = learns
        self._rule = rule
        self._env: dict[str, str] = {}
        self._switch: child.Child | None = None
        self._pmd: int | None = None
        self._version = ""

    @property
    def settings(self) -> Mapping[str, object]:
        """Its version and rule."""
        return {"peer": True, "version": self._version, "rule": self._rule, "xdp-mode": "native"}

    def start(self, room: Room, cpu: int, stack: ExitStack) -> None:
        """Starts database and switch, adds bridge, ports and rule. Raises LabError."""
        _require()
        home = Path("/run") / self.name
        home.mkdir()
        places = {name: str(home) for name in ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")}
        self._env = {**places, "OVS_PKGDATADIR": str(SCHEMA.parent)}
        self._version = command.run(["ovs-vswitchd", "--version"]).stdout.splitlines()[0]
        with room.entered(room.inside):
            self._start_daemons(home, cpu, stack)
            self._configure(cpu)
        self._pmd = child.thread_named(self._running.pid, "pmd-")

    def _start_daemons(self, home: Path, cpu: int, stack: ExitStack) -> None:
        database, server = home / "conf.db", f"unix:{home}/db.sock"
        command.run(["ovsdb-tool", "create", str(database), str(SCHEMA)])
        words = ["ovsdb-server", str(database), f"--remote=p{server}", "--no-chdir"]
        ovsdb = child.start(words, name=f"{self.name}-db", cpus=[cpu], env=self._env)
        stack.callback(ovsdb.end)
        _wait_for(home / "db.sock", ovsdb)
        self._vsctl("--no-wait", "init")
        self._switch = child.start(["ovs-vswitchd", server], name=self.name, cpus=[cpu], env=self._env)
        stack.callback(self._switch.end)

    def _configure(self, cpu: int) -> None:
        mask = f"other_config:pmd-cpu-mask={1 << cpu:#x}"
        words = ["set", "Open_vSwitch", ".", mask, "--", "add-br", "br0"]
        words += ["--", "set", "Bridge", "br0", "datapath_type=netdev", "fail-mode=secure"]
        for number, device in enumerate((IN, OUT), start=1):
            words += ["--", "add-port", "br0", device, "--", "set", "Interface", device, "type=afxdp"]
            words += ["options:xdp-mode=native", f"ofport_request={number}"]
        self._vsctl(*words)
        for device in (IN, OUT):
            error = self._vsctl("get", "Interface", device, "error").strip()
            if error not in ("[]", '""'):
                raise CommandError(Problem(f"{self.name}: {device}", error, self._running.last_words()))
        command.run(["ovs-ofctl", "add-flow", "br0", self._rule], env=self._env)

    def _vsctl(self, *words: str) -> str:
        """Runs ovs-vsctl, which waits until the switch has done what was asked."""
        return command.run(["ovs-vsctl", f"--db=unix:/run/{self.name}/db.sock", *words], env=self._env).stdout

    def park(self) -> None:
        """Takes it off its core."""
        self._running.park()

    def unpark(self) -> None:
        """Lets it go on."""
        self._running.unpark()

    def counters(self) -> DutCounters:
        """Its interface statistics, asked of the switch itself: the database's copy is seconds old."""
        text = command.run(["ovs-ofctl", "dump-ports", "br0", "--no-names"], env=self._env).stdout
        ports = parse_ports(text)
        return DutCounters(ports["1"]["rx"], ports["2"]["tx"])

    def busy_seconds(self) -> float | None:
        """Its PMD thread's time."""
        return None if self._pmd is None else child.cpu_seconds(self._running.pid, self._pmd)

    @property
    def _running(self) -> child.Child:
        assert self._switch is not None, "start() comes first"
        return self._switch


def parse_ports(text: str) -> dict[str, dict[str, int]]:
    """`ovs-ofctl dump-ports` as port -> {"rx": packets, "tx": packets}; a port that counts `?` is left out.

    Raises LabError when the text holds no port that counts.
    """
    found = re.findall(r"port\s+(\S+):\s+rx pkts=(\d+),.*\n\s+tx pkts=(\d+),", text)
    if not found:
        raise LabError(Problem("ovs-ofctl dump-ports", f"holds no port that counts: {text!r}"))
    return {port: {"rx": int(received), "tx": int(sent)} for port, received, sent in found}


def _require() -> None:
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent or not SCHEMA.exists():
        found = f"not installed: {', '.join(absent) or SCHEMA}"
        raise UnsupportedError(Problem("Open vSwitch", found, "apt-get install openvswitch-switch"))


def _wait_for(path: Path, server: child.Child) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    while not path.exists():
        if time.monotonic() > deadline:
            raise CommandError(Problem(server.name, f"{path} did not appear; {server.last_words()}"))
        time.sleep(0.01)


def one_rule() -> OvsAfxdp:
    """The trivial rule. OVS takes its "simple match" shortcut for it, past its caches."""
    return OvsAfxdp("ovs-afxdp", "OVS afxdp, one rule", "in_port=1,actions=output:2", learns=False)


def normal() -> OvsAfxdp:
    """The learning switch, through OVS's exact-match cache."""
    return OvsAfxdp("ovs-afxdp-normal", "OVS afxdp, NORMAL", "priority=0,actions=NORMAL", learns=True)
