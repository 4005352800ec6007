"""Opening ports that cannot be opened: the error names the field or the step, and nothing is left behind."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.c.support.native import lib
from tests.c.support.ports import Box, OpenRefused
from tests.unit.xdp.support import make_veth, private_netns

ROOT = Path(__file__).resolve().parents[2]
BAD_CONFIGS = [
    ("dummy", {"mtu": 67}, "mtu"),
    ("dummy", {"mtu": 4000}, "mtu"),
    ("dummy", {"mtu": 65535}, "mtu"),
    ("dummy", {"csum": 2}, "csum"),
    ("tap", {"device": ""}, "device"),
    ("tap", {"device": "sixteen-bytes-16"}, "device"),
    ("afxdp", {"queues": ()}, "queues"),
    ("afxdp", {"queues": (0, 1, 0)}, "queues"),
    ("afxdp", {"ring_size": 63}, "ring_size"),
    ("afxdp", {"ring_size": 1000}, "ring_size"),
    ("afxdp", {"ring_size": 1 << 16}, "ring_size"),
    ("afxdp", {"bind_mode": 3}, "bind_mode"),
    ("afxdp", {"bind_mode": lib.BIND_ZERO_COPY, "force_generic": True}, "bind_mode"),
]


@pytest.mark.parametrize(("kind", "options", "field"), BAD_CONFIGS)
def test_a_config_that_contradicts_itself_names_its_field(kind: str, options: Any, field: str) -> None:
    with Box() as box:
        with pytest.raises(OpenRefused) as refused:
            box.open(kind, "p", **options)
        assert (refused.value.code, refused.value.what) == (errno.EINVAL, field)
        assert box.umems.n_umems == 0


@pytest.mark.parametrize(
    ("name", "port_id", "field"), [("", 1, "name"), ("p", 1024, "id"), ("p", 2**32 - 1, "id")]
)
def test_a_port_needs_a_name_and_an_id(name: str, port_id: int, field: str) -> None:
    with Box() as box, pytest.raises(OpenRefused) as refused:
        box.open("dummy", name, port_id, device="d")
    assert (refused.value.code, refused.value.what) == (errno.EINVAL, field)


@contextmanager
def limit(kind: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@pytest.fixture
def netns() -> Iterator[None]:
    with private_netns():
        yield


def open_fds() -> int:
    """Open descriptors of this process, counted without opening one."""
    return sum(1 for fd in range(4096) if _is_open(fd))


def _is_open(fd: int) -> bool:
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
    except OSError:
        return False
    return True


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Takes every descriptor that the limit leaves."""
    with ExitStack() as held:
        with contextlib.suppress(OSError):
            while True:
                held.enter_context(socket.socket(socket.AF_UNIX))
        yield


def refusal(**options: Any) -> OpenRefused:
    """Opens an afxdp port that must fail; checks that frames, umems and descriptors are as before."""
    with Box() as box:
        fds = open_fds()
        with pytest.raises(OpenRefused) as refused:
            box.open("afxdp", "p", **options)
        assert open_fds() == fds
        assert box.umems.n_umems == 0
    return refused.value


@pytest.mark.netns
@pytest.mark.afxdp
@pytest.mark.usefixtures("netns")
class TestRefusedByTheKernel:
    def test_a_device_that_is_not_there(self) -> None:
        error = refusal(device="nowhere")
        assert (error.code, error.what) == (errno.ENODEV, "device")

    def test_an_index_that_is_not_there(self) -> None:
        error = refusal(device="nowhere", ifindex=4711)
        assert (error.code, error.what) == (errno.ENODEV, "bind(copy)")

    def test_a_queue_that_is_not_there(self) -> None:
        make_veth()
        error = refusal(device="v0", queues=(5,))
        assert (error.code, error.what, error.queue) == (errno.EINVAL, "bind(copy)", 5)

    def test_one_of_several_queues_that_is_not_there(self) -> None:
        make_veth()
        error = refusal(device="v0", queues=(0, 9))
        assert (error.code, error.queue) == (errno.EINVAL, 9)

    def test_zero_copy_asked_for_where_there_is_none(self) -> None:
        make_veth()
        error = refusal(device="v0", bind_mode=lib.BIND_ZERO_COPY)
        assert (error.code, error.what) == (errno.EOPNOTSUPP, "bind(zero-copy)")

    def test_no_file_descriptors_left(self) -> None:
        ifindex = make_veth().near
        with limit(resource.RLIMIT_NOFILE, open_fds()), no_descriptors():
            error = refusal(device="v0", ifindex=ifindex)
        assert (error.code, error.what) == (errno.EMFILE, "socket(AF_XDP)")

    def test_no_memory_left(self) -> None:
        make_veth()
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        with limit(resource.RLIMIT_AS, used + (16 << 20)):
            error = refusal(device="v0")
        assert (error.code, error.what) == (errno.ENOMEM, "umem")


UNPRIVILEGED = """
import sys
from tests.c.support.ports import Box, OpenRefused
try:
    with Box() as box:
        box.open("afxdp", "p", device="v0", ifindex=int(sys.argv[1]))
except OpenRefused as refused:
    print(refused.code, refused.what, sep="\\n")
"""


@pytest.mark.netns
@pytest.mark.afxdp
@pytest.mark.usefixtures("netns")
@pytest.mark.parametrize(
    ("without", "code", "what"),
    [("ipc_lock", errno.ENOBUFS, "XDP_UMEM_REG"), ("net_raw", errno.EPERM, "socket(AF_XDP)")],
)
def test_a_right_that_is_missing_is_told_by_its_step(without: str, code: int, what: str) -> None:
    ifindex = make_veth().near
    rights = ["setpriv", f"--bounding-set=-{without}", f"--inh-caps=-{without}", "--"]
    command = ["prlimit", "--memlock=65536", *rights, sys.executable, "-c", UNPRIVILEGED, str(ifindex)]
    out = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert out.stdout.splitlines() == [str(code), what], out.stdout + out.stderr
