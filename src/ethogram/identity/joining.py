"""Disjoint sets with limits. Few links are joined as they are; for many the loop is compiled, which takes a second once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
USED: Final = 0
SHARED: Final = 1
TWO_CUSTOMERS: Final = 2
LIMITED: Final = 3
MANY: Final = 20_000
"""So many links are worth compiling for."""


def join(
    parent: Integers,
    counts: NDArray[np.int32],
    limits: NDArray[np.int32],
    left: Integers,
    right: Integers,
    order: Integers,
    states: NDArray[np.int8],
) -> None:
    """Joins the sets of `left[k]` and `right[k]` for each k of `order` in turn where all that the two have together is within the
    limits, and says in `states[k]` what became of it. The root of a set is its smallest element; `counts` are by root, the first
    of them the customers."""
    _loop(len(order) >= MANY)(parent, counts, limits, left, right, order, states)


@cache
def _loop(is_compiled: bool) -> Callable[..., None]:
    if not is_compiled:
        return _join
    import numba

    return cast("Callable[..., None]", numba.njit(cache=True, nogil=True)(_join))


def _join(parent: Any, counts: Any, limits: Any, left: Any, right: Any, order: Any, states: Any) -> None:
    for link in order:
        one, other = left[link], right[link]
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        if one == other:
            states[link] = 0
            continue
        state = 0
        for what in range(limits.shape[0]):
            if counts[one, what] + counts[other, what] > limits[what]:
                state = 2 if what == 0 else 3
                break
        states[link] = state
        if state == 0:
            low, high = min(one, other), max(one, other)
            parent[high] = low
            for what in range(limits.shape[0]):
                counts[low, what] += counts[high, what]


def roots(parent: Integers) -> Integers:
    """Of every element."""
    top = parent
    while True:
        above = top[top]
        if np.array_equal(above, top):
            return above
        top = above
