"""Intervals against published numbers, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from ethogram.insight.intervals import Estimate, Figure, ratio_of_means, ratio_of_shares, share


def test_the_share_of_a_published_example() -> None:
    """Newcombe (1998), Two-sided confidence intervals for the single proportion: 81 of 263, and 0 of 20."""
    found = share(81, 263)
    assert found is not None and found.low is not None and found.high is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    none = share(0, 20)
    assert none is not None and none.low == 0 and none.high is not None and round(none.high, 4) == 0.1611
    assert share(0, 0) is None


def test_little_is_said_of_few() -> None:
    assert Figure.total(np.array([3.0, 0.0, 2.0])).estimate == Estimate(5.0)
    assert Figure.ratio(np.zeros(3), np.zeros(3)) is None
    assert ratio_of_shares(1, 10, 0, 10) is None
    assert ratio_of_shares(0, 10, 5, 10) == Estimate(0.0)
    assert ratio_of_means(np.array([1.0]), np.array([2.0])) == Estimate(0.5)
    assert ratio_of_means(np.array([1.0]), np.array([0.0])) is None


@pytest.mark.parametrize("what", ["share", "ratio of shares", "ratio of means", "ratio", "change", "growth"])
def test_95_of_100_intervals_hold_the_truth(what: str) -> None:
    random = np.random.default_rng(7)
    held = [_holds(what, random) for _ in range(600)]
    assert 0.92 <= np.mean(held) <= 0.98


def _holds(what: str, random: np.random.Generator) -> bool:
    size = 400
    orders = random.poisson(2, size).astype(float)
    amounts = orders * random.gamma(2, 20, size)
    again = np.maximum(orders + random.integers(-1, 2, size), 0)
    again_amounts = again * random.gamma(2, 20, size)
    match what:
        case "share":
            found, truth = share(int(random.binomial(60, 0.1)), 60), 0.1
        case "ratio of shares":
            found = ratio_of_shares(int(random.binomial(90, 0.3)), 90, int(random.binomial(300, 0.2)), 300)
            truth = 1.5
        case "ratio of means":
            found, truth = ratio_of_means(random.gamma(2, 3, 90), random.gamma(2, 2, 200)), 1.5
        case "ratio":
            figure = Figure.ratio(amounts, orders)
            assert figure is not None
            found, truth = figure.estimate, 40.0
        case "change":
            one, other = Figure.ratio(again_amounts, again), Figure.ratio(amounts, orders)
            assert one is not None and other is not None
            found, truth = one.less(other), 0.0
        case _:
            found, truth = Figure.total(again).growth(Figure.total(orders)), np.exp(-2) / 3 / 2
    assert found is not None and found.low is not None and found.high is not None
    return found.low <= truth <= found.high
