"""An engine made of the interpreter alone: slow, and right by definition. And a shop to try engines on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER, BucketAnswers, Evaluator, Moves, Positions
from ethogram.language import meaning
from ethogram.language.files import definitions_from_text
from ethogram.language.tree import Definitions
from ethogram.membership.bits import packed
from ethogram.membership.versions import fitted
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings
from ethogram.store import Record, Store, bucket_of, shred
from ethogram.store.values import number_text

DAY = 86_400_000_000
HOUR = DAY // 24
HORIZON = 60 * DAY


class Oracle:
    """Rosters list the customers of a bucket in order of arrival; `generation` turns the order around if it is odd."""

    def __init__(
        self,
        store: Store,
        definitions: Definitions,
        settings: Settings,
        lists: Mapping[str, frozenset[str]] | None = None,
        generation: int = 0,
        names: Sequence[str] | None = None,
    ) -> None:
        self.definitions = definitions
        self.segments = tuple(name for name in definitions.segments if names is None or name in names)
        self.segmentations = tuple(
            name for name in definitions.segmentations if names is None or name in names
        )
        self.traits = tuple(name for name in definitions.traits if names is None or name in names)
        self.buckets = store.buckets
        self.fitted = self.refitted = fitted(definitions)
        self.restless = frozenset(self.traits)  # rather too many: what `due` tells is of segments
        arrivals: dict[int, dict[str, list[tuple[int, int]]]] = {
            bucket: {} for bucket in range(store.buckets)
        }
        with store.snapshot() as snapshot:
            self.sequence = snapshot.sequence
            self.generation = (
                f"turned around at {snapshot.sequence}" if generation % 2 else "in order of arrival"
            )
            for file in sorted(snapshot.files, key=lambda file: file.sequence):
                table = store.read(file, ["customer", "time"])
                named = store.persons.named(table, snapshot.sequence)
                times = table["time"].cast(pa.int64()).to_pylist()
                for customer, person, time in zip(
                    table["customer"].to_pylist(), named["customer"].to_pylist(), times, strict=True
                ):
                    for one in dict.fromkeys((customer, person)):  # an id that is another's has a place, too
                        home = arrivals[bucket_of(one, store.buckets)]
                        home.setdefault(one, []).append((file.sequence, time))
            for one in store.persons.moved(0, snapshot.sequence):
                arrivals[bucket_of(one, store.buckets)].setdefault(one, [])
            everyone = [customer for found in arrivals.values() for customer in found]
            histories = store.histories(everyone, snapshot)
            if store.persons.any():
                self.generation += f", persons of {snapshot.sequence}"
        self.persons = store.persons
        self.arrivals = arrivals
        self.rosters = {
            bucket: list(reversed(found)) if generation % 2 else list(found)
            for bucket, found in arrivals.items()
        }
        self.world = meaning.World(settings, definitions, histories, lists or {})

    def group_names(self, segmentation: str) -> Sequence[str]:
        return [group.name for group in self.definitions.segmentations[segmentation].groups]

    def roster(self, bucket: int) -> pa.StringArray:
        return pa.array(self.rosters[bucket], pa.string())

    def evaluate(
        self,
        as_of: Moment,
        positions: Mapping[int, Positions] | None = None,
        traits: Sequence[str] | None = None,
    ) -> Iterator[BucketAnswers]:
        if positions is None:
            positions = {bucket: np.arange(len(roster)) for bucket, roster in self.rosters.items()}
        wanted = self.traits if traits is None else traits
        types = {name: self._type(name, as_of) for name in wanted}
        for bucket, some in positions.items():
            customers = [self.rosters[bucket][position] for position in some]
            yield BucketAnswers(
                bucket,
                some.astype(np.int64),
                np.array([self._is_known(c, as_of) for c in customers], dtype=np.bool_),
                packed(
                    self._table(
                        [[self._value(n, c, as_of) for c in customers] for n in self.segments], len(some)
                    )
                    == 1
                ),
                self._table(
                    [[self._value(n, c, as_of) for c in customers] for n in self.segmentations], len(some)
                ),
                np.array([self._due(c, as_of) for c in customers], dtype=np.int64),
                {name: self._trait(name, customers, as_of, types[name]) for name in wanted},
            )

    def walk(self, bucket: int, positions: Positions, start: Moment, end: Moment) -> Moves:
        rows: list[tuple[int, int, int, int]] = []
        for position in positions.tolist():
            customer = self.rosters[bucket][position]
            for index, name in enumerate((*self.segments, *self.segmentations)):
                for moment in self._moments(name, customer, start, end):
                    rows.append((position, moment, index, self._value(name, customer, moment)))
        rows.sort()
        columns = np.array(rows, dtype=np.int64).reshape(-1, 4)
        return Moves(
            columns[:, 0], columns[:, 2].astype(np.int32), columns[:, 1], columns[:, 3].astype(np.int16)
        )

    def sizes(self, moments: Sequence[Moment]) -> Mapping[str, NDArray[np.int64]]:
        names = [*self.segments, *(f"{s}.{g}" for s in self.segmentations for g in self.group_names(s))]
        return {
            name: np.array(
                [len(meaning.members(self.world, name, moment)) for moment in moments], dtype=np.int64
            )
            for name in names
        }

    def touched(self, since_sequence: int) -> Mapping[int, tuple[Positions, NDArray[np.int64]]]:
        found = {}
        moved = self.persons.moved(since_sequence, self.sequence)
        for bucket, roster in self.rosters.items():
            earliest = {
                position: min(times)
                for position, customer in enumerate(roster)
                if (
                    times := [
                        time
                        for sequence, time in self.arrivals[bucket][customer]
                        if sequence > since_sequence
                    ]
                )
            }
            earliest |= {roster.index(one): -NEVER for one in moved if one in roster}
            earliest = dict(sorted(earliest.items()))
            if earliest:
                found[bucket] = (np.array(list(earliest)), np.array(list(earliest.values())))
        return found

    def _is_known(self, customer: str, as_of: Moment) -> bool:
        return meaning.is_known(self.world, customer, as_of)

    def _value(self, name: str, customer: str, as_of: Moment) -> int:
        answer = meaning.evaluate(self.world, name, customer, as_of)
        if name in self.definitions.segments:
            return int(answer is True)
        return -1 if answer is None else list(self.group_names(name)).index(str(answer))

    def _moments(self, name: str, customer: str, start: Moment, end: Moment) -> list[Moment]:
        if name in self.fitted:
            return []
        return meaning.change_moments(self.world, name, customer, start, end)

    def _due(self, customer: str, as_of: Moment) -> Moment:
        names = (*self.segments, *self.segmentations)
        nexts = [
            found[0] for name in names if (found := self._moments(name, customer, as_of, as_of + HORIZON))
        ]
        return min([*nexts, as_of + HORIZON])

    def _table(self, rows: list[list[int]], count: int) -> NDArray[np.int16]:
        return np.array(rows, dtype=np.int16).reshape(len(rows), count)

    def _trait(self, name: str, customers: list[str], as_of: Moment, kind: pa.DataType) -> pa.Array:
        values = [meaning.evaluate(self.world, name, customer, as_of) for customer in customers]
        return pa.array([_texts(one) if isinstance(one, frozenset) else one for one in values], kind)

    def _type(self, name: str, as_of: Moment) -> pa.DataType:
        for customer in self.world.histories:
            match meaning.evaluate(self.world, name, customer, as_of):
                case bool():
                    return pa.bool_()
                case Decimal():
                    return pa.decimal128(18, 6)
                case int():
                    return pa.timestamp("us", "UTC")
                case frozenset():
                    return pa.list_(pa.string())
                case str():
                    return pa.string()
        return pa.string()


# --- a shop ---------------------------------------------------------------------------------------------------------


def _texts(values: frozenset[tuple[object, object]]) -> list[str]:
    return sorted(_as_text(one) for _, one in values)


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return number_text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def event(customer: str, time: Moment, name: str, id_: str, **properties: object) -> tuple[str, Event]:
    numbers = {key: Decimal(value) if isinstance(value, int) else value for key, value in properties.items()}
    return customer, Event(time, name, id_, "test", properties=numbers)  # type: ignore[arg-type]


def load(store: Store, events: Iterable[tuple[str, Event]]) -> None:
    """What is not a repetition, in one transaction."""
    records = [Record(customer, one) for customer, one in events]
    if records:
        with store.writing("load") as writing:
            writing.append(writing.sift(shred(records)).fresh)


def shop(folder: Path, buckets: int = 2) -> Store:
    return Store.open(folder, create=True, buckets=buckets)


def definitions(text: str) -> Definitions:
    return definitions_from_text(text)


def make_engine(
    kind: str,
    store: Store,
    meant: Definitions,
    settings: Settings,
    lists: Mapping[str, frozenset[str]] | None = None,
    names: Sequence[str] | None = None,
) -> Evaluator:
    """The same project in front of the interpreter or of the kernel."""
    if kind == "interpreter":
        return Oracle(store, meant, settings, lists, names=names)
    from ethogram.engines.engine import Engine

    return Engine(store, meant, settings, lists, names=names)


ENGINES = ("interpreter", "kernel")
