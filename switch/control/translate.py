"""Errors of the rooms below → ControlError: the one place that knows all their classes."""

from __future__ import annotations

import errno

from switch.binding.errors import SwitchError
from switch.control.errors import ControlError, errno_name
from switch.control.limits import UMEM_BYTES
from xdp.loader.errors import LoaderError

_HINTS: dict[int, str] = {
    errno.ENOMEM: "free some memory",
    errno.ENOBUFS: "free some memory; for locked memory: `ulimit -l`, or CAP_IPC_LOCK",
    errno.EBUSY: "the queue is bound by another AF_XDP socket, or still being freed: see `ss -a --xdp`",
    errno.EPERM: "run as root, or with CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF",
    errno.EOPNOTSUPP: "the driver cannot do this mode: mode: auto takes the best it can",
    errno.ENODEV: "the device went away meanwhile: `ip link`",
    errno.ENETDOWN: "bring the device up: ip link set DEVICE up",
    errno.EAFNOSUPPORT: "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS): see `./invoke doctor`",
}
_MEMORY_STEPS = ("XDP_UMEM_REG", "umem", "memory")


def as_control_error(error: Exception, device: str) -> ControlError:
    """The error as the control plane tells it; `device` stands in for a field that was not named."""
    if isinstance(error, ControlError):
        return error
    if isinstance(error, SwitchError):
        return _from_switch(error, device)
    if isinstance(error, LoaderError):
        text = error.message + (f" ({errno_name(error.errno)})" if error.errno else "")
        return ControlError(error.field or device, text, error.hint, errno_name(error.errno))
    if isinstance(error, OSError):
        code = error.errno or 0
        message = f"{error.strerror or error} ({errno_name(code)})"
        return ControlError(device, message, _HINTS.get(code, ""), errno_name(code))
    raise error


def _from_switch(error: SwitchError, device: str) -> ControlError:
    name = errno_name(error.code)
    if error.code in (errno.ENOBUFS, errno.ENOMEM) and error.field.startswith(_MEMORY_STEPS):
        size = UMEM_BYTES >> 20
        message = f"{error.field}: no memory to lock for a umem of {size} MiB: {error.message} ({name})"
        hint = error.hint or f"`ulimit -l {UMEM_BYTES >> 10}`, LimitMEMLOCK=infinity, or CAP_IPC_LOCK"
        return ControlError(device, message, hint, name)
    return ControlError(error.field or device, error.message, error.hint or _HINTS.get(error.code, ""), name)
