"""Bits of numbers in bytes, and bits of fields, against Python's numbers; sub-fields in text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.fields import (
    FLOW_BYTES,
    Field,
    Refused,
    all_fields,
    find,
    flow_of,
    packet,
    parse_subfield,
    tun_map,
    written,
)
from tests.c.support.native import ffi, lib

flow_bytes = st.one_of(st.just(bytes(FLOW_BYTES)), st.binary(min_size=FLOW_BYTES, max_size=FLOW_BYTES))
field = st.sampled_from(all_fields())
PORTS = ("in_port", "in_port_oxm", "actset_output")  # Never in part, and of two widths.


@pytest.fixture(autouse=True, scope="module")
def options() -> Iterator[None]:
    with tun_map("{class=0x102,type=0x80,len=4}->tun_metadata0,{class=0x102,type=1,len=124}->tun_metadata5"):
        yield


@given(st.binary(min_size=1, max_size=128), st.binary(min_size=1, max_size=128), st.data())
def test_bits_are_copied_as_numbers_say(src: bytes, dst: bytes, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 8 * min(len(src), len(dst))))
    src_ofs = data.draw(st.integers(0, 8 * len(src) - n))
    dst_ofs = data.draw(st.integers(0, 8 * len(dst) - n))
    bits = int.from_bytes(src, "big") >> src_ofs & (1 << n) - 1
    wanted = int.from_bytes(dst, "big") & ~((1 << n) - 1 << dst_ofs) | bits << dst_ofs
    out = ffi.new("uint8_t[]", dst)
    lib.bits_copy(src, len(src), src_ofs, out, len(dst), dst_ofs, n)
    assert bytes(ffi.buffer(out, len(dst))) == wanted.to_bytes(len(dst), "big")


@given(st.binary(min_size=1, max_size=20), st.booleans(), st.data())
def test_bits_all_looks_at_its_bits_alone(src: bytes, value: bool, data: st.DataObject) -> None:
    ofs = data.draw(st.integers(0, 8 * len(src)))
    n = data.draw(st.integers(0, 8 * len(src) - ofs))
    bits = int.from_bytes(src, "big") >> ofs & (1 << n) - 1
    assert lib.bits_all(src, len(src), ofs, n, value) == (bits == ((1 << n) - 1 if value else 0))


def has_bits(f: Field) -> bool:
    """Whether all its bits can be told apart: an option is shorter than the field that stands for it."""
    return f.n_bits <= f.all_bits.bit_length() and f.name not in PORTS


@st.composite
def subfields(draw: st.DrawFn) -> tuple[Field, int, int]:
    f = draw(field.filter(has_bits))
    ofs = draw(st.integers(0, f.n_bits - 1))
    return f, ofs, draw(st.integers(1, f.n_bits - ofs))


def subfield(f: Field, ofs: int, n: int) -> Any:
    return ffi.new("struct mf_subfield *", {"field": f.raw, "ofs": ofs, "n_bits": n})


@given(subfields(), flow_bytes, st.integers(0, 2**992 - 1))
def test_subfields_are_bits_of_a_number(which: tuple[Field, int, int], before: bytes, number: int) -> None:
    f, ofs, n = which
    sf, flow, wide = subfield(f, ofs, n), flow_of(before), ffi.new("union mf_value *")
    ones = (1 << n) - 1
    old = f.get(flow)
    assert lib.mf_get_subfield(sf, flow) == old >> ofs & ones & 2**64 - 1
    lib.mf_read_subfield(sf, flow, wide)
    assert int.from_bytes(bytes(wide.b), "big") == old >> ofs & ones
    ffi.memmove(wide.b, number.to_bytes(128, "big"), 128)
    lib.mf_write_subfield(sf, wide, flow)
    assert f.get(flow) == (old & ~(ones << ofs) | (number & ones) << ofs) & f.all_bits
    lib.mf_set_subfield(sf, number & 2**64 - 1, flow)
    assert f.get(flow) == (old & ~(ones << ofs) | (number & ones & 2**64 - 1) << ofs) & f.all_bits


@given(subfields())
def test_masking_a_subfield_masks_its_bits(which: tuple[Field, int, int]) -> None:
    f, ofs, n = which
    wc = flow_of()
    lib.mf_mask_subfield(subfield(f, ofs, n), wc)
    assert f.get(wc) == (1 << n) - 1 << ofs & f.all_bits


@given(subfields())
def test_a_subfield_in_text_reads_back(which: tuple[Field, int, int]) -> None:
    f, ofs, n = which
    text = written(lib.match_test_subfield_text, subfield(f, ofs, n))
    sf, rest = parse_subfield(text + "->reg1[]")
    assert (sf.field, sf.ofs, sf.n_bits, rest) == (f.raw, ofs, n, "->reg1[]")


@pytest.mark.parametrize(
    ("text", "ofs", "n", "printed"),
    [
        ("reg0", 0, 32, "NXM_NX_REG0[]"),
        ("reg0[]", 0, 32, "NXM_NX_REG0[]"),
        ("NXM_NX_REG0[3]", 3, 1, "NXM_NX_REG0[3]"),
        ("reg0[0..31]", 0, 32, "NXM_NX_REG0[]"),
        ("metadata[5..9]", 5, 5, "OXM_OF_METADATA[5..9]"),
        ("dl_vlan", 0, 12, "dl_vlan[]"),
        ("xxreg3[64..127]", 64, 64, "NXM_NX_XXREG3[64..127]"),
        ("actset_output[0]", 0, 1, "ONFOXM_ET_ACTSET_OUTPUT[0]"),
    ],
)
def test_subfields_are_written_as_ovs_ofctl_does(text: str, ofs: int, n: int, printed: str) -> None:
    sf, rest = parse_subfield(text)
    assert (sf.ofs, sf.n_bits, rest) == (ofs, n, "")
    assert written(lib.match_test_subfield_text, sf) == printed


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("rge0[]", "did you mean reg0"),
        ("", "no field"),
        ("reg0[5..4]", "lower bit"),
        ("reg0[32]", "0 to 31"),
        ("reg0[0..32]", "0 to 31"),
        ("reg0[0..", "FIELD[FIRST..LAST]"),
        ("reg0[0", "FIELD[FIRST..LAST]"),
        ("reg0[-1]", "FIELD[FIRST..LAST]"),
        ("reg0[99999999999999999999]", "FIELD[FIRST..LAST]"),
    ],
)
def test_a_bad_subfield_is_refused_with_a_way_out(text: str, word: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_subfield(text)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("name", "ofs", "n", "is_src", "ofperr"),
    [
        ("reg0", 0, 32, True, ""),
        ("reg0", 0, 0, True, "OFPBAC_BAD_SET_LEN"),
        ("reg0", 30, 3, True, "OFPBAC_BAD_SET_LEN"),
        ("tcp_dst", 0, 16, True, ""),
        ("udp_dst", 0, 16, True, "OFPBAC_MATCH_INCONSISTENT"),
        ("ct_state", 0, 8, True, ""),
        ("ct_state", 0, 8, False, "OFPBAC_BAD_SET_ARGUMENT"),
        ("nw_proto", 0, 8, False, "OFPBAC_BAD_SET_ARGUMENT"),
        ("nw_ttl", 0, 8, False, ""),
    ],
)
def test_a_rule_of_tcp_may_read_and_write_what_tcp_has(
    name: str, ofs: int, n: int, is_src: bool, ofperr: str
) -> None:
    flow, err = packet(eth_type=0x0800, nw_proto=6), ffi.new("struct ofp_error *")
    check = lib.mf_check_src if is_src else lib.mf_check_dst
    sf = subfield(find(name), ofs, n)
    result = check(sf, flow, flow_of(), err)
    assert (result < 0) == bool(ofperr)
    assert ffi.string(lib.ofperr_name(err.ofperr)).decode() == (ofperr or "none")
    if ofperr == "OFPBAC_MATCH_INCONSISTENT":
        assert b"add udp" in ffi.string(err.hint)
        assert check(sf, ffi.NULL, ffi.NULL, err) == 0  # Nobody asked for prerequisites.
