"""Reading one mapping of a configuration: a refusal names the path of the field, what was found, the way out.

Made with the keys that the mapping may have (others are refused), then asked field by field:
`fields.integer("mtu", 68, 65535)` is the number, None if it is absent, or a ControlError.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from switch.control.errors import ControlError
from switch.control.model import NAME_LENGTH

Choice = TypeVar("Choice", bound=enum.StrEnum)

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_KINDS: dict[type, str] = {
    str: "text",
    bool: "true/false",
    int: "a number",
    float: "a fraction",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


def shown(value: object) -> str:
    """A found value as an error shows it: kind and content, cut to a line."""
    kind = _KINDS.get(type(value), type(value).__name__)
    if value is None:
        return kind
    text = repr(value)
    return f"{kind} {text if len(text) <= 60 else text[:57] + '...'}"


def near(word: str, words: Iterable[str]) -> str:
    """A hint that suggests what `word` was meant to be, out of `words`."""
    known = sorted(words)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"one of: {', '.join(known)}" if known else ""


class Fields:
    """One mapping of the input and the path that leads to it."""

    def __init__(self, raw: object, path: str, known: Sequence[str], what: str) -> None:
        if not isinstance(raw, Mapping):
            keys = ", ".join(known)
            raise ControlError(path, f"found {shown(raw)}, where {what} belongs", f"a mapping with: {keys}")
        self._raw: Mapping[Any, Any] = raw
        self._path = path
        for key in raw:
            if key not in known:
                raise ControlError(self.at(str(key)), f"unknown key in {what}", near(str(key), known))

    def at(self, key: str) -> str:
        """Path of a field of this mapping."""
        return f"{self._path}.{key}" if self._path else key

    def get(self, key: str) -> Any:
        """The raw value; None if it is absent or null."""
        return self._raw.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text. Raises when it is absent and has no default."""
        value = self.get(key)
        if value is None:
            if default is not None:
                return default
            raise ControlError(self.at(key), "missing", f"give {key}: …")
        if not isinstance(value, str):
            raise ControlError(self.at(key), f"found {shown(value)}, not text", f'quote it: "{value}"')
        return clean(value, self.at(key))

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts. Raises when it is absent and has no default."""
        value = self.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, list):
            raise ControlError(self.at(key), f"found {shown(value)}, not a list", "write [text, …]")
        for i, each in enumerate(value):
            if not isinstance(each, str) or not each.strip():
                raise ControlError(f"{self.at(key)}[{i}]", f"found {shown(each)}, not text", "quote it")
            clean(each, f"{self.at(key)}[{i}]")
        return tuple(value)

    def flag(self, key: str) -> bool:
        """A yes or no; absent is false."""
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            raise ControlError(self.at(key), f"found {shown(value)}", "true or false")
        return bool(value)

    def name(self, key: str, default: str | None = None) -> str:
        """A name that the kernel would take for a device: 1 … 15 characters, no slash, no space."""
        value = self.text(key, default)
        if value == "" and default == "":
            return value
        if len(value.encode()) > NAME_LENGTH:
            found = f"{value!r} has {len(value.encode())} characters"
            raise ControlError(self.at(key), found, f"at most {NAME_LENGTH}, as for a network device")
        if not _NAME.fullmatch(value):
            raise ControlError(self.at(key), f"{value!r} is no name", "letters, digits and _ . : -")
        return value

    def integer(self, key: str, low: int, high: int) -> int | None:
        """A whole number in low … high; None if it is absent."""
        value = self.get(key)
        return None if value is None else whole(value, self.at(key), low, high)

    def choice(self, key: str, kind: type[Choice], default: Choice) -> Choice:
        """One of the words of an enumeration."""
        value = self.get(key)
        if value is None:
            return default
        words = [str(each.value) for each in kind]
        if not isinstance(value, str) or value not in words:
            raise ControlError(self.at(key), f"found {shown(value)}", near(str(value), words))
        return kind(value)

    def integers(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """A list of different whole numbers, ascending in the result; () if it is absent."""
        value = self.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise ControlError(self.at(key), f"found {shown(value)}, not a list", f"write [{low}, …]")
        numbers = [whole(each, f"{self.at(key)}[{i}]", low, high) for i, each in enumerate(value)]
        for i, number in enumerate(numbers):
            if number in numbers[:i]:
                raise ControlError(f"{self.at(key)}[{i}]", f"{number} is there twice", "name each once")
        return tuple(sorted(numbers))


def clean(value: str, path: str) -> str:
    """`value` if C can take it as it is: no zero byte, nothing that UTF-8 cannot say. Else ControlError."""
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ControlError(path, f"{value!r} is no plain text", "no zero byte, no half of a surrogate pair")
    return value


def whole(value: object, path: str, low: int, high: int) -> int:
    """`value` if it is a whole number in low … high, else ControlError for `path`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ControlError(path, f"found {shown(value)}", f"a number from {low} to {high}")
    if not low <= value <= high:
        raise ControlError(path, f"{value} is out of range", f"a number from {low} to {high}")
    return value
