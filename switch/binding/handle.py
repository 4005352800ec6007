"""The C handle of a switch, shared by all its wrappers, so that none of them can use it after it is
closed.
"""

from __future__ import annotations

from typing import Any

from switch.binding.errors import SwitchError
from switch.binding.ffi import lib


class Handle:
    """Owns one rs_switch."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    @property
    def raw(self) -> Any:
        """The pointer for a C call; SwitchError when the switch is closed."""
        if self._raw is None:
            raise SwitchError("switch", "it is closed", "make a new one")
        return self._raw

    def close(self) -> None:
        """Destroys the switch; again is no error."""
        if self._raw is not None:
            raw, self._raw = self._raw, None
            lib.rs_switch_destroy(raw)
