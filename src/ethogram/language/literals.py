"""Reading the literals: numbers, durations, dates, lists, words and paths."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import cast

from ethogram.language.cursor import Cursor
from ethogram.language.lexer import Token
from ethogram.language.spelling import did_you_mean
from ethogram.language.tree import (
    Date,
    Duration,
    DurationUnit,
    Expression,
    Flag,
    Items,
    Negate,
    Number,
    Path,
    Percent,
    Text,
    Word,
)

UNIT_WORDS = ("day", "week", "month", "quarter", "year")
LARGEST = Decimal("9223372036854.775807")
LONGEST_YEARS = 1000

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2_629_746, "y": 31_556_952}
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII
)  # fmt: skip


def number(cursor: Cursor) -> Number:
    token = cursor.take()
    return Number(_decimal(cursor, token, 6), span=cursor.span(token))


def percent(cursor: Cursor) -> Percent:
    token = cursor.take()
    return Percent(_decimal(cursor, token, 4), span=cursor.span(token))


def _decimal(cursor: Cursor, token: Token, places: int) -> Decimal:
    whole, _, fraction = token.text.partition(".")
    if len(fraction.rstrip("0")) > places:
        raise cursor.error(f"at most {places} digits after the point are possible", token, code="E_NUMBER")
    value = Decimal(f"{whole}.{fraction.rstrip('0')}") if fraction.rstrip("0") else Decimal(whole)
    if value > LARGEST:
        raise cursor.error(f"numbers go up to {LARGEST}", token, code="E_NUMBER_OVERFLOW")
    return value


def duration(cursor: Cursor, what: str = "a duration such as 30d") -> Duration:
    token = cursor.next
    if token.kind != "duration":
        if cursor.is_symbol("-") and cursor.after_next.kind == "duration":
            hint = f"Windows look back by themselves: {cursor.source_text(cursor.after_next)}."
            raise cursor.error("a duration cannot be negative", hint=hint)
        hint = f"Add a unit: {token.text}d, {token.text}h, {token.text}mo." if token.kind == "number" else ""
        raise cursor.unexpected(what, hint)
    cursor.take()
    seconds = _SECONDS[token.unit]
    if len(token.text) > 15 or int(token.text) * seconds > LONGEST_YEARS * _SECONDS["y"]:
        raise cursor.error(f"a duration is at most {LONGEST_YEARS} years long", token, code="E_DURATION")
    return Duration(int(token.text), cast(DurationUnit, token.unit), span=cursor.span(token))


def text(cursor: Cursor, what: str = 'text such as "abc"') -> Text:
    if cursor.next.kind != "text":
        raise cursor.unexpected(what)
    token = cursor.take()
    return Text(token.text, span=cursor.span(token))


def flag(cursor: Cursor) -> Flag:
    if not cursor.is_word("true", "false"):
        raise cursor.unexpected("true or false")
    token = cursor.take()
    return Flag(token.text == "true", span=cursor.span(token))


def plain_number(cursor: Cursor) -> Number:
    if cursor.next.kind != "number":
        raise cursor.unexpected("a number")
    return number(cursor)


def unit(cursor: Cursor) -> Word:
    return _word(cursor, UNIT_WORDS)


def clock(cursor: Cursor) -> Word:
    return _word(cursor, ("customer",))


def _word(cursor: Cursor, known: tuple[str, ...]) -> Word:
    if not cursor.is_word(*known):
        hint = did_you_mean(cursor.next.text, known)
        raise cursor.unexpected(
            ", ".join(known[:-1]) + " or " + known[-1] if len(known) > 1 else known[0], hint
        )
    token = cursor.take()
    return Word(token.text, span=cursor.span(token))


def date(cursor: Cursor, first: Token) -> Date:
    """The rest of `date("2026-11-01")`, from the parenthesis on."""
    cursor.expect("(")
    value = text(cursor, 'a date in quotes: "2026-11-01"')
    cursor.expect(")")
    if problem := date_problem(value.value):
        raise cursor.error_from(
            first, problem, code="E_DATE", hint='Write date("2026-11-01") or date("2026-11-01 18:30").'
        )
    return Date(value.value, span=cursor.span(first))


def date_problem(value: str) -> str:
    """What is wrong with an ISO 8601 date or time, or nothing.

    >>> date_problem("2024-02-30")
    "'2024-02-30' is not a date: day is out of range for month"
    """
    if not _ISO.fullmatch(value):
        return f"'{value}' is not a date (YYYY-MM-DD, with HH:MM or HH:MM:SS and an offset if you like)"
    if not "1000" <= value[:4] <= "2999":
        return f"'{value}' is not a date between the years 1000 and 2999"
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        return f"'{value}' is not a date: {str(error).split(', not ')[0]}"
    return ""


def items(cursor: Cursor, item: Callable[[Cursor], Expression], what: str) -> Items:
    """`[a, b]`, at least one."""
    opened = cursor.next
    if not cursor.take_symbol("["):
        raise cursor.unexpected(what)
    if cursor.is_symbol("]"):
        raise cursor.error("an empty list: nothing can be in it", opened)
    found = [item(cursor)]
    while cursor.take_symbol(","):
        found.append(item(cursor))
    cursor.expect("]", opened)
    return Items(tuple(found), span=cursor.span(opened))


def literal(cursor: Cursor) -> Expression:
    """What may stand in the list after `in`."""
    first = cursor.next
    if cursor.take_symbol("-"):
        return Negate(plain_number(cursor), span=cursor.span(first))
    match first.kind:
        case "number":
            return number(cursor)
        case "percent":
            return percent(cursor)
        case "text":
            return text(cursor)
    if cursor.is_word("true", "false"):
        return flag(cursor)
    if cursor.is_word("date") and cursor.follows_symbol("("):
        cursor.take()
        return date(cursor, first)
    hint = f'Text needs quotes: "{first.text}".' if first.kind == "name" else ""
    raise cursor.unexpected("a number, text, true, false or a date", hint)


def path(cursor: Cursor, what: str = "the name of a property") -> Path:
    """`address.city`, with backquotes around unusual names."""
    names = [name(cursor, what)]
    while cursor.take_symbol("."):
        names.append(name(cursor, "a name after the point"))
    return tuple(names)


def name(cursor: Cursor, what: str) -> str:
    if cursor.next.kind not in ("name", "quoted name"):
        token = cursor.next
        hint = (
            f"Other names stand in backquotes: `{token.text}`."
            if token.kind in ("text", "number", "duration")
            else ""
        )
        raise cursor.unexpected(what, hint)
    return cursor.take().text
