"""The interpreter's world for some customers, and for what compares them with everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.engines.answers import Evaluator
from ethogram.language import meaning
from ethogram.language.names import dependencies
from ethogram.language.tree import Call, Definitions, Expression, Group, Name, Trait
from ethogram.language.visits import expressions_of
from ethogram.language.walk import walk
from ethogram.membership.examine import slice_of
from ethogram.membership.layers import Columns, Slice, columns_of
from ethogram.membership.versions import FITTED
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Snapshot, Store

EngineFor: TypeAlias = Callable[[Definitions], Evaluator]
"""Makes an engine for other definitions over the same events."""


def world_of(
    store: Store,
    definitions: Definitions,
    settings: Settings,
    customers: Sequence[str],
    lists: Mapping[str, frozenset[str]],
    *,
    until: Moment | None = None,
    snapshot: Snapshot | None = None,
) -> meaning.World:
    """Their whole histories, or only what happened by a moment; of persons, under the ids that they are called by."""
    with nullcontext(snapshot) if snapshot is not None else store.snapshot() as newest:
        found = store.histories(customers, newest)
        lists = store.persons.listed(lists, newest.sequence)
    if until is not None:
        found = {
            customer: tuple(one for one in events if one.time <= until) for customer, events in found.items()
        }
    return meaning.World(settings, definitions, found, lists)


Comparison: TypeAlias = tuple[Expression, Expression | None]
"""What is compared, and among whom."""


def comparisons(definitions: Definitions, names: Sequence[str]) -> tuple[Comparison, ...]:
    """What the population functions compare in these definitions and all that they refer to."""
    return tuple(dict.fromkeys(one for name in names for one in _comparisons(definitions, name)))


def _comparisons(definitions: Definitions, name: str) -> Iterator[Comparison]:
    found, waiting = {name}, [name]
    while waiting:
        definition = definitions.find(waiting.pop())
        for root in expressions_of(definition) if definition else ():
            for node in walk(root):
                if isinstance(node, Call) and node.function in FITTED:
                    yield node.arguments[0], node.option("among")
        if definition:
            new = [one for one in dependencies(definitions, definition.name) if one not in found]
            found.update(new)
            waiting += new


def remember_everybody(
    world: meaning.World,
    store: Store,
    names: Sequence[str],
    as_of: Moment,
    engine_for: EngineFor | None,
) -> meaning.World:
    """A world that knows what these definitions compare for everybody: from an engine, or else from all histories."""
    wanted = comparisons(world.definitions, names)
    if not wanted:
        return world
    if engine_for is None:
        return _with_all_histories(world, store, as_of)
    traits = {
        f"_compared_{index}": Trait(f"_compared_{index}", what) for index, (what, _) in enumerate(wanted)
    }
    engine = engine_for(replace(world.definitions, traits={**world.definitions.traits, **traits}))
    columns = columns_of(engine)
    found: list[dict[str, Decimal]] = [{} for _ in wanted]
    for answers in engine.evaluate(as_of, traits=tuple(traits)):
        customers = engine.roster(answers.bucket).take(pa.array(answers.positions))
        slice_ = slice_of(answers)
        for index, (_, among) in enumerate(wanted):
            values = answers.traits[f"_compared_{index}"].filter(pa.array(_inside(columns, slice_, among)))
            people = customers.filter(pa.array(_inside(columns, slice_, among)))
            pairs = zip(people.to_pylist(), values.to_pylist(), strict=True)
            found[index].update((customer, value) for customer, value in pairs if value is not None)
    for (what, among), values in zip(wanted, found, strict=True):
        world.memory["everyone", what, among, as_of] = values
    return world


def _inside(columns: Columns, answers: Slice, among: Expression | None) -> NDArray[np.bool_]:
    """Who of the customers at hand is compared."""
    match among:
        case Name(name) if name in columns.segments:
            inside = answers.flags[columns.segments.index(name)]
        case Group(segmentation, group):
            row = [name for name, _ in columns.segmentations].index(segmentation)
            inside = answers.groups[row] == columns.groups(segmentation).index(group)
        case _:
            inside = answers.known
    return np.asarray(inside & answers.known, dtype=np.bool_)


def persons_of(store: Store, snapshot: Snapshot) -> list[str]:
    """Everybody who has events."""
    found: set[str] = set()
    for file in snapshot.files:
        events = store.persons.named(store.read(file, ["customer", "time"]), snapshot.sequence)
        found.update(events["customer"].unique().to_pylist())
    return sorted(found)


def person(store: Store, customer: str) -> str:
    """Who has an id; a shared one stands for itself."""
    return store.persons.owner(customer, store.sequence)


def _with_all_histories(world: meaning.World, store: Store, as_of: Moment) -> meaning.World:
    with store.snapshot() as snapshot:
        customers = persons_of(store, snapshot)
    return world_of(store, world.definitions, world.settings, customers, world.lists, until=as_of)
