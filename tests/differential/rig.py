"""A switch with dummy ports for tests: frames go in, one iteration runs, frames come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from switch.binding.port import Port, PortConfig, PortType, VlanConfig
from switch.binding.switch import Switch, SwitchConfig

NORMAL = "priority=0,actions=NORMAL"
Outcome = dict[
    int, list[bytes]
]  # ofport -> frames that left there, oldest first; ports without any are absent


@dataclass(frozen=True)
class Rig:
    """A switch that is polled by hand. Port i is called h<i> and has ofport i, from 1 on."""

    switch: Switch
    ports: Sequence[Port]

    def inject(self, ofport: int, *frames: bytes) -> None:
        for frame in frames:
            self.ports[ofport - 1].inject(frame)

    def settle(self) -> None:
        while self.switch.poll() > 0:
            pass

    def take(self) -> Outcome:
        taken = {port.ofport: port.take_all() for port in self.ports}
        return {ofport: frames for ofport, frames in taken.items() if frames}

    def exchange(self, ofport: int, *frames: bytes) -> Outcome:
        """What leaves when these frames come in on a port."""
        self.inject(ofport, *frames)
        self.settle()
        return self.take()

    def outputs(self, ofport: int, frame: bytes) -> list[int]:
        """Ports that one frame leaves by, ascending; a port that sends it twice stands there twice."""
        out = self.exchange(ofport, frame)
        return sorted(port for port, frames in out.items() for _ in frames)

    def drops(self, ofport: int) -> dict[str, int]:
        """Drops of packets that came in on a port, by name; reasons without any are absent."""
        counted = self.switch.stats().ports[ofport].drops
        return {name: count for name, count in counted.items() if count}

    def assert_balanced(self) -> None:
        for ofport, stats in self.switch.stats().ports.items():
            assert stats.balance_in == stats.balance_out, (ofport, stats)

    def assert_no_frame_lost(self) -> None:
        """Every umem frame is back in its pool. Call with nothing left in the dummy ports."""
        for umem in self.switch.umems():
            assert umem.free_frames == umem.frames, umem


@contextmanager
def rig(
    n_ports: int,
    rules: Iterable[str] = (NORMAL,),
    vlans: Sequence[VlanConfig] = (),
    config: SwitchConfig | None = None,
) -> Iterator[Rig]:
    """A switch with n dummy ports, started, with these rules; vlans are for the first ports."""
    with Switch(config or SwitchConfig("s1", threaded=False, umem_frames=4096)) as switch:
        ports = []
        for i in range(n_ports):
            vlan = vlans[i] if i < len(vlans) else VlanConfig()
            port, _ = switch.open_port(
                PortConfig(f"h{i + 1}", PortType.DUMMY, ofport=i + 1, vlan=vlan, mtu=3000)
            )
            port.start()
            ports.append(port)
        switch.flows.replace(list(rules))
        yield Rig(switch, ports)
