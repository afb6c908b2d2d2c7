"""The seeded questions of the benchmark, free of any language: conditions, segments, funnels.

A segment is a conjunction of one to three conditions; a condition compares one *atom* (an aggregate over a selection and
a window) with a number, or says "did not". The number of distinct atoms is fixed for a number of segments, so that almost
nothing is shared between segments.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ethogram.bench.world import CATEGORIES, CHANNELS, EVENTS, EVENTS_PER_CUSTOMER

Measure: TypeAlias = Literal["count", "sum", "max", "last", "count_distinct", "active_days"]
MEASURES: tuple[Measure, ...] = ("count", "sum", "max", "last", "count_distinct", "active_days")

DAYS = (1, 7, 14, 30, 60, 90, 180)
"""The windows that people write."""
ATOMS = {100: 116, 500: 544, 1_000: 1_018}


@dataclass(frozen=True, slots=True)
class Atom:
    """One aggregate: `measure` over `event` in the last `days` days, filtered. `above` is a revenue in whole units."""

    measure: Measure
    event: str
    days: int
    categories: tuple[str, ...] = ()
    channel: str = ""
    above: int | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """`atom >= at_least`; for `last` at most `at_least` days since; without `at_least` the customer did not."""

    atom: Atom
    at_least: int | None


@dataclass(frozen=True, slots=True)
class Segment:
    name: str
    conditions: tuple[Condition, ...]

    @property
    def is_negative(self) -> bool:
        """Whether it holds for customers without any of the events it speaks of."""
        return all(condition.at_least is None for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Funnel:
    """Three different events in order, the last at most `hours` hours after the first."""

    name: str
    steps: tuple[str, str, str]
    hours: int


def segments(count: int, seed: int) -> tuple[Segment, ...]:
    """Every atom is used; first conditions never share one."""
    rng = random.Random(f"segments {count} {seed}")
    atoms = _atoms(ATOMS.get(count, count + count // 16), rng)
    spare = atoms[count:]
    sizes = [rng.choice((1, 1, 1, 2, 2, 3)) for _ in range(count)]
    made: list[Segment] = []
    for number in range(count):
        chosen = [atoms[number]]
        while len(chosen) < sizes[number] or (
            spare and len(chosen) < 3 and len(spare) > 2 * (count - number - 1)
        ):
            extra = spare.pop() if spare else rng.choice(atoms)
            if extra not in chosen:
                chosen.append(extra)
        made.append(Segment(f"s{number:04}", tuple(_condition(atom, rng) for atom in chosen)))
    return tuple(made)


def funnels(count: int, seed: int) -> tuple[Funnel, ...]:
    rng = random.Random(f"funnels {seed}")
    made: dict[tuple[tuple[str, str, str], int], Funnel] = {}
    while len(made) < count:
        first, second, third = rng.sample(EVENTS, 3)
        key = ((first, second, third), rng.choice((12, 24, 48, 72, 168, 336, 720)))
        made.setdefault(key, Funnel(f"f{len(made):03}", *key))
    return tuple(made.values())


def count_atoms(questions: tuple[Segment, ...]) -> int:
    return len({condition.atom for segment in questions for condition in segment.conditions})


def _atoms(count: int, rng: random.Random) -> list[Atom]:
    found: dict[Atom, None] = {}
    while len(found) < count:
        found.setdefault(_atom(rng))
    return list(found)


def _atom(rng: random.Random) -> Atom:
    measure = rng.choice(MEASURES)
    event, days = rng.choice(EVENTS), rng.choice(DAYS)
    match rng.choice(("", "category", "categories", "channel", "above")):
        case "category" if measure != "count_distinct":
            return Atom(measure, event, days, categories=(rng.choice(CATEGORIES),))
        case "categories":
            return Atom(
                measure, event, days, categories=tuple(sorted(rng.sample(CATEGORIES, rng.randint(3, 12))))
            )
        case "channel":
            return Atom(measure, event, days, channel=rng.choice(CHANNELS))
        case "above":
            return Atom(measure, event, days, above=rng.choice((5, 10, 20, 40, 60, 100)))
        case _:
            return Atom(measure, event, days)


def _condition(atom: Atom, rng: random.Random) -> Condition:
    """A number somewhere around what a customer can be expected to reach, so that sizes spread over the whole range."""
    if rng.random() < 0.15:
        return Condition(atom, None)
    usual = _expected_events(atom)
    match atom.measure:
        case "count" | "count_distinct" | "active_days":
            return Condition(atom, rng.randint(1, 1 + round(usual)))
        case "sum":
            return Condition(atom, rng.randint(1, 4) * max(10, round(usual * 16)))
        case "max":
            return Condition(atom, rng.choice((10, 25, 50, 75, 100, 150)))
        case "last":
            return Condition(atom, rng.randint(1, atom.days))


def _expected_events(atom: Atom) -> float:
    """Events a customer, roughly: the Zipf weight of the event, the window, the filter."""
    weights = [1 / (rank + 1) for rank in range(len(EVENTS))]
    share = weights[EVENTS.index(atom.event)] / sum(weights) * atom.days / 180
    if atom.categories:
        share *= len(atom.categories) / len(CATEGORIES)
    return EVENTS_PER_CUSTOMER * share / (len(CHANNELS) if atom.channel else 1)
