"""Quantities as people write them: `10ms`, `0.5%`, `100mbit`. Each parser raises ValueError that says what it
wants.
"""

from __future__ import annotations

import re

_TIME = {"us": 1, "ms": 1_000, "s": 1_000_000}
_RATE = {"bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z%]*)\s*")


def _split(value: object) -> tuple[float, str]:
    match = _QUANTITY.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        raise ValueError("is not a number with a unit")
    return float(match[1]), match[2].lower()


def parse_delay(value: object) -> int:
    """`10ms` → microseconds."""
    number, unit = _split(value)
    if unit not in _TIME:
        raise ValueError("is not a time: write it as 500us, 10ms or 1s")
    return round(number * _TIME[unit])


def parse_rate(value: object) -> int:
    """`100mbit` → bits a second."""
    number, unit = _split(value)
    if unit not in _RATE or number * _RATE[unit] < 8_000:
        raise ValueError("is not a rate: write it as 64kbit, 100mbit or 1gbit (8kbit at least)")
    return round(number * _RATE[unit])


def parse_loss(value: object) -> float:
    """`1%` → per cent, 0 to 100."""
    number, unit = _split(value)
    if unit != "%" or number > 100:
        raise ValueError("is not a loss: write it as 0.5% (0% to 100%)")
    return number


def show_rate(bits: float) -> str:
    """Bits a second for people: `1.96 Gbit/s`."""
    for unit, size in (("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if bits >= size:
            return f"{bits / size:.3g} {unit}"
    return f"{bits:.3g} bit/s"


def show_delay(microseconds: float) -> str:
    """Microseconds for people: `10 ms`, `17.4 µs`."""
    if microseconds >= 1_000_000:
        return f"{microseconds / 1e6:.3g} s"
    return f"{microseconds / 1e3:.3g} ms" if microseconds >= 1_000 else f"{microseconds:.3g} µs"
