"""What random lists of actions may speak of, and what is known of the packet at some point of one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Space:
    """What lists of actions may speak of."""

    ports: tuple[int, ...] = (1, 2, 3)
    tables: tuple[int, ...] = (1, 2, 3)
    groups: tuple[int, ...] = ()
    meters: tuple[int, ...] = ()
    ct: bool = False
    tunnel: bool = False
    nsh: bool = False
    quiet: bool = False  # Nothing for controllers, collectors, and no notes.
    spelling: str = ""  # "" = any.
    length: int = 5


@dataclass(frozen=True)
class ActionRule:
    """Words of a match, and actions that fit it."""

    match: str
    actions: str

    def text(self) -> str:
        return f"{self.match},actions={self.actions}" if self.match else f"actions={self.actions}"


@dataclass(frozen=True)
class State:
    """What is known of the packet at some point of the list: at most one of the layers, and its tags."""

    layer: str = ""  # "", ip, tcp, udp, sctp, icmp, ipv6, tcp6 … nd, arp, rarp, mpls.
    tags: int = 0
    tracked: bool = False
    depth: int = 0

    def has(self, needs: tuple[str, ...]) -> bool:
        return not needs or self.layer in needs or (self.tags > 0 and "vlan" in needs)
