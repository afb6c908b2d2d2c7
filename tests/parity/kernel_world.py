"""Worlds put into a store and answered by the engine, to be compared with the interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ethogram.engines.answers import Positions
from ethogram.engines.engine import Engine
from ethogram.language.meaning import World, change_moments, evaluate, universe
from ethogram.language.tree import Definitions, Expression
from ethogram.model.event import Event, Moment
from ethogram.store import Record, Store, shred
from ethogram.store.values import number_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Answer = object
Lists = Mapping[str, frozenset[str]]


@contextmanager
def stored(histories: Mapping[str, Sequence[Event]], *, buckets: int = 2) -> Iterator[Store]:
    with (
        TemporaryDirectory(prefix="ethogram-parity-") as folder,
        Store.open(Path(folder), create=True, buckets=buckets) as store,
    ):
        add(store, histories)
        yield store


def add(store: Store, histories: Mapping[str, Sequence[Event]]) -> None:
    """Message ids are unique for a customer only, so that each customer has a source."""
    records = [
        Record(customer, replace(event, source=customer))
        for customer, events in histories.items()
        for event in events
    ]
    if records:
        with store.writing("load") as tx:
            tx.append(tx.sift(shred(records)).fresh)


def lists_of(world: World) -> Lists:
    return {name: world.people(name) for name in world.definitions.lists}


def engine_of(store: Store, world: World, extra: Mapping[str, Expression] | None = None) -> Engine:
    return Engine(store, world.definitions, world.settings, lists_of(world), extra=extra)


def kernel_answers(
    engine: Engine, as_of: Moment, positions: Mapping[int, Positions] | None = None
) -> dict[tuple[str, str], Answer]:
    found: dict[tuple[str, str], Answer] = {}
    for answers in engine.evaluate(as_of, positions):
        roster = engine.roster(answers.bucket).to_pylist()
        traits = {name: column.to_pylist() for name, column in answers.traits.items()}
        inside = {name: answers.members(row) for row, name in enumerate(engine.segments)}
        for place, position in enumerate(answers.positions.tolist()):
            customer = roster[position]
            if not answers.known[place]:
                assert not any(members[place] for members in inside.values())
                continue
            for name, members in inside.items():
                found[customer, name] = bool(members[place])
            for row, name in enumerate(engine.segmentations):
                found[customer, name] = engine.group_names(name)[answers.groups[row, place]]
            for name, column in traits.items():
                found[customer, name] = plain(column[place])
    return found


def meant_answers(world: World, as_of: Moment) -> dict[tuple[str, str], Answer]:
    definitions = world.definitions
    names = [*definitions.segments, *definitions.segmentations, *definitions.traits]
    return {
        (customer, name): plain(evaluate(world, name, customer, as_of))
        for customer in universe(world, as_of)
        for name in names
    }


def plain(value: object) -> Answer:
    """Sets as sorted texts, moments as microseconds, numbers in one form."""
    match value:
        case datetime():
            return (value.replace(tzinfo=UTC) - EPOCH) // (EPOCH.resolution)
        case list():
            return sorted(value)
        case frozenset():
            return sorted(_as_text(one) for _, one in value)
        case Decimal():
            return value.normalize() + 0
        case _:
            return value


def _as_text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return number_text(value)
        case _:
            return str(value)


def kernel_moves(engine: Engine, start: Moment, end: Moment) -> dict[tuple[str, str], list[Moment]]:
    """Every moment at which an answer changes, by customer and definition."""
    names = [*engine.segments, *engine.segmentations]
    found: dict[tuple[str, str], list[Moment]] = {}
    for bucket in range(engine.buckets):
        roster = engine.roster(bucket).to_pylist()
        moves = engine.walk(bucket, np.arange(len(roster)), start, end)
        for position, definition, at in zip(moves.position, moves.definition, moves.at, strict=True):
            found.setdefault((roster[position], names[definition]), []).append(int(at))
    return found


def meant_moves(world: World, start: Moment, end: Moment) -> dict[tuple[str, str], list[Moment]]:
    definitions = world.definitions
    found = {}
    for customer in world.histories:
        for name in (*definitions.segments, *definitions.segmentations):
            moments = change_moments(world, name, customer, start, end)
            if moments:
                found[customer, name] = list(moments)
    return found


def definitions_without(definitions: Definitions, name: str) -> Definitions:
    kinds = {
        kind: {key: one for key, one in getattr(definitions, kind).items() if key != name}
        for kind in ("behaviors", "traits", "segments", "segmentations", "lists")
    }
    return Definitions(**kinds)
