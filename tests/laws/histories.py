"""Random histories, on a small vocabulary that random definitions share, with every awkward value and moment.

`worlds(definitions)` gives a `World` and a moment of evaluation. Times crowd around it where something can go wrong: at the
edges of the windows that random definitions use, at local midnights, at clock changes, at the same moment, after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from ethogram.language.meaning import World
from ethogram.language.meaning.local_time import DAY, HOUR, back, day_of, instant, period_of, start_of
from ethogram.language.tree import (
    Behavior,
    CalendarUnit,
    Compare,
    Definitions,
    Duration,
    Number,
    PeopleList,
    Property,
    Unless,
)
from ethogram.model.event import Event, Kind, Moment, Value
from ethogram.model.settings import Settings

ACTIONS = ("A", "B", "C", "D", "E", "Order Completed", "Order Cancelled")
COMPANY = ("Email Delivered",)
DURATIONS = (
    Duration(1, "h"),
    Duration(12, "h"),
    Duration(1, "d"),
    Duration(7, "d"),
    Duration(1, "w"),
    Duration(30, "d"),
    Duration(90, "d"),
    Duration(1, "mo"),
    Duration(3, "mo"),
    Duration(1, "y"),
)
UNITS: tuple[CalendarUnit, ...] = ("day", "week", "month", "quarter", "year")
ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
)
COUNTRIES = ("US", "GB-SCT", "DE")
SALTS = ("spring", "autumn")

BEHAVIORS = (
    Behavior("view", ("A",)),
    Behavior("add", ("B",)),
    Behavior(
        "purchase",
        ("Order Completed",),
        where=Compare(">", Property(("total",)), Number(Decimal(0))),
        unless=Unless("Order Cancelled", ("order_id",)),
    ),
    Behavior("bought", ("Order Completed",), each=("products",)),
    Behavior("tagged", ("A", "Order Completed"), each=("tags",)),
    Behavior("contact", ("C", "D")),
    Behavior("mail", COMPANY, by_company=True),
    Behavior("noise", ("Unrelated",), by_company=True),
)
LISTS = (PeopleList("staff", customers=("ada", "bob")), PeopleList("nobody"))
SELECTIONS = tuple(behavior.name for behavior in BEHAVIORS if behavior.name != "noise")
"""No random definition asks about noise, and no random history has it."""


@dataclass(frozen=True, slots=True)
class Case:
    """`world` is asked at `as_of`."""

    world: World
    as_of: Moment


# --- values ---------------------------------------------------------------------------------------------------------

NUMBERS = tuple(
    Decimal(text)
    for text in ("0", "-0.0", "1", "2", "10", "10.0", "0.1", "0.000001", "-5", "99.95", "1234567.891234")
)
TEXTS = ("", "10", "x", "X", "red", "red shoes", "true", "1", "é", "a.b", "'; DROP TABLE events; --")
DATES = (
    "2024-02-29",
    "2025-03-09",
    "2025-03-09T02:30:00",
    "2025-11-02 01:30",
    "2025-06-01T12:00:00.25Z",
    "1990-02-29",
)


def _pool(size: int, make: Callable[[Random], Value]) -> tuple[Value, ...]:
    """Made once, the plain ones first: drawing from a pool is many times faster than drawing every property."""
    random = Random(20250309)
    return ({}, *(make(random) for _ in range(size)))


def _anything(random: Random) -> Value:
    return random.choice((*NUMBERS, *TEXTS, True, False, None))


def _some(random: Random, chance: float, values: Mapping[str, Callable[[Random], Value]]) -> Value:
    return {name: make(random) for name, make in values.items() if random.random() < chance}


def _one_of(*values: Value) -> Callable[[Random], Value]:
    return lambda random: random.choice(values)


def _sometimes_anything(*values: Value) -> Callable[[Random], Value]:
    return lambda random: _anything(random) if random.random() < 0.3 else random.choice(values)


def _products(random: Random) -> Value:
    categories = ("Shoes", "Shoes", "Socks", "shoes", "")
    tidy = {"category": _one_of(*categories), "price": _one_of(*NUMBERS), "quantity": _one_of(*NUMBERS)}
    untidy = {"category": _anything, "price": _anything, "total": _one_of(*NUMBERS)}
    return tuple(_some(random, 0.8, random.choice((tidy, tidy, untidy))) for _ in range(random.randrange(4)))


def _tags(random: Random) -> Value:
    return tuple(random.choice((*TEXTS, *TEXTS, *NUMBERS)) for _ in range(random.randrange(4)))


def _address(random: Random) -> Value:
    return _some(random, 0.7, {"city": _one_of(*TEXTS, None), "zip": _one_of(*NUMBERS)})


PROPERTIES = _pool(
    300,
    lambda random: _some(
        random,
        0.6,
        {
            "total": _sometimes_anything(*NUMBERS),
            "quantity": _one_of(*NUMBERS),
            "coupon": _anything,
            "category": _one_of(*TEXTS),
            "order_id": _one_of("o1", "o2", Decimal(1), "1"),
            "gift": _sometimes_anything(True, False),
            "due": _sometimes_anything(*DATES),
            "address": _address,
            "products": _products,
            "tags": _tags,
        },
    ),
)
TRAITS = _pool(
    80,
    lambda random: _some(
        random,
        0.6,
        {
            "country": _one_of(None, *TEXTS),
            "points": _sometimes_anything(*NUMBERS),
            "subscribed": _one_of(True, False, None, "true"),
            "birthday": _one_of(None, "1990-02-28", "1992-02-29", "2001-03-09", "not a date"),
            "timezone": _one_of("Asia/Tokyo", "America/New_York", "Nowhere/City", None, Decimal(3)),
            "address": lambda inner: None if inner.random() < 0.2 else _address(inner),
        },
    ),
)


# --- moments --------------------------------------------------------------------------------------------------------

LOCAL_ANCHORS = (
    datetime(2025, 3, 9, 1, 59, 59, 999999),
    datetime(2025, 3, 9, 2, 30),
    datetime(2025, 3, 10),
    datetime(2025, 3, 31, 12),
    datetime(2025, 4, 9, 3, 15),
    datetime(2025, 11, 2, 0, 30),
    datetime(2025, 11, 2, 1, 30),
    datetime(2025, 12, 2, 1, 30),
    datetime(2025, 12, 25),
    datetime(2024, 2, 29),
    datetime(2025, 2, 28, 23, 59, 59, 999999),
    datetime(2025, 3, 1),
    datetime(2026, 1, 1),
    datetime(2026, 1, 15, 12),
)


@st.composite
def moments(draw: st.DrawFn, zone: ZoneInfo) -> Moment:
    """A moment of evaluation."""
    anchor = instant(zone, draw(st.sampled_from(LOCAL_ANCHORS)))
    return anchor + draw(st.sampled_from([0, 0, 1, -1, HOUR, 17 * HOUR + 123_456]))


@st.composite
def times(draw: st.DrawFn, settings: Settings, as_of: Moment) -> Moment:
    """A moment of an event, near enough to an edge to matter."""
    zone = ZoneInfo(settings.timezone)
    nudge = draw(st.sampled_from([0, 0, 1, -1]))
    match draw(
        st.sampled_from(["edge", "edge", "double edge", "period", "whole hours", "anywhere", "now", "future"])
    ):
        case "edge":
            return back(zone, as_of, draw(st.sampled_from(DURATIONS))) + nudge
        case "double edge":
            once = back(zone, as_of, draw(st.sampled_from(DURATIONS)))
            return back(zone, once, draw(st.sampled_from(DURATIONS))) + nudge
        case "period":
            earlier = as_of - draw(st.integers(0, 40)) * DAY
            period = period_of(day_of(zone, earlier), draw(st.sampled_from(UNITS)), settings.week_starts)
            return start_of(zone, period) + nudge
        case "whole hours":
            return as_of - draw(st.integers(0, 100)) * HOUR
        case "anywhere":
            return as_of - draw(st.integers(0, 500 * DAY))
        case "now":
            return as_of + nudge
        case _:
            return as_of + draw(st.sampled_from([1, HOUR, DAY, 40 * DAY]))


# --- histories ------------------------------------------------------------------------------------------------------


@st.composite
def events(draw: st.DrawFn, settings: Settings, as_of: Moment, number: int) -> Event:
    kind: Kind = draw(
        st.sampled_from(["track", "track", "track", "track", "page", "screen", "identify", "group"])
    )
    has_traits = kind == "identify" or number % 7 == 6
    name = "" if kind in ("identify", "group") else draw(st.sampled_from((*ACTIONS, *ACTIONS, *COMPANY)))
    return Event(
        time=draw(times(settings, as_of)),
        name=name,
        message_id=f"m{number}",
        source=draw(st.sampled_from(["", "shop"])),
        kind=kind,
        properties=_mapping({} if kind in ("identify", "group") else draw(st.sampled_from(PROPERTIES))),
        traits=_mapping(draw(st.sampled_from(TRAITS)) if has_traits else {}),
        identified=draw(st.sampled_from([True, True, True, False])),
    )


def _mapping(value: Value) -> Mapping[str, Value]:
    assert isinstance(value, Mapping)
    return value


@st.composite
def histories(draw: st.DrawFn, settings: Settings, as_of: Moment, *, largest: int = 9) -> tuple[Event, ...]:
    """In any order; ties in time are common."""
    size = draw(st.integers(0, largest))
    found = [draw(events(settings, as_of, number)) for number in range(size)]
    for index in range(1, size):
        if draw(st.integers(0, 4)) == 0:
            found[index] = replace(found[index], time=found[index - 1].time)
    return tuple(reversed(found) if draw(st.booleans()) else found)


def settings_strategy() -> st.SearchStrategy[Settings]:
    return st.builds(
        Settings,
        timezone=st.sampled_from(ZONES),
        week_starts=st.sampled_from([0, 0, 6]),
        country=st.sampled_from(COUNTRIES),
    )


CUSTOMERS = ("ada", "bob", "cyd", "dee")


@st.composite
def worlds(
    draw: st.DrawFn, definitions: Definitions | None = None, *, customers: int = 3, largest: int = 9
) -> Case:
    """Of one to four customers."""
    settings = draw(settings_strategy())
    as_of = draw(moments(ZoneInfo(settings.timezone)))
    people = CUSTOMERS[: draw(st.integers(1, customers))]
    found = {person: draw(histories(settings, as_of, largest=largest)) for person in people}
    return Case(World(settings, definitions or vocabulary(), found), as_of)


def vocabulary() -> Definitions:
    """The behaviors and lists that every random definition may name."""
    return Definitions(
        behaviors={behavior.name: behavior for behavior in BEHAVIORS},
        lists={people.name: people for people in LISTS},
    )
