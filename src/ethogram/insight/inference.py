"""Shares, ratios and tests with their intervals: small formulas, each with its source. Intervals are at 95 % unless said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval (NaN where there are too few to say) and, where something was tested, the probability of so much by chance alone."""

    value: float
    low: float
    high: float
    p: float = math.nan

    def is_clear_of(self, value: float) -> bool:
        """Whether there is an interval, and it does not hold the value."""
        return self.low > value or self.high < value

    @property
    def clarity(self) -> float:
        """Of a ratio: how far the nearer end of the interval lies from 1, on the scale of logarithms; 0 where it holds 1."""
        if self.low > 1:
            return math.log(self.low)
        if self.high >= 1 or math.isnan(self.high):
            return 0.0
        return -math.log(self.high) if self.high > 0 else math.inf

    def as_json(self) -> dict[str, float | None]:
        found = {"value": self.value, "low": self.low, "high": self.high, "p": self.p}
        return {name: value if math.isfinite(value) else None for name, value in found.items()}


# --- shares ---------------------------------------------------------------------------------------------------------


def wilson(part: int, whole: int) -> Estimate:
    """A share with Wilson's score interval (Wilson 1927, as recommended by Brown, Cai and DasGupta 2001)."""
    if not whole:
        return Estimate(math.nan, 0.0, 1.0)
    share, square = part / whole, Z95 * Z95
    center = (share + square / (2 * whole)) / (1 + square / whole)
    half = Z95 * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole)) / (1 + square / whole)
    return Estimate(share, 0.0 if not part else center - half, 1.0 if part == whole else center + half)


def share_against(part: int, whole: int, expected: float) -> Estimate:
    """A share against one that is known exactly: their ratio, Wilson's interval over it, and the score test's p."""
    share = wilson(part, whole)
    spread = math.sqrt(expected * (1 - expected) / whole) if whole and 0 < expected < 1 else 0.0
    p = two_sided((share.value - expected) / spread) if spread else math.nan
    return Estimate(share.value / expected, share.low / expected, share.high / expected, p)


def rate_ratio(part: int, whole: int, other: int, other_whole: int) -> Estimate:
    """How many times the one share is the other: interval by Katz's logs (Katz et al. 1978), with a half added everywhere
    where a part is zero (Pettigrew, Gart and Thomas 1986); p by the chi-square test of the two by two table (Pearson)."""
    if not whole or not other_whole or not (part or other):
        return Estimate(math.nan, 0.0, math.inf)
    a, n, b, m = float(part), float(whole), float(other), float(other_whole)
    value = (a / n) / (b / m) if b else math.inf
    if not part or not other:
        a, n, b, m = a + 0.5, n + 0.5, b + 0.5, m + 0.5
    spread = math.sqrt(max(1 / a - 1 / n + 1 / b - 1 / m, 0.0))
    middle = (a / n) / (b / m)
    low, high = middle * math.exp(-Z95 * spread), middle * math.exp(Z95 * spread)
    return Estimate(
        value, low if part else 0.0, high if other else math.inf, _pearson(part, whole, other, other_whole)
    )


def _pearson(part: int, whole: int, other: int, other_whole: int) -> float:
    pooled = (part + other) / (whole + other_whole)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / whole + 1 / other_whole))
    return two_sided((part / whole - other / other_whole) / spread) if spread else 1.0


def two_sided(z: float) -> float:
    """Of a standard normal deviate."""
    return math.erfc(abs(z) / math.sqrt(2))


# --- amounts --------------------------------------------------------------------------------------------------------


def typical_ratio(first: Numbers, second: Numbers) -> Estimate:
    """How many times the typical (geometric mean) positive amount of the one is that of the other: Welch's t on logarithms
    (Welch 1947), which long tails of amounts do not upset. Needs two of each."""
    one, other = np.log(first), np.log(second)
    if len(one) < 2 or len(other) < 2:
        return Estimate(math.nan, 0.0, math.inf)
    difference = float(one.mean() - other.mean())
    parts = float(one.var(ddof=1)) / len(one), float(other.var(ddof=1)) / len(other)
    spread = math.sqrt(sum(parts))
    if not spread:
        return Estimate(
            math.exp(difference), math.exp(difference), math.exp(difference), float(not difference)
        )
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(one) - 1) + parts[1] ** 2 / (len(other) - 1))
    half = student_quantile(freedom) * spread
    p = student_two_sided(difference / spread, freedom)
    return Estimate(math.exp(difference), math.exp(difference - half), math.exp(difference + half), p)


