"""Recomputing what was recorded: a sample with the interpreter, everybody with the engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.engines.answers import BucketAnswers, Evaluator
from ethogram.language import meaning
from ethogram.language.tree import Definitions
from ethogram.membership import record
from ethogram.membership.examine import slice_of
from ethogram.membership.explain import say_value
from ethogram.membership.layers import Recorded, columns_of
from ethogram.membership.people import EngineFor, person, remember_everybody, world_of
from ethogram.membership.reading import require_refresh
from ethogram.membership.stays import OUT
from ethogram.membership.steps import aligned, differences, realigned
from ethogram.membership.versions import edits_between, identities
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Store

SAMPLE = 200
LIMIT = 1_000
"""So many differences are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`of` says which two answers differ: `recorded` and `engine`, or `engine` and `interpreter`."""

    customer: str
    name: str
    of: tuple[str, str]
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Verification:
    """`sampled` customers were asked of the interpreter, `compared` answers in all. `stale` are definitions that were edited

    since the refresh, and `is_current` whether no events came since: only then can the record be compared.
    """

    as_of: Moment
    sampled: int
    customers: int
    compared: int
    differing: int
    differences: tuple[Difference, ...]
    stale: tuple[str, ...]
    is_current: bool

    @property
    def is_equal(self) -> bool:
        return self.differing == 0

    def as_json(self) -> dict[str, object]:
        return {
            "as_of": self.as_of,
            "equal": self.is_equal,
            "sampled": self.sampled,
            "customers": self.customers,
            "compared": self.compared,
            "differing": self.differing,
            "differences": [
                {
                    "customer": one.customer,
                    "name": one.name,
                    "between": list(one.of),
                    one.of[0]: one.first,
                    one.of[1]: one.second,
                }
                for one in self.differences
            ],
            "edited_since": list(self.stale),
            "complete": self.is_current,
        }


def verify(
    store: Store,
    engine: Evaluator,
    definitions: Definitions,
    settings: Settings,
    *,
    lists: Mapping[str, frozenset[str]] | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    customers: Sequence[str] = (),
    engine_for: EngineFor | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Verification:
    """Compares, at the moment of the last refresh, the record with the engine for everybody, and the engine with the

    interpreter for a random sample and for the customers named, traits included. Definitions edited since the refresh and,
    where events came since, all definitions are compared with the interpreter alone.
    """
    refresh = require_refresh(store)
    book = record.read_book(store)
    edits = edits_between(book.identities, identities(definitions, settings, lists or {}))
    stale = tuple(sorted(edits.new | edits.edited))
    is_current = not engine.touched(refresh.sequence)
    found = _Found()
    everyone: list[str] = []
    recorded = record.recorded_answers(store, refresh)
    for done, answers in enumerate(engine.evaluate(refresh.as_of, traits=())):
        if progress:
            progress("Comparing the record", done, engine.buckets)
        roster = engine.roster(answers.bucket).take(pa.array(answers.positions))
        everyone += roster.filter(pa.array(answers.known)).to_pylist()
        if is_current:
            _compare_record(recorded, engine, answers, roster, frozenset(stale), found)
    named = {person(store, customer) for customer in customers}
    chosen = sorted({*named, *random.Random(seed).sample(sorted(everyone), min(sample, len(everyone)))})
    sampling = _Sampling(store, engine, definitions, settings, lists or {}, refresh.as_of, engine_for)
    sampling.compare(chosen, found, progress)
    return Verification(
        refresh.as_of,
        len(chosen),
        len(everyone),
        found.compared,
        found.differing,
        tuple(found.listed),
        stale,
        is_current,
    )


class _Found:
    def __init__(self) -> None:
        self.compared = 0
        self.differing = 0
        self.listed: list[Difference] = []

    def differ(self, difference: Difference) -> None:
        self.differing += 1
        if len(self.listed) < LIMIT:
            self.listed.append(difference)


def _compare_record(
    recorded: Recorded,
    engine: Evaluator,
    answers: BucketAnswers,
    roster: pa.StringArray,
    stale: frozenset[str],
    found: _Found,
) -> None:
    """One bucket: everybody's answers as recorded and as evaluated now."""
    columns = columns_of(engine)
    alignment = aligned(recorded.columns, columns)
    places = pc.index_in(roster, value_set=recorded.customers(answers.bucket))
    order = places.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    here = np.flatnonzero(order >= 0)
    by_place = here[np.argsort(order[here], kind="stable")]
    before = realigned(recorded.at(answers.bucket, np.sort(order[here])), alignment)
    whole = slice_of(answers)
    now = type(whole)(whole.known[by_place], whole.flags[:, by_place], whole.groups[:, by_place])
    names = [*columns.segments, *(name for name, _ in columns.segmentations)]
    found.compared += len(by_place) * sum(name not in stale for name in names)
    pairs = differences(before, now)
    people = roster.take(pa.array(by_place))
    rows = zip(
        pairs.place.tolist(),
        pairs.definition.tolist(),
        pairs.before.tolist(),
        pairs.after.tolist(),
        strict=True,
    )
    for place, definition, was, is_ in rows:
        if names[definition] not in stale:
            said = [_said(alignment.names[definition], value) for value in (was, is_)]
            found.differ(
                Difference(people[place].as_py(), names[definition], ("recorded", "engine"), said[0], said[1])
            )


