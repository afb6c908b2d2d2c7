"""What many numbers come to: their order, their middle, how much they vary."""

from __future__ import annotations

import numpy as np

from ethogram.kernel.arithmetic import (
    MILLION,
    divide_rounding,
    square_root,
    wide_part,
    wide_product,
    wide_sum,
)
from ethogram.kernel.compiling import compiled
from ethogram.kernel.layout import NULL, Integers

MOST_VARIED = 1_000_000
"""The square of what a coefficient of variation can be at most: it takes more gaps than that to exceed it."""


@compiled
def sort_rows(values: Integers, length: int, width: int) -> None:
    """Sorts the first `length` numbers, rows of one or two, in place.

    A shell sort: numpy's sorts take longer to compile than all of the kernel's own functions together.
    """
    size = length // width
    gap = 1
    while gap < size // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, size):
            key = values[k * width]
            rest = values[k * width + width - 1]
            place = k
            while place >= gap and (
                values[(place - gap) * width] > key
                or (values[(place - gap) * width] == key and values[(place - gap) * width + width - 1] > rest)
            ):
                for column in range(width):
                    values[place * width + column] = values[(place - gap) * width + column]
                place -= gap
            values[place * width] = key
            values[place * width + width - 1] = rest
        gap //= 3


@compiled
def _select(values: Integers, size: int, place: int) -> None:
    """Puts the value that sorting would put there at a place, lower ones before it (Hoare, 1961)."""
    first, last = 0, size - 1
    while first < last:
        pivot, low, high = values[(first + last) >> 1], first, last
        while low <= high:
            while values[low] < pivot:
                low += 1
            while values[high] > pivot:
                high -= 1
            if low <= high:
                values[low], values[high] = values[high], values[low]
                low += 1
                high -= 1
        if place <= high:
            last = high
        elif place >= low:
            first = low
        else:
            return


@compiled
def median(values: Integers, size: int, scale: int) -> int:
    """Mean of the middle two, divided by `scale`, half to even."""
    half = size // 2
    _select(values, size, half)
    low = high = values[half]
    if size % 2 == 0:
        low = values[0]
        for k in range(1, half):
            low = max(low, values[k])
    if scale == 1 and (low ^ high) < 0:
        return divide_rounding(low + high, 2)
    if scale == 1:
        return low + _half_to_even(high - low, low)
    return divide_rounding(low + high, 2 * scale)


@compiled
def _half_to_even(distance: int, low: int) -> int:
    """Half of a distance such that low plus it is even where it does not divide."""
    half = distance // 2
    return half + ((low + half) & 1) if distance & 1 else half


@compiled
def variation(gaps: Integers, size: int) -> tuple[int, bool]:
    """Standard deviation / mean = sqrt(n Q / S^2 - 1), to the last digit as the language has it; NULL where S is 0."""
    total, high, low = np.int64(0), np.uint64(0), np.uint64(0)
    for k in range(size):
        more_high, more_low = wide_product(np.uint64(gaps[k]), np.uint64(gaps[k]))
        high, low = wide_sum(high, low, more_high, more_low)
        total += gaps[k]
    if total == 0:
        return NULL, True
    all_high, all_low = wide_product(np.uint64(total), np.uint64(total))
    times, high, low = wide_part(high, low, all_high, all_low, size)
    if times > MOST_VARIED:
        return NULL, False
    halves, high, low = wide_part(high, low, all_high, all_low, 4 * MILLION * MILLION)
    squared = (times - 1) * 4 * MILLION * MILLION + halves
    root = square_root(squared)
    quarters = 2 * root
    if high > 0 or low > 0 or root * root < squared:
        quarters += 1
    return divide_rounding(quarters, 4), True
