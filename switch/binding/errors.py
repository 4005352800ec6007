"""One exception and the one place that makes it out of C return codes."""

from __future__ import annotations

import errno
import os
from typing import Any

from switch.binding.ffi import ffi


class SwitchError(Exception):
    """The switch refused. Says which input is at fault, what was found there, and the way out.

    `code` is a positive errno; `ofperr` OpenFlow's name for it ("OFPFMFC_TABLE_FULL"). `field`, `hint` and
    `ofperr` may be empty.
    """

    def __init__(
        self, field: str, message: str, hint: str = "", code: int = errno.EINVAL, ofperr: str = ""
    ) -> None:
        self.field = field
        self.message = message
        self.hint = hint
        self.code = code
        self.ofperr = ofperr
        super().__init__(field, message, hint, code, ofperr)

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        name = f" [{self.ofperr}]" if self.ofperr else ""
        way_out = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{name}{way_out}"

    @property
    def errno_name(self) -> str:
        """Symbol of the errno, such as "EBUSY"."""
        return errno.errorcode.get(self.code, str(self.code))


def new_error() -> Any:
    """A zeroed struct rs_error for one call."""
    return ffi.new("struct rs_error *")


def text(array: Any) -> str:
    """A C string as str; bytes that are no UTF-8 are shown as escapes."""
    raw: bytes = ffi.string(array)
    return raw.decode("utf-8", "backslashreplace")


def check(code: int, error: Any = None, field: str = "") -> int:
    """Returns `code` when it is no error; raises SwitchError out of `error` and the errno when it is."""
    if code >= 0:
        return code
    message = text(error.message) if error is not None else ""
    return _refuse(-code, error, field, message or os.strerror(-code))


def _refuse(code: int, error: Any, field: str, message: str) -> int:
    if error is None:
        raise SwitchError(field, message, code=code)
    raise SwitchError(text(error.field) or field, message, text(error.hint), code, text(error.ofperr))
