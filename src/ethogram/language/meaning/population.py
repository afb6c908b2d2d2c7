from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from ethogram.language.meaning.options import whole_number_of
from ethogram.language.meaning.values import Result, number, standard_score
from ethogram.language.tree import Call, Percent


def population_function(node: Call, mine: Decimal | None, everyone: Sequence[Decimal]) -> Result:
    """Where one value stands among those of everyone for whom it is known; `mine` is missing outside `among`."""
    if mine is None:
        return False if node.function == "top" else None
    lower = sum(other < mine for other in everyone)
    higher = sum(other > mine for other in everyone)
    match node.function:
        case "rank":
            return number(Fraction(lower, len(everyone)))
        case "ntile":
            parts = whole_number_of(node.arguments[1])
            return Decimal(min(parts, 1 + parts * lower // len(everyone)))
        case "zscore":
            return standard_score(mine, everyone)
        case "top":
            limit = node.arguments[1]
            if isinstance(limit, Percent):
                return higher < Fraction(limit.value) / 100 * len(everyone)
            return higher < whole_number_of(limit)
    raise AssertionError(node.function)
