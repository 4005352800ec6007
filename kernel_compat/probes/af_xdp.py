"""AF_XDP sockets: what the kernel's own socket code can do, tried on scratch veth pairs."""

from __future__ import annotations

import errno
import socket
import struct

from kernel_compat import xsk
from kernel_compat.feature import Feature, Outcome, from_errno, no, unknown, yes
from kernel_compat.sandbox import new_veth
from kernel_compat.xsk import XdpSocket

SO_BUSY_POLL, SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET = 46, 69, 70
OPTION = "CONFIG_XDP_SOCKETS"


def _socket() -> Outcome:
    try:
        with XdpSocket():
            return yes("socket(AF_XDP): ok")
    except OSError as error:
        return from_errno(error.errno or errno.EIO, "socket(AF_XDP)", {errno.EAFNOSUPPORT})


def _umem() -> Outcome:
    with XdpSocket() as one:
        return from_errno(one.register(), "XDP_UMEM_REG, 64 frames of 4096", {errno.EOPNOTSUPP})


def _need_wakeup() -> Outcome:
    with XdpSocket() as one:
        length = one.option_length(xsk.MMAP_OFFSETS)
    # With need-wakeup each of the four rings has a flags word: 4 × 4 × 8 bytes; without, 4 × 3 × 8.
    return (
        yes(f"XDP_MMAP_OFFSETS has {length} bytes")
        if length >= 128
        else no(f"XDP_MMAP_OFFSETS has {length} bytes, 128 with it")
    )


def _statistics() -> Outcome:
    with XdpSocket() as one:
        length = one.option_length(xsk.STATISTICS)
    return (
        yes(f"XDP_STATISTICS has {length} bytes")
        if length >= 48
        else no(f"XDP_STATISTICS has {length} bytes, 48 are six counters")
    )


def _bind(flags: int, absent: set[int], step: str) -> Outcome:
    device, _ = new_veth()
    with XdpSocket() as one:
        refusal = one.register() or one.size_rings()
        if refusal:
            return unknown(f"no socket to try it on: {from_errno(refusal, 'set-up', ()).evidence}")
        return from_errno(one.bind(device, flags=flags), step, absent)


def _copy() -> Outcome:
    return _bind(xsk.COPY, {errno.EOPNOTSUPP}, "bind(veth, XDP_COPY)")


def _multi_buffer() -> Outcome:
    return _bind(xsk.COPY | xsk.USE_SG, {errno.EINVAL}, "bind(veth, XDP_COPY | XDP_USE_SG)")


def _zero_copy_is_refused() -> Outcome:
    refused = _bind(xsk.ZEROCOPY, set(), "bind(veth, XDP_ZEROCOPY)")
    if refused.answer == "yes":
        return no("a veth accepted XDP_ZEROCOPY, which it cannot do", "read XDP_OPTIONS back after each bind")
    return yes(refused.evidence) if "NOTSUPP" in refused.evidence else refused


def _shared_umem() -> Outcome:
    first, second = new_veth()[0], new_veth()[0]
    with XdpSocket() as owner, XdpSocket() as other:
        refusal = owner.register() or owner.size_rings() or owner.bind(first, flags=xsk.COPY)
        refusal = refusal or other.size_rings()
        if refusal:
            return unknown(f"no pair of sockets to try it on: {from_errno(refusal, 'set-up', ()).evidence}")
        answer = other.bind(second, shared_with=owner)
        return from_errno(answer, "two veths bound to one umem", {errno.EINVAL, errno.EOPNOTSUPP})


def _tx_metadata() -> Outcome:
    with XdpSocket() as one:
        with_flag = one.register(xsk.UMEM_TX_METADATA_LEN, metadata=16)
    if with_flag == 0:
        return yes("XDP_UMEM_REG with XDP_UMEM_TX_METADATA_LEN: ok")
    # 6.8 to 6.10 take the length without the flag. Older ones ignore the field, as it lies past their
    # structure, and would say yes to any length: one that cannot be right tells the two apart.
    with XdpSocket() as one, XdpSocket() as other:
        if one.register(metadata=16) == 0 and other.register(metadata=1000) == errno.EINVAL:
            return yes("XDP_UMEM_REG with a length, without the flag: ok; a wrong length: EINVAL")
    return from_errno(with_flag, "XDP_UMEM_REG with XDP_UMEM_TX_METADATA_LEN", {errno.EINVAL})


def _busy_poll() -> Outcome:
    with XdpSocket() as one:
        for option, value in ((SO_PREFER_BUSY_POLL, 1), (SO_BUSY_POLL, 20), (SO_BUSY_POLL_BUDGET, 64)):
            refusal = one.set_option(socket.SOL_SOCKET, option, struct.pack("=i", value))
            if refusal:
                return from_errno(refusal, f"setsockopt({option})", {errno.ENOPROTOOPT})
    return yes("SO_PREFER_BUSY_POLL, SO_BUSY_POLL, SO_BUSY_POLL_BUDGET: ok")


def _tx_budget() -> Outcome:
    with XdpSocket() as one:
        refusal = one.register() or one.size_rings(2048)
        if refusal:
            return unknown(from_errno(refusal, "set-up", ()).evidence)
        answer = one.set_option(xsk.SOL_XDP, xsk.TX_BUDGET, struct.pack("=i", 256))
        return from_errno(answer, "setsockopt(XDP_MAX_TX_SKB_BUDGET)", {errno.ENOPROTOOPT})


def _big_umem() -> Outcome:
    with XdpSocket(frames=16384) as one:
        return from_errno(
            one.register(),
            "XDP_UMEM_REG, 64 MiB",
            {errno.ENOBUFS, errno.ENOMEM},
            "grant CAP_IPC_LOCK, or raise RLIMIT_MEMLOCK (ulimit -l)",
        )


FEATURES = (
    Feature("af_xdp.socket", "4.18", "every port of type afxdp", _socket, OPTION),
    Feature("af_xdp.umem", "4.18", "packet memory shared with the kernel", _umem, OPTION),
    Feature("af_xdp.umem_64m", "4.18", "a switch's usual packet memory, locked", _big_umem),
    Feature("af_xdp.copy", "4.18", "copy mode, which veth and tap have", _copy, OPTION),
    Feature("af_xdp.need_wakeup", "5.4", "a port that sleeps when nothing moves", _need_wakeup),
    Feature("af_xdp.statistics", "5.9", "the six counters of XDP_STATISTICS", _statistics),
    Feature("af_xdp.shared_umem", "5.10", "port to port without a copy in userspace", _shared_umem),
    Feature(
        "af_xdp.busy_poll", "5.11", "driver and switch on one core", _busy_poll, "CONFIG_NET_RX_BUSY_POLL"
    ),
    Feature("af_xdp.multi_buffer", "6.6", "packets longer than a frame", _multi_buffer),
    Feature("af_xdp.tx_metadata", "6.8", "checksums finished by the kernel", _tx_metadata),
    Feature("af_xdp.tx_budget", "6.17", "more than 32 packets for each wake-up", _tx_budget),
    Feature("af_xdp.zero_copy_is_honest", "5.4", "a veth admits that it has none", _zero_copy_is_refused),
)
