"""Reads the timelines: events at offsets, and who is in when.

    start: "2025-03-01 00:00"        local time that offsets count from; timezone: America/New_York (UTC where it is absent)
    definitions: ...                 as in a project's files
    events:
      anna:
        - { at: 2d, do: Order Completed, total: 20 }
        - { at: 1d, do: Product Viewed, arrives: 5d }         a late event: known of from day 5 on
    edits:
      - { at: 6d, definitions: … }                            a section that stands there replaces the one before
    expect:
      - { at: 3d, cart: [anna], level.high: [] }              who is in, asked at that moment
      - { at: 3d, seen: 6d, cart: [] }                        the same moment, as known later
    moves:
      cart: { anna: [in 1d, out 8d, in 9d] }                  every change, exact to the microsecond, by all that is known

Offsets are sums: `2d 3h - 1us`; a local time in quotes, "2025-03-09 02:30", stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from ethogram.language.files import definitions_from_text
from ethogram.language.meaning.local_time import LENGTHS, parse_moment
from ethogram.language.tree import Definitions
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings
from tests.language.meaning_cases import plain

FOLDER = Path(__file__).parent
UNITS = {**LENGTHS, "us": 1}
Move = tuple[Moment, bool]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event of a customer, and when it became known."""

    customer: str
    event: Event
    seen: Moment


@dataclass(frozen=True, slots=True)
class Expectation:
    at: Moment
    seen: Moment
    members: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Timeline:
    name: str
    settings: Settings
    versions: tuple[tuple[Moment, Definitions], ...]
    arrivals: tuple[Arrival, ...]
    expectations: tuple[Expectation, ...]
    moves: Mapping[str, Mapping[str, tuple[Move, ...]]]

    def __str__(self) -> str:
        return self.name

    def definitions(self, seen: Moment) -> Definitions:
        return [definitions for since, definitions in self.versions if since <= seen][-1]

    def histories(self, seen: Moment) -> dict[str, tuple[Event, ...]]:
        """In order of arrival."""
        found: dict[str, tuple[Event, ...]] = {}
        for arrival in sorted(self.arrivals, key=lambda arrival: arrival.seen):
            if arrival.seen <= seen:
                found[arrival.customer] = (*found.get(arrival.customer, ()), arrival.event)
        return found


def timelines() -> Iterator[Timeline]:
    for path in sorted(FOLDER.glob("*.yml")):
        for name, written in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            yield _read(f"{path.stem}: {name}", written)


def _read(name: str, written: dict) -> Timeline:  # type: ignore[type-arg]
    settings = Settings(timezone=written.get("timezone", "UTC"))
    start = parse_moment(ZoneInfo(settings.timezone), written["start"])
    assert start is not None

    def at(text: object) -> Moment:
        return moment_of(str(text), settings.timezone, start)

    texts = [(-(2**62), written["definitions"])]
    texts += [(at(edit["at"]), {**texts[-1][1], **edit["definitions"]}) for edit in written.get("edits", ())]
    return Timeline(
        name,
        settings,
        tuple(
            (since, definitions_from_text(yaml.safe_dump(text, sort_keys=False, width=1000)))
            for since, text in texts
        ),
        tuple(
            _arrival(customer, number, line, at)
            for customer, lines in written["events"].items()
            for number, line in enumerate(lines)
        ),
        tuple(_expectation(line, at) for line in written.get("expect", ())),
        {
            segment: {
                customer: tuple((at(move.split(" ", 1)[1]), move.startswith("in ")) for move in moves)
                for customer, moves in people.items()
            }
            for segment, people in written.get("moves", {}).items()
        },
    )


def moment_of(text: str, timezone: str, start: Moment) -> Moment:
    """`2d 3h - 1us` after the start, or a local time."""
    local = parse_moment(ZoneInfo(timezone), text)
    if local is not None:
        return local
    terms = re.findall(r"([+-]?)\s*(\d+)([a-z]+)", text)
    assert terms, text
    return start + sum((-1 if sign == "-" else 1) * int(amount) * UNITS[unit] for sign, amount, unit in terms)


def _arrival(customer: str, number: int, line: dict, at) -> Arrival:  # type: ignore[no-untyped-def,type-arg]
    time = at(line["at"])
    carried = {key: plain(value) for key, value in line.items() if key not in ("at", "do", "arrives", "id")}
    message_id = line.get("id", f"{customer} {number}")
    if line["do"] == "identify":
        event = Event(time, "", message_id, kind="identify", traits=carried)
    else:
        event = Event(time, line["do"], message_id, properties=carried)
    return Arrival(customer, event, at(line["arrives"]) if "arrives" in line else time)


def _expectation(line: dict, at) -> Expectation:  # type: ignore[no-untyped-def,type-arg]
    people = {name: frozenset(value) for name, value in line.items() if name not in ("at", "seen")}
    return Expectation(at(line["at"]), at(line.get("seen", line["at"])), people)
