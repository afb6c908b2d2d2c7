"""Asking the interpreter about one or more customers in a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

from ethogram.language.files import definitions_from_text
from ethogram.language.meaning import Result, World, value
from ethogram.language.meaning.local_time import LENGTHS, parse_moment
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Definitions
from ethogram.model.event import Event, Kind, Moment, Value
from ethogram.model.settings import Settings

US = 1
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOW = "2026-01-15 12:00"
NEW_YORK = "America/New_York"

SHOP = definitions_from_text(
    """
behaviors:
  view: Product Viewed
  cart_add: Product Added
  purchase:
    event: Order Completed
    where: total > 0
    unless: { event: Order Cancelled, same: order_id }
  order: Order Completed
  bought: { event: Order Completed, each: products }
  tagged: { event: Product Viewed, each: tags }
  contact: { event: [Ticket Opened, Chat Started] }
  mail_sent: { event: Email Delivered, by: company }
"""
)


def moment(text: str, zone: str = "UTC") -> Moment:
    found = parse_moment(ZoneInfo(zone), text)
    assert found is not None, text
    return found


def ago(text: str, now: str = NOW, zone: str = "UTC") -> Moment:
    """`3d`, `12h`, before the moment of the question."""
    number, unit = re.fullmatch(r"(\d+)(\w+)", text).groups()  # type: ignore[union-attr]
    return moment(now, zone) - int(number) * LENGTHS[unit]


_made = 0


def on(
    when: str | Moment,
    name: str = "",
    /,
    *,
    id: str = "",
    source: str = "",
    kind: Kind = "track",
    zone: str = "UTC",
    traits: Mapping[str, object] | None = None,
    identified: bool = True,
    **properties: object,
) -> Event:
    """An event at a local time, some time ago (`3d`), or at a moment."""
    global _made
    _made += 1
    if isinstance(when, str):
        when = ago(when) if re.fullmatch(r"\d+[a-z]+", when) else moment(when, zone)
    found = kind if name or kind != "track" else "identify"
    given = {key: plain(item) for key, item in (traits or {}).items()}
    carried = {key: plain(item) for key, item in properties.items()}
    return Event(when, name, id or f"m{_made:04}", source, found, carried, given, identified)


def plain(value: object) -> Value:
    match value:
        case bool() | str() | Decimal() | None:
            return value
        case int() | float():
            return Decimal(str(value))
        case list() | tuple():
            return tuple(plain(item) for item in value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
    raise AssertionError(value)


def world(
    *events: Event,
    zone: str = "UTC",
    definitions: Definitions | str = SHOP,
    week_starts: int = 0,
    country: str = "",
) -> World:
    """One customer, anna, who has been known since long ago."""
    return people(
        {"anna": events}, zone=zone, definitions=definitions, week_starts=week_starts, country=country
    )


def people(
    histories: Mapping[str, tuple[Event, ...]],
    *,
    zone: str = "UTC",
    definitions: Definitions | str = SHOP,
    week_starts: int = 0,
    country: str = "",
) -> World:
    if isinstance(definitions, str):
        added = definitions_from_text(definitions)
        definitions = Definitions(
            {**SHOP.behaviors, **added.behaviors},
            added.traits,
            added.segments,
            added.segmentations,
            added.lists,
        )
    settings = Settings(timezone=zone, week_starts=week_starts, country=country)
    birth = Event(moment("1990-01-01"), "", "birth", "", "identify", identified=False)
    return World(settings, definitions, {name: (birth, *events) for name, events in histories.items()})


def ask(
    expression: str,
    *events: Event,
    at: str | Moment = NOW,
    zone: str = "UTC",
    definitions: Definitions | str = SHOP,
    week_starts: int = 0,
    country: str = "",
) -> Result:
    """The answer for anna."""
    made = world(*events, zone=zone, definitions=definitions, week_starts=week_starts, country=country)
    return value(made, parse_expression(expression), "anna", moment(at, zone) if isinstance(at, str) else at)
