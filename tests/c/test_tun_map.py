"""The TLV map: which tunnel option is tun_metadata<i>, in the text of ovs-ofctl add-tlv-map."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.fields import Refused, find, remove_from_tun_map, set_tun_map, tun_map_text
from tests.c.support.native import ffi

ONE = "{class=0x102,type=0x80,len=4}->tun_metadata0"


@pytest.fixture(autouse=True)
def no_map() -> Iterator[None]:
    yield
    set_tun_map("")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (ONE, ONE),
        ("{class=0x0102,type=0x80,len=4}->tun_metadata0", ONE),
        ("{class=258, type=128, len=4}->tun_metadata0", ONE),
        (f" {ONE} ,", ONE),
        (
            "{class=0xffff,type=0xff,len=124}->tun_metadata63, " + ONE,
            ONE + ",{class=0xffff,type=0xff,len=124}->tun_metadata63",
        ),
    ],
)
def test_a_map_reads_and_prints(text: str, shown: str) -> None:
    set_tun_map(text)
    assert tun_map_text() == shown
    set_tun_map(shown)
    assert tun_map_text() == shown


@pytest.mark.parametrize(
    ("text", "ofperr"),
    [
        ("{class=0x10000,type=1,len=4}->tun_metadata0", ""),
        ("{class=1,type=256,len=4}->tun_metadata0", ""),
        ("{class=1,type=1}->tun_metadata0", ""),
        ("{class=1,type=1,len=4}->tun_metadata64", ""),
        ("{class=1,type=1,len=4}->tun_metadata", ""),
        ("{class=1,type=1,len=4}->tun_metadata0x", ""),
        ("{class=1,type=1,len=4}tun_metadata0", ""),
        ("tun_metadata0", ""),
        (ONE + ONE, ""),
        ("{class=1,type=1,len=0}->tun_metadata0", "NXTTMFC_BAD_OPT_LEN"),
        ("{class=1,type=1,len=6}->tun_metadata0", "NXTTMFC_BAD_OPT_LEN"),
        ("{class=1,type=1,len=128}->tun_metadata0", "NXTTMFC_BAD_OPT_LEN"),
        ("{class=1,type=1,len=4294967295}->tun_metadata0", "NXTTMFC_BAD_OPT_LEN"),
        (ONE + ",{class=1,type=1,len=4}->tun_metadata0", "NXTTMFC_ALREADY_MAPPED"),
        (ONE + ",{class=0x102,type=0x80,len=8}->tun_metadata1", "NXTTMFC_DUP_ENTRY"),
        (
            ",".join(f"{{class=1,type={i},len=124}}->tun_metadata{i}" for i in range(3)),
            "NXTTMFC_TABLE_FULL",
        ),
    ],
)
def test_a_bad_map_is_refused_whole(text: str, ofperr: str) -> None:
    with pytest.raises(Refused) as caught:
        set_tun_map(text)
    assert caught.value.ofperr == ofperr
    assert caught.value.message and caught.value.field
    assert tun_map_text() == ""


def test_entries_are_removed_by_name_and_their_room_is_used_again() -> None:
    entries = [f"{{class=0x1,type={i:#x},len=64}}->tun_metadata{i}" for i in range(4)]
    set_tun_map(",".join(entries))  # All 256 bytes.
    remove_from_tun_map(f"{entries[1]},{entries[2]}")
    assert tun_map_text() == f"{entries[0]},{entries[3]}"
    with pytest.raises(Refused):
        remove_from_tun_map("tun_metadata1")
    remove_from_tun_map("")
    assert tun_map_text() == ""


@given(
    st.lists(
        st.tuples(st.integers(0, 63), st.integers(1, 16)), min_size=1, max_size=12, unique_by=lambda e: e[0]
    )
)
def test_options_lie_apart(entries: list[tuple[int, int]]) -> None:
    """Each field keeps its value when the others are set."""
    text = ",".join(f"{{class=1,type={i},len={4 * words}}}->tun_metadata{i}" for i, words in entries)
    if sum(words for _, words in entries) > 64:
        with pytest.raises(Refused, match="no room"):
            set_tun_map(text)
        return
    set_tun_map(text)
    flow = ffi.new("struct flow *")
    for i, words in entries:
        find(f"tun_metadata{i}").set(flow, (1 << 32 * words) - 1 - i)
    assert all(find(f"tun_metadata{i}").get(flow) == (1 << 32 * words) - 1 - i for i, words in entries)
    assert flow.tunnel.opts_present == sum(1 << i for i, _ in entries)
