"""A refresh: who is in what now, and everything that changed since the last one, exactly.

Everything is worked out first, bucket by bucket; then the answers are written to a new layer file; then one ledger
transaction makes the refresh take effect. A process that dies at any point leaves the last refresh as it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER, BucketAnswers, Evaluator, Positions
from ethogram.language.tree import Definitions
from ethogram.membership import record
from ethogram.membership.examine import Affected, Frame, examine, examine_edited
from ethogram.membership.late import ALWAYS
from ethogram.membership.layers import Layer, LayerWriter, Recorded, Rows, columns_of, rows_of
from ethogram.membership.outcome import Outcome
from ethogram.membership.publish import Shown, publish, traits_of
from ethogram.membership.reading import newest_moment
from ethogram.membership.record import Entry
from ethogram.membership.steps import aligned, realigned_rows
from ethogram.membership.versions import Edits, edits_between, identities
from ethogram.model.errors import DataError, EnvironmentFault
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import RefreshRecord, Store

HEAVY: Final = 4
"""Layers above the base are joined with it when they have more than this part of its rows."""
MANY: Final = 9
"""More layers than these become fewer."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told how far a long work is: a label, the part done, the whole."""


EngineFor: TypeAlias = Callable[[Definitions, Sequence[str]], Evaluator]
"""Makes an engine that answers these definitions' segments and segmentations of the names given."""


def silent(label: str, done: int, whole: int) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """`evaluated` customers; `entered`, `left` and `moved` are lines of the changes feed, none at a first refresh.

    `sequence` is what the answers are complete to; `edits` say which definitions began, changed or ended with it.
    """

    as_of: Moment
    evaluated: int
    entered: int
    left: int
    moved: int
    seconds: float
    sequence: int
    mode: str
    customers: int
    edits: Edits

    def as_json(self) -> dict[str, object]:
        return {
            "as_of": self.as_of,
            "mode": self.mode,
            "customers": self.customers,
            "evaluated": self.evaluated,
            "entered": self.entered,
            "left": self.left,
            "moved": self.moved,
            "seconds": round(self.seconds, 3),
            "sequence": self.sequence,
            "definitions": {
                "new": sorted(self.edits.new),
                "edited": sorted(self.edits.edited),
                "removed": sorted(self.edits.removed),
            },
        }


def refresh(
    store: Store,
    engine: Evaluator,
    definitions: Definitions,
    settings: Settings,
    *,
    lists: Mapping[str, frozenset[str]] | None = None,
    as_of: Moment | None = None,
    full: bool = False,
    publish: bool = False,
    progress: Progress = silent,
    engine_for: EngineFor | None = None,
) -> RefreshReport:
    """Evaluates what new events, time and edits may have changed, or with `full` everything, and records it.

    `as_of` None means the moment of the newest event. `lists` are the people named by hand that the engine was given.
    `engine_for` makes engines for new and edited definitions alone; without it an edit has everything evaluated.
    `publish` writes the tables for other tools, as far as they changed since they were written.
    Raises DataError E_AS_OF_PAST for a moment before the last refresh's, E_NO_EVENTS in an empty project.
    """
    with store.writer():
        record.sweep(store)
        return _Refresh(store, engine, definitions, settings, lists or {}, as_of, progress, engine_for).run(
            full=full, publish=publish
        )


@dataclass(frozen=True, slots=True)
class _Narrow:
    """Definitions to evaluate for everybody, with their places among all, and an engine for them alone, in its order."""

    names: Mapping[str, int]
    engine: Evaluator | None


