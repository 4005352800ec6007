"""Attaching a program to a device, by BPF link.

The kernel detaches when the last descriptor of a link is closed, so a process that dies, however it
dies, leaves no program behind. A program that is there already is never replaced: it is named.

A device's index means something only inside a network namespace: the kernel takes the namespace of
the calling *thread*. Enter it first (setns) and attach from there; the link then works wherever the
descriptor goes.
"""

from __future__ import annotations

import errno
import os
from types import TracebackType
from typing import Literal, Self

from xdp.loader.errors import AttachError, ForeignProgram, Step, errno_text, general_hint
from xdp.loader.ffi import ffi, lib
from xdp.loader.query import NO_DEVICE_HINT, ProgramInfo, device_mtu, device_name, foreign_program

__all__ = ["Link", "Mode", "ProgramInfo", "attach_ladder", "attach_xdp", "foreign_program", "require_free"]

Mode = Literal["native", "generic"]

_FLAGS: dict[Mode, int] = {"native": lib.XDP_FLAGS_DRV_MODE, "generic": lib.XDP_FLAGS_SKB_MODE}

# Generic mode cannot help against these: the reason is not the mode.
_FATAL = {errno.EPERM, errno.ENODEV, errno.EBADF}
_OCCUPIED = {errno.EBUSY, errno.EEXIST}
# Errnos by which drivers say that the MTU does not fit one buffer. ERANGE (veth) means nothing else;
# EINVAL (virtio, mlx5, Intel's) and EOPNOTSUPP can have other causes too.
_MAY_BE_MTU = {errno.EINVAL, errno.EOPNOTSUPP}
_PLAIN_MTU = 1500


class Link:
    """An attached program. Closing it, or the death of the process, detaches. A context manager."""

    def __init__(self, fd: int, ifindex: int, mode: Mode) -> None:
        self._fd = fd
        self.ifindex = ifindex
        self.mode = mode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    @property
    def fd(self) -> int:
        """The link's descriptor, close-on-exec; -1 once closed."""
        return self._fd

    def close(self) -> None:
        """Detaches, unless another process holds the same link. May be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def require_free(ifindex: int) -> None:
    """Makes sure that the device carries no XDP program.

    Raises:
        ForeignProgram: it does; names device, program and how to detach.
        AttachError: there is no such device in this thread's namespace.
    """
    found = foreign_program(ifindex)
    if found:
        raise _occupied(ifindex, found, 0)


def attach_xdp(prog_fd: int, ifindex: int, mode: Mode = "native") -> Link:
    """Attaches in exactly `mode`.

    Raises:
        ForeignProgram: the device carries a program already.
        AttachError: the kernel or the driver refused; has the errno and, where known, the way out.
    """
    require_free(ifindex)
    link = _create(prog_fd, ifindex, mode)
    if isinstance(link, Link):
        return link
    raise _refusal(ifindex, mode, link)


def attach_ladder(prog_fd: int, ifindex: int, floor: Mode = "generic") -> tuple[Link, tuple[Step, ...]]:
    """Attaches natively, else generically, but never below `floor`.

    Returns the link and the steps tried; the last one's errno is 0.

    Raises:
        ForeignProgram: the device carries a program already.
        AttachError: no mode down to `floor` could be had; `steps` tells of each.
    """
    require_free(ifindex)
    modes: tuple[Mode, ...] = ("native", "generic") if floor == "generic" else ("native",)
    steps: list[Step] = []
    for mode in modes:
        link = _create(prog_fd, ifindex, mode)
        if isinstance(link, Link):
            steps.append(Step(mode, 0, "attached"))
            return link, tuple(steps)
        steps.append(Step(mode, link, _reason(ifindex, mode, link)))
        if link in _FATAL | _OCCUPIED or mode == floor:
            break
    raise _refusal(ifindex, mode, steps[-1].errno, tuple(steps))


def _create(prog_fd: int, ifindex: int, mode: Mode) -> Link | int:
    """The link, or the errno of the refusal."""
    options = ffi.new("struct bpf_link_create_opts *")
    options.sz = ffi.sizeof("struct bpf_link_create_opts")
    options.flags = _FLAGS[mode]
    fd = lib.bpf_link_create(prog_fd, ifindex, lib.BPF_XDP, options)
    return Link(fd, ifindex, mode) if fd >= 0 else -fd


def _reason(ifindex: int, mode: Mode, error: int) -> str:
    return f"{errno_text(error)}; {_hint(ifindex, mode, error)}"


def _hint(ifindex: int, mode: Mode, error: int) -> str:
    mtu = device_mtu(ifindex)
    if mode == "native":
        fits = "native XDP wants a packet in one buffer of about 3.4 KiB, 1500 always fits; or take generic"
        if error == errno.ERANGE:
            return f"the MTU of {mtu}, or its peer's, is too large: {fits}"
        if error in _MAY_BE_MTU and mtu and mtu > _PLAIN_MTU:
            return f"the driver has no native XDP, or not with an MTU of {mtu}: {fits}"
        if error == errno.EOPNOTSUPP:
            return "the driver has no native XDP: let the mode be generic"
    if error == errno.ENODEV:
        return NO_DEVICE_HINT
    if error == errno.EINVAL:
        return "is the program of type XDP, and the kernel 5.9 or later (BPF links for XDP)?"
    return general_hint(error) or "see the kernel's log (dmesg)"


def _refusal(
    ifindex: int, mode: Mode, error: int, steps: tuple[Step, ...] = ()
) -> ForeignProgram | AttachError:
    """The error that fits: somebody was quicker than our own check, or the attachment itself failed."""
    found = foreign_program(ifindex) if error in _OCCUPIED else None
    if found:
        return _occupied(ifindex, found, error)
    return AttachError(
        device_name(ifindex),
        f"XDP cannot be attached in {mode} mode",
        hint=_hint(ifindex, mode, error),
        errno=error,
        steps=steps or (Step(mode, error, _reason(ifindex, mode, error)),),
    )


def _occupied(ifindex: int, found: ProgramInfo, error: int) -> ForeignProgram:
    device = device_name(ifindex)
    who = " and ".join(str(holder) for holder in found.holders)
    whose = "a program of ours" if found.ours else "somebody else's program"
    message = f"carries {whose}: {found.name or 'without a name'} (id {found.id}, {found.mode})"
    if who:
        message += f", held by {who}"
    return ForeignProgram(
        device, message, hint=_way_out(device, found, who), errno=error, prog_id=found.id, name=found.name
    )


def _way_out(device: str, found: ProgramInfo, who: str) -> str:
    if found.name == "xdp_dispatcher":
        return f"it is libxdp's dispatcher; if it may go: xdp-loader unload {device} --all"
    if found.link_id is not None:
        stop = f"stop {who}, or detach: " if who else "detach: "
        return f"it is not replaced; {stop}bpftool link detach id {found.link_id}"
    kind = {"native": "xdpdrv", "generic": "xdpgeneric", "offload": "xdpoffload"}.get(found.mode, "xdp")
    return f"it is not replaced; if it may go: ip link set dev {device} {kind} off"
