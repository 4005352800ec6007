"""Meters: their text and what their commands do."""

from __future__ import annotations

import pytest

from tests.c.support.native import ffi, lib
from tests.c.support.otab import ADD as FLOW_ADD
from tests.c.support.otab import METER_DELETED, Tables

ADD, MODIFY, DELETE = range(3)


@pytest.fixture
def tables() -> Tables:
    return Tables()


def shown(tables: Tables) -> str:
    out = ffi.new("char[]", 8192)
    assert lib.otab_meters(tables.c, out, 8192)
    return str(ffi.string(out).decode())


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (
            "meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100",
            "meter=1 kbps burst stats bands=\ntype=drop rate=1000 burst_size=100\n",
        ),
        (
            "meter=3 pktps stats bands=type=drop rate=5, type=dscp_remark rate=7 prec_level=2",
            "meter=3 pktps stats bands=\ntype=drop rate=5\ntype=dscp_remark rate=7 prec_level=2\n",
        ),
        ("bands", None),
    ],
)
def test_text_is_read_and_printed_as_open_vswitch_does(
    tables: Tables, text: str, printed: str | None
) -> None:
    if printed is None:
        assert tables.meter(ADD, text) is not None
        return
    assert tables.meter(ADD, text) is None
    assert shown(tables) == printed
    assert tables.meter(MODIFY, printed) is None
    assert shown(tables) == printed


@pytest.mark.parametrize(
    ("command", "text", "error"),
    [
        (ADD, "meter=1 kbps bands=type=drop rate=5", "OFPMMFC_METER_EXISTS"),
        (ADD, "meter=2 bands=type=drop rate=5", "OFPMMFC_BAD_FLAGS"),
        (ADD, "meter=2 kbps pktps bands=type=drop rate=5", "OFPMMFC_BAD_FLAGS"),
        (ADD, "meter=0 kbps bands=type=drop rate=5", "OFPMMFC_INVALID_METER"),
        (ADD, "meter=4097 kbps bands=type=drop rate=5", "OFPMMFC_INVALID_METER"),
        (ADD, "meter=2 kbps bands=" + " ".join(["type=drop rate=5"] * 9), "OFPMMFC_OUT_OF_BANDS"),
        (ADD, "meter=2 kbps", "- bands"),
        (ADD, "kbps bands=type=drop rate=5", "- meter"),
        (ADD, "meter=2 kbps bands=rate=5", "- bands"),
        (ADD, "meter=2 kbps bands=type=drop", "- rate"),
        (ADD, "meter=2 kbps bands=type=foo rate=5", "- type"),
        (ADD, "meter=2 kbps burst bands=type=drop rate=5", "- burst_size"),
        (ADD, "meter=2 kbps bands=type=drop rate=5 burst_size=9", "- burst_size"),
        (ADD, "meter=2 kbps bands=type=drop rate=5 prec_level=1", "- bands"),
        (ADD, "meter=2 kbps bands=type=dscp_remark rate=5", "- prec_level"),
        (ADD, "meter=2x kbps bands=type=drop rate=5", "- meter"),
        (ADD, "meter=2 foo bands=type=drop rate=5", "- meter"),
        (MODIFY, "meter=2 kbps bands=type=drop rate=5", "OFPMMFC_UNKNOWN_METER"),
    ],
)
def test_refusals(tables: Tables, command: int, text: str, error: str) -> None:
    assert tables.meter(ADD, "meter=1 pktps bands=type=drop rate=5") is None
    before = shown(tables)
    found = tables.meter(command, text)
    assert found is not None
    assert found.startswith(f"{error} " if error[0] != "-" else f"{error}:")
    assert shown(tables) == before


def test_flows_go_with_the_meter_that_they_use(tables: Tables) -> None:
    for number in (1, 2, 3):
        assert tables.meter(ADD, f"meter={number} pktps bands=type=drop rate=5") is None
    tables.flow(FLOW_ADD, "send_flow_rem,table=0,actions=meter:1,2")
    tables.flow(FLOW_ADD, "table=1,actions=meter:2,2")
    tables.flow(FLOW_ADD, "table=2,actions=2")
    tables.events()
    assert tables.meter(DELETE, "meter=1") is None
    assert [r.table for r in tables.rules()] == [1, 2]
    assert [e.split()[:2] for e in tables.events() if "removed" in e] == [["removed", str(METER_DELETED)]]
    assert tables.meter(DELETE, "meter=1") is None, "it is no error that there is none"
    assert tables.meter(DELETE, "meter=all") is None
    assert ([r.table for r in tables.rules()], shown(tables)) == ([2], "")
