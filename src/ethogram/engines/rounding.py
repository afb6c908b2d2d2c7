from __future__ import annotations


def rounded(numerator: int, denominator: int) -> int:
    """The quotient of whole numbers of any size, half to even."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1))
