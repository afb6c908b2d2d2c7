"""Sums over customers and ratios of them, as shops count them, with how sure they are. Customers are what is drawn, not events."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ethogram.insight.inference import Z95, Estimate
from ethogram.insight.people import Numbers

FEWEST = 5
"""Of fewer customers no interval is given: the formulas need many."""


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
            return Estimate(found - 1, math.nan, math.nan)
        influence = self.influence / self.value - other.influence / other.value
        spread = Z95 * math.sqrt(float((influence**2).sum()))
        return Estimate(found - 1, found * math.exp(-spread) - 1, found * math.exp(spread) - 1)

    def _around(self, found: float, influence: Numbers, count: int) -> Estimate:
        if count < FEWEST:
            return Estimate(found, math.nan, math.nan)
        half = Z95 * math.sqrt(float((influence**2).sum()))
        return Estimate(found, found - half, found + half)
