"""Population functions, fitted on everyone at a moment: exact, on whole millionths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.rounding import rounded
from ethogram.kernel.layout import NULL
from ethogram.language.plan import Fit

if TYPE_CHECKING:
    from ethogram.engines.running import Run

Integers = NDArray[np.int64]
MILLION = 1_000_000


def fitted_values(fits: Sequence[Fit], runs: Mapping[int, Run], rows: Sequence[int]) -> dict[int, Integers]:
    """For each bucket one row a fit: the population value of each customer, NULL where missing.

    `rows` are the value rows of the runs that hold, for each fit in turn, its x and where it has one its `among`.
    """
    row = 0
    columns: dict[int, list[Integers]] = {bucket: [] for bucket in runs}
    for fit in fits:
        among = rows[row + 1] if fit.among is not None else None
        own = {bucket: _x(run, rows[row], among) for bucket, run in runs.items()}
        row += 1 if among is None else 2
        values = np.concatenate([some[some != NULL] for some in own.values()] or [np.zeros(0, np.int64)])
        different, counts = np.unique(values, return_counts=True)
        scores = _scores(fit, different, counts)
        for bucket, some in own.items():
            known = some != NULL
            column = np.full(len(some), NULL, np.int64)
            column[known] = scores[np.searchsorted(different, some[known])]
            columns[bucket].append(column)
    return {bucket: np.stack(some) for bucket, some in columns.items()}


def _x(run: Run, row: int, among: int | None) -> Integers:
    inside = run.known if among is None else run.known & (run.values[among] == 1)
    return np.where(inside, run.values[row], NULL)


def _scores(fit: Fit, different: Integers, counts: Integers) -> Integers:
    """The function's value for each different x, ascending, with how many have it."""
    total = int(counts.sum())
    lower = np.cumsum(counts) - counts
    higher = total - lower - counts
    match fit.function:
        case "rank":
            return np.array([rounded(int(some) * MILLION, total) for some in lower], np.int64)
        case "ntile":
            parts = int(fit.amount)
            return np.minimum(parts, 1 + parts * lower // max(1, total)) * MILLION
        case "top" if fit.percent:
            limit = Fraction(fit.amount) / 100 * total
            return np.array([int(some < limit) for some in higher.tolist()], np.int64)
        case "top":
            return (higher < int(Decimal(fit.amount))).astype(np.int64)
        case _:
            return _standard_scores(different, counts)


def _standard_scores(different: Integers, counts: Integers) -> Integers:
    """(x - mean) / population standard deviation, on whole numbers of any size."""
    values, weights = different.tolist(), counts.tolist()
    size = sum(weights)
    total = sum(value * weight for value, weight in zip(values, weights, strict=True))
    squares = sum(value * value * weight for value, weight in zip(values, weights, strict=True))
    spread = size * squares - total * total
    if spread == 0:
        return np.full(len(values), NULL, np.int64)
    scale = 10**30
    root = isqrt(spread * scale * scale)
    return np.array([rounded((size * v - total) * scale * MILLION, root) for v in values], np.int64)
