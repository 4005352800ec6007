"""Ports in text: numbers, reserved names, names of a bridge's ports.

The ports are 1 h1, 2 h2, 3 br0 (the bridge's own), 4 "odd name".
"""

from __future__ import annotations

import pytest

from tests.c.support.fields import written
from tests.c.support.native import ffi, lib


def read(text: str, names: bool = True) -> int | None:
    port = ffi.new("uint32_t *")
    ports = lib.match_test_ports() if names else ffi.NULL
    code = lib.port_names_parse(ports, text.encode(), port)
    assert code in (0, -22)
    return int(port[0]) if code == 0 else None


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("1", 1),
        ("0", 0),
        ("0x10", 16),
        ("010", 10),
        ("65534", 0xFFFE),
        ("65280", 0xFF00),
        ("4294967294", 0xFFFE),
        ("0xffffff00", 0xFF00),
        ("IN_PORT", 0xFFF8),
        ("in_port", 0xFFF8),
        ("NORMAL", 0xFFFA),
        ("CONTROLLER", 0xFFFD),
        ("LOCAL", 0xFFFE),
        ("NONE", 0xFFFF),
        ("any", 0xFFFF),
        ("UNSET", 0xFFF7),
        ("h2", 2),
        ('"h2"', 2),
        ("br0", 0xFFFE),
        ('"odd name"', 4),
        ("odd name", 4),
    ],
)
def test_a_port_is_named_in_many_ways(text: str, port: int) -> None:
    assert read(text) == port


@pytest.mark.parametrize(
    "text",
    ["", "-1", "65536", "1x", "0x", " 1", "h3", "H1", '"h1', 'h1"', '""', '"h\\1"', "4294967296", '"LOCAL"'],
)
def test_what_names_no_port_is_refused(text: str) -> None:
    assert read(text) is None


def test_without_a_bridge_there_are_numbers_and_reserved_names_only() -> None:
    assert (read("7", names=False), read("LOCAL", names=False), read("h1", names=False)) == (7, 0xFFFE, None)


@pytest.mark.parametrize(
    ("port", "number", "name"),
    [
        (1, "1", "h1"),
        (4, "4", '"odd name"'),
        (9, "9", "9"),
        (3, "3", "3"),  # The bridge's own port has another number.
        (0xFFFE, "LOCAL", "LOCAL"),
        (0xFFFF, "ANY", "ANY"),
        (0xFF00, "65280", "65280"),
    ],
)
def test_a_port_is_printed_by_number_or_by_name(port: int, number: str, name: str) -> None:
    assert written(lib.match_test_port_text, port, False) == number
    assert written(lib.match_test_port_text, port, True) == name
    assert port == 3 or read(name) == port


def test_a_name_is_found_and_the_bridges_own_is_local() -> None:
    ports = lib.match_test_ports()
    found = [lib.port_names_find(ports, name) for name in (b"h1", b"br0", b"h9", b"")]
    assert found == [1, 0xFFFE, 0xFFFF, 0xFFFF]
