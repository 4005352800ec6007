"""Offload features of a device: read, set, given back."""

from __future__ import annotations

import json

from lab.host.command import run

# What a sender must not leave to a device whose other end is an AF_XDP socket: checksums (the ring carries no
# word about an unfinished one), segmentation (a frame would not fit), and VLAN tags beside the packet (the
# socket would not see them).
TX_CHECKSUM = ("tx-checksum-ip-generic", "tx-checksum-sctp")
TX_VLAN = ("tx-vlan-hw-insert", "tx-vlan-stag-hw-insert")
TX_SEGMENTATION = (
    "tx-tcp-segmentation",
    "tx-tcp-ecn-segmentation",
    "tx-tcp-mangleid-segmentation",
    "tx-tcp6-segmentation",
    "tx-udp-segmentation",
    "tx-sctp-segmentation",
)


def features(netns: str, device: str) -> dict[str, bool]:
    """The features that can be changed, as requested (what the kernel then makes of them may be less)."""
    answer = json.loads(run(["ethtool", "--json", "-k", device], netns=netns).stdout)[0]
    return {
        name: bool(value["requested"])
        for name, value in answer.items()
        if isinstance(value, dict) and value["requested"] is not None and not value["fixed"]
    }


def active(netns: str, device: str) -> dict[str, bool]:
    """Every feature, as it is in effect."""
    answer = json.loads(run(["ethtool", "--json", "-k", device], netns=netns).stdout)[0]
    return {name: bool(value["active"]) for name, value in answer.items() if isinstance(value, dict)}


def set_features(netns: str, device: str, wanted: dict[str, bool]) -> None:
    """Sets features by name. Raises CommandError."""
    if wanted:
        words = [word for name, on in wanted.items() for word in (name, "on" if on else "off")]
        run(["ethtool", "-K", device, *words], netns=netns)
