"""When the answers of one customer changed, and when time alone will change them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.engines.answers import Evaluator
from ethogram.language import meaning
from ethogram.language.meaning.trace import Trace
from ethogram.language.tree import And, Call, Expression, Name, Not, Or, Segment
from ethogram.language.walk import walk
from ethogram.membership.people import EngineFor
from ethogram.membership.versions import FITTED
from ethogram.model.errors import EthogramError
from ethogram.model.event import Moment
from ethogram.store import bucket_of

YEAR: Final = 366 * 86_400_000_000
HORIZON: Final = 5 * YEAR
_HORIZONS: Final = (YEAR // 12, YEAR, HORIZON)


class Timing(Protocol):
    """All moments are None where there is none: not within `HORIZON`, or it depends on everybody."""

    def since(self, name: str) -> Moment | None:
        """The last change of a definition's answer by now."""
        ...

    def next(self, name: str) -> Moment | None:
        """Its next change if nothing happens any more."""
        ...

    def turns(self, node: Expression) -> Moment | None:
        """The next change of a condition if nothing happens any more."""
        ...


class ByInterpreter:
    """The world must hold nothing that happens after `as_of`. Slow for customers with hundreds of events."""

    def __init__(self, world: meaning.World, customer: str, as_of: Moment) -> None:
        self._world, self._customer, self._as_of = world, customer, as_of

    def since(self, name: str) -> Moment | None:
        try:
            moments = meaning.change_moments(self._world, name, self._customer, -(2**62), self._as_of)
        except EthogramError:
            return None
        return moments[-1] if moments else None

    def next(self, name: str) -> Moment | None:
        return self._next(self._world, name)

    def turns(self, node: Expression) -> Moment | None:
        definitions = self._world.definitions
        segments = {**definitions.segments, "_condition": Segment("_condition", node)}
        alone = replace(self._world, definitions=replace(definitions, segments=segments))
        return self._next(alone, "_condition")

    def _next(self, world: meaning.World, name: str) -> Moment | None:
        try:
            for horizon in _HORIZONS:
                found = meaning.change_moments(
                    world, name, self._customer, self._as_of, self._as_of + horizon
                )
                if found:
                    return found[0]
        except EthogramError:
            pass
        return None


class ByEngine:
    """Walks the customer once, with the conditions of these traces as segments of their own.

    The customer must have no event after `as_of`.
    """

    def __init__(
        self,
        world: meaning.World,
        customer: str,
        as_of: Moment,
        traces: Sequence[Trace],
        engine_for: EngineFor,
    ) -> None:
        nodes = dict.fromkeys(node for found in traces for node in conditions(found))
        self._names = {node: f"_condition_{index}" for index, node in enumerate(nodes)}
        segments = {name: Segment(name, node) for node, name in self._names.items()}
        definitions = world.definitions
        engine = engine_for(replace(definitions, segments={**definitions.segments, **segments}))
        first = min(event.time for event in world.histories[customer])
        self._past = _moments(engine, customer, first - 1, as_of, last=True)
        self._future = _moments(engine, customer, as_of, as_of + HORIZON, last=False)

    def since(self, name: str) -> Moment | None:
        return self._past.get(name)

    def next(self, name: str) -> Moment | None:
        return self._future.get(name)

    def turns(self, node: Expression) -> Moment | None:
        return self._future.get(self._names.get(node, ""))


def _moments(
    engine: Evaluator, customer: str, start: Moment, end: Moment, *, last: bool
) -> dict[str, Moment]:
    """The first or last move of each answer."""
    bucket = bucket_of(customer, engine.buckets)
    position = pc.index(engine.roster(bucket), pa.scalar(customer)).as_py()
    moves = engine.walk(bucket, np.array([position], dtype=np.int64), start, end)
    names = (*engine.segments, *engine.segmentations)
    found: dict[str, Moment] = {}
    for definition, at in sorted(
        zip(moves.definition.tolist(), moves.at.tolist(), strict=True), key=lambda move: move[1]
    ):
        if last or names[definition] not in found:
            found[names[definition]] = at
    return found


def conditions(found: Trace) -> Iterator[Expression]:
    """The conditions below that are made of no others, and depend on the customer alone."""
    if isinstance(found.node, And | Or | Not | Name) or found.node is None or found.holds is None:
        for child in found.children:
            yield from conditions(child)
    elif not any(isinstance(node, Call) and node.function in FITTED for node in walk(found.node)):
        yield found.node
        if found.name:
            for child in found.children:
                yield from conditions(child)
