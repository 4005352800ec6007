"""Fields and matches for tests: C's doors with Python's values. A field's value is a number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.c.support.native import ffi, lib

TEXT = 65536
FLOW_BYTES: int = ffi.sizeof("struct flow")


class Refused(Exception):
    """An error of the C side: what it names, what it found, the way out."""

    def __init__(self, code: int, err: Any) -> None:
        self.code, self.field, self.message, self.hint = (
            code,
            _text(err.field),
            _text(err.message),
            _text(err.hint),
        )
        self.ofperr = _text(lib.ofperr_name(err.ofperr)) if err.ofperr else ""
        super().__init__(f"{self.field}: {self.message} ({self.hint})")


def _text(raw: Any) -> str:
    return bytes(ffi.string(raw)).decode(errors="replace")


def _call(function: Any, *args: Any) -> int:
    """Calls a function whose last argument is a struct ofp_error; Refused when it fails."""
    err = ffi.new("struct ofp_error *")
    result = int(function(*args, err))
    if result < 0:
        raise Refused(result, err)
    return result


def written(function: Any, *args: Any) -> str:
    """The text that a function writes into the buffer behind its arguments."""
    out = ffi.new("char[]", TEXT)
    assert function(*args, out, TEXT), "cut"
    return _text(out)


@dataclass(frozen=True)
class Field:
    """A row of the table of fields."""

    raw: Any

    @property
    def id(self) -> int:
        return int(self.raw.id)

    @property
    def name(self) -> str:
        return _text(self.raw.name)

    @property
    def n_bytes(self) -> int:
        return int(self.raw.n_bytes)

    @property
    def n_bits(self) -> int:
        return int(self.raw.n_bits)

    @property
    def maskable(self) -> bool:
        return bool(self.raw.maskable == lib.MFM_FULLY)

    @property
    def names(self) -> list[str]:
        """All names that find it."""
        raw = (self.raw.name, self.raw.extra_name, self.raw.nxm_name, self.raw.oxm_name)
        return [_text(each) for each in raw if each]

    @property
    def all_bits(self) -> int:
        bits = ffi.new("union mf_value *")
        lib.mf_all_bits(self.raw, bits)
        return self.number(bits)

    @property
    def is_mapped(self) -> bool:
        return bool(lib.mf_is_mapped(self.raw))

    def value(self, number: int) -> Any:
        raw = ffi.new("union mf_value *")
        ffi.memmove(raw.b, number.to_bytes(self.n_bytes, "big"), self.n_bytes)
        return raw

    def number(self, value: Any) -> int:
        return int.from_bytes(bytes(value.b[0 : self.n_bytes]), "big")

    def is_valid(self, number: int) -> bool:
        return bool(lib.mf_is_value_valid(self.raw, self.value(number)))

    def get(self, flow: Any) -> int:
        raw = ffi.new("union mf_value *")
        lib.mf_get_value(self.raw, flow, raw)
        return self.number(raw)

    def set(self, flow: Any, number: int, mask: int | None = None) -> None:
        if mask is None:
            lib.mf_set_flow_value(self.raw, self.value(number), flow)
        else:
            lib.mf_set_flow_value_masked(self.raw, self.value(number), self.value(mask), flow)

    def mask(self, wc: Any, mask: int | None = None) -> None:
        if mask is None:
            lib.mf_mask_field(self.raw, wc)
        else:
            lib.mf_mask_field_masked(self.raw, self.value(mask), wc)

    def parse(self, text: str) -> tuple[int, int]:
        """(value, mask) of a text."""
        value, mask = ffi.new("union mf_value *"), ffi.new("union mf_value *")
        _call(lib.match_test_field, self.raw, text.encode(), value, mask)
        return self.number(value), self.number(mask)

    def text(self, number: int, mask: int | None = None) -> str:
        raw_mask = ffi.NULL if mask is None else self.value(mask)
        return written(lib.match_test_field_text, self.raw, self.value(number), raw_mask)


def find(name: str) -> Field:
    raw = lib.mf_from_name(name.encode())
    assert raw, name
    return Field(raw)


def flow_of(data: bytes = bytes(FLOW_BYTES)) -> Any:
    """A struct flow of these bytes."""
    flow = ffi.new("struct flow *")
    ffi.buffer(flow)[:] = data
    return flow


def bytes_of(flow: Any) -> bytes:
    return bytes(ffi.buffer(flow))


def packet(**members: Any) -> Any:
    """A struct flow with these fields set."""
    flow = flow_of()
    for name, value in members.items():
        find(name).set(flow, value)
    return flow


def all_fields() -> list[Field]:
    """The whole table, by id."""
    return [Field(lib.mf_from_id(i)) for i in range(lib.MFF_N_IDS)]


@dataclass(frozen=True)
class Match:
    """A struct match, and what its text says beside it."""

    raw: Any
    extra: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Match) and bool(lib.match_equal(self.raw, other.raw))

    def __hash__(self) -> int:
        return hash(bytes(self))

    def __bytes__(self) -> bytes:
        return bytes(ffi.buffer(self.raw))

    def text(self, priority: int = 32768, names: bool = False) -> str:
        return written(lib.match_test_format, self.raw, priority, names)

    def covers(self, flow: Any) -> bool:
        return bool(lib.match_covers_flow(self.raw, flow))


def parse(text: str) -> Match:
    """Raises Refused."""
    raw, extra = ffi.new("struct match *"), ffi.new("struct flow_text *")
    _call(lib.match_test_parse, text.encode(), raw, extra)
    return Match(raw, extra)


def rewritten(text: str) -> str:
    """A flow's text read and printed again."""
    match = parse(text)
    return match.text(match.extra.priority)


def parse_subfield(text: str) -> tuple[Any, str]:
    """The sub-field at the text's begin, and what stands behind it."""
    sf = ffi.new("struct mf_subfield *")
    taken = _call(lib.match_test_subfield, text.encode(), sf)
    return sf, text.encode()[taken:].decode()


def set_tun_map(text: str) -> None:
    """The process's TLV map; "" = none."""
    _call(lib.match_test_tun_map, text.encode())


def remove_from_tun_map(text: str) -> None:
    _call(lib.match_test_tun_map_remove, text.encode())


def tun_map_text() -> str:
    out = ffi.new("char[]", TEXT)
    lib.match_test_tun_map_text(out, TEXT)
    return _text(out)


@contextmanager
def tun_map(text: str) -> Iterator[None]:
    """The map for a while; none afterwards."""
    set_tun_map(text)
    try:
        yield
    finally:
        set_tun_map("")
