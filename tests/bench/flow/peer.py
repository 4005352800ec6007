"""The peer at memory speed: Open vSwitch's userspace datapath fed by DPDK's pcap driver.

`infinite_rx` replays the packets of a file out of memory for ever, and a rule that drops them gives their
buffers back; so nothing but the switch's own work and a copy of each packet is in the way. What a packet
costs is the CPU time of the PMD's thread over the packets that it counted (`dpif-netdev/pmd-stats-show`); its
own account in cycles, which includes what others took of its core, stands beside.

Everything is in a private folder; hugepages that had to be reserved are given back.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.flow.sched import prefer, schedule_of, thread_named
from tests.differential.ovs import BRIDGE, SCHEMA, Unixctl, environment, tool

DAEMON = Path("/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk")
PCAP_DRIVER = "/usr/lib/*/dpdk/pmds-*/librte_net_pcap.so*"
HUGEPAGES = Path("/proc/sys/vm/nr_hugepages")
PAGES_NEEDED = 500  # Of 2 MiB.
EAL_HUGE = "--in-memory --no-pci --socket-mem 700"
# Without hugepages, as under valgrind, which cannot give DPDK the address space that it wants for them.
EAL_SMALL = "--legacy-mem --no-shconf --no-pci --no-huge -m 1500"
SMALL_MB = 2000
CORE = 1


class NoPeerError(RuntimeError):
    """The peer cannot run here; says why."""


@dataclass(frozen=True)
class PmdStats:
    """What a PMD thread counted in an interval. `cycles`: for each packet, whoever had the core; `cpu_ns`:
    time that the thread had it; `share`: of the interval.
    """

    packets: int
    simple: int
    emc: int
    megaflow: int
    subtables: float
    upcalls: int
    cycles: float
    us_per_upcall: float
    cpu_ns: float = 0.0
    share: float = 1.0

    @property
    def ns(self) -> float:
        """CPU time of a packet."""
        return self.cpu_ns / self.packets if self.packets else 0.0


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

    def configure(self, **settings: str) -> None:
        """other_config of the whole switch."""
        words = [f"other_config:{name.replace('_', '-')}={value}" for name, value in settings.items()]
        self.vsctl("set", "Open_vSwitch", ".", *words)

    def add_tlv_map(self, mapping: str) -> None:
        self._tool("ovs-ofctl", "add-tlv-map", f"unix:{self.run}/{BRIDGE}.mgmt", mapping)

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

    @property
    def pid(self) -> int:
        return int((self.run / f"{DAEMON.name}.pid").read_text())

    def measure(self, seconds: float, settle: float = 0.1) -> PmdStats:
        """What the PMD counts in an interval, after some time to come to rest."""
        time.sleep(settle)
        return self.clear_and_count(seconds)

    def clear_and_count(self, seconds: float) -> PmdStats:
        """The same, at once."""
        thread = thread_named(self.pid, f"pmd-c{CORE:02}")
        self.control.call("dpif-netdev/pmd-stats-clear")
        ran, _ = schedule_of(self.pid, thread)
        begin = time.monotonic_ns()
        time.sleep(seconds)
        found = self.counted()
        cpu_ns = schedule_of(self.pid, thread)[0] - ran
        return replace(found, cpu_ns=cpu_ns, share=cpu_ns / (time.monotonic_ns() - begin))

    def counted(self) -> PmdStats:
        """What the PMD has counted since it was cleared."""
        stats = self.control.call("dpif-netdev/pmd-stats-show", "-pmd", str(CORE))
        return parse(stats, self.control.call("dpif-netdev/pmd-perf-show", "-nh", "-pmd", str(CORE)))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within it the daemon stands still and leaves its core to others."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


# The bridge's own devices are taps that outlive their maker: they go with a network that nobody else has.
OWN_NETWORK = ("unshare", "--net")


def _stop(run: Path, name: str) -> None:
    """Ends a daemon and waits for it; it may be paused, or not listen."""
    try:
        pid = int((run / f"{name}.pid").read_text())
        handle = os.pidfd_open(pid)
    except (OSError, ValueError):
        return
    try:
        os.kill(pid, signal.SIGCONT)
        end = [tool("ovs-appctl"), "--timeout=5", "-t", str(run / f"{name}.ctl"), "exit"]
        subprocess.run(end, env=environment(run), check=False, capture_output=True)
        if not select.select([handle], [], [], 30)[0]:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], 5)
    finally:
        os.close(handle)


def _start(command: Sequence[str], run: Path, name: str) -> None:
    """A command that comes back when the daemon is ready."""
    with (run / f"{name}.err").open("w") as errors:
        quiet = subprocess.DEVNULL
        words = [*OWN_NETWORK, *command, "--detach"]
        done = subprocess.run(words, env=environment(run), stdin=quiet, stdout=quiet, stderr=errors)
    if done.returncode:
        raise NoPeerError(f"{name} did not start: {(run / f'{name}.err').read_text().strip()[-300:]}")


def _reap(child: subprocess.Popen[bytes]) -> None:
    with suppress(subprocess.TimeoutExpired):
        child.wait(1)
    child.kill()
    child.wait()


def _start_under(stack: ExitStack, command: Sequence[str], run: Path, name: str) -> None:
    """A command that is the daemon: valgrind's tools cannot be talked to behind a fork."""
    with (run / f"{name}.err").open("w") as errors:
        child = subprocess.Popen(
            [*OWN_NETWORK, *command],
            env=environment(run),
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    stack.callback(_reap, child)
    deadline = time.monotonic() + 60
    while not (run / f"{name}.ctl").exists():
        if child.poll() is not None or time.monotonic() > deadline:
            raise NoPeerError(f"{name}, under {command[0]}, does not listen")
        time.sleep(0.1)


def _daemon(stack: ExitStack, run: Path, program: Sequence[str], *words: str) -> None:
    """Starts a daemon; `program`: its command, perhaps behind a tool that runs it."""
    name = Path(program[-1]).name
    command = [*program, f"--pidfile={run}/{name}.pid", f"--unixctl={run}/{name}.ctl"]
    command += [f"--log-file={run}/{name}.log", *words]
    if len(program) == 1:
        stack.callback(_stop, run, name)
        _start(command, run, name)
    else:
        _start_under(stack, command, run, name)
        stack.callback(_stop, run, name)
    prefer(int((run / f"{name}.pid").read_text()))


@contextmanager
def peer(run: Path, under: Sequence[str] = ()) -> Iterator[Peer]:
    """The peer, running, with its PMD on core 1. `under`: a tool (valgrind) that runs the daemon, which then
    does without hugepages. Raises NoPeerError.
    """
    reason = why_not()
    if reason is not None:
        raise NoPeerError(reason)
    with ExitStack() as stack:
        if not under:
            stack.enter_context(hugepages())
        subprocess.run([tool("ovsdb-tool"), "create", f"{run}/conf.db", str(SCHEMA)], check=True)
        _daemon(stack, run, [tool("ovsdb-server")], f"--remote=punix:{run}/db.sock", f"{run}/conf.db")
        vsctl = [tool("ovs-vsctl"), f"--db=unix:{run}/db.sock", "--no-wait"]
        eal = EAL_SMALL if under else EAL_HUGE
        config = [
            "dpdk-init=true",
            f"pmd-cpu-mask={1 << CORE:#x}",
            "dpdk-lcore-mask=0x1",
            f'dpdk-extra="{eal}"',
        ]
        subprocess.run([*vsctl, "init"], check=True)
        settings = [f"other_config:{each}" for each in config]
        subprocess.run([*vsctl, "set", "Open_vSwitch", ".", *settings], check=True)
        words = ["--enable-dummy", "--disable-system", f"unix:{run}/db.sock"]
        _daemon(stack, run, [*under, str(DAEMON)], *words)
        control = Unixctl(run / f"{DAEMON.name}.ctl")
        control.set_timeout(120)  # Under a tool the main thread hardly gets a turn.
        stack.callback(control.close)
        found = Peer(run, control)
        bridge = ["set", "bridge", BRIDGE, "datapath_type=netdev", "fail-mode=secure"]
        found.vsctl("--timeout=60", "add-br", BRIDGE, "--", *bridge)
        yield found
