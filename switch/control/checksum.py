"""Who finishes the L4 checksums of packets that come in on a port, and why.

A veth's peer with transmit checksum offload on hands over packets whose TCP and UDP checksums are only
half computed, and nothing in an AF_XDP ring says so. So the port either completes them in software or is
told that they are complete because its peer's offload is off. Everything else delivers finished packets:
a NIC took them off a wire, and tap devices are made without offloads.
"""

from __future__ import annotations

from dataclasses import dataclass

from switch.control.model import Checksum, Port, PortType

_VETH_LIKE = ("veth", "netkit")


@dataclass(frozen=True)
class ChecksumChoice:
    """The policy in force, `complete` or `software`, and the reason for it in words."""

    policy: Checksum
    why: str


def choose_checksum(port: Port, kind: str) -> ChecksumChoice:
    """The policy of a port on a device of rtnetlink kind `kind` ("" = hardware, or no device)."""
    if port.checksum is not Checksum.AUTO:
        return ChecksumChoice(port.checksum, "asked for")
    if port.type is PortType.DUMMY:
        return ChecksumChoice(Checksum.COMPLETE, "dummy: packets are taken as they are injected")
    if port.type.makes_device:
        return ChecksumChoice(Checksum.COMPLETE, f"{port.type}: the device is made without offloads")
    if kind in _VETH_LIKE:
        why = f"{kind}: a peer with transmit checksum offload on sends unfinished checksums"
        return ChecksumChoice(Checksum.SOFTWARE, why)
    return ChecksumChoice(Checksum.COMPLETE, f"{kind or 'hardware'}: packets come with finished checksums")
