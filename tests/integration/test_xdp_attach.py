"""Attaching on real devices: modes, fallback, other people's programs, and what is left behind."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.xdp.support import (
    Veth,
    built,
    built_from_text,
    delete_device,
    loaded,
    make_veth,
    netlink_attach,
    private_netns,
    wait_until,
)
from xdp.loader import attach, paths, query
from xdp.loader import object as bpf_object
from xdp.loader.errors import AttachError, ForeignProgram
from xdp.loader.object import BpfObject

pytestmark = [pytest.mark.root, pytest.mark.netns]

# Somebody else's: its name lacks our tag. The second is what libxdp puts on a device.
FOREIGN = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int their_filter(struct xdp_md *ctx) { (void)ctx; return XDP_PASS; }
SEC("xdp") int xdp_dispatcher(struct xdp_md *ctx) { (void)ctx; return XDP_PASS; }
char _license[] SEC("license") = "GPL";
"""

# A process that attaches, says so, and waits to be killed.
HOLDER = """
import signal, sys
from xdp.loader import attach, object
obj = object.open(sys.argv[1]).load()
link = attach.attach_xdp(obj.program("rs_rx_drop").fd, int(sys.argv[2]), sys.argv[3])
print("ATTACHED", flush=True)
signal.pause()
"""


@pytest.fixture
def netns() -> Iterator[None]:
    with private_netns():
        yield


@pytest.fixture
def pair(netns: None) -> Veth:
    return make_veth()


@pytest.fixture
def program() -> Iterator[int]:
    with loaded("rx_drop") as obj:
        yield obj.program("rs_rx_drop").fd


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[BpfObject]:
    with bpf_object.open(built_from_text(tmp_path, "foreign", FOREIGN)) as obj:
        yield obj.load()


def test_native_on_veth_and_gone_after_close(pair: Veth, program: int) -> None:
    with attach.attach_xdp(program, pair.near, "native") as link:
        found = attach.foreign_program(pair.near)
        assert found is not None
        assert (found.name, found.mode, found.ours) == ("rs_rx_drop", "native", True)
        assert [holder.pid for holder in found.holders] == [os.getpid()]
        assert attach.foreign_program(pair.far) is None
    assert attach.foreign_program(pair.near) is None
    link.close()
    assert link.fd == -1


def test_generic_when_asked_for(pair: Veth, program: int) -> None:
    with attach.attach_xdp(program, pair.near, "generic"):
        found = attach.foreign_program(pair.near)
        assert found is not None
        assert found.mode == "generic"


def test_a_link_is_detached_when_an_exception_passes(pair: Veth, program: int) -> None:
    with pytest.raises(RuntimeError), attach.attach_xdp(program, pair.near):
        raise RuntimeError
    assert attach.foreign_program(pair.near) is None


def test_ladder_stays_native_where_it_can(pair: Veth, program: int) -> None:
    link, steps = attach.attach_ladder(program, pair.near)
    with link:
        assert link.mode == "native"
        assert [(step.step, step.errno) for step in steps] == [("native", 0)]


def test_ladder_falls_to_generic_on_a_large_mtu_and_says_why(netns: None, program: int) -> None:
    pair = make_veth(mtu=9000)
    link, steps = attach.attach_ladder(program, pair.near)
    with link:
        assert link.mode == "generic"
        found = attach.foreign_program(pair.near)
        assert found is not None
        assert found.mode == "generic"
    assert [(step.step, step.errno) for step in steps] == [("native", errno.ERANGE), ("generic", 0)]
    assert "MTU of 9000" in steps[0].message


def test_ladder_stops_at_its_floor(netns: None, program: int) -> None:
    pair = make_veth(mtu=9000)
    with pytest.raises(AttachError) as caught:
        attach.attach_ladder(program, pair.near, "native")
    assert [step.step for step in caught.value.steps] == ["native"]
    assert "v0: XDP cannot be attached in native mode: ERANGE" in str(caught.value)
    assert attach.foreign_program(pair.near) is None


def test_a_driver_without_native_xdp(netns: None, program: int) -> None:
    loopback = socket.if_nametoindex("lo")
    link, steps = attach.attach_ladder(program, loopback)
    link.close()
    assert [(step.step, step.errno) for step in steps] == [("native", errno.EOPNOTSUPP), ("generic", 0)]


