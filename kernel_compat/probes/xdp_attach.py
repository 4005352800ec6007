"""Attaching XDP programs by BPF link, natively and generically, on scratch veth pairs."""

from __future__ import annotations

import errno
import socket

from kernel_compat import bpf
from kernel_compat.feature import Feature, Outcome, from_errno, yes
from kernel_compat.sandbox import new_veth

LOAD_ABSENT = {errno.EINVAL, errno.ENOSYS}


def _load() -> Outcome:
    program = bpf.load_pass()
    if program < 0:
        return from_errno(-program, "BPF_PROG_LOAD(XDP)", LOAD_ABSENT)
    bpf.close(program)
    return yes("BPF_PROG_LOAD(XDP): ok")


def _attach(mode: int, name: str, absent: set[int], mtu: int = 1500, frags: bool = False) -> Outcome:
    device, _ = new_veth(mtu)
    program = bpf.load_pass(frags)
    if program < 0:
        return from_errno(-program, f"BPF_PROG_LOAD(XDP{', frags' if frags else ''})", LOAD_ABSENT)
    link = bpf.attach(program, socket.if_nametoindex(device), mode)
    bpf.close(program, link)
    return from_errno(max(0, -link), f"BPF_LINK_CREATE(veth, {name}, MTU {mtu})", absent)


def _native() -> Outcome:
    return _attach(bpf.XDP_NATIVE, "native", {errno.EOPNOTSUPP, errno.EINVAL})


def _generic() -> Outcome:
    return _attach(bpf.XDP_GENERIC, "generic", {errno.EOPNOTSUPP, errno.EINVAL})


def _frags() -> Outcome:
    return _attach(bpf.XDP_NATIVE, "native, frags", {errno.EOPNOTSUPP, errno.ERANGE}, mtu=9000, frags=True)


FEATURES = (
    Feature("xdp.load", "4.8", "any XDP program at all", _load, "CONFIG_BPF_SYSCALL"),
    Feature("xdp.link_native", "5.9", "programs that go away with their process, in the driver", _native),
    Feature("xdp.link_generic", "5.9", "the fallback where a driver has no XDP", _generic),
    Feature("xdp.frags", "5.18", "jumbo frames on veth in native mode", _frags),
)
