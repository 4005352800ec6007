"""What the control plane raises: one class, which says where, what was found and the way out."""

from __future__ import annotations

import errno


class ControlError(Exception):
    """An error that a person can act upon.

    `field` is the input or the device at fault ("ports[2].vlan.access", "eth0"), `message` what was
    found, `hint` the way out (may be empty), `errno_name` the kernel's answer where there was one
    ("EBUSY").
    """

    def __init__(self, field: str, message: str, hint: str = "", errno_name: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message
        self.hint = hint
        self.errno_name = errno_name

    def as_json(self) -> dict[str, str]:
        """The error as the socket protocol carries it."""
        return {"field": self.field, "message": self.message, "hint": self.hint}

    def text(self) -> str:
        """The error as a person reads it: `field: message`, and the way out on a line of its own."""
        head = str(self)
        return f"{head}\n  way out: {self.hint}" if self.hint else head


# What Python calls ENOTSUP is EOPNOTSUPP to the kernel; 524 is the kernel's internal ENOTSUPP.
_OWN_NAMES = {errno.EOPNOTSUPP: "EOPNOTSUPP", errno.EAGAIN: "EAGAIN", 524: "ENOTSUPP"}


def errno_name(code: int) -> str:
    """Symbol of an errno of either sign ("EBUSY"); "" for 0."""
    code = abs(code)
    if code == 0:
        return ""
    return _OWN_NAMES.get(code) or errno.errorcode.get(code, f"errno {code}")
