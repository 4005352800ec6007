"""What would happen to a packet, in the words of `ovs-appctl ofproto/trace`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from switch.binding.errors import SwitchError
from switch.binding.ffi import ffi, lib
from switch.binding.handle import Handle
from switch.binding.text import made_by

CT_STATES = ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")


@dataclass(frozen=True)
class TraceOptions:
    """ct_next: states of the packet after each pass through conntrack ("trk,est"), then trk,new. actions: to
    run instead of the tables. names: ports by name. all_recircs: follow recirculations other than conntrack's
    too.
    """

    ct_next: Sequence[str] = ()
    actions: str | None = None
    names: bool = False
    all_recircs: bool = False


def ct_state(words: str) -> int:
    """States ("trk,est", "trk|est") as bits. SwitchError names a word that is none."""
    bits = 0
    for word in words.replace("|", ",").split(","):
        if word.strip() not in CT_STATES:
            raise SwitchError("ct_next", f"{word!r} is no connection state", ", ".join(CT_STATES))
        bits |= 1 << CT_STATES.index(word.strip())
    return bits


class _Options:
    """A struct rs_trace_options and what it points to."""

    def __init__(self, options: TraceOptions) -> None:
        self.raw: Any = ffi.new("struct rs_trace_options *")
        self._states = ffi.new("uint8_t[]", [ct_state(words) for words in options.ct_next] or [0])
        self.raw.ct_next, self.raw.n_ct_next = self._states, len(options.ct_next)
        if options.actions is not None:
            self._actions = ffi.new("char[]", options.actions.encode())
            self.raw.actions = self._actions
        self.raw.names, self.raw.all_recircs = options.names, options.all_recircs


def explain_flow(handle: Handle, flow: str, options: TraceOptions) -> str:
    """Explains what would happen to a packet described by ovs-ofctl fields."""
    raw, sw, how = flow.encode(), handle.raw, _Options(options)
    return made_by(lambda out, err: lib.rs_trace_flow(sw, raw, how.raw, out, err), "flow")


def explain_packet(handle: Handle, ofport: int, frame: bytes, options: TraceOptions) -> str:
    """Explains what would happen to a frame that came in on a port."""
    sw, how = handle.raw, _Options(options)
    return made_by(
        lambda out, err: lib.rs_trace_packet(sw, ofport, frame, len(frame), how.raw, out, err), "packet"
    )
