"""Impairments in tc's words."""

import pytest

from lab.host.qdisc import netem_missing, root_arguments
from lab.topology.model import Impair


@pytest.mark.parametrize(
    ("impair", "words"),
    [
        (Impair(rate=10_000_000), "tbf rate 10000000bit burst 16384 latency 50ms"),
        (Impair(rate=1_000_000_000), "tbf rate 1000000000bit burst 500000 latency 50ms"),
        (Impair(delay_us=10_000), "netem delay 10000us limit 10000"),
        (Impair(loss=0.5), "netem loss 0.5% limit 1000"),
        (Impair(100, 1.0, 8_000), "netem delay 100us loss 1% rate 8000bit limit 1000"),
    ],
)
def test_arguments(impair: Impair, words: str) -> None:
    assert " ".join(root_arguments(impair)) == words


def test_missing_netem_names_the_kernel_option_and_what_works_without() -> None:
    problem = netem_missing("links[1].impair")
    assert "CONFIG_NET_SCH_NETEM" in problem.found
    assert "a rate alone works" in problem.way_out
