"""A VLAN-aware learning switch in as few words as possible: what NORMAL has to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from switch.binding.port import VlanConfig, VlanMode


@dataclass(frozen=True)
class Tagged:
    """A frame whose outermost tag, if it has one, has been taken apart."""

    macs: bytes
    vid: int | None
    pcp: int
    rest: bytes

    @classmethod
    def parse(cls, frame: bytes) -> Tagged:
        if frame[12:14] != b"\x81\0":
            return cls(frame[:12], None, 0, frame[12:])
        tci = int.from_bytes(frame[14:16], "big")
        return cls(frame[:12], tci & 0xFFF, tci >> 13, frame[16:])

    def with_vid(self, vid: int) -> bytes:
        """The frame in this VLAN; in VLAN 0 it has a tag for its priority alone."""
        tci = self.pcp << 13 | vid
        tag = b"\x81\0" + tci.to_bytes(2, "big") if tci else b""
        return self.macs + tag + self.rest


def carries(port: VlanConfig, vid: int) -> bool:
    if port.mode == VlanMode.ACCESS:
        return vid == port.tag
    if port.mode == VlanMode.NATIVE and vid == 0:
        return False  # Untagged there means the native VLAN.
    return not port.trunks or vid in port.trunks or (port.mode == VlanMode.NATIVE and vid == port.tag)


@dataclass
class LearningSwitch:
    """Ports 1 … n with their VLANs, and what has been learned."""

    ports: Sequence[VlanConfig]
    learned: dict[tuple[int, bytes], int] = field(default_factory=dict)
    dropped: str = ""  # Why the last frame went nowhere.

    def exchange(self, in_port: int, data: bytes) -> dict[int, list[bytes]]:
        frame, config = Tagged.parse(data), self.ports[in_port - 1]
        vid = frame.vid or 0
        if config.mode == VlanMode.ACCESS or (config.mode == VlanMode.NATIVE and not vid):
            admitted, vlan = not vid, config.tag
        else:
            admitted, vlan = carries(config, vid), vid
        if not admitted:
            return self._drop("vlan_ingress")
        target, source = frame.macs[:6], frame.macs[6:]
        if target[:5] == b"\x01\x80\xc2\0\0" and target[5] < 16:
            return self._drop("reserved_mac")
        if not source[0] & 1:
            self.learned[vlan, source] = in_port
        known = None if target[0] & 1 else self.learned.get((vlan, target))
        if known == in_port:
            return self._drop("same_port")
        others = [
            p for p in range(1, len(self.ports) + 1) if p != in_port and carries(self.ports[p - 1], vlan)
        ]
        out = [known] if known else others
        return {p: [self._leave(p, frame, vlan)] for p in out} or self._drop("no_output")

    def _leave(self, port: int, frame: Tagged, vlan: int) -> bytes:
        config = self.ports[port - 1]
        untagged = config.mode == VlanMode.ACCESS or (config.mode == VlanMode.NATIVE and config.tag == vlan)
        return frame.macs + frame.rest if untagged else frame.with_vid(vlan)

    def _drop(self, reason: str) -> dict[int, list[bytes]]:
        self.dropped = reason
        return {}
