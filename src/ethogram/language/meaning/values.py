"""What expressions have as values, and what is done with one, two or a list of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from math import isqrt
from typing import Literal, TypeAlias

from ethogram.language.tree import Comparison, Operator, Path
from ethogram.model.errors import DataError
from ethogram.model.event import Moment, Value

Scalar: TypeAlias = Decimal | str | bool
Type: TypeAlias = Literal["number", "text", "flag", "moment", "set"]
Set: TypeAlias = frozenset[tuple[Type, Scalar]]
"""Values with their types, since Python takes True and 1 for the same."""
Result: TypeAlias = Decimal | str | bool | Moment | Set | None
"""A `Moment` is an int, a number never; None is missing."""
Exact: TypeAlias = Decimal | Fraction | str | bool | Moment | Set
"""A value that is there; elapsed time under comparison is an unrounded fraction."""

LARGEST = 2**63 - 1
MILLION = 1_000_000


def type_of(value: Exact) -> Type:
    match value:
        case bool():
            return "flag"
        case int():
            return "moment"
        case str():
            return "text"
        case frozenset():
            return "set"
        case Decimal() | Fraction():
            return "number"


# --- numbers --------------------------------------------------------------------------------------------------------


def number(exact: Fraction | Decimal | int) -> Decimal:
    """Six places, half-even.

    >>> number(Fraction(2, 3)), number(Fraction(5, 10_000_000))
    (Decimal('0.666667'), Decimal('0.000000'))
    """
    millionths = round(Fraction(exact) * MILLION)
    if abs(millionths) > LARGEST:
        raise DataError(
            "E_NUMBER_OVERFLOW",
            "a number grows beyond 9,223,372,036,854.775807",
            hint="add up fewer events, or divide the property by a thousand where it is loaded",
        )
    return Decimal(millionths).scaleb(-6)


def calculate(operator: Operator, left: Exact, right: Exact) -> Exact | None:
    """Two numbers, or two moments whose difference is a number of days; anything else is missing."""
    if type_of(left) == type_of(right) == "moment" and operator == "-":
        assert isinstance(left, int) and isinstance(right, int)
        return number(Fraction(left - right, 86_400 * MILLION))
    if not isinstance(left, Decimal | Fraction) or not isinstance(right, Decimal | Fraction):
        return None
    one, two = Fraction(left), Fraction(right)
    match operator:
        case "+":
            return number(one + two)
        case "-":
            return number(one - two)
        case "*":
            return number(one * two)
        case "/":
            return number(one / two) if two else None


# --- comparisons ----------------------------------------------------------------------------------------------------


def compare(operator: Comparison, left: Exact, right: Exact) -> bool:
    """Values of different types never compare; of `in`, only the single items come here."""
    if operator == "contains":
        if isinstance(left, frozenset):
            return any(compare("==", element, right) for _, element in left)
        return isinstance(left, str) and isinstance(right, str) and right in left
    kind = type_of(left)
    if kind != type_of(right) or kind == "set":
        return False
    if operator in ("==", "in"):
        return left == right
    if kind == "flag":
        return False
    below, equal = left < right, left == right  # type: ignore[operator]
    return {"<": below, "<=": below or equal, ">": not below and not equal, ">=": not below}[operator]


# --- properties -----------------------------------------------------------------------------------------------------


def leaves(value: Value, path: Path) -> list[Scalar]:
    """The known plain values at a path; a path through a list means its elements."""
    match value:
        case tuple():
            return [leaf for element in value for leaf in leaves(element, path)]
        case Mapping():
            return leaves(value.get(path[0]), path[1:]) if path else []
        case None:
            return []
        case _:
            return [] if path else [value]


def elements(value: Value, path: Path, *, in_list: bool = False) -> list[Value]:
    """The elements of the list at a path; where there is no list, there are none."""
    match value:
        case tuple():
            return [inner for element in value for inner in elements(element, path, in_list=True)]
        case Mapping() if path:
            return elements(value.get(path[0]), path[1:], in_list=in_list)
        case _:
            return [value] if in_list and not path else []


def known(layers: Sequence[Mapping[str, Value]], path: Path) -> list[Scalar]:
    """The values in the first layer that knows any at the path."""
    return next((found for layer in layers if (found := leaves(layer, path))), [])


def known_elements(layers: Sequence[Mapping[str, Value]], path: Path) -> list[Value]:
    return next((found for layer in layers if (found := elements(layer, path))), [])


def element_properties(element: Value) -> Mapping[str, Value]:
    """A plain element has the one property `value`."""
    return element if isinstance(element, Mapping) else {"value": element}


def given(traits: Sequence[Mapping[str, Value]], path: Path) -> Value:
    """The value of the last record that carries it; an explicit null, of the whole or of a part, removes it."""
    for found in reversed(traits):
        carried, value = _carries(found, path)
        if carried:
            return value
    return None


def _carries(value: Value, path: Path) -> tuple[bool, Value]:
    if value is None or not path:
        return not isinstance(value, Mapping), value
    if isinstance(value, tuple):
        found = leaves(value, path)
        return bool(found), tuple(found)
    if isinstance(value, Mapping) and path[0] in value:
        return _carries(value[path[0]], path[1:])
    return False, None


def bucket(salt: str, customer: str) -> Decimal:
    """A stable number from 0 to 1: the first 53 bits of SHA-256."""
    digest = sha256(salt.encode() + b"\0" + customer.encode()).digest()
    return number(Fraction(int.from_bytes(digest[:8], "big") >> 11, 2**53))


# --- many values ----------------------------------------------------------------------------------------------------


def typed(values: Sequence[Scalar]) -> list[tuple[Type, Scalar]]:
    """Decimal 1.0 and 1 are the same number, 1, "1" and true are three values."""
    return [(type_of(value), value) for value in values]


def numbers(values: Sequence[Scalar]) -> list[Decimal]:
    return [value for value in values if isinstance(value, Decimal)]


def total(values: Sequence[Decimal]) -> Decimal:
    return number(sum((Fraction(value) for value in values), Fraction()))


def mean(values: Sequence[Decimal]) -> Decimal | None:
    return number(Fraction(total(values)) / len(values)) if values else None


def median(values: Sequence[Fraction | Decimal]) -> Decimal | None:
    """The mean of the middle two."""
    if not values:
        return None
    ordered = sorted(Fraction(value) for value in values)
    half = len(ordered) // 2
    return number((ordered[half] + ordered[-half - 1]) / 2)


def most_frequent(seen: Sequence[tuple[Moment, Scalar]]) -> Scalar | None:
    """Ties go to the latest seen, then to the smallest text (a flag before a number before a text of equal form)."""
    if not seen:
        return None
    counts: dict[tuple[Type, Scalar], tuple[int, Moment]] = {}
    for moment, value in seen:
        count, latest = counts.get((type_of(value), value), (0, moment))
        counts[type_of(value), value] = (count + 1, max(latest, moment))
    best = max(counts.values())
    return min((text_of(value), kind, value) for (kind, value), found in counts.items() if found == best)[2]


def text_of(value: Scalar) -> str:
    """10, 0.5, true: the shortest form."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case Decimal():
            form = f"{value:f}"
            form = form.rstrip("0").rstrip(".") if "." in form else form
            return "0" if form == "-0" else form


