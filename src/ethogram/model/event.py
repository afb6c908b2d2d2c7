from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias, Union

Moment: TypeAlias = int
"""Microseconds since 1970-01-01T00:00:00 UTC."""

Value: TypeAlias = Union[Decimal, str, bool, None, "tuple[Value, ...]", "Mapping[str, Value]"]
"""A property's value. Numbers are `Decimal` with at most six places; a timestamp is ISO 8601 text; lists are tuples."""

Kind: TypeAlias = Literal["track", "page", "screen", "identify", "group", "alias"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one customer.

    `name` is the event's name (track), the page's or screen's name, or empty. `traits` are given traits that the
    record carries (an explicit None removes one). `identified` is false for a record that has only an anonymous id.
    """

    time: Moment
    name: str
    message_id: str
    source: str = ""
    kind: Kind = "track"
    properties: Mapping[str, Value] = field(default_factory=dict)
    traits: Mapping[str, Value] = field(default_factory=dict)
    identified: bool = True
