"""What the record of a project must be, worked out from the events alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from oracle import Oracle

from ethogram.language import meaning
from ethogram.membership.layers import Recorded
from ethogram.membership.record import last_refresh, recorded_answers
from ethogram.model.event import Moment
from ethogram.store import Store

Answer = str | None
"""The name of a group, "" for being in a segment, None for being in nothing."""
Stays = set[tuple[str, str, str, Moment | None, Moment | None]]


def answer(oracle: Oracle, name: str, customer: str, as_of: Moment) -> Answer:
    found = meaning.evaluate(oracle.world, name, customer, as_of)
    if name in oracle.definitions.segments:
        return "" if found is True else None
    return None if found is None else str(found)


def expected_answers(oracle: Oracle, as_of: Moment) -> dict[tuple[str, str], Answer]:
    return {
        (name, customer): answer(oracle, name, customer, as_of)
        for name in (*oracle.segments, *oracle.segmentations)
        for customer in oracle.world.histories
    }


def recorded_of(store: Store) -> Recorded:
    refresh = last_refresh(store)
    assert refresh
    return recorded_answers(store, refresh)


def recorded_answers_of(store: Store) -> dict[tuple[str, str], Answer]:
    recorded = recorded_of(store)
    found: dict[tuple[str, str], Answer] = {}
    for bucket in range(store.buckets):
        everyone = recorded.everyone(bucket)
        for position, customer in enumerate(recorded.customers(bucket).to_pylist()):
            for row, name in enumerate(recorded.columns.segments):
                found[name, customer] = "" if everyone.flags[row, position] else None
            for row, (name, groups) in enumerate(recorded.columns.segmentations):
                index = everyone.groups[row, position]
                found[name, customer] = groups[index] if index >= 0 else None
    return found


def expected_stays(oracle: Oracle, begins: Mapping[str, Moment], end: Moment) -> Stays:
    """`begins`: since when each definition is recorded."""
    found: Stays = set()
    for name, start in begins.items():
        for customer in oracle.world.histories:
            steps = [(None, answer(oracle, name, customer, start))]
            for moment in meaning.change_moments(oracle.world, name, customer, start, end):
                steps.append((moment, answer(oracle, name, customer, moment)))  # type: ignore[arg-type]
            for (entered, value), (left, _) in zip(steps, [*steps[1:], (None, None)], strict=True):
                if value is not None and (entered, left) != (None, None):
                    found.add((name, value, customer, entered, left))
    return found


def kept_stays(store: Store) -> Stays:
    rows = [(i.definition, i.group, i.customer, i.entered_at, i.left_at) for i in store.memory.intervals()]
    assert len(rows) == len(set(rows)), "a stay is kept twice"
    return set(rows)


def replayed(
    store: Store, before: Mapping[tuple[str, str], Answer], after: int
) -> dict[tuple[str, str], Answer]:
    """Answers brought up to date by the feed."""
    found = dict(before)
    for change in store.memory.changes(after=after, limit=1_000_000):
        key = (change.definition, change.customer)
        is_group = change.from_group or change.to_group
        was = found.get(key)
        match change.change:
            case "entered":
                assert was is None, change
                found[key] = change.to_group
            case "left":
                assert was == change.from_group, change
                found[key] = None
            case "moved":
                assert is_group and was == change.from_group != change.to_group, change
                found[key] = change.to_group
    return found


def due_is_never_late(store: Store, oracle: Oracle, as_of: Moment) -> None:
    recorded = recorded_of(store)
    for bucket in range(store.buckets):
        due = recorded.due(bucket)
        assert np.all(due > as_of)