def variation(sizes: Sequence[int]) -> Decimal | None:
    """Population standard deviation / mean = sqrt(n Q - S^2) / S, rounded half-even to six places.

    A root that does not come out even lies inside of a half of a millionth, so that it is rounded as the middle of that is.

    >>> variation([10, 30]), variation([7, 7, 7]), variation([0, 0])
    (Decimal('0.500000'), Decimal('0.000000'), None)
    """
    total = sum(sizes)
    if total == 0:
        return None
    spread = len(sizes) * sum(size * size for size in sizes) - total**2
    squared, rest = divmod(spread * (2 * MILLION) ** 2, total**2)
    halves = isqrt(squared)
    is_between = rest > 0 or halves**2 < squared
    return number(Fraction(2 * halves + is_between, 4 * MILLION))


def standard_score(value: Decimal, everyone: Sequence[Decimal]) -> Decimal | None:
    """(x - mean) / population standard deviation = (n x - S) / sqrt(n Q - S^2), on whole millionths."""
    size = len(everyone)
    units = [int(Fraction(other) * MILLION) for other in everyone]
    above = size * int(Fraction(value) * MILLION) - sum(units)
    spread = size * sum(unit * unit for unit in units) - sum(units) ** 2
    if spread == 0:
        return None
    scale = 10**30
    return number(Fraction(above * scale, isqrt(spread * scale * scale)))
