"""odp_commit() for tests: keys in, a list and what it did to base and wc out."""

from __future__ import annotations

from dataclasses import dataclass

from tests.c.support.native import ffi, lib
from tests.differential.key import Key, from_c, to_c

NOTHING = Key(in_port=0)  # As a mask: nothing has been looked at.


@dataclass(frozen=True)
class Committed:
    actions: bytes
    base: Key
    wc: Key


def commit(flow: Key, base: Key, wc: Key = NOTHING, encap: bool | None = None, md2: bytes = b"") -> Committed:
    """The actions from base to flow. encap: an encap() (True) or decap() (False) is pending."""
    raw_flow, raw_base, raw_wc = to_c(flow), to_c(base), to_c(wc)
    out = ffi.new("uint8_t[8192]")
    how = -1 if encap is None else int(encap)
    size = lib.exe_commit(raw_flow, raw_base, raw_wc, how, md2, len(md2), out, 8192)
    assert from_c(raw_flow) == flow
    return Committed(bytes(ffi.buffer(out, size)), from_c(raw_base), from_c(raw_wc))
