import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.measure import stats

SAMPLES = st.lists(st.floats(0, 1e9), min_size=2, max_size=50)


def test_percentile_interpolates_between_neighbours() -> None:
    assert stats.percentile([10, 20, 30, 40, 50], 90) == pytest.approx(46)
    assert stats.percentile([50, 10, 40, 20, 30], 50) == 30
    assert stats.percentile([7], 90) == 7


@given(SAMPLES)
def test_percentiles_are_those_of_the_standard_library(values: list[float]) -> None:
    ours = stats.summarize(values)
    theirs = statistics.quantiles(values, n=20, method="inclusive")
    assert ours.median == pytest.approx(statistics.median(values))
    assert ours.p90 == pytest.approx(theirs[17])
    assert (ours.q1, ours.q3) == pytest.approx((theirs[4], theirs[14]))
    assert (ours.low, ours.high, ours.n) == (min(values), max(values), len(values))


@pytest.mark.parametrize("percent", [-1, 100.5, float("nan")])
def test_a_percentage_that_is_none_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="percent"):
        stats.percentile([1, 2], percent)


def test_no_samples_are_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="no samples"):
        stats.median([])


def test_ratio_is_formed_within_each_round() -> None:
    # The machine halved its speed after the first round: the ratio does not care.
    ratios, missing = stats.ratios_by_round([[9, 10, 11], [4, 5, 6]], [[20, 20, 20], [10, 10, 10]])
    assert ratios == [0.5, 0.5]
    assert missing == 0


def test_rounds_without_one_of_the_sides_are_counted() -> None:
    ratios, missing = stats.ratios_by_round([[1.0], [], [3.0], [4.0]], [[2.0], [2.0], [0.0]])
    assert ratios == [0.5]
    assert missing == 3
