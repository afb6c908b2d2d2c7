"""What the event functions say about items, which are in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from ethogram.language.meaning.local_time import DAY, back
from ethogram.language.meaning.options import (
    duration_of,
    events_of,
    path_of,
    text_of,
    unit_of,
    whole_number_of,
)
from ethogram.language.meaning.values import (
    Result,
    Scalar,
    Type,
    known,
    mean,
    median,
    most_frequent,
    number,
    numbers,
    total,
    typed,
    variation,
)
from ethogram.language.meaning.windows import Now
from ethogram.language.meaning.world import Item
from ethogram.language.tree import Call, Duration, Path
from ethogram.model.event import Moment


def event_function(node: Call, items: Sequence[Item], whole: Sequence[Item], now: Now) -> Result:
    """`items` are in all windows; `whole` is what a share is a share of."""
    path, times = events_of(node).path, [item.time for item in items]
    match node.function:
        case "did":
            return bool(items)
        case "count":
            return Decimal(len(items))
        case "first" | "last" if not path:
            return times[0 if node.function == "first" else -1] if times else None
        case "nth":
            values = [value for _, value in _seen(items, path)] if path else times
            return _nth(values, whole_number_of(node.arguments[1]))
        case "share":
            return number(Fraction(len(items), len(whole))) if whole else None
        case "active_days":
            return Decimal(len(now.periods(times, "day")))
        case "active_periods":
            return Decimal(len(now.periods(times, unit_of(node.arguments[1]))))
        case "streak":
            active = now.periods(times, unit_of(node.arguments[1]))
            return Decimal(_streak(active, now.periods_back(unit_of(node.arguments[1]), len(active) + 2)))
        case "gap":
            return _gap(items, text_of(node.arguments[1]))
        case "max_sum_by":
            return _largest_sum(items, path, path_of(node.option("by")))
        case _:
            return measure(node.function, items, path)


def _seen(items: Sequence[Item], path: Path) -> list[tuple[Moment, Scalar]]:
    """Every known value of a property, element by element, with its moment."""
    return [(item.time, value) for item in items for value in known(item.properties, path)]


def measure(function: str, items: Sequence[Item], path: Path) -> Result:
    """A function of one property."""
    values = [value for _, value in _seen(items, path)]
    amounts = numbers(values)
    match function:
        case "sum":
            return total(amounts)
        case "avg":
            return mean(amounts)
        case "median":
            return median(amounts)
        case "min":
            return min(amounts, default=None)
        case "max":
            return max(amounts, default=None)
        case "count_distinct":
            return Decimal(len(set(typed(values))))
        case "max_count_by":
            return Decimal(max(Counter(typed(values)).values(), default=0))
        case "values":
            return frozenset(typed(values))
        case "most_frequent":
            return most_frequent(_seen(items, path))
        case "first":
            return values[0] if values else None
        case "last":
            return values[-1] if values else None
    raise AssertionError(function)


def _largest_sum(items: Sequence[Item], path: Path, by: Path) -> Decimal:
    """Of the sums over the events that have each value of `by`."""
    amounts: dict[tuple[Type, Scalar], list[Decimal]] = defaultdict(list)
    for item in items:
        for value in set(typed(known(item.properties, by))):
            amounts[value] += numbers(known(item.properties, path))
    return max((total(some) for some in amounts.values()), default=Decimal(0))


def _nth(values: Sequence[Result], place: int) -> Result:
    """Counted from 1."""
    return values[place - 1] if 1 <= place <= len(values) else None


def _gap(items: Sequence[Item], which: str) -> Decimal | None:
    """Days between neighboring events; `cv` has no unit."""
    times = [later.time - earlier.time for earlier, later in pairwise(items)]
    gaps = [Fraction(time, DAY) for time in times]
    if not gaps:
        return None
    match which:
        case "mean":
            return number(sum(gaps, Fraction()) / len(gaps))
        case "median":
            return median(gaps)
        case "cv":
            return variation(times)
        case "min":
            return number(min(gaps))
        case "max":
            return number(max(gaps))
        case "last":
            return number(gaps[-1])
    raise AssertionError(which)


def _streak(active: set[date], backwards: Sequence[date]) -> int:
    """`backwards` are the periods from the current one into the past; the current one may still be empty."""
    if backwards[0] not in active:
        backwards = backwards[1:]
    length = 0
    while length < len(backwards) and backwards[length] in active:
        length += 1
    return length


# --- life -----------------------------------------------------------------------------------------------------------


def life_function(node: Call, items: Sequence[Item], now: Now) -> Result:
    """`items` are all of the selection by now."""
    last = node.option("last")
    match node.function:
        case "first_time":
            return bool(items) and items[0].time > now.back(duration_of(last))
        case "lapsed":
            return bool(items) and items[-1].time <= now.back(duration_of(node.option("after")))
        case "resumed":
            return bool(resumptions(node, items, now))
        case "recurring":
            unit = unit_of(node.option("every"))
            complete = now.periods_back(unit, whole_number_of(node.option("of")) + 1)[1:]
            active = now.periods((item.time for item in items), unit)
            return sum(period in active for period in complete) >= whole_number_of(node.option("at_least"))
        case "trend":
            return _trend(items, events_of(node).path, duration_of(last), now)
    raise AssertionError(node.function)


def resumptions(node: Call, items: Sequence[Item], now: Now) -> list[Item]:
    """The events in the window that came after a long pause."""
    start, pause = now.back(duration_of(node.option("last"))), duration_of(node.option("gap"))
    return [
        item
        for before, item in pairwise(items)
        if item.time > start and before.time <= back(now.zone, item.time, pause)
    ]


def _trend(items: Sequence[Item], path: Path, window: Duration, now: Now) -> Decimal | None:
    """Missing against nothing."""
    start, before = now.back(window), now.back(Duration(2 * window.amount, window.unit))
    later = _size([item for item in items if start < item.time], path)
    earlier = _size([item for item in items if before < item.time <= start], path)
    return number(Fraction(later) / Fraction(earlier)) if earlier else None


def _size(items: Sequence[Item], path: Path) -> Decimal:
    values = [value for _, value in _seen(items, path)]
    return total(numbers(values)) if path else Decimal(len(items))
