"""Rows that are new put between rows that are there, customer by customer in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Merge:
    """The rows `old` of a tape go to the places `old_at`, new rows in their order to `new_at`; customer u then has the places
    `offset[u] : offset[u + 1]`."""

    old: Integers
    old_at: Integers
    new_at: Integers
    offset: Integers

    def __len__(self) -> int:
        return int(self.offset[-1])

    def of(self, old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        """One column, or rows of a table."""
        whole = np.empty((len(self), *old.shape[1:]), old.dtype)
        whole[self.old_at] = old[self.old]
        whole[self.new_at] = new
        return whole


def merged(spans: Integers, time: Integers, offset: Integers, new_time: Integers) -> Merge:
    """New rows `offset[u] : offset[u + 1]` of each customer, in order of time, between the rows `spans[u]` of a tape.

    They stand in place of old rows of the same moment: they are all there are of it (see `tied`).
    """
    first, lengths = spans[:, 0], spans[:, 1] - spans[:, 0]
    counts = np.diff(offset)
    owner = np.repeat(np.arange(len(spans)), counts)
    low, high = _same_moment(spans, time, offset, new_time, owner)
    begin = np.cumsum(lengths) - lengths
    rank = low - first[owner]
    old = ranges(first, lengths)
    if (high > low).any():
        gone = np.zeros(len(old) + 1, np.int64)
        at = begin[owner] + rank
        gone[ranges(at, high - low) + 1] = 1
        stays = gone[1:] == 0
        gone = np.cumsum(gone)
        rank -= gone[at] - gone[begin[owner]]
        lengths = lengths - (gone[begin + lengths] - gone[begin])
        old = old[stays]
    ends = np.concatenate([[0], np.cumsum(lengths + counts)]).astype(np.int64)
    new_at = ends[owner] + rank + np.arange(len(owner)) - offset[:-1][owner]
    is_old = np.ones(int(ends[-1]), np.bool_)
    is_old[new_at] = False
    return Merge(old, np.flatnonzero(is_old), new_at, ends)


def tied(spans: Integers, time: Integers, offset: Integers, new_time: Integers) -> NDArray[np.bool_]:
    """Which new rows are of a moment that the customer's old rows have too: time alone does not say which comes first."""
    owner = np.repeat(np.arange(len(spans)), np.diff(offset))
    low, high = _same_moment(spans, time, offset, new_time, owner)
    found: NDArray[np.bool_] = high > low
    return found


def _same_moment(
    spans: Integers, time: Integers, offset: Integers, new_time: Integers, owner: Integers
) -> tuple[Integers, Integers]:
    """The old rows (first, past) of each new row's moment; there may be none. Most new rows come after all old ones."""
    first, past = spans[:, 0], spans[:, 1]
    low = past[owner]
    high = low.copy()
    both = np.flatnonzero((past > first) & (np.diff(offset) > 0))
    late = both[time[past[both] - 1] >= new_time[offset[both]]]
    if len(late):
        rows = ranges(offset[late], offset[late + 1] - offset[late])
        bounds = first[owner[rows]], past[owner[rows]]
        low[rows] = _search(time, *bounds, new_time[rows])
        high[rows] = _search(time, *bounds, new_time[rows] + 1)
    return low, high


def _search(time: Integers, low: Integers, high: Integers, moments: Integers) -> Integers:
    """The first row in [low, high) that is not before the moment, for each of them."""
    while (low < high).any():
        middle = (low + high) >> 1
        is_before = (low < high) & (time[np.minimum(middle, len(time) - 1)] < moments)
        high = np.where(is_before, high, middle)
        low = np.where(is_before, middle + 1, np.minimum(low, high))
    return low


def ranges(first: Integers, lengths: Integers) -> Integers:
    """
    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(first - ends + lengths, lengths)
