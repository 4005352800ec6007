"""The peer at memory speed: Open vSwitch's userspace datapath fed by DPDK's pcap driver.

`infinite_rx` replays the packets of a file out of memory for ever, and a port without a file to write to
throws away what it gets; so nothing but the switch's own work is in the way (26 Mpps of rx and drop were
seen). What a packet costs is the PMD thread's own account: `dpif-netdev/pmd-stats-show`, `pmd-perf-show`.

Everything is in a private folder; hugepages that had to be reserved are given back.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.differential.ovs import BRIDGE, SCHEMA, Unixctl, environment, tool

DAEMON = Path("/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk")
PCAP_DRIVER = "/usr/lib/*/dpdk/pmds-*/librte_net_pcap.so*"
HUGEPAGES = Path("/proc/sys/vm/nr_hugepages")
PAGES_NEEDED = 500  # Of 2 MiB.
MEMORY_MB = 700
CORE = 1


class NoPeerError(RuntimeError):
    """The peer cannot run here; says why."""


@dataclass(frozen=True)
class PmdStats:
    """What a PMD thread counted in an interval. `cycles`: of processing, for each packet."""

    packets: int
    simple: int
    emc: int
    megaflow: int
    subtables: float
    upcalls: int
    cycles: float
    us_per_upcall: float


def why_not() -> str | None:
    """What is missing for the peer, None if nothing is."""
    if not DAEMON.exists():
        return "openvswitch-switch-dpdk is not installed"
    if not list(Path("/").glob(PCAP_DRIVER.lstrip("/"))):
        return "DPDK's pcap driver (librte-net-pcap) is not installed"
    return None


@contextmanager
def hugepages() -> Iterator[None]:
    """Some hugepages; the host's own number is restored. Raises NoPeerError."""
    before = HUGEPAGES.read_text()
    if int(before) >= PAGES_NEEDED:
        yield
        return
    HUGEPAGES.write_text(str(PAGES_NEEDED))
    try:
        if int(HUGEPAGES.read_text()) < PAGES_NEEDED:
            raise NoPeerError(f"the kernel gave {HUGEPAGES.read_text().strip()} hugepages of {PAGES_NEEDED}")
        yield
    finally:
        HUGEPAGES.write_text(before)


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found.group(1)) if found else 0.0


def parse(stats: str, perf: str) -> PmdStats:
    """The figures of one PMD thread out of its two reports."""
    stats = stats.split("main thread:")[0]
    return PmdStats(
        packets=int(_number(r"packets received: (\d+)", stats)),
        simple=int(_number(r"simple match hits: (\d+)", stats)),
        emc=int(_number(r"emc hits: (\d+)", stats)),
        megaflow=int(_number(r"megaflow hits: (\d+)", stats)),
        subtables=_number(r"subtable lookups per megaflow hit: ([\d.]+)", stats),
        upcalls=int(_number(r"miss with success upcall: (\d+)", stats)),
        cycles=_number(r"avg processing cycles per packet: ([\d.]+)", stats),
        us_per_upcall=_number(r"Upcalls: +\d+ +\( *[\d.]+ %, ([\d.]+) us/upcall", perf),
    )


