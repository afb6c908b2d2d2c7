"""Formulas against published numbers, and how often their intervals hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ethogram.insight.figures import Figure
from ethogram.insight.inference import Estimate, median_ratio, rate_ratio, wilson


def test_the_share_of_a_published_example() -> None:
    """Newcombe (1998), Two-sided confidence intervals for the single proportion: 81 of 263, and 0 of 20."""
    found, none = wilson(81, 263), wilson(0, 20)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert (round(none.low, 4), round(none.high, 4)) == (0.0, 0.1611)


def test_little_is_said_of_few() -> None:
    total = Figure.total(np.array([3.0, 0.0, 2.0])).estimate
    assert total.value == 5 and math.isnan(total.low) and not total.is_clear_of(0)
    assert Figure.ratio(np.zeros(3), np.zeros(3)) is None
    assert math.isnan(median_ratio(np.array([1.0]), np.array([0.0])).value)


@pytest.mark.parametrize(
    "what", ["share", "ratio of shares", "ratio of medians", "ratio", "change", "growth"]
)
def test_95_of_100_intervals_hold_the_truth(what: str) -> None:
    random = np.random.default_rng(7)
    held = [_holds(what, random) for _ in range(600)]
    assert 0.92 <= np.mean(held) <= 0.985


def _holds(what: str, random: np.random.Generator) -> bool:
    size = 400
    orders = random.poisson(2, size).astype(float)
    amounts = orders * random.gamma(2, 20, size)
    again = np.maximum(orders + random.integers(-1, 2, size), 0)
    again_amounts = again * random.gamma(2, 20, size)
    found: Estimate | None
    match what:
        case "share":
            found, truth = wilson(int(random.binomial(60, 0.1)), 60), 0.1
        case "ratio of shares":
            found = rate_ratio(int(random.binomial(90, 0.3)), 90, int(random.binomial(300, 0.2)), 300)
            truth = 1.5
        case "ratio of medians":
            found, truth = median_ratio(random.gamma(2, 3, 90), random.gamma(2, 2, 200)), 1.5
        case "ratio":
            figure = Figure.ratio(amounts, orders)
            assert figure is not None
            found, truth = figure.estimate, 40.0
        case "change":
            one, other = Figure.ratio(again_amounts, again), Figure.ratio(amounts, orders)
            assert one is not None and other is not None
            found, truth = one.less(other), 0.0
        case _:  # a third of those who ordered nothing order one less than nothing: nothing
            found, truth = Figure.total(again).growth(Figure.total(orders)), math.exp(-2) / 3 / 2
    assert found is not None
    return found.low <= truth <= found.high
