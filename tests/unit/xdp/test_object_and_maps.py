"""Objects and maps against the kernel."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.xdp.support import XskSocket, built, built_from_text
from xdp.loader import maps, paths
from xdp.loader import object as bpf_object
from xdp.loader.errors import MapError, ObjectError, VerifierError

pytestmark = pytest.mark.root

MAPS = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 2);
         __type(key, __u32); __type(value, __u64); } rs_hash SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 3);
         __type(key, __u32); __type(value, __u32); } rs_array SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2);
         __type(key, __u32); __type(value, __u64[2]); } rs_percpu SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1);
         __type(key, __u32); __type(value, __u32); } rs_small SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_XSKMAP); __uint(max_entries, 4);
         __type(key, __u32); __type(value, __u32); } rs_socks SEC(".maps");
SEC("xdp") int rs_nothing(struct xdp_md *ctx) { (void)ctx; return XDP_PASS; }
char _license[] SEC("license") = "Dual BSD/GPL";
"""

# Reads the packet without asking how long it is.
BAD = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int rs_good(struct xdp_md *ctx) { (void)ctx; return XDP_PASS; }
SEC("xdp")
int rs_bad(struct xdp_md *ctx)
{
    unsigned char *data = (void *)(long)ctx->data;

    return data[12] == 8 ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "Dual BSD/GPL";
"""


@pytest.fixture(scope="module")
def maps_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_from_text(tmp_path_factory.mktemp("maps"), "maps", MAPS)


@pytest.fixture
def obj(maps_path: Path) -> Iterator[bpf_object.BpfObject]:
    with bpf_object.open(maps_path) as opened:
        yield opened.load()


def test_object_lists_what_it_holds(obj: bpf_object.BpfObject) -> None:
    assert obj.programs == ("rs_nothing",)
    assert obj.maps == ("rs_hash", "rs_array", "rs_percpu", "rs_small", "rs_socks")
    assert obj.map("rs_hash").info.kind is maps.MapKind.HASH
    assert obj.map("rs_percpu").info.value_size == 16


def test_unknown_names_are_answered_with_the_known_ones(obj: bpf_object.BpfObject) -> None:
    with pytest.raises(ObjectError, match="rs_nothing"):
        obj.program("nonesuch")
    with pytest.raises(ObjectError, match="rs_hash"):
        obj.map("nonesuch")


def test_descriptors_are_close_on_exec(obj: bpf_object.BpfObject) -> None:
    for fd in (obj.program("rs_nothing").fd, obj.map("rs_hash").fd):
        assert fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


def open_descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def test_closing_returns_every_descriptor(maps_path: Path) -> None:
    before = open_descriptors()
    with pytest.raises(RuntimeError), bpf_object.open(maps_path) as opened:
        opened.load()
        assert len(open_descriptors()) > len(before)
        raise RuntimeError
    assert open_descriptors() == before


def test_a_closed_object_and_its_maps_say_so(maps_path: Path) -> None:
    opened = bpf_object.open(maps_path).load()
    array = opened.map("rs_array")
    opened.close()
    opened.close()
    with pytest.raises(MapError, match="closed"):
        array.get(0)
    with pytest.raises(ObjectError, match="closed"):
        opened.program("rs_nothing")


def test_order_of_calls_is_checked(maps_path: Path) -> None:
    with bpf_object.open(maps_path) as opened:
        with pytest.raises(ObjectError, match="not loaded"):
            opened.map("rs_array")
        opened.load()
        with pytest.raises(ObjectError, match="loaded already"):
            opened.load()


def test_a_missing_file_says_build() -> None:
    with pytest.raises(ObjectError, match=r"is missing: ENOENT .*\n  build it: \./invoke build"):
        bpf_object.open("/no/such.bpf.o")


def test_a_file_of_another_kind_is_refused_in_libbpfs_words() -> None:
    with pytest.raises(ObjectError) as caught:
        bpf_object.open("/etc/passwd")
    assert "ELF" in caught.value.details


def test_the_verifiers_refusal_shows_the_lines_that_matter(tmp_path: Path) -> None:
    path = built_from_text(tmp_path, "bad", BAD)
    with bpf_object.open(path) as opened, pytest.raises(VerifierError) as caught:
        opened.load()
    error = caught.value
    assert error.errno == errno.EACCES
    assert error.field == "program rs_bad (bad.bpf.o)"
    assert "invalid access to packet" in error.message
    shown = str(error)
    assert "data[12] == 8" in shown
    assert "EACCES" in shown
    assert "processed" not in shown
    assert "processed" in error.log


def test_a_refused_object_can_be_opened_again_after_it_was_closed(tmp_path: Path) -> None:
    path = built_from_text(tmp_path, "bad", BAD)
    for _ in range(2):
        with bpf_object.open(path) as opened, pytest.raises(VerifierError):
            opened.load()


def test_without_rights_the_error_says_which(maps_path: Path) -> None:
    text = (
        "import os, sys\n"
        "from xdp.loader import object\n"
        "with object.open(sys.argv[1]) as opened:\n"
        "    os.setgid(65534); os.setuid(65534)\n"
        "    opened.load()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", text, str(maps_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(paths.ROOT)},
    )
    assert "EPERM" in result.stderr
    assert "CAP_BPF and CAP_NET_ADMIN" in result.stderr


def test_a_limit_of_locked_memory_that_cannot_be_raised_is_not_fatal() -> None:
    """On this kernel it need not matter; where it does, the load's own error tells."""
    text = (
        "import resource, sys\n"
        "from xdp.loader import object\n"
        "limit = resource.RLIMIT_MEMLOCK\n"
        "resource.setrlimit(limit, (8192, 65536))\n"
        "raised = object.raise_memlock_limit()\n"
        "soft, hard = resource.getrlimit(limit)\n"
        "assert soft == hard and raised == (hard == resource.RLIM_INFINITY), (raised, soft, hard)\n"
    )
    subprocess.run(
        [sys.executable, "-c", text], check=True, env={**os.environ, "PYTHONPATH": str(paths.ROOT)}
    )


def test_hash_get_update_delete_and_keys(obj: bpf_object.BpfObject) -> None:
    table = obj.map("rs_hash")
    assert table.get(7) is None
    assert table.counters(7) == (0,)
    table.update(7, 70)
    table.update(b"\x08\0\0\0", b"\x50" + bytes(7))
    assert table.counters(7) == (70,)
    assert table.get(8) == b"\x50" + bytes(7)
    assert sorted(table.keys()) == [b"\x07\0\0\0", b"\x08\0\0\0"]
    assert table.delete(7)
    assert not table.delete(7)
    assert list(table.keys()) == [b"\x08\0\0\0"]


def test_hash_refusals_name_the_map_and_the_reason(obj: bpf_object.BpfObject) -> None:
    table = obj.map("rs_hash")
    table.update(1, 1, create="new")
    with pytest.raises(MapError, match="EEXIST"):
        table.update(1, 1, create="new")
    with pytest.raises(MapError, match="ENOENT"):
        table.update(2, 1, create="existing")
    table.update(2, 1)
    with pytest.raises(MapError, match=r"map rs_hash: update of key 3 refused \(hash of 2\): E2BIG"):
        table.update(3, 1)


def test_array_is_all_there_and_has_an_end(obj: bpf_object.BpfObject) -> None:
    array = obj.map("rs_array")
    array.update(2, 9)
    assert [array.get(key) for key in list(array.keys())] == [bytes(4), bytes(4), b"\x09\0\0\0"]
    with pytest.raises(MapError, match=r"get of key 3 refused \(array of 3\)"):
        array.get(3)
    with pytest.raises(MapError, match="delete of key 0"):
        array.delete(0)


@pytest.mark.parametrize("key", [-1, 2**32, b"\0", bytes(8)])
def test_keys_that_do_not_fit_are_refused_before_the_kernel_sees_them(
    obj: bpf_object.BpfObject, key: int | bytes
) -> None:
    with pytest.raises(MapError, match="takes a key of 4 bytes"):
        obj.map("rs_array").get(key)


def test_values_that_do_not_fit_are_refused(obj: bpf_object.BpfObject) -> None:
    with pytest.raises(MapError, match="takes a value of 4 bytes"):
        obj.map("rs_array").update(0, bytes(5))


def test_per_cpu_values_are_read_one_by_one_and_summed(obj: bpf_object.BpfObject) -> None:
    table = obj.map("rs_percpu")
    table.update(1, (3).to_bytes(8, sys.byteorder) + (5).to_bytes(8, sys.byteorder))
    copies = table.get_per_cpu(1)
    assert copies is not None
    assert all(len(copy) == 16 for copy in copies)
    assert table.counters(1) == (3 * len(copies), 5 * len(copies))
    assert table.counters(0) == (0, 0)


def test_per_cpu_values_shorter_than_a_word_keep_their_size(obj: bpf_object.BpfObject) -> None:
    small = obj.map("rs_small")
    small.update(0, 0x01020304)
    copies = small.get_per_cpu(0)
    assert copies is not None
    assert set(copies) == {(0x01020304).to_bytes(4, sys.byteorder)}
    with pytest.raises(MapError, match="multiples of 8"):
        small.counters(0)


def test_one_value_and_many_are_not_mistaken(obj: bpf_object.BpfObject) -> None:
    with pytest.raises(MapError, match="get_per_cpu"):
        obj.map("rs_percpu").get(0)
    with pytest.raises(MapError, match=r"use get\(\)"):
        obj.map("rs_array").get_per_cpu(0)


@pytest.mark.afxdp
def test_socket_map_takes_sockets_of_its_own_kind_only(obj: bpf_object.BpfObject) -> None:
    socks = obj.map("rs_socks")
    xsk = XskSocket(None)
    try:
        socks.update(3, xsk.fd)
        with pytest.raises(MapError, match="E2BIG"):
            socks.update(4, xsk.fd)
        with socket.socket() as other, pytest.raises(MapError, match="map rs_socks: update of key 0"):
            socks.update(0, other.fileno())
        assert socks.delete(3)
    finally:
        xsk.close()


def test_a_map_survives_the_hand_over_to_a_child(obj: bpf_object.BpfObject) -> None:
    array = obj.map("rs_array")
    text = "import sys; from xdp.loader import maps; maps.from_fd(int(sys.argv[1])).update(0, 77)"
    subprocess.run(
        [sys.executable, "-c", text, str(array.fd)],
        pass_fds=[array.fd],
        check=True,
        env={**os.environ, "PYTHONPATH": str(paths.ROOT)},
    )
    assert array.get(0) == (77).to_bytes(4, sys.byteorder)


def test_from_fd_of_something_else_is_refused() -> None:
    with open("/dev/null") as null, pytest.raises(MapError, match="is no readable map"):  # noqa: PTH123
        maps.from_fd(null.fileno())


def test_our_names_carry_the_owner_tag_and_fit_the_kernels_15_characters() -> None:
    for name in ("redirect_xsk", "rx_drop", "gen_redirect", "parse_drop"):
        with bpf_object.open(built(name)) as opened:
            for each in (*opened.programs, *opened.maps):
                assert each.startswith("rs_")
                assert len(each) <= 15