@dataclass
class Peer:
    """A bridge with one port, rx, that replays packets, and dummy ports that swallow them."""

    run: Path
    control: Unixctl
    replays: int = 0

    def _tool(self, name: str, *words: str) -> str:
        done = subprocess.run([tool(name), *words], env=environment(self.run), capture_output=True, text=True)
        if done.returncode:
            raise NoPeerError(f"{name}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def vsctl(self, *words: str) -> None:
        self._tool("ovs-vsctl", f"--db=unix:{self.run}/db.sock", *words)

    def ofctl(self, verb: str, *words: str) -> str:
        mgmt = f"unix:{self.run}/{BRIDGE}.mgmt"
        return self._tool("ovs-ofctl", "-O", "OpenFlow15", "--bundle", verb, mgmt, *words)

    def replace_flows(self, rules: Sequence[str]) -> None:
        """These rules and no others."""
        (self.run / "flows.txt").write_text("\n".join(rules) + "\n")
        self.ofctl("del-flows")
        self.ofctl("add-flows", f"{self.run}/flows.txt")

    def add_sinks(self, numbers: Sequence[int]) -> None:
        """Dummy ports with these OpenFlow numbers."""
        words: list[str] = []
        for number in numbers:
            name = f"h{number}"
            words += ["--", "add-port", BRIDGE, name, "--", "set", "interface", name]
            words += ["type=dummy", f"ofport_request={number}"]
        if words:
            self.vsctl(*words[1:])

    def stop_replay(self) -> None:
        """Port rx goes."""
        self.vsctl("--if-exists", "del-port", BRIDGE, "rx")

    def replay(self, pcap: Path, ofport: int = 1) -> None:
        """The packets of a file come in on a port, again and again, from now on."""
        self.stop_replay()
        self.replays += 1
        options = f"dpdk-devargs=eth_pcap{self.replays},rx_pcap={pcap},infinite_rx=1"
        interface = ["set", "interface", "rx", "type=dpdk", f"ofport_request={ofport}", f"options:{options}"]
        self.vsctl("add-port", BRIDGE, "rx", "--", *interface)

    def time_upcalls(self, on: bool) -> None:
        """Whether it keeps us_per_upcall, which costs each packet something too."""
        self.vsctl("set", "Open_vSwitch", ".", f"other_config:pmd-perf-metrics={str(on).lower()}")

    def measure(self, seconds: float, settle: float = 0.5) -> PmdStats:
        """What the PMD counts in an interval, after some time to come to rest."""
        time.sleep(settle)
        self.control.call("dpif-netdev/pmd-stats-clear")
        time.sleep(seconds)
        return self.counted()

    def counted(self) -> PmdStats:
        """What the PMD has counted since it was cleared."""
        stats = self.control.call("dpif-netdev/pmd-stats-show", "-pmd", str(CORE))
        return parse(stats, self.control.call("dpif-netdev/pmd-perf-show", "-nh", "-pmd", str(CORE)))


def _daemon(stack: ExitStack, run: Path, program: str, *words: str) -> None:
    control = run / f"{Path(program).name}.ctl"
    command = [program, "--detach", f"--pidfile={run}/{control.stem}.pid", f"--unixctl={control}"]
    done = subprocess.run(
        [*command, f"--log-file={run}/{control.stem}.log", *words],
        env=environment(run),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NoPeerError(f"{program} did not start: {done.stderr.strip()[-300:]}")
    end = [tool("ovs-appctl"), "-t", str(control), "exit"]
    stack.callback(subprocess.run, end, env=environment(run), check=False, capture_output=True)


@contextmanager
def peer(run: Path) -> Iterator[Peer]:
    """The peer, running, with its PMD on core 1. Raises NoPeerError."""
    reason = why_not()
    if reason is not None:
        raise NoPeerError(reason)
    with hugepages(), ExitStack() as stack:
        subprocess.run([tool("ovsdb-tool"), "create", f"{run}/conf.db", str(SCHEMA)], check=True)
        _daemon(stack, run, tool("ovsdb-server"), f"--remote=punix:{run}/db.sock", f"{run}/conf.db")
        vsctl = [tool("ovs-vsctl"), f"--db=unix:{run}/db.sock", "--no-wait"]
        config = [
            "dpdk-init=true",
            f"dpdk-socket-mem={MEMORY_MB}",
            f"pmd-cpu-mask={1 << CORE:#x}",
            "dpdk-lcore-mask=0x1",
            'dpdk-extra="--in-memory --no-pci"',
        ]
        subprocess.run([*vsctl, "init"], check=True)
        settings = [f"other_config:{each}" for each in config]
        subprocess.run([*vsctl, "set", "Open_vSwitch", ".", *settings], check=True)
        _daemon(stack, run, str(DAEMON), "--enable-dummy", "--disable-system", f"unix:{run}/db.sock")
        control = Unixctl(run / f"{DAEMON.name}.ctl")
        stack.callback(control.close)
        found = Peer(run, control)
        bridge = ["set", "bridge", BRIDGE, "datapath_type=netdev", "fail-mode=secure"]
        found.vsctl("add-br", BRIDGE, "--", *bridge)
        yield found
