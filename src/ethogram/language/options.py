"""Whether the options of a function fit: windows, words, durations, the segments they name."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import assert_never

from ethogram.language.agreement import Scope, must_be_moment, name_of
from ethogram.language.findings import Finding, choices, error, warning
from ethogram.language.functions import Signature, Takes
from ethogram.language.names import kind_of
from ethogram.language.tree import (
    Call,
    Duration,
    Events,
    Expression,
    Flag,
    Group,
    Items,
    Name,
    Negate,
    Number,
    Option,
    Percent,
    Property,
    Segment,
    Text,
    Word,
)

UNITS = ("day", "week", "month", "quarter", "year")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# --- options --------------------------------------------------------------------------------------------------------


def option_findings(node: Call, signature: Signature, scope: Scope) -> Iterator[Finding]:
    seen: set[str] = set()
    for option in node.options:
        takes = signature.option(option.name)
        if takes is None:
            known = signature.option_names
            hint = choices(option.name, known, "it has") if known else "it has no options"
            yield error(
                "E_UNKNOWN_OPTION",
                f"{node.function} has no option '{option.name}'",
                option.span or node.span,
                hint,
            )
        elif option.name in seen:
            yield error("E_ARGUMENTS", f"{option.name}= is given twice", option.span or node.span)
        else:
            yield from _option(option, takes, node, scope)
        seen.add(option.name)
    for name in signature.required:
        if name not in seen:
            yield error(
                "E_ARGUMENTS", f"{node.function} needs {name}=", node.span, f"as in {example_of(signature)}"
            )
    if "clock" in seen and not seen & {"hours", "weekdays", "months", "holiday"}:
        hint = "it says whose clock hours=, weekdays=, months= and holiday= are read on"
        yield warning("W_IDLE_OPTION", "clock= changes nothing here", node.span, hint)


def _option(option: Option, takes: Takes, node: Call, scope: Scope) -> Iterator[Finding]:
    value, name = option.value, option.name
    match takes:
        case "duration":
            yield from _duration(value, name, node)
        case "durations":
            yield from _ago(value)
        case "moment":
            yield from must_be_moment(value, scope)
        case "unit":
            yield from must_be_word(value, UNITS, f"{name}=")
        case "numbers":
            yield from _numbers(value, name)
        case "texts":
            yield from _weekdays(value)
        case "text":
            yield from _holiday(value, scope)
        case "word":
            yield from must_be_word(value, ("customer",), f"{name}=")
        case "number":
            if not is_positive_integer(value):
                yield error("E_OPTION", f"{name}= needs a whole number from 1", value.span, "such as 3")
        case "flag":
            if not isinstance(value, Flag):
                yield error("E_OPTION", f"{name}= is true or false", value.span)
        case "property":
            if not isinstance(value, Property):
                yield error("E_OPTION", f"{name}= names a property, as in {name}=cart_id", value.span)
        case "segment":
            yield from must_be_segment(value, f"{name}=", scope)
        case "events" | "measure" | "events or measure" | "step" | "number or percent" | "value":
            return
        case _:
            assert_never(takes)


def _duration(value: Expression, name: str, node: Call) -> Iterator[Finding]:
    if not isinstance(value, Duration):
        hint = (
            f"as in {name}=30d; a window backwards has no meaning"
            if isinstance(value, Negate)
            else f"as in {name}=30d"
        )
        yield error("E_WINDOW", f"{name}= needs a duration", value.span or node.span, hint)
    elif value.amount <= 0:
        yield error(
            "E_WINDOW", f"{name}={value.amount}{value.unit} is an empty window", value.span or node.span
        )
    elif node.function == "anniversary" and value.unit not in ("d", "w"):
        hint = "anniversaries are whole days: write within=30d"
        yield error(
            "E_OPTION", f"within= counts days or weeks here, not {value.unit}", value.span or node.span, hint
        )


_LONGEST = {
    "s": 1,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "w": 604800,
    "mo": 31 * 86400 + 3600,
    "y": 366 * 86400 + 3600,
}
_SHORTEST = {
    "s": 1,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "w": 604800,
    "mo": 28 * 86400 - 3600,
    "y": 365 * 86400 - 3600,
}


def is_longer(one: Duration, other: Duration) -> bool:
    """Whether `one` is longer than `other` at every moment, however long its months are."""
    if one.unit in ("mo", "y") and other.unit in ("mo", "y"):
        return _months(one) > _months(other)
    return one.amount * _SHORTEST[one.unit] > other.amount * _LONGEST[other.unit]


def _months(duration: Duration) -> int:
    return duration.amount * (12 if duration.unit == "y" else 1)


def _ago(value: Expression) -> Iterator[Finding]:
    match value:
        case Items((Duration() as start, Duration() as end)):
            if end.amount <= 0:
                hint = f"for a window that ends now write last={start.amount}{start.unit}"
                yield error("E_WINDOW", "ago= ends some time ago, not now", end.span or value.span, hint)
            elif not is_longer(start, end):
                turned = f"ago=[{end.amount}{end.unit}, {start.amount}{start.unit}]"
                hint = (
                    f"the longer time comes first: {turned}"
                    if is_longer(end, start)
                    else "the longer time comes first"
                )
                message = (
                    f"between {start.amount}{start.unit} and {end.amount}{end.unit} ago there is nothing"
                )
                yield error("E_WINDOW", message, value.span, hint)
        case _:
            yield error("E_WINDOW", "ago= needs two durations", value.span, "as in ago=[90d, 30d]")


def must_be_word(value: Expression, known: tuple[str, ...], where: str) -> Iterator[Finding]:
    if not isinstance(value, Word):
        yield error("E_WORD", f"{where} takes a word", value.span, choices("", known, "one of"))
    elif value.value not in known:
        yield error(
            "E_WORD",
            f"{where} does not know '{value.value}'",
            value.span,
            choices(value.value, known, "one of"),
        )


def _numbers(value: Expression, name: str) -> Iterator[Finding]:
    items = value.items if isinstance(value, Items) else ()
    numbers = [int(item.value) for item in items if isinstance(item, Number) and is_whole(item.value)]
    whole = bool(items) and len(numbers) == len(items)
    if name == "hours":
        if not whole or len(numbers) != 2 or not all(0 <= hour <= 24 for hour in numbers):
            yield error(
                "E_WINDOW", "hours= needs two whole hours from 0 to 24", value.span, "as in hours=[22, 6]"
            )
        elif numbers[0] % 24 == numbers[1] % 24 and numbers != [0, 24]:
            yield error(
                "E_WINDOW",
                f"hours={numbers} is an empty window",
                value.span,
                "the first hour is in, the second is out",
            )
    elif not whole or not all(1 <= month <= 12 for month in numbers):
        yield error(
            "E_WINDOW", "months= needs whole numbers from 1 to 12", value.span, "as in months=[11, 12]"
        )


def _weekdays(value: Expression) -> Iterator[Finding]:
    if not isinstance(value, Items) or not value.items:
        yield error("E_WINDOW", "weekdays= needs a list of days", value.span, 'as in weekdays=["sat", "sun"]')
        return
    for item in value.items:
        day = item.value if isinstance(item, Text) else ""
        if day not in WEEKDAYS:
            message = f"weekdays= does not know {name_of(item)}"
            yield error("E_WORD", message, item.span or value.span, choices(day, WEEKDAYS, "one of"))


def _holiday(value: Expression, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, Text):
        yield error(
            "E_OPTION", "holiday= needs a name in quotes", value.span, 'as in holiday="Christmas Day"'
        )
    elif not scope.settings.country:
        hint = 'set `country = "GB"` in ethogram.toml'
        yield error("E_HOLIDAY", "holiday= needs the project's country", value.span, hint)
    elif value.value != "any":
        known = holiday_names(scope.settings.country)
        if value.value not in known:
            message = f"{scope.settings.country} has no holiday '{value.value}'"
            yield error("E_HOLIDAY", message, value.span, choices(value.value, known, "it has"))


@cache
def holiday_names(country: str) -> tuple[str, ...]:
    """English names of a country's public holidays over the years 2000 to 2040; nothing for an unknown country."""
    import holidays

    code, _, region = country.partition("-")
    try:
        found = holidays.country_holidays(
            code, subdiv=region or None, years=range(2000, 2041), language="en_US"
        )
    except NotImplementedError:
        return ()
    return tuple(sorted({name for names in found.values() for name in names.split("; ")}))


