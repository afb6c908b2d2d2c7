"""What is written in arguments and options."""

from __future__ import annotations

from ethogram.language.tree import (
    CalendarUnit,
    Call,
    Duration,
    Events,
    Expression,
    Items,
    Number,
    Path,
    Property,
    Text,
    Word,
)


def events_of(node: Call) -> Events:
    assert isinstance(node.arguments[0], Events)
    return node.arguments[0]


def duration_of(node: Expression | None) -> Duration:
    assert isinstance(node, Duration)
    return node


def unit_of(node: Expression | None) -> CalendarUnit:
    assert isinstance(node, Word)
    return node.value  # type: ignore[return-value]


def text_of(node: Expression | None) -> str:
    assert isinstance(node, Text | Word)
    return node.value


def path_of(node: Expression | None) -> Path:
    assert isinstance(node, Property)
    return node.path


def whole_number_of(node: Expression | None) -> int:
    assert isinstance(node, Number)
    return int(node.value)


def whole_numbers_of(node: Expression) -> list[int]:
    assert isinstance(node, Items)
    return [whole_number_of(item) for item in node.items]


def days_of(node: Expression | None) -> int:
    """Whole days, 0 where nothing is written."""
    return 0 if node is None else duration_of(node).amount * {"d": 1, "w": 7}[duration_of(node).unit]
