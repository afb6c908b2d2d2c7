"""The form in which property values are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from ethogram.model.event import Value
from ethogram.store.numbers import number_of

Raw: TypeAlias = "int | float | Decimal | str | bool | None | Sequence[Raw] | Mapping[str, Raw]"
"""A value as readers of JSON, YAML and Arrow give it."""


def settle(value: Raw | Value) -> Value:
    """The value as the lake gives it back: numbers with six places, null and empty map entries left out, a list inside
    a list's element as JSON text, an empty element as None. Raises ValueError for a number that cannot be kept.

    >>> settle({"a": None, "b": [1, [2], {}]})
    {'b': (Decimal('1.000000'), '[2]', None)}
    """
    match value:
        case None | bool() | str():
            return value
        case int() | float() | Decimal():
            return _number(value)
        case Mapping():
            return settle_map(value)
        case _:
            return tuple(_element(element) for element in value)


def settle_map(value: Mapping[str, Raw] | Mapping[str, Value]) -> dict[str, Value]:
    settled = ((name, settle(inner)) for name, inner in value.items())
    return {name: inner for name, inner in settled if inner is not None and inner != {}}


def settle_traits(traits: Mapping[str, Raw] | Mapping[str, Value]) -> dict[str, Value]:
    """As `settle`, but a null that is not inside a list stays: it removes the trait."""
    kept: dict[str, Value] = {}
    for name, value in traits.items():
        inner = settle_traits(value) if isinstance(value, Mapping) else settle(value)
        if inner != {}:
            kept[name] = inner
    return kept


def _element(value: Raw | Value) -> Value:
    match value:
        case None | bool() | str() | int() | float() | Decimal():
            return settle(value)
        case Mapping():
            settled = ((name, _element(inner)) for name, inner in value.items())
            return {name: inner for name, inner in settled if inner is not None} or None
        case _:
            return json_text(value)


def _number(value: int | float | Decimal) -> Decimal:
    number = number_of(value)
    if number is None:
        raise ValueError("not a finite number below 10^12")
    return number


def json_text(value: Raw | Value) -> str:
    """Compact JSON; numbers as kept, without trailing zeros. Raises ValueError as `settle`.

    >>> json_text({"a": [1.50, None, "ü"]})
    '{"a":[1.5,null,"ü"]}'
    """
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() | float() | Decimal():
            return number_text(_number(value))
        case Mapping():
            return "{" + ",".join(f"{json_text(str(name))}:{json_text(v)}" for name, v in value.items()) + "}"
        case _:
            return "[" + ",".join(json_text(inner) for inner in value) + "]"


def number_text(number: Decimal) -> str:
    """
    >>> number_text(Decimal("1200.500000")), number_text(Decimal("-0.000000"))
    ('1200.5', '0')
    """
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
