"""Texts that C makes, of any length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from switch.binding.errors import check, new_error
from switch.binding.ffi import ffi, lib


def decode(raw: Any) -> str:
    """A struct rs_text as str; bytes that are no UTF-8 are shown as escapes."""
    return bytes(ffi.buffer(raw.data, raw.len)).decode("utf-8", "backslashreplace")


def made_by(call: Callable[[Any, Any], int], field: str) -> str:
    """The text that call(out, err) makes; SwitchError when it refuses."""
    out, err = ffi.new("struct rs_text *"), new_error()
    try:
        check(call(out, err), err, field)
        return decode(out) if out.data else ""
    finally:
        lib.rs_text_free(out)