# --- parts that functions and options share -------------------------------------------------------------------------


def must_be_segment(argument: Expression, function: str, scope: Scope) -> Iterator[Finding]:
    match argument:
        case Name(name) if (
            isinstance(scope.definitions.find(name), Segment) or scope.definitions.find(name) is None
        ):
            return
        case Group():
            return
        case _:
            message = f"{function} needs a segment, but {name_of(argument)} is {kind_named(argument, scope)}"
            hint = choices(name_of(argument).strip("'"), _segments(scope), "there are")
            yield error(
                "E_KIND", message, argument.span, hint or "give the condition a name under `segments:`"
            )


def _segments(scope: Scope) -> tuple[str, ...]:
    groups = tuple(
        f"{segmentation.name}.{group.name}"
        for segmentation in scope.definitions.segmentations.values()
        for group in segmentation.groups
    )
    return (*scope.definitions.segments, *groups)


def kind_named(node: Expression, scope: Scope) -> str:
    match node:
        case Name(name):
            found = scope.definitions.find(name)
            return f"a {kind_of(found)}" if found else "not defined"
        case Events(raw=True):
            return "an event"
        case Events(source):
            found = scope.definitions.find(source)
            return f"a {kind_of(found)}" if found else "not defined"
        case _:
            return "something else"


def example_of(signature: Signature) -> str:
    """A call as it is written, for messages.

    >>> from ethogram.language.functions import FUNCTIONS
    >>> example_of(FUNCTIONS["ntile"])
    'ntile(…, 5)'
    """
    shown: dict[Takes, str] = {
        "events": "purchase",
        "measure": "purchase.total",
        "events or measure": "purchase",
        "step": "purchase",
        "unit": "week",
        "segment": "a_segment",
        "text": '"…"',
    }
    parts = [shown.get(takes, "…" if index == 0 else "5") for index, takes in enumerate(signature.parameters)]
    parts += [f"{name}={_option_example(signature.option(name))}" for name in signature.required]
    return f"{signature.name}({', '.join(parts)})" if parts else f"{signature.name}()"


def _option_example(takes: Takes | None) -> str:
    return {"duration": "30d", "unit": "week", "number": "3", "moment": "now() - 30d"}.get(takes or "", "…")


def literal_number(node: Expression) -> Decimal | None:
    match node:
        case Number(value):
            return value
        case Percent(value):
            return value / 100
        case Negate(inner):
            value_inside = literal_number(inner)
            return None if value_inside is None else -value_inside
        case _:
            return None


def is_positive_integer(node: Expression) -> bool:
    return isinstance(node, Number) and is_whole(node.value) and node.value >= 1


def is_whole(value: Decimal) -> bool:
    return value == value.to_integral_value()