def median_ratio(first: Numbers, second: Numbers) -> Estimate:
    """How many times the one median is the other, without assuming a distribution (Price and Bonett 2002). An interval needs
    medians and order statistics above zero."""
    one, other = float(np.median(first)), float(np.median(second))
    value = one / other if other else math.nan
    widths = [_log_median_width(np.sort(some)) for some in (first, second)]
    if not (one > 0 < other) or any(math.isnan(width) for width in widths):
        return Estimate(value, math.nan, math.nan)
    spread = math.exp(Z95 * math.hypot(*widths))
    return Estimate(value, value / spread, value * spread)


def _log_median_width(ordered: Numbers) -> float:
    """The standard error of the median's logarithm, from two order statistics around it."""
    count = len(ordered)
    place = max(1, round((count + 1) / 2 - math.sqrt(count)))
    low, high = ordered[place - 1], ordered[count - place]
    if low <= 0 or count < 5:
        return math.nan
    deviate = NormalDist().inv_cdf(1 - _binomial_below(place, count))
    return float(math.log(high / low) / (2 * deviate))


def _binomial_below(place: int, count: int) -> float:
    """The probability of fewer heads than `place` in `count` throws."""
    if count > 200:
        return NormalDist(count / 2, math.sqrt(count) / 2).cdf(place - 0.5)
    return float(sum(math.comb(count, heads) for heads in range(place))) / 2.0**count


def student_two_sided(t: float, freedom: float) -> float:
    """By the incomplete beta function (Abramowitz and Stegun 26.7.1)."""
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def student_quantile(freedom: float, tail: float = 0.05) -> float:
    """The t that is exceeded on both sides together with probability `tail`; by bisection."""
    low, high = 0.0, 2.0
    while student_two_sided(high, freedom) > tail:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if student_two_sided(middle, freedom) > tail else (low, middle)
    return (low + high) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularized; Lentz's continued fraction (Press et al., Numerical Recipes, 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = fraction
        for step in (even, odd):
            d, c = 1 / _not_zero(1 + step * d), _not_zero(1 + step / c)
            fraction *= c * d
        if abs(fraction - before) < 1e-15 * abs(fraction):
            break
    return math.exp(front) * fraction / a


def _not_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300


# --- many tests -----------------------------------------------------------------------------------------------------


def adjusted(probabilities: Sequence[float]) -> list[float]:
    """For many tests at once: of those below a limit, that share at most is expected to be chance (Benjamini and Hochberg
    1995). What was not tested (NaN) stays so and does not count."""
    tested = [place for place, p in enumerate(probabilities) if not math.isnan(p)]
    tested.sort(key=lambda place: probabilities[place])
    found, least = list(probabilities), 1.0
    for rank in range(len(tested), 0, -1):
        place = tested[rank - 1]
        least = min(least, probabilities[place] * len(tested) / rank)
        found[place] = least
    return found


# --- drift ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shift:
    """`by_chance` is what samples of these sizes from one and the same population stay below in 999 of 1,000 cases: many are
    looked at."""

    index: float
    by_chance: float


def stability(before: NDArray[np.int64], after: NDArray[np.int64]) -> Shift:
    """The population stability index of two counts by group, a half added where one is zero (Siddiqi, Credit Risk Scorecards,
    2006); by chance it is a chi-square over the sizes (Yurdakul and Naranjo 2020)."""
    there = (before + after) > 0
    first, second = before[there].astype(np.float64), after[there].astype(np.float64)
    if len(first) < 2 or not first.sum() or not second.sum():
        return Shift(0.0, 0.0)
    chance = _chi_square_999(len(first) - 1) * (1 / first.sum() + 1 / second.sum())
    empty = (first == 0) | (second == 0)
    first, second = first + 0.5 * empty, second + 0.5 * empty
    first, second = first / first.sum(), second / second.sum()
    return Shift(float(((second - first) * np.log(second / first)).sum()), chance)


def _chi_square_999(freedom: int) -> float:
    """Wilson and Hilferty's cube root (1931)."""
    nineth = 2 / (9 * freedom)
    return float(freedom * (1 - nineth + 3.090232306167813 * math.sqrt(nineth)) ** 3)


def size_ratio(before: int, entered: int, left: int) -> Estimate:
    """How many times as large after some entered and some left: their numbers taken as Poisson, so that those who stayed
    add no doubt; the interval is on the scale of logs."""
    after = before + entered - left
    if not before or after <= 0:
        return Estimate(math.inf if after else math.nan, 0.0, math.inf)
    value = after / before
    spread = math.sqrt(entered / after**2 + left / before**2)
    return Estimate(value, value * math.exp(-Z95 * spread), value * math.exp(Z95 * spread))
