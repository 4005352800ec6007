"""Actions and flow mods by text, out of the C code: what a text comes to, or why it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from tests.c.support.native import ffi, lib

ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)


@dataclass(frozen=True)
class Answer:
    """The text as it prints; or, with a code, the error."""

    text: str
    code: int
    ofperr: str
    field: str = ""
    message: str = ""
    hint: str = ""
    first_type: int = -1
    bytes: int = 0

    @property
    def refused(self) -> str:
        """OpenFlow's name for the refusal, "none" for one that has no name, empty if it is no refusal."""
        return self.ofperr if self.code else ""


@dataclass(frozen=True)
class FlowMod:
    """What flow_mod_parse made of a text."""

    answer: Answer
    table: int
    priority: int
    idle_timeout: int
    hard_timeout: int
    importance: int
    flags: int
    cookie: int
    cookie_mask: int
    new_cookie: int
    modify_cookie: bool
    out_port: int
    out_group: int


_out = ffi.new("struct act_answer *")


def _text(pointer: object) -> str:
    return str(ffi.string(pointer).decode())


def _answer() -> Answer:
    return Answer(
        _text(_out.text), _out.code, _text(_out.ofperr),
        *((_text(_out.field), _text(_out.message), _text(_out.hint)) if _out.code else ("", "", "")),
        first_type=_out.first_type, bytes=_out.len,
    )  # fmt: skip


def parse(text: str, instructions: bool = True, names: bool = False) -> Answer:
    """Parsed, printed, parsed again: -EBADMSG if that gives another list."""
    lib.act_parse(text.encode(), instructions, names, _out)
    return _answer()


def check(
    match: str,
    actions: str,
    *,
    table: int = 0,
    n_tables: int = 255,
    max_ports: int = 0xFF00,
    strict: bool = False,
) -> Answer:
    """Do the actions fit a rule with this match?"""
    lib.act_check(match.encode(), actions.encode(), table, n_tables, max_ports, strict, _out)
    return _answer()


def check_set(actions: str) -> Answer:
    """Is the list good for a bucket?"""
    lib.act_check_set(actions.encode(), _out)
    return _answer()


def execute_set(actions: str) -> Answer:
    """The list that an action set of these actions comes to."""
    lib.act_execute_set(actions.encode(), _out)
    return _answer()


def flow_mod(text: str, command: int = ADD) -> FlowMod:
    """A flow's text as a flow mod; answer.text is its match and actions again."""
    lib.act_flow_mod(text.encode(), command, _out)
    names = list(FlowMod.__dataclass_fields__)[1:]
    return FlowMod(_answer(), *(getattr(_out, name) for name in names))
