"""OpenFlow's errors: names, errno, and what each version calls them on the wire."""

from __future__ import annotations

import errno

import pytest

from tests.c.support.native import ffi, lib

NX, ONF = 0x2320, 0x4F4E4600
VERSIONS = range(1, 7)


def name_of(number: int) -> str:
    return str(ffi.string(lib.ofperr_name_of(number)).decode())


def wire(name: str, version: int) -> tuple[int, int, int] | None:
    """(vendor, type, code), None if the version has no such error."""
    error, out, vendor = lib.ofperr_find(name.encode()), ffi.new("uint16_t[2]"), ffi.new("uint32_t *")
    assert error, f"there is no {name}"
    exists = lib.ofperr_code_of(error, version, out, out + 1, vendor)
    return (vendor[0], out[0], out[1]) if exists else None


# (name, its numbers in OpenFlow 1.0 … 1.5), from the specifications and Open vSwitch's vendor extensions.
SAMPLES: list[tuple[str, list[tuple[int, int, int] | None]]] = [
    ("OFPBAC_BAD_OUT_PORT", [(0, 2, 4)] * 6),
    ("OFPBAC_MATCH_INCONSISTENT", [(NX, 1, 522), *[(0, 2, 10)] * 5]),
    ("OFPBAC_BAD_SET_ARGUMENT", [(NX, 1, 525), (NX, 1, 525), *[(0, 2, 15)] * 4]),
    ("OFPBIC_BAD_TABLE_ID", [None, *[(0, 3, 2)] * 5]),
    ("OFPBIC_DUP_INST", [None, (NX, 3, 256), (ONF, 0xFFFF, 2600), (ONF, 0xFFFF, 2600), (0, 3, 9), (0, 3, 9)]),
    ("OFPBMC_BAD_PREREQ", [(NX, 1, 260), (NX, 1, 260), *[(0, 4, 9)] * 4]),
    ("OFPFMFC_TABLE_FULL", [(0, 3, 0), *[(0, 5, 1)] * 5]),
    ("OFPFMFC_OVERLAP", [(0, 3, 1), *[(0, 5, 3)] * 5]),
    ("OFPGMFC_UNKNOWN_GROUP", [(NX, 6, 8), *[(0, 6, 8)] * 5]),
    ("OFPMMFC_INVALID_METER", [None, None, None, *[(0, 12, 2)] * 3]),
    ("OFPBFC_BAD_ID", [None, None, None, (ONF, 0xFFFF, 2302), (0, 17, 2), (0, 17, 2)]),
    ("NXBAC_BAD_CONJUNCTION", [(NX, 2, 526), (NX, 2, 526), *[(NX, 0xFFFF, 15)] * 4]),
    ("OFPTFFC_TOO_MANY", [*[None] * 5, (0, 13, 10)]),
]


@pytest.mark.parametrize(("name", "numbers"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_an_error_has_its_numbers_in_each_version(
    name: str, numbers: list[tuple[int, int, int] | None]
) -> None:
    assert [wire(name, version) for version in VERSIONS] == numbers


def test_names_are_the_specifications_and_unique() -> None:
    names = [name_of(number) for number in range(1, lib.ofperr_count())]
    assert len(set(names)) == len(names) > 190
    assert all(name.startswith(("OFP", "NX")) for name in names)


def test_two_errors_share_numbers_only_where_a_version_has_one_for_both() -> None:
    shared = set()
    for version in VERSIONS:
        seen: dict[tuple[int, int, int], str] = {}
        for number in range(1, lib.ofperr_count()):
            numbers = wire(name_of(number), version)
            if numbers is not None and seen.setdefault(numbers, name_of(number)) != name_of(number):
                shared.add((version, seen[numbers], name_of(number)))
    assert shared == {
        (1, "OFPBRC_EPERM", "OFPBRC_IS_SECONDARY"),
        (2, "OFPBRC_EPERM", "OFPBRC_IS_SECONDARY"),
        (2, "OFPBIC_BAD_EXPERIMENTER", "OFPBIC_BAD_EXP_TYPE"),
    }


def test_every_error_exists_in_some_version() -> None:
    for number in range(1, lib.ofperr_count()):
        assert any(wire(name_of(number), version) for version in VERSIONS), name_of(number)


@pytest.mark.parametrize(("name", "code"), [
    ("OFPBAC_BAD_OUT_PORT", errno.EINVAL),
    ("OFPBIC_UNSUP_INST", errno.EINVAL),
    ("OFPFMFC_TABLE_FULL", errno.ENOSPC),
    ("OFPFMFC_OVERLAP", errno.EEXIST),
    ("OFPGMFC_UNKNOWN_GROUP", errno.ENOENT),
    ("OFPGMFC_LOOP", errno.ELOOP),
    ("OFPFMFC_EPERM", errno.EPERM),
])  # fmt: skip
def test_an_errno_follows_from_the_name(name: str, code: int) -> None:
    assert lib.ofperr_errno_of(lib.ofperr_find(name.encode())) == code


def test_versions_and_errors_that_are_not_there_have_no_numbers() -> None:
    out, vendor = ffi.new("uint16_t[2]"), ffi.new("uint32_t *")
    for version in (0, 7, 255):
        assert not lib.ofperr_code_of(1, version, out, out + 1, vendor)
    assert not lib.ofperr_code_of(0, 1, out, out + 1, vendor)
    assert not lib.ofperr_code_of(lib.ofperr_count(), 1, out, out + 1, vendor)
    assert name_of(0) == name_of(lib.ofperr_count()) == "none"
