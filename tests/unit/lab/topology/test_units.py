"""Quantities as people write them."""

import pytest

from lab.topology.units import parse_delay, parse_loss, parse_rate, show_delay, show_rate


@pytest.mark.parametrize(
    ("text", "microseconds"), [("10ms", 10_000), ("1.5 ms", 1_500), ("500us", 500), ("2s", 2_000_000)]
)
def test_delay(text: str, microseconds: int) -> None:
    assert parse_delay(text) == microseconds


@pytest.mark.parametrize(("text", "bits"), [("8kbit", 8_000), ("1.5mbit", 1_500_000), ("1Gbit", 10**9)])
def test_rate(text: str, bits: int) -> None:
    assert parse_rate(text) == bits


@pytest.mark.parametrize(("text", "share"), [("0%", 0.0), ("0.25%", 0.25), ("100 %", 100.0)])
def test_loss(text: str, share: float) -> None:
    assert parse_loss(text) == share


@pytest.mark.parametrize("text", ["", "ms", "10", "-1ms", "10 parsec", True, None])
def test_not_a_delay(text: object) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse_delay(text)


def test_shown_as_written() -> None:
    assert show_rate(1.96e9) == "1.96 Gbit/s"
    assert show_rate(64_000) == "64 kbit/s"
    assert show_delay(10_000) == "10 ms"
    assert show_delay(17.4) == "17.4 µs"
