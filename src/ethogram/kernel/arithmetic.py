"""Exact decimal arithmetic on 64-bit millionths, compiled.

Everything rounds half to even. What does not fit sets no flag here: the functions return a second value that is False.
"""

from __future__ import annotations

import numpy as np

from ethogram.kernel.compiling import compiled

MILLION = 1_000_000
LARGEST = 2**63 - 1


@compiled
def divide_rounding(numerator: int, denominator: int) -> int:
    """The quotient of two integers, half to even; `denominator` is positive."""
    quotient = numerator // denominator
    twice = (numerator - quotient * denominator) * 2
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient


@compiled
def wide_product(left: np.uint64, right: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The 128-bit product as (high, low)."""
    mask = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    a, b = left >> shift, left & mask
    c, d = right >> shift, right & mask
    low = b * d
    middle = a * d + (low >> shift)
    middle_low = (middle & mask) + b * c
    high = a * c + (middle >> shift) + (middle_low >> shift)
    return high, (middle_low << shift) | (low & mask)


@compiled
def wide_sum(
    high: np.uint64, low: np.uint64, more_high: np.uint64, more_low: np.uint64
) -> tuple[np.uint64, np.uint64]:
    total = low + more_low
    return high + more_high + np.uint64(total < low), total


@compiled
def wide_part(
    high: np.uint64, low: np.uint64, all_high: np.uint64, all_low: np.uint64, times: int
) -> tuple[int, np.uint64, np.uint64]:
    """So many times (high, low) / (all_high, all_low), and what is left: (high, low) is at most the divisor, which has at most
    127 bits."""
    one = np.uint64(1)
    quotient, rest_high, rest_low = np.int64(0), np.uint64(0), np.uint64(0)
    for bit in range(62, -1, -1):
        rest_high, rest_low = (rest_high << one) | (rest_low >> np.uint64(63)), rest_low << one
        quotient *= 2
        for turn in range(1 + ((times >> bit) & 1)):
            if turn == 1:
                rest_high, rest_low = wide_sum(rest_high, rest_low, high, low)
            if rest_high > all_high or (rest_high == all_high and rest_low >= all_low):
                rest_high = rest_high - all_high - np.uint64(rest_low < all_low)
                rest_low -= all_low
                quotient += 1
    return quotient, rest_high, rest_low  # type: ignore[return-value]


@compiled
def square_root(value: int) -> int:
    """The whole part of the root of a number below 2^62."""
    root = np.int64(0)
    for bit in range(30, -1, -1):
        longer = root | (np.int64(1) << bit)
        if longer * longer <= value:
            root = longer
    return root  # type: ignore[return-value]


@compiled
def _wide_divide(high: np.uint64, low: np.uint64, divisor: np.uint64) -> tuple[np.uint64, bool]:
    """(high, low) / divisor, half to even; False where the quotient has more than 64 bits."""
    one = np.uint64(1)
    if high >= divisor:
        return np.uint64(0), False
    remainder = high
    quotient = np.uint64(0)
    for bit in range(63, -1, -1):
        carry = remainder >> np.uint64(63)
        remainder = (remainder << one) | ((low >> np.uint64(bit)) & one)
        if carry or remainder >= divisor:
            remainder -= divisor
            quotient |= one << np.uint64(bit)
    half = divisor - remainder
    if remainder > half or (remainder == half and quotient & one):
        quotient += one
    return quotient, True


@compiled
def _scaled(left: int, right: int, divisor: int) -> tuple[int, bool]:
    negative = ((left < 0) != (right < 0)) != (divisor < 0)
    high, low = wide_product(np.uint64(abs(left)), np.uint64(abs(right)))
    size, fits = _wide_divide(high, low, np.uint64(abs(divisor)))
    if not fits or size > np.uint64(LARGEST):
        return 0, False
    result = np.int64(size)
    return (-result if negative else result), True  # type: ignore[return-value]


@compiled
def multiply(left: int, right: int) -> tuple[int, bool]:
    """The product of two millionths."""
    return _scaled(left, right, MILLION)


@compiled
def divide(left: int, right: int) -> tuple[int, bool]:
    """The quotient of two millionths; `right` is not zero."""
    return _scaled(left, MILLION, right)


@compiled
def add(left: int, right: int) -> tuple[int, bool]:
    # unsigned numbers come round; of signed ones the compiler supposes that they never do
    total = np.int64(np.uint64(left) + np.uint64(right))
    overflown = ((left ^ total) & (right ^ total)) < 0
    return total, not overflown  # type: ignore[return-value]