def _said(groups: Sequence[str], value: int) -> str:
    if value == OUT:
        return "out"
    return groups[value] or "in"


@dataclass(frozen=True, slots=True)
class _Sampling:
    store: Store
    engine: Evaluator
    definitions: Definitions
    settings: Settings
    lists: Mapping[str, frozenset[str]]
    as_of: Moment
    engine_for: EngineFor | None

    def compare(
        self, customers: Sequence[str], found: _Found, progress: Callable[[str, int, int], None] | None
    ) -> None:
        names = (*self.engine.segments, *self.engine.segmentations, *self.engine.traits)
        world = world_of(self.store, self.definitions, self.settings, customers, self.lists)
        world = remember_everybody(world, self.store, names, self.as_of, self.engine_for)
        for done, (customer, evaluated) in enumerate(self._evaluated(customers)):
            if progress and done % 20 == 0:
                progress("Asking the interpreter", done, len(customers))
            for name, said in evaluated.items():
                meant = self._meant(world, name, customer)
                found.compared += 1
                if said != meant:
                    found.differ(Difference(customer, name, ("engine", "interpreter"), said, meant))

    def _meant(self, world: meaning.World, name: str, customer: str) -> str:
        value = meaning.evaluate(world, name, customer, self.as_of)
        if name in self.definitions.segments:
            return "in" if value is True else "out"
        if name in self.definitions.segmentations:
            return "out" if value is None else str(value)
        return _trait_text(value, self.settings)

    def _evaluated(self, customers: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
        """What the engine says of each, by name."""
        wanted = pa.array(sorted(customers), pa.string())
        columns = columns_of(self.engine)
        for bucket in range(self.engine.buckets):
            roster = self.engine.roster(bucket)
            positions = np.flatnonzero(pc.is_in(roster, value_set=wanted).to_numpy(zero_copy_only=False))
            if not len(positions):
                continue
            (answers,) = self.engine.evaluate(self.as_of, {bucket: positions})
            slice_ = slice_of(answers)
            traits = {name: values.to_pylist() for name, values in _plain(answers.traits).items()}
            for place, position in enumerate(positions.tolist()):
                said = {
                    name: "in" if slice_.flags[row, place] else "out"
                    for row, name in enumerate(columns.segments)
                }
                for row, (name, groups) in enumerate(columns.segmentations):
                    said[name] = _said(groups, int(slice_.groups[row, place]))
                for name, values in traits.items():
                    said[name] = _trait_text(values[place], self.settings)
                yield roster[position].as_py(), said


def _plain(traits: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """Moments as microseconds."""
    return {
        name: values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values
        for name, values in traits.items()
    }


def _trait_text(value: object, settings: Settings) -> str:
    match value:
        case list():
            return ", ".join(sorted(value))
        case int() if not isinstance(value, bool):
            return f"{value} µs"
        case None | bool() | Decimal() | str() | frozenset():
            return say_value(value, settings)
        case _:
            return str(value)
