"""Small phrases of plain English: durations, windows, moments, numbers, lists of words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from ethogram.language.tree import Duration, Expression, Flag, Items, Negate, Number, Percent, Text, Word

_UNITS = {"s": "second", "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_WEEKDAYS = {
    "mon": "Mondays",
    "tue": "Tuesdays",
    "wed": "Wednesdays",
    "thu": "Thursdays",
    "fri": "Fridays",
    "sat": "Saturdays",
    "sun": "Sundays",
}
_MONTHS = (
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
)  # fmt: skip


def listed(words: Iterable[str], last: str = "and") -> str:
    """Words as they are enumerated.

    >>> listed(["a", "b", "c"], "or")
    'a, b or c'
    """
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {last} {found[-1]}" if found else ""


def lasting(duration: Duration) -> str:
    """`7 days`, `1 month`."""
    unit = _UNITS[duration.unit]
    return f"{duration.amount} {unit}" if duration.amount == 1 else f"{duration.amount:,} {unit}s"


def in_the_last(duration: Duration) -> str:
    """`in the last 7 days`, `in the last month`."""
    return (
        f"in the last {_UNITS[duration.unit]}" if duration.amount == 1 else f"in the last {lasting(duration)}"
    )


def number_text(value: Decimal) -> str:
    """A number as people write it.

    >>> number_text(Decimal("12500.50")), number_text(Decimal("3.000"))
    ('12,500.5', '3')
    """
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def date_text(text: str) -> str:
    """`1 November 2026`, with the time where it is not midnight.

    >>> date_text("2026-11-01 18:30")
    '1 November 2026, 18:30'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    day = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    clock = moment.strftime("%H:%M:%S").removesuffix(":00")
    zone = f" {moment.tzname()}" if moment.tzinfo else ""
    return day if len(text) <= 10 else f"{day}, {clock}{zone}"


def times(operator: str, count: Decimal) -> str:
    """How often, for a comparison of a count: `at least 3 times`."""
    amount = "once" if count == 1 else "twice" if count == 2 else f"{number_text(count)} times"
    if operator == "==":
        return f"exactly {amount}"
    return f"{COMPARED[operator]} {amount}" if operator != "<" else f"fewer than {_plain_times(count)}"


def _plain_times(count: Decimal) -> str:
    return "one time" if count == 1 else f"{number_text(count)} times"


COMPARED = {"==": "", "<": "less than", "<=": "at most", ">": "more than", ">=": "at least"}
COMPARED_MOMENTS = {"<": "before", "<=": "at or before", ">": "after", ">=": "at or after"}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


def unit_window(name: str, unit: str) -> str:
    """`this=month`, `previous=day`."""
    if unit == "day":
        return "today" if name == "this" else "yesterday"
    return f"this {unit}" if name == "this" else f"in the previous {unit}"


def hours_window(value: Expression) -> str:
    hours = (
        [int(item.value) for item in value.items if isinstance(item, Number)]
        if isinstance(value, Items)
        else []
    )
    return f"between {hours[0]:02}:00 and {hours[1]:02}:00" if len(hours) == 2 else ""


def weekdays_window(value: Expression) -> str:
    days = [item.value for item in value.items if isinstance(item, Text)] if isinstance(value, Items) else []
    return "on " + listed((_WEEKDAYS.get(day, day) for day in days), "or")


def months_window(value: Expression) -> str:
    months = (
        [int(item.value) for item in value.items if isinstance(item, Number)]
        if isinstance(value, Items)
        else []
    )
    return "in " + listed((_MONTHS[(month - 1) % 12] for month in months), "or")


def ago_window(value: Expression) -> str:
    match value:
        case Items((Duration(start, unit), Duration(_, same) as ending)) if unit == same:
            return f"between {start} and {lasting(ending)} ago"
        case Items((Duration() as begin, Duration() as end_of)):
            return f"between {lasting(begin)} and {lasting(end_of)} ago"
        case _:
            return ""


def literal_text(node: Expression) -> str | None:
    """A literal as it is read out; None for anything else."""
    match node:
        case Number(value):
            return number_text(value)
        case Percent(value):
            return f"{number_text(value)}%"
        case Negate(Number(value)):
            return f"-{number_text(value)}"
        case Text(text):
            return f'"{text}"'
        case Flag(flag):
            return "yes" if flag else "no"
        case Duration():
            return lasting(node)
        case Word(word):
            return word
        case Items(items):
            return listed((literal_text(item) or "" for item in items), "or")
        case _:
            return None
