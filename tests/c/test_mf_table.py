"""The table of fields says what ovs-fields(7) says, and is found by all its names and codes."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter

import pytest

from tests.c.support.fields import Field, all_fields, find
from tests.c.support.native import lib

FIELDS = all_fields()
CLASSES = {
    "NXM_OF_": 0x0000 << 16,
    "NXM_NX_": 0x0001 << 16,
    "ERICOXM_OF_": 0x1000 << 16,
    "OXM_OF_": 0x8000 << 16,
    "OXM_OF_PKT_REG": 0x8001 << 16,
    "NXOXM_ET_": 0x00002320 << 32 | 0xFFFF << 16,
    "NXOXM_NSH_": 0x005AD650 << 32 | 0xFFFF << 16,
    "ONFOXM_ET_": 0x4F4E4600 << 32 | 0xFFFF << 16,
}


def header(name: str, number: int, n_bytes: int) -> int:
    """The code of a field, from its name: NXM's layout, by hand."""
    prefix = max((p for p in CLASSES if name.startswith(p)), key=len)
    experimenter = 4 if CLASSES[prefix] >> 32 else 0
    return CLASSES[prefix] | number << 9 | n_bytes + experimenter


def test_rows_are_where_their_ids_say() -> None:
    assert [f.id for f in FIELDS] == list(range(lib.MFF_N_IDS))
    assert all(f.n_bits <= 8 * f.n_bytes for f in FIELDS)


def test_every_name_finds_its_field_and_no_other() -> None:
    names = Counter(name for f in FIELDS for name in f.names)
    assert max(names.values()) == 1
    for f in FIELDS:
        for name in f.names:
            assert find(name) == f, name


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("dl_src", "eth_src"),
        ("nw_dst", "ip_dst"),
        ("tp_src", "tcp_src"),
        ("nw_frag", "ip_frag"),
        ("tunnel_id", "tun_id"),
        ("nsp", "nsh_spi"),
        ("NXM_NX_REG3", "reg3"),
        ("OXM_OF_PKT_REG2", "xreg2"),
        ("ONFOXM_ET_TCP_FLAGS", "tcp_flags"),
        ("OXM_OF_TCP_FLAGS", "tcp_flags"),
        ("ONFOXM_ET_ACTSET_OUTPUT", "actset_output"),
    ],
)
def test_other_names_find_a_field(alias: str, name: str) -> None:
    assert find(alias).name == name


@pytest.mark.parametrize(
    "name", ["", "reg16", "xreg8", "xxreg4", "tun_metadata64", "reg", "NXM_NX_", "REG0", "reg00"]
)
def test_what_is_no_field_is_not_found(name: str) -> None:
    assert not lib.mf_from_name(name.encode())


def test_codes_find_their_fields_with_and_without_a_mask() -> None:
    for f in FIELDS:
        for code in (f.raw.nxm_header, f.raw.oxm_header):
            if code:
                assert lib.mf_from_header(code).id == f.id == lib.mf_from_header(code | 0x100).id
    assert lib.mf_from_header(header("ONFOXM_ET_TCP_FLAGS", 42, 2)).id == find("tcp_flags").id
    assert lib.mf_from_header(header("ONFOXM_ET_ACTSET_OUTPUT", 43, 4)).id == find("actset_output").id


@pytest.mark.parametrize("code", [0, 0xFFFFFFFF, 0x80007E04, 0x0001FE04, 0x12345678FFFF0004])
def test_unknown_codes_find_nothing(code: int) -> None:
    assert not lib.mf_from_header(code)


def test_known_codes() -> None:
    assert find("in_port").raw.nxm_header == 2
    assert find("eth_type").raw.oxm_header == 0x80000A02
    assert find("reg15").raw.nxm_header == 0x00011E04
    assert find("nsh_c1").raw.oxm_header == 0x005AD650FFFF0C08
    assert find("tun_metadata63").raw.nxm_header == 0x0001CE7C
    assert find("dl_vlan").raw.nxm_header == find("dl_vlan").raw.oxm_header == 0


def test_pipeline_fields_are_those_that_are_no_part_of_the_packet() -> None:
    found = {f.name for f in FIELDS if lib.mf_is_pipeline_field(f.raw)}
    assert {"in_port", "metadata", "reg0", "xxreg3", "tun_id", "tun_metadata9", "packet_type"} <= found
    assert not {"eth_src", "ct_mark", "tun_ttl", "actset_output", "recirc_id", "tcp_dst"} & found


# -- the manual -----------------------------------------------------------------------------------

FAMILIES = ("reg", "xreg", "xxreg", "tun_metadata")
PREREQS = [
    "none",
    "Ethernet",
    "ARP",
    "VLAN VID",
    "IPv4",
    "IPv6",
    "IPv4/IPv6",
    "NSH",
    "CT",
    "MPLS",
    "TCP",
    "UDP",
    "SCTP",
]
PREREQS += ["ICMPv4", "ICMPv6", "ND", "ND solicit", "ND advert"]  # In the order of enum mf_prereq.


def manual() -> dict[str, dict[str, str]]:
    """Field name -> its box in ovs-fields(7)."""
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    page = subprocess.run(
        "man ovs-fields | col -b -x",
        shell=True,
        capture_output=True,
        text=True,
        env={"MANWIDTH": "200", "PATH": "/usr/bin:/bin"},
    ).stdout
    if "Prerequisites:" not in page:
        pytest.skip("the manual page ovs-fields(7) is not installed")
    boxes: dict[str, dict[str, str]] = {}
    box: dict[str, str] = {}
    for line in page.splitlines():
        found = re.match(r"\s+(Name|Width|Format|Masking|Prerequisites|Access|OXM|NXM):\s+(.+?)\s*$", line)
        if found and found[1] == "Name":
            box = boxes[found[2].split()[0]] = {"Name": found[2]}
        elif found:
            box[found[1]] = found[2]
    return boxes


def codes(f: Field, box: dict[str, str]) -> None:
    for name, number in re.findall(r"(\w+_\w+) \((\d+)\)", box["NXM"] + " " + box["OXM"]):
        assert find(name) == f
        assert lib.mf_from_header(header(name, int(number), f.n_bytes)).id == f.id, name


@pytest.mark.peer
def test_the_table_agrees_with_the_manual_of_open_vswitch() -> None:
    boxes = manual()
    assert len(boxes) > 85
    for name, box in boxes.items():
        f = find(name)
        bits = int(re.findall(r"\d+", box["Width"])[0])
        low = re.search(r"least-significant (\d+) bits", box["Width"])
        assert f.n_bytes * 8 == bits, name
        assert f.n_bits == (int(low[1]) if low else bits), name
        assert f.maskable == (box["Masking"] != "not maskable"), name
        assert PREREQS[f.raw.prereq] == box["Prerequisites"], name
        assert f.raw.writable == (box["Access"] == "read/write"), name
        codes(f, box)
        for alias in re.findall(r"\(aka (\w+)\)", box["Name"]):
            assert find(alias) == f
    # Open vSwitch names some that only it uses itself, and OpenFlow 1.0's and 1.1's names of VLAN.
    unlisted = {f.name for f in FIELDS if f.name not in boxes and f.name.rstrip("0123456789") not in FAMILIES}
    assert unlisted == {"dp_hash", "recirc_id", "tun_ttl", "tun_tos", "dl_vlan", "dl_vlan_pcp"}
