"""Frames of numbered flows, and time that passes, for tests that drive a whole switch."""

from __future__ import annotations

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from tests.differential.frames import MACS
from tests.differential.rig import Rig

A, B, C, D = MACS[:4]


def udp(number: int, port: int = 80) -> bytes:
    """A frame of flow `number`."""
    ip = IP(src=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", dst="10.9.9.9")
    return bytes(Ether(src=A, dst=B) / ip / UDP(sport=1000, dport=port) / (b"x" * 18))


def tcp(flags: str) -> bytes:
    return bytes(Ether(src=A, dst=B) / IP(dst="10.9.9.9") / TCP(flags=flags) / (b"x" * 6))


def pass_time(r: Rig, seconds: float) -> None:
    """Time passes, in steps in which the switch notices it."""
    while seconds > 0:
        step = min(seconds, 0.5)
        r.switch.warp(round(step * 1000))
        r.switch.poll()
        seconds -= step
