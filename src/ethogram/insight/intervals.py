"""How far a figure of some customers can be trusted: 95% intervals. Customers are the units that are drawn, never events."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Z = 1.959963984540054
"""Of a normal distribution, 95% lie within so many standard deviations."""

FEWEST = 5
"""Of fewer customers no interval is given where the formula needs many."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`low` and `high` bound a 95% interval; None where there are too few to say."""

    value: float
    low: float | None = None
    high: float | None = None

    def is_clear_of(self, value: float) -> bool:
        """Whether there is an interval, and it does not hold the value."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high


def share(part: int, whole: int) -> Estimate | None:
    """Wilson's interval (1927), which holds for few and for none, too. None of nobody."""
    if not whole:
        return None
    found = part / whole
    middle = (found + Z**2 / (2 * whole)) / (1 + Z**2 / whole)
    half = Z * sqrt(found * (1 - found) / whole + Z**2 / (4 * whole**2)) / (1 + Z**2 / whole)
    return Estimate(found, max(0.0, middle - half), min(1.0, middle + half))


def ratio_of_shares(part: int, whole: int, other_part: int, other_whole: int) -> Estimate | None:
    """One share against that of others (relative risk), the interval on the scale of logarithms (Katz and others, 1978). None
    where there is nobody, or no other has it; without an interval where nobody has it."""
    if not whole or not other_part:
        return None
    found = (part / whole) / (other_part / other_whole)
    if not part:
        return Estimate(found)
    return _by_factor(found, sqrt(1 / part - 1 / whole + 1 / other_part - 1 / other_whole))


def ratio_of_means(values: Numbers, others: Numbers) -> Estimate | None:
    """One mean against that of others, the interval on the scale of logarithms (delta method). None where there is nobody, or
    the other mean is 0; without an interval where there are too few, or a mean is not above 0."""
    if not len(values) or not len(others) or not others.mean():
        return None
    found = float(values.mean() / others.mean())
    if min(len(values), len(others)) < FEWEST or values.mean() <= 0 or others.mean() <= 0:
        return Estimate(found)
    variances = [some.var(ddof=1) / len(some) / some.mean() ** 2 for some in (values, others)]
    return _by_factor(found, sqrt(float(sum(variances))))


def _by_factor(found: float, spread: float) -> Estimate:
    return Estimate(found, exp(log(found) - Z * spread), exp(log(found) + Z * spread))


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of all customers, and what each of them adds to its uncertainty: the figure would be so much less without him.

    Figures of the same customers can be compared, as those of two periods: who is in both counts once. See Särndal, Swensson and
    Wretman, Model Assisted Survey Sampling (1992), section 5.5, for the linearization.
    """

    value: float
    influence: Numbers
    count: int

    @classmethod
    def total(cls, amounts: Numbers) -> Figure:
        """A sum over customers, each of whom might not have come (Poisson sampling)."""
        return cls(float(amounts.sum()), amounts, int(np.count_nonzero(amounts)))

    @classmethod
    def ratio(cls, amounts: Numbers, bases: Numbers) -> Figure | None:
        """A sum over customers by another sum over them; None by nothing."""
        base = float(bases.sum())
        if not base:
            return None
        found = float(amounts.sum()) / base
        return cls(found, (amounts - found * bases) / base, int(np.count_nonzero(bases)))

    @property
    def estimate(self) -> Estimate:
        return self._around(self.value, self.influence, self.count)

    def less(self, other: Figure) -> Estimate:
        return self._around(
            self.value - other.value, self.influence - other.influence, min(self.count, other.count)
        )

    def growth(self, other: Figure) -> Estimate | None:
        """Against the other, less one; the interval on the scale of logarithms. None from nothing."""
        if other.value <= 0:
            return None
        found = self.value / other.value
        if self.value <= 0 or min(self.count, other.count) < FEWEST:
            return Estimate(found - 1)
        influence = self.influence / self.value - other.influence / other.value
        factor = _by_factor(found, sqrt(float((influence**2).sum())))
        assert factor.low is not None and factor.high is not None
        return Estimate(found - 1, factor.low - 1, factor.high - 1)

    def _around(self, found: float, influence: Numbers, count: int) -> Estimate:
        if count < FEWEST:
            return Estimate(found)
        half = Z * sqrt(float((influence**2).sum()))
        return Estimate(found, found - half, found + half)
