"""Running a program without a device's help: BPF_PROG_TEST_RUN.

`test_run` gives one frame to a program and takes back its verdict: for tests. `test_run_live` makes
the kernel produce frames and obey the verdicts, sending and redirecting for real: the generator.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any, cast

from xdp.loader.errors import RunError, general_hint
from xdp.loader.ffi import ffi, lib

ACTIONS = ("aborted", "drop", "pass", "tx", "redirect")
"""The names of the XDP actions, by number."""

SHORTEST_FRAME = 14
LARGEST_BATCH = 256
_OUTPUT_SPACE = 256  # a program may grow a frame by the kernel's headroom


@dataclass(frozen=True)
class RunResult:
    """What a program did with a frame. `action` is a number; its name is `ACTIONS[action]`."""

    action: int
    output: bytes
    nanoseconds: int


@dataclass(frozen=True)
class LiveResult:
    """How a live run ended. `nanoseconds` is the mean per frame, None when a signal ended the run."""

    interrupted: bool
    nanoseconds: int | None


def test_run(
    prog_fd: int, frame: bytes, *, queue: int = 0, ingress_ifindex: int = 0, repeat: int = 1
) -> RunResult:
    """Runs the program on `frame`, as if it had come in on `queue` of a device (0: the loopback's).

    The verdict is returned, not obeyed. A frame is at least 14 bytes: the kernel takes no less.

    Raises:
        RunError: refused: no permission, frame too short or long, queue or device that are not there.
    """
    context = _context(frame, queue, ingress_ifindex)
    space = len(frame) + _OUTPUT_SPACE
    output = ffi.new("char[]", space)
    options = _options(frame, context, repeat)
    options.data_out = output
    options.data_size_out = space
    error = -lib.bpf_prog_test_run_opts(prog_fd, options)
    if error:
        raise _refused(frame, ingress_ifindex, error)
    produced = cast(bytes, ffi.buffer(output, options.data_size_out)[:])
    return RunResult(options.retval, produced, options.duration)


def test_run_live(
    prog_fd: int, frame: bytes, repeat: int, batch: int = 64, ingress_ifindex: int = 0, *, queue: int = 0
) -> LiveResult:
    """Runs the program on `repeat` real frames that begin as copies of `frame`, and obeys it.

    The call lasts until all are done or a signal arrives at this thread; then it returns with
    `interrupted` set, and what was sent is in the program's counters. Python's lock is not held
    meanwhile. One call costs ~20 ms to begin and end: use few, long ones.

    Args:
        prog_fd: an XDP program.
        frame: at least 14 bytes. The kernel does not restore it between uses: see gen_redirect.bpf.c.
        repeat: how many frames, 1 to 2^31 - 1.
        batch: frames per softirq round, 1 to 256.
        ingress_ifindex: the device they seem to come from; 0 is this namespace's loopback. Redirecting
            by index, and passing to the stack, work in that device's namespace. It must have its
            XDP receive queues registered: a veth has only while a program or GRO is on.
        queue: the receive queue that they seem to come from.

    Raises:
        ValueError: `repeat` or `batch` out of range.
        RunError: refused: kernel before 5.18, no permission, or no such device or queue.
    """
    if not 1 <= repeat < 2**31:
        raise ValueError(f"repeat: {repeat} is not within 1 to {2**31 - 1}")
    if not 1 <= batch <= LARGEST_BATCH:
        raise ValueError(f"batch: {batch} is not within 1 to {LARGEST_BATCH}")
    context = _context(frame, queue, ingress_ifindex)
    options = _options(frame, context, repeat)
    options.flags = lib.BPF_F_TEST_XDP_LIVE_FRAMES
    options.batch_size = batch
    error = -lib.bpf_prog_test_run_opts(prog_fd, options)
    if error == errno.EINTR:
        return LiveResult(interrupted=True, nanoseconds=None)
    if error:
        raise _refused(frame, ingress_ifindex, error)
    return LiveResult(interrupted=False, nanoseconds=options.duration)


def _context(frame: bytes, queue: int, ingress_ifindex: int) -> Any:
    context = ffi.new("struct xdp_md *")
    context.data_end = len(frame)
    context.ingress_ifindex = ingress_ifindex
    context.rx_queue_index = queue
    return context


def _options(frame: bytes, context: Any, repeat: int) -> Any:
    options = ffi.new("struct bpf_test_run_opts *")
    options.sz = ffi.sizeof("struct bpf_test_run_opts")
    options.data_in = ffi.from_buffer(frame)
    options.data_size_in = len(frame)
    options.ctx_in = context
    options.ctx_size_in = ffi.sizeof("struct xdp_md")
    options.repeat = repeat
    return options


def _refused(frame: bytes, ingress_ifindex: int, error: int) -> RunError:
    if len(frame) < SHORTEST_FRAME:
        hint = f"the kernel takes frames of {SHORTEST_FRAME} bytes and more"
    elif error == errno.EINVAL:
        hint = (
            "frame of more than a page, no such receive queue, a device without XDP receive queues,"
            " or a kernel before 5.18"
        )
    elif error == errno.ENODEV:
        hint = "the device must be in the network namespace of the calling thread"
    else:
        hint = general_hint(error)
    where = f"frame of {len(frame)} bytes, ingress ifindex {ingress_ifindex}"
    return RunError("test run", f"refused for a {where}", hint=hint, errno=error)
