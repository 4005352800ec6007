"""Offload features of a device: read, set, given back. Names are those that `ethtool -k` shows."""

from __future__ import annotations

import json
from typing import Any

from lab.host.command import run

TX_CHECKSUM = ("tx-checksum-ip-generic", "tx-checksum-sctp")
_TX_VLAN = ("tx-vlan-offload", "tx-vlan-stag-hw-insert")


def beyond_af_xdp(names: list[str]) -> list[str]:
    """Features that a sender must not use where the other end of its link is an AF_XDP socket; not checksums.

    Segmentation, because 64 KiB fit no umem frame (in software, before the device, it leaves whole frames:
    that stays). VLAN tags beside the packet, because the socket gets the packet alone.
    """
    segmentation = [name for name in names if name.startswith("tx-") and name.endswith("-segmentation")]
    return [*segmentation, *(name for name in names if name in _TX_VLAN)]


def features(netns: str, device: str) -> dict[str, bool]:
    """The features that can be changed, as requested (what the kernel then makes of them may be less)."""
    return {
        name: bool(value["requested"])
        for name, value in _shown(netns, device).items()
        if value["requested"] is not None and not value["fixed"]
    }


def active(netns: str, device: str) -> dict[str, bool]:
    """Every feature, as it is in effect."""
    return {name: bool(value["active"]) for name, value in _shown(netns, device).items()}


def _shown(netns: str, device: str) -> dict[str, dict[str, Any]]:
    answer: dict[str, Any] = json.loads(run(["ethtool", "--json", "-k", device], netns=netns).stdout)[0]
    return {name: value for name, value in answer.items() if isinstance(value, dict)}


def set_features(netns: str, device: str, wanted: dict[str, bool]) -> None:
    """Sets features by name. Raises CommandError."""
    if wanted:
        words = [word for name, on in wanted.items() for word in (name, "on" if on else "off")]
        run(["ethtool", "-K", device, *words], netns=netns)
