"""Steps on a way, as moments of customers: events of a selection, or enterings of segments and stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.occurrences import occurrences

if TYPE_CHECKING:
    from ethogram.engines.engine import Engine
    from ethogram.model.event import Moment

Integers = NDArray[np.int64]
LONG_AGO = -(2**62)


@dataclass(frozen=True, slots=True)
class Passages:
    """By customer and time. `customer` counts over all buckets (see `first_numbers`); `row` tells events apart, -1 where a
    passage is not an event."""

    customer: Integers
    time: Integers
    row: Integers

    def __len__(self) -> int:
        return len(self.customer)

    def where(self, chosen: NDArray[np.bool_]) -> Passages:
        return Passages(self.customer[chosen], self.time[chosen], self.row[chosen])


def first_numbers(engine: Engine) -> Mapping[int, int]:
    """The number of each bucket's first customer where all are counted, bucket by bucket."""
    found, past = {}, 0
    for bucket in range(engine.buckets):
        found[bucket], past = past, past + len(engine.roster(bucket))
    return found


def customers(engine: Engine) -> int:
    return sum(len(engine.roster(bucket)) for bucket in range(engine.buckets))


def of_events(engine: Engine, name: str, as_of: Moment) -> Passages:
    """The events that an extra expression of the engine looks at."""
    start, parts = first_numbers(engine), []
    for number, (bucket, found) in enumerate(occurrences(engine, name, as_of)):
        parts.append((found.position + start[bucket], found.time, found.row + (number << 40)))
    return Passages(*_columns(parts, 3))


@dataclass(frozen=True, slots=True)
class Moves:
    """Everybody's changes of answer. `definition` is the number in `names`, `value` the number of the group that was entered; 1
    and 0 are into and out of a segment."""

    names: tuple[str, ...]
    passages: Passages
    definition: Integers
    value: Integers

    def into(self, segment: str) -> Passages:
        return self.passages.where((self.definition == self.names.index(segment)) & (self.value == 1))

    def onward(self, segmentation: str, groups: int) -> Sequence[Passages]:
        """For each of its groups but the last, from the last to the first: when customers came into it or into one before it,
        which is further on the way."""
        own = (self.definition == self.names.index(segmentation)) & (self.value >= 0)
        return [self.passages.where(own & (self.value <= further)) for further in range(groups - 2, -1, -1)]


def moves(engine: Engine, as_of: Moment) -> Moves:
    """Of all definitions of the engine, from the beginning."""
    parts = []
    for bucket, first in first_numbers(engine).items():
        everyone = np.arange(len(engine.roster(bucket)), dtype=np.int64)
        found = engine.walk(bucket, everyone, LONG_AGO, as_of)
        parts.append((found.position + first, found.at, found.definition, found.value))
    customer, time, definition, value = _columns(parts, 4)
    no_event = np.full(len(customer), -1, np.int64)
    return Moves(
        (*engine.segments, *engine.segmentations), Passages(customer, time, no_event), definition, value
    )


def _columns(parts: Sequence[tuple[NDArray[np.integer[Any]], ...]], count: int) -> list[Integers]:
    """The parts one after the other, column by column."""
    none = np.zeros(0, np.int64)
    return [np.concatenate([none, *(part[k] for part in parts)]).astype(np.int64) for k in range(count)]


# --- chains -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ways:
    """How far each customer came: `reached[c]` steps, at the moments `at[c, :reached[c]]`."""

    reached: Integers
    at: Integers


def ways(steps: Sequence[Passages], customers: int, within: int | None) -> Ways:
    """The chain of different passages, each no earlier than the one before, that goes furthest; the earliest to get there,
    and of those the one that began last. `within` microseconds from the first to the last."""
    first = steps[0]
    chain = _Chain(first, first.time, np.arange(len(first)))
    chains = [chain]
    for step in steps[1:]:
        chain = _next(chain, step, within)
        chains.append(chain)
    reached = np.zeros(customers, np.int64)
    at = np.zeros((customers, len(steps)), np.int64)
    for number in range(len(steps) - 1, -1, -1):
        whose, place = np.unique(chains[number].passages.customer, return_index=True)
        new = reached[whose] == 0
        whose, place = whose[new], place[new]
        reached[whose] = number + 1
        for back in range(number, -1, -1):
            at[whose, back] = chains[back].passages.time[place]
            place = chains[back].before[place]
    return Ways(reached, at)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Passages of one step that end a chain, with the latest moment at which it may have begun, and the place of the passage
    before."""

    passages: Passages
    start: Integers
    before: Integers


def _next(chain: _Chain, step: Passages, within: int | None) -> _Chain:
    """The later a passage, the later the chain that it can end begins: the last one before is the best."""
    earlier = chain.passages
    if not len(earlier):
        return chain
    customer = np.concatenate([earlier.customer, step.customer])
    time = np.concatenate([earlier.time, step.time])
    is_step = np.repeat([False, True], [len(earlier), len(step)])
    order = np.lexsort((is_step, time, customer))
    count_before = np.cumsum(~is_step[order])
    before = np.empty(len(step), np.int64)
    before[order[is_step[order]] - len(earlier)] = count_before[is_step[order]] - 1
    before = _if_of_same(earlier, step, before)
    is_itself = (before >= 0) & (step.row >= 0) & (earlier.row[before] == step.row)
    before = _if_of_same(earlier, step, np.where(is_itself, before - 1, before))
    holds = before >= 0
    if within is not None:
        holds &= step.time - chain.start[before] <= within
    return _Chain(step.where(holds), chain.start[before[holds]], before[holds])


def _if_of_same(earlier: Passages, step: Passages, before: Integers) -> Integers:
    return np.where((before >= 0) & (earlier.customer[before] == step.customer), before, -1)
