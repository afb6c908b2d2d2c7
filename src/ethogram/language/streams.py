"""From selections and options to streams and windows of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ethogram.language.plan import MICROS, MONTHS, LocalTime, Part, Step, Stream, Window
from ethogram.language.tree import (
    And,
    Behavior,
    Call,
    Definitions,
    Duration,
    Events,
    Expression,
    Items,
    Negate,
    Number,
    Text,
    Word,
)
from ethogram.model.errors import DefinitionError

UNITS = ("day", "week", "month", "quarter", "year")
LOCAL = frozenset({"hours", "weekdays", "months", "holiday"})
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def conjuncts(condition: Expression | None) -> Iterator[Expression]:
    if condition is None:
        return
    if isinstance(condition, And):
        for item in condition.items:
            yield from conjuncts(item)
    else:
        yield condition


def company_names(definitions: Definitions) -> tuple[str, ...]:
    every = definitions.behaviors.values()
    return tuple(sorted({name for behavior in every if behavior.by_company for name in behavior.events}))


def any_event(definitions: Definitions) -> Stream:
    return Stream(None, company_names(definitions))


def stream_of(selection: Events, definitions: Definitions) -> Stream:
    own = tuple(conjuncts(selection.where))
    if selection.raw:
        return Stream((selection.source,), where=own)
    if selection.source == "any":
        return Stream(None, company_names(definitions), where=own)
    behavior = behavior_of(selection, definitions)
    where = tuple(conjuncts(behavior.where)) + own
    return Stream(
        tuple(sorted(set(behavior.events))), each=behavior.each, where=where, unless=behavior.unless
    )


def behavior_of(selection: Events, definitions: Definitions) -> Behavior:
    if selection.source not in definitions.behaviors:
        raise DefinitionError("E_UNKNOWN_NAME", f"'{selection.source}' is no behavior", span=selection.span)
    return definitions.behaviors[selection.source]


def step_of(duration: Expression | None) -> Step:
    if not isinstance(duration, Duration):
        raise DefinitionError(
            "E_TYPE", "a duration such as 30d is expected", span=duration.span if duration else None
        )
    if duration.unit in MONTHS:
        return Step(months=duration.amount * MONTHS[duration.unit])
    return Step(micros=duration.amount * MICROS[duration.unit])


def twice(step: Step) -> Step:
    return Step(2 * step.micros, 2 * step.months)


def unit_of(word: Expression | None) -> int:
    if not isinstance(word, Word) or word.value not in UNITS:
        raise DefinitionError(
            "E_TYPE", f"one of {', '.join(UNITS)} is expected", span=word.span if word else None
        )
    return UNITS.index(word.value)


def integer_of(number: Expression | None) -> int:
    if isinstance(number, Negate):
        return -integer_of(number.item)
    if not isinstance(number, Number) or number.value != int(number.value):
        raise DefinitionError("E_TYPE", "a whole number is expected", span=number.span if number else None)
    return int(number.value)


def text_of(text: Expression | None) -> str:
    if not isinstance(text, Text):
        raise DefinitionError("E_TYPE", "a text in quotes is expected", span=text.span if text else None)
    return text.value


class When(NamedTuple):
    """The window options of a call: what is fixed, what depends on local time, what on a computed moment."""

    window: Window
    local: LocalTime | None
    since: Expression | None
    until: Expression | None


def when_of(call: Call) -> When:
    parts: list[Part] = []
    for option in call.options:
        match option.name:
            case "last":
                parts.append(Part("from", step_of(option.value)))
            case "ago":
                start, end = _items(option.value)
                parts += [Part("from", step_of(start)), Part("to", step_of(end))]
            case "this":
                parts.append(Part("period", unit=unit_of(option.value), first=0, past=1))
            case "previous":
                parts.append(Part("period", unit=unit_of(option.value), first=-1, past=0))
            case _:
                pass
    return When(tuple(parts), _local_time(call), call.option("since"), call.option("until"))


def _items(value: Expression | None) -> Iterable[Expression]:
    return value.items if isinstance(value, Items) else ()


def _local_time(call: Call) -> LocalTime | None:
    if not any(option.name in LOCAL for option in call.options):
        return None
    hours = tuple(integer_of(item) for item in _items(call.option("hours")))
    weekdays = tuple(sorted({WEEKDAYS.index(text_of(item)) for item in _items(call.option("weekdays"))}))
    months = tuple(sorted({integer_of(item) for item in _items(call.option("months"))}))
    holiday = call.option("holiday")
    if not (hours or weekdays or months or holiday):
        return None
    return LocalTime(
        (hours[0], hours[1]) if hours else None,
        weekdays,
        months,
        text_of(holiday) if holiday else "",
        call.option("clock") is not None,
    )