class _Refresh:
    """One refresh: what it knows at its beginning, and its steps in order."""

    def __init__(
        self,
        store: Store,
        engine: Evaluator,
        definitions: Definitions,
        settings: Settings,
        lists: Mapping[str, frozenset[str]],
        as_of: Moment | None,
        progress: Progress,
        engine_for: EngineFor | None,
    ) -> None:
        self.began = time.perf_counter()
        self.started = time.time_ns() // 1000
        self.store, self.engine, self.definitions, self.progress = store, engine, definitions, progress
        self.settings, self.engine_for = settings, engine_for
        self.last = record.last_refresh(store)
        self.as_of = _moment(store, self.last, as_of)
        self.sequence = engine.sequence
        self.book = record.read_book(store)
        self.identities = identities(definitions, settings, lists)
        self.edits = edits_between(self.book.identities, self.identities)
        self.columns = columns_of(engine)
        self.refitted = engine.refitted & frozenset(self.names)
        self.folder = store.folder / record.ANSWERS
        self.number = (self.last.id if self.last else 0) + 1

    def run(self, *, full: bool, publish: bool) -> RefreshReport:
        recorded = self.recorded()
        frame = self.frame(recorded) if recorded else None
        affected = self.affected(recorded, full=full) if recorded else {}
        outcome = Outcome(self.names, list(frame.alignment.names) if frame else [])
        layers = self.evaluate(frame, affected, outcome, full=full)
        customers = _customers(layers, self.engine.buckets)
        self.commit(layers, customers, outcome, full=full)
        if publish:
            self.publish(layers, None if self.touches_everybody(frame, full=full) else frozenset(affected))
        record.sweep(self.store)
        return self.report(customers, outcome, full=full)

    def publish(self, layers: list[Layer], touched: frozenset[int] | None) -> None:
        """The tables for other tools: of the buckets touched, or None for all."""
        traits = traits_of(self.definitions, self.settings, self.engine)
        now = Shown(self.number, self.as_of, traits)
        publish(self.store, self.engine, self.of_traits, Recorded(layers), now, touched, self.progress)

    def of_traits(self) -> Evaluator:
        """What answers the traits and nothing else, if that can be had. No events come in as long as this refresh writes."""
        if self.engine_for is None:
            return self.engine
        engine = self.engine_for(self.definitions, self.engine.traits)
        return engine if engine.generation == self.engine.generation else self.engine

    def touches_everybody(self, frame: Frame | None, *, full: bool) -> bool:
        return frame is None or full or self.edits.any or bool(self.refitted)

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns.segments + tuple(name for name, _ in self.columns.segmentations)

    # --- what is known from the last refresh ---

    def recorded(self) -> Recorded | None:
        """The answers of the last refresh, made again where they are lost, by the positions of today's rosters."""
        if self.last is None:
            return None
        try:
            found = record.recorded_answers(self.store, self.last)
        except EnvironmentFault:
            return Recorded([self.rebuilt(self.last)])
        return found if found.generation == self.engine.generation else Recorded([self.moved(found)])

    def rebuilt(self, last: RefreshRecord) -> Layer:
        """Everyone's answers at the moment of the last refresh, under today's definitions and events."""
        path = self.folder / f"{self.number:06}-rebuilt.layer"
        with LayerWriter(self.store.disk, path, self.columns, self.engine.generation, is_base=True) as writer:
            for answers in self.engine.evaluate(last.as_of, traits=()):
                self.write(writer, answers.bucket, answers.positions, rows_of(answers), answers.due)
        return Layer(path)

    def moved(self, recorded: Recorded) -> Layer:
        """The recorded answers under the positions of rosters that were made anew."""
        path = self.folder / f"{self.number:06}-moved.layer"
        with LayerWriter(
            self.store.disk, path, recorded.columns, self.engine.generation, is_base=True
        ) as writer:
            for bucket in range(self.engine.buckets):
                before = recorded.customers(bucket)
                places = pc.index_in(before, value_set=self.engine.roster(bucket))
                here = np.flatnonzero(places.is_valid().to_numpy(zero_copy_only=False))
                positions = places.drop_null().to_numpy().astype(np.int64)
                order = np.argsort(positions)
                here, positions = here[order], positions[order]
                self.write(writer, bucket, positions, recorded.rows(bucket, here), recorded.due(bucket)[here])
        return Layer(path)

    def frame(self, recorded: Recorded) -> Frame:
        assert self.last is not None
        walked = self.edits.same - self.refitted
        evaluated_before = [
            None if name in self.edits.new else self.book.versions[name] for name in self.names
        ]
        return Frame(
            engine=self.engine,
            recorded=recorded,
            alignment=aligned(recorded.columns, self.columns),
            start=self.last.as_of,
            end=self.as_of,
            versions=tuple(evaluated_before),
            is_walked=np.array([name in walked for name in self.names], dtype=np.bool_),
            is_edited=np.array([name in self.edits.edited for name in self.names], dtype=np.bool_),
            read_stays=lambda customers: record.read_stays(self.store, customers),
        )

    def affected(self, recorded: Recorded, *, full: bool) -> dict[int, Affected]:
        """Whom new events touch and whose time has come; with `full` everybody, as if all events were new."""
        assert self.last is not None
        found: dict[int, Affected] = {}
        touched = {} if full else self.engine.touched(self.last.sequence)
        nobody = np.zeros(0, dtype=np.int64)
        for bucket in range(self.engine.buckets):
            if full:
                come = np.arange(len(self.engine.roster(bucket)))
            else:
                come = np.flatnonzero(recorded.due(bucket) <= self.as_of)
            seen, times = touched.get(bucket, (nobody, nobody))
            positions = np.union1d(come, seen) if len(seen) else come
            earliest = np.full(len(positions), ALWAYS if full else self.last.as_of + 1, dtype=np.int64)
            places = np.searchsorted(positions, seen)
            earliest[places] = np.minimum(times, earliest[places])
            if len(positions):
                found[bucket] = Affected(positions, earliest)
        return found

    # --- the work ---

    def evaluate(
        self, frame: Frame | None, affected: Mapping[int, Affected], outcome: Outcome, *, full: bool
    ) -> list[Layer]:
        """The layers of this refresh, the newest of them written."""
        narrow = None if frame is None or full else self.narrow()
        if frame is None or narrow is None:
            return [self.everybody(frame, affected, outcome)]
        chosen = {bucket: some.positions for bucket, some in affected.items()}
        found: dict[int, tuple[BucketAnswers, Rows]] = {}
        self.progress("Evaluating", 0, len(chosen))
        for answers in self.engine.evaluate(self.as_of, chosen, ()) if chosen else ():
            rows = rows_of(answers)
            examine(frame, answers, rows, affected[answers.bucket], outcome)
            outcome.evaluated += len(rows.known)
            found[answers.bucket] = answers, rows
            self.progress("Evaluating", len(found), len(chosen))
        layers = list(frame.recorded.layers)
        if narrow.names or not frame.alignment.is_same:
            return [self.rebased(frame, found, narrow, outcome)]
        if not found:
            return layers
        with self.layer("") as writer:
            for bucket, (answers, rows) in found.items():
                self.write(writer, bucket, answers.positions, rows, answers.due)
        return self.condensed([*layers, Layer(writer.path)])

    def narrow(self) -> _Narrow | None:
        """What has to be evaluated for everybody, beside those whom events and time affect; None if that is about all."""
        names = self.edits.new | self.edits.edited | self.refitted
        if not names:
            return _Narrow({}, None)
        if self.engine_for is None or 2 * len(names) > len(self.names):
            return None
        engine = self.engine_for(self.definitions, sorted(names))
        if (engine.generation, engine.sequence) != (self.engine.generation, self.sequence):
            return None
        place = {name: index for index, name in enumerate(self.names)}
        return _Narrow({name: place[name] for name in (*engine.segments, *engine.segmentations)}, engine)

    def everybody(self, frame: Frame | None, affected: Mapping[int, Affected], outcome: Outcome) -> Layer:
        nobody = Affected(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        with self.layer("", is_base=True) as writer:
            self.progress("Evaluating", 0, self.engine.buckets)
            for done, answers in enumerate(self.engine.evaluate(self.as_of, None, ())):
                rows = rows_of(answers)
                outcome.evaluated += len(rows.known)
                self.write(writer, answers.bucket, answers.positions, rows, answers.due)
                if frame:
                    examine(frame, answers, rows, affected.get(answers.bucket, nobody), outcome)
                self.progress("Evaluating", done + 1, self.engine.buckets)
        return Layer(writer.path)

    def rebased(
        self,
        frame: Frame,
        found: Mapping[int, tuple[BucketAnswers, Rows]],
        narrow: _Narrow,
        outcome: Outcome,
    ) -> Layer:
        """A new base: what was recorded, the answers of a few definitions for everybody, those found for a few customers."""
        edited = narrow.engine.evaluate(self.as_of, None, ()) if narrow.engine else iter(())
        with self.layer("", is_base=True) as writer:
            for bucket in range(self.engine.buckets):
                everyone = np.arange(len(self.engine.roster(bucket)), dtype=np.int64)
                rows = realigned_rows(frame.recorded.rows(bucket, everyone), frame.alignment)
                due = np.full(len(everyone), NEVER, dtype=np.int64)
                before = frame.recorded.due(bucket)
                due[: len(before)] = before
                some = found.get(bucket)
                if narrow.engine:
                    answers = next(edited)
                    assert answers.bucket == bucket
                    affected = some[0].positions if some else everyone[:0]
                    examine_edited(frame, answers, narrow.names, rows, affected, outcome)
                    rows.known[:] = answers.known
                    due = np.minimum(due, answers.due)
                    outcome.evaluated += len(everyone) - len(affected)
                if some:
                    positions = some[0].positions
                    rows.known[positions], due[positions] = some[1].known, some[0].due
                    rows.words[positions], rows.groups[positions] = some[1].words, some[1].groups
                self.write(writer, bucket, everyone, rows, due)
                self.progress("Evaluating", bucket + 1, self.engine.buckets)
        return Layer(writer.path)

    def condensed(self, layers: list[Layer]) -> list[Layer]:
        """Fewer layers where there are many: one base if those above it are heavy, one above it otherwise."""
        whole = Recorded(layers)
        if whole.above * HEAVY > layers[0].rows:
            return [self.joined(layers, "-base", is_base=True)]
        return (
            layers if len(layers) <= MANY else [layers[0], self.joined(layers[1:], "-above", is_base=False)]
        )

    def joined(self, layers: list[Layer], ending: str, *, is_base: bool) -> Layer:
        recorded = Recorded(layers)
        with self.layer(ending, is_base=is_base) as writer:
            for bucket in range(self.engine.buckets):
                positions = recorded.positions(bucket)
                due = recorded.due(bucket)[positions]
                self.write(writer, bucket, positions, recorded.rows(bucket, positions), due)
        return Layer(writer.path)

    def layer(self, ending: str, *, is_base: bool = False) -> LayerWriter:
        path = self.folder / f"{self.number:06}{ending}.layer"
        return LayerWriter(self.store.disk, path, self.columns, self.engine.generation, is_base=is_base)

    def write(
        self, writer: LayerWriter, bucket: int, positions: Positions, rows: Rows, due: NDArray[np.int64]
    ) -> None:
        roster = self.engine.roster(bucket)
        is_whole = len(positions) == len(roster)
        writer.add(bucket, positions, roster if is_whole else roster.take(pa.array(positions)), rows, due)

    def commit(self, layers: list[Layer], customers: int, outcome: Outcome, *, full: bool) -> None:
        entry = Entry(
            as_of=self.as_of,
            sequence=self.sequence,
            mode=self.mode(full=full),
            started=self.started,
            finished=time.time_ns() // 1000,
            layers=[layer.path for layer in layers],
            customers=customers,
            edits=self.edits,
            identities=self.identities,
        )
        record.commit(self.store, entry, self.book, self.definitions, outcome)

    def mode(self, *, full: bool) -> str:
        return "full" if full or self.last is None else "incremental"

    def report(self, customers: int, outcome: Outcome, *, full: bool) -> RefreshReport:
        counts = outcome.counts()
        return RefreshReport(
            as_of=self.as_of,
            evaluated=outcome.evaluated,
            entered=counts["entered"],
            left=counts["left"],
            moved=counts["moved"],
            seconds=time.perf_counter() - self.began,
            sequence=self.sequence,
            mode=self.mode(full=full),
            customers=customers,
            edits=self.edits,
        )


def _customers(layers: list[Layer], buckets: int) -> int:
    """How many are known."""
    recorded = Recorded(layers)
    return sum(int(np.count_nonzero(recorded.known(bucket))) for bucket in range(buckets))


def _moment(store: Store, last: RefreshRecord | None, as_of: Moment | None) -> Moment:
    """The moment to record. Time does not go back in the record."""
    if as_of is not None:
        if last and as_of < last.as_of:
            raise DataError(
                "E_AS_OF_PAST",
                "the record goes to a later moment already, and does not go back",
                hint="`ethogram members NAME --as-of TIME` and the other verbs of Look show the past without recording it.",
            )
        return as_of
    newest = newest_moment(store)
    return max(newest, last.as_of) if last else newest
