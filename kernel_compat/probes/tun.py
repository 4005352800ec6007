"""tun/tap: the ports of type tap and internal."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from kernel_compat.feature import Feature, Outcome, from_errno, no, yes

TUNSETIFF = 0x400454CA
TUNGETFEATURES = 0x800454CF
IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE, IFF_VNET_HDR = 0x0002, 0x1000, 0x0100, 0x4000
DEVICE = "/dev/net/tun"
MAKE_DEVICE = "mkdir -p /dev/net && mknod /dev/net/tun c 10 200"


def _open() -> int | Outcome:
    try:
        return os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        absent = {errno.ENOENT, errno.ENODEV, errno.ENXIO}
        way_out = MAKE_DEVICE if error.errno == errno.ENOENT else ""
        return from_errno(error.errno or errno.EIO, f"open({DEVICE})", absent, way_out)


def _tap() -> Outcome:
    handle = _open()
    if isinstance(handle, Outcome):
        return handle
    try:
        fcntl.ioctl(handle, TUNSETIFF, struct.pack("=16sH22x", b"rsprobe%d", IFF_TAP | IFF_NO_PI))
    except OSError as error:
        return from_errno(error.errno or errno.EIO, "TUNSETIFF(tap)", {errno.EINVAL})
    finally:
        os.close(handle)
    return yes("TUNSETIFF(tap): ok")


def _has(bit: int, name: str) -> Outcome:
    handle = _open()
    if isinstance(handle, Outcome):
        return handle
    try:
        answer = fcntl.ioctl(handle, TUNGETFEATURES, struct.pack("=I", 0))
    finally:
        os.close(handle)
    (features,) = struct.unpack("=I", answer)
    said = f"TUNGETFEATURES = {features:#x}"
    return yes(said) if features & bit else no(f"{said}, without {name}")


def _vnet_header() -> Outcome:
    return _has(IFF_VNET_HDR, "IFF_VNET_HDR")


def _multi_queue() -> Outcome:
    return _has(IFF_MULTI_QUEUE, "IFF_MULTI_QUEUE")


FEATURES = (
    Feature("tun.tap", "2.4", "ports of type tap and internal", _tap, "CONFIG_TUN"),
    Feature("tun.vnet_header", "2.6.27", "checksums that a tap's other side left unfinished", _vnet_header),
    Feature("tun.multi_queue", "3.8", "a tap with several queues", _multi_queue),
)