@pytest.mark.parametrize("mode", ["native", "generic"])
def test_somebody_elses_linked_program_is_named_and_left(
    pair: Veth, program: int, foreign: BpfObject, mode: attach.Mode
) -> None:
    with attach.attach_xdp(foreign.program("their_filter").fd, pair.near, mode):
        before = attach.foreign_program(pair.near)
        assert before is not None
        with pytest.raises(ForeignProgram) as caught:
            attach.attach_ladder(program, pair.near)
        assert attach.foreign_program(pair.near) == before
    text = str(caught.value)
    assert text.startswith("v0: carries somebody else's program: their_filter")
    assert f"id {before.id}, {mode}" in text
    assert f"process {os.getpid()}" in text
    assert f"bpftool link detach id {before.link_id}" in text


def test_a_program_attached_without_a_link_is_named_with_the_other_way_out(
    pair: Veth, program: int, foreign: BpfObject
) -> None:
    netlink_attach(pair.near, foreign.program("their_filter").fd)
    with pytest.raises(ForeignProgram, match="ip link set dev v0 xdpdrv off"):
        attach.attach_xdp(program, pair.near)
    netlink_attach(pair.near, -1)
    attach.attach_xdp(program, pair.near).close()


def test_libxdps_dispatcher_is_somebody_elses_too(pair: Veth, program: int, foreign: BpfObject) -> None:
    netlink_attach(pair.near, foreign.program("xdp_dispatcher").fd)
    with pytest.raises(ForeignProgram, match="xdp-loader unload v0 --all"):
        attach.attach_xdp(program, pair.near)


def test_our_own_leftover_is_named_as_ours(pair: Veth, program: int) -> None:
    netlink_attach(pair.near, program)
    with pytest.raises(ForeignProgram, match="carries a program of ours: rs_rx_drop"):
        attach.attach_xdp(program, pair.near)


@pytest.mark.parametrize("there", ["native", "generic"])
def test_one_who_was_quicker_than_our_check_is_named_as_well(
    pair: Veth, program: int, foreign: BpfObject, there: attach.Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach, "require_free", lambda ifindex: None)
    with attach.attach_xdp(foreign.program("their_filter").fd, pair.near, there):
        for mode in ("native", "generic"):
            with pytest.raises(ForeignProgram) as caught:
                attach.attach_xdp(program, pair.near, mode)
            assert caught.value.name == "their_filter"
            assert caught.value.errno in (errno.EBUSY, errno.EEXIST)
        with pytest.raises(ForeignProgram):
            attach.attach_ladder(program, pair.near)


def test_a_device_of_another_namespace_is_not_found(pair: Veth, program: int) -> None:
    with private_netns(), pytest.raises(AttachError, match=r"ENODEV.*\n.*namespace of the calling thread"):
        attach.attach_xdp(program, pair.near)


def test_something_that_is_no_xdp_program_is_refused(pair: Veth) -> None:
    with loaded("rx_drop") as obj, pytest.raises(AttachError, match="EINVAL"):
        attach.attach_xdp(obj.map("rs_count").fd, pair.near)


def test_the_device_may_vanish_under_the_link(pair: Veth, program: int) -> None:
    link = attach.attach_xdp(program, pair.near)
    delete_device(pair.near)
    link.close()
    with pytest.raises(AttachError, match="ENODEV"):
        attach.foreign_program(pair.near)


def test_the_program_outlives_its_object_while_linked(pair: Veth) -> None:
    with loaded("rx_drop") as obj:
        link = attach.attach_xdp(obj.program("rs_rx_drop").fd, pair.near)
    found = attach.foreign_program(pair.near)
    link.close()
    assert found is not None
    assert found.name == "rs_rx_drop"


def test_holders_are_found_while_processes_come_and_go(pair: Veth, program: int) -> None:
    """Each look walks /proc; a process that ends under it must not end the look."""
    with (
        attach.attach_xdp(program, pair.near),
        subprocess.Popen(["sh", "-c", "while :; do /bin/true; done"]) as churn,
    ):
        try:
            for _ in range(100):
                found = attach.foreign_program(pair.near)
                assert found is not None
                assert [holder.pid for holder in found.holders] == [os.getpid()]
        finally:
            churn.kill()


@pytest.mark.parametrize("mode", ["native", "generic"])
def test_kill_9_of_the_holder_detaches(pair: Veth, mode: attach.Mode) -> None:
    command = [sys.executable, "-c", HOLDER, str(built("rx_drop")), str(pair.near), mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=paths.ROOT) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ATTACHED\n"
            found = attach.foreign_program(pair.near)
            assert found is not None
            assert found.mode == mode
            assert [each.pid for each in found.holders] == [holder.pid]
        finally:
            holder.send_signal(signal.SIGKILL)
    # A kernel may put the last of a link down in a work queue, a moment after the process is gone.
    wait_until(lambda: attach.foreign_program(pair.near) is None)
    assert query.link_holders(found.link_id or 0) == ()
