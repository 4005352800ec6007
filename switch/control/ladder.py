"""The mode ladder of an afxdp port: how deep in the kernel packets are taken, each step with its outcome.

- zero copy: native XDP program, the driver writes into the umem
- native: native XDP program, the kernel copies once
- generic: program at the kernel's generic hook, the kernel copies once; works on every device

`mode: auto` climbs down from the top until a rung holds. Any other mode is that rung or an error. A step
that was refused keeps its errno, so that a fallback is never silent.

A rung is: program attached, sockets bound. The XSKMAP stays empty until `Attachment.feed`, so that until
the port starts, the device's packets reach the kernel as before.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from switch.binding.errors import SwitchError
from switch.binding.port import BindMode, Port, PortConfig, PortInfo
from switch.control.errors import ControlError, errno_name
from switch.control.model import Mode
from switch.control.translate import as_control_error
from xdp.loader import attach, counters, paths
from xdp.loader import object as bpf_object
from xdp.loader.errors import AttachError

PROGRAM, XSKS, ACTIONS = "rs_redirect_xsk", "rs_xsks", "rs_actions"

Opener = Callable[[PortConfig], tuple[Port, PortInfo]]


@dataclass(frozen=True)
class Step:
    """One rung tried. `errno` is its symbol ("EOPNOTSUPP"), "" if the step succeeded."""

    step: str
    errno: str
    message: str


@dataclass(frozen=True)
class Rung:
    """A way of running a port: where the program hangs and how the sockets are bound."""

    xdp: attach.Mode
    bind: BindMode


LADDERS: dict[Mode, tuple[Rung, ...]] = {
    Mode.AUTO: (Rung("native", BindMode.AUTO), Rung("generic", BindMode.COPY)),
    Mode.ZERO_COPY: (Rung("native", BindMode.ZERO_COPY),),
    Mode.NATIVE: (Rung("native", BindMode.COPY),),
    Mode.GENERIC: (Rung("generic", BindMode.COPY),),
}
BIND_STEPS = {
    BindMode.AUTO: "bind zero-copy or copy",
    BindMode.ZERO_COPY: "bind zero-copy",
    BindMode.COPY: "bind copy",
}
# With these the next rung would fare no better: somebody has the queue, or we may not, or there is nothing.
_HOPELESS = {errno.EBUSY, errno.EPERM, errno.EACCES, errno.ENODEV, errno.ENOMEM, errno.ENOBUFS, errno.EINVAL}


class Attachment:
    """Our program on one device, with a socket map of its own. Ends with `close()` or the process."""

    def __init__(self, ifindex: int, mode: attach.Mode) -> None:
        self.mode = mode
        self._object = bpf_object.open(paths.bpf_object_path("redirect_xsk"))
        try:
            self._object.load()
            self._link = attach.attach_xdp(self._object.program(PROGRAM).fd, ifindex, mode)
        except Exception:
            self._object.close()
            raise

    def feed(self, sockets: Iterable[tuple[int, int]]) -> None:
        """Points receive queues at their sockets: (queue, fd of a bound AF_XDP socket). Raises MapError."""
        xsks = self._object.map(XSKS)
        for queue, fd in sockets:
            xsks.update(queue, fd)

    def actions(self) -> dict[str, int]:
        """Packets by what the program did with them ("redirect": to the socket, "pass": to the kernel)."""
        counted = counters.read_actions(self._object.map(ACTIONS))
        return {name: count.packets for name, count in counted.items()}

    def close(self) -> None:
        """Detaches; the device's packets go to the kernel again. Again is no error."""
        self._link.close()
        self._object.close()


@dataclass(frozen=True)
class Footing:
    """Where an afxdp port stands: what was opened, and the steps that led there."""

    port: Port
    info: PortInfo
    attachment: Attachment
    steps: tuple[Step, ...]


def climb(mode: Mode, config: PortConfig, open_port: Opener) -> Footing:
    """Opens an afxdp port on the best rung that `mode` allows. Nothing is left behind if none holds.

    Raises:
        ControlError: the device carries somebody's program, or no rung held; the message tells every
        step.
    """
    attach.require_free(config.ifindex)
    steps: list[Step] = []
    failure: Exception | None = None
    for rung in LADDERS[mode]:
        try:
            return _try_rung(rung, config, open_port, steps)
        except (AttachError, SwitchError) as error:
            failure = error
            code = error.errno if isinstance(error, AttachError) else error.code
            if code in _HOPELESS and not _about_mode(error):
                break
    assert failure is not None
    raise _no_rung(mode, config.device, steps, failure)


def _about_mode(error: Exception) -> bool:
    """Drivers answer EINVAL to an attachment that they cannot make natively: the generic rung may hold."""
    return isinstance(error, AttachError) and error.errno == errno.EINVAL


def _try_rung(rung: Rung, config: PortConfig, open_port: Opener, steps: list[Step]) -> Footing:
    label = f"attach {rung.xdp}"
    try:
        attachment = Attachment(config.ifindex, rung.xdp)
    except AttachError as error:
        steps.append(Step(label, errno_name(error.errno), error.hint or error.message))
        raise
    steps.append(Step(label, "", "attached"))
    generic = rung.xdp == "generic"
    try:
        port, info = open_port(replace(config, bind_mode=rung.bind, force_generic=generic))
    except SwitchError as error:
        attachment.close()
        steps.append(Step(BIND_STEPS[rung.bind], errno_name(error.code), str(error)))
        raise
    except BaseException:
        attachment.close()
        raise
    steps.extend(_bind_steps(rung, info))
    return Footing(port, info, attachment, tuple(steps))


def _bind_steps(rung: Rung, info: PortInfo) -> list[Step]:
    waited = f", after {info.bind_wait_ms} ms for the queue to be freed" if info.bind_wait_ms else ""
    steps = []
    if info.zero_copy_errno:
        refusal = errno_name(info.zero_copy_errno)
        steps.append(Step("bind zero-copy", refusal, "the driver has no zero copy here"))
    kind = "zero-copy" if info.zero_copy else "copy"
    steps.append(Step(f"bind {kind}", "", f"bound {len(info.queues)} queue(s){waited}"))
    return steps


def _no_rung(mode: Mode, device: str, steps: list[Step], failure: Exception) -> ControlError:
    """The last refusal, with the story of all steps if there was more than one."""
    error = as_control_error(failure, device)
    told = "; ".join(f"{step.step}: {step.errno or 'ok'}" for step in steps)
    message = f"mode {mode} not reached: {error.message} [{told}]"
    hint = error.hint
    if mode is not Mode.AUTO and mode is not Mode.GENERIC:
        hint = f"{hint + '; or ' if hint else ''}mode: auto, which falls back and says so"
    field = device if error.field in ("", device) else f"{device}.{error.field}"
    return ControlError(field, message, hint, error.errno_name)
