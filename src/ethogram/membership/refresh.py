"""A refresh: who is in what now, and everything that changed since the last one, exactly.

Everything is worked out first, bucket by bucket; then the answers are written to a new layer file; then one ledger
transaction makes the refresh take effect. A process that dies at any point leaves the last refresh as it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.engines.answers import NEVER, BucketAnswers, Evaluator
from ethogram.language.tree import Definitions
from ethogram.membership import record
from ethogram.membership.bits import packed
from ethogram.membership.examine import Affected, Frame, examine
from ethogram.membership.late import ALWAYS
from ethogram.membership.layers import Layer, LayerWriter, Recorded, columns_of
from ethogram.membership.outcome import Outcome
from ethogram.membership.publish import TraitsWriter, publish_memberships
from ethogram.membership.reading import newest_moment
from ethogram.membership.record import Entry
from ethogram.membership.steps import aligned
from ethogram.membership.versions import Edits, edits_between, fitted, identities
from ethogram.model.errors import DataError, EnvironmentFault
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import RefreshRecord, Store

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told how far a long work is: a label, the part done, the whole."""


@runtime_checkable
class Sequenced(Protocol):
    """An engine that says which ledger sequence its answers are complete to."""

    @property
    def sequence(self) -> int: ...


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
    publish: bool = True,
    progress: Progress = silent,
) -> RefreshReport:
    """Evaluates what new events, time and edits may have changed, or with `full` everything, and records it.

    `as_of` None means the moment of the newest event. `lists` are the people named by hand that the engine was given.
    `publish` writes the tables for other tools, which takes an evaluation of everybody.
    Raises DataError E_AS_OF_PAST for a moment before the last refresh's, E_NO_EVENTS in an empty project.
    """
    with store.writer():
        record.sweep(store)
        return _Refresh(store, engine, definitions, settings, lists or {}, as_of, progress).run(
            full=full, publish=publish
        )


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
    ) -> None:
        self.began = time.perf_counter()
        self.started = time.time_ns() // 1000
        self.store, self.engine, self.definitions, self.progress = store, engine, definitions, progress
        self.last = record.last_refresh(store)
        self.as_of = _moment(store, self.last, as_of)
        self.sequence = engine.sequence if isinstance(engine, Sequenced) else store.sequence
        self.book = record.read_book(store)
        self.identities = identities(definitions, settings, lists)
        self.edits = edits_between(self.book.identities, self.identities)
        self.columns = columns_of(engine)
        self.fitted = fitted(definitions)
        self.folder = store.folder / record.ANSWERS
        self.number = (self.last.id if self.last else 0) + 1

    def run(self, *, full: bool, publish: bool) -> RefreshReport:
        recorded = self.recorded()
        frame = self.frame(recorded) if recorded else None
        affected = self.affected(recorded, full=full) if recorded else {}
        everyone = (
            recorded is None
            or full
            or publish
            or self.edits.any
            or bool(self.fitted)
            or recorded.columns != self.columns
        )
        outcome = Outcome(self.names, list(frame.alignment.names) if frame else [])
        with ExitStack() as stack:
            traits = stack.enter_context(TraitsWriter(self.published, self.label)) if publish else None
            layers = self.evaluate(frame, recorded, affected, outcome, traits, everyone=everyone)
            self.commit(layers, outcome, full=full)
            if traits:
                self.store.disk.reached("publish.before-traits")
                traits.finish()
        if publish:
            self.progress("Publishing", 0, 1)
            stays = record.read_open_stays(self.store)
            self.store.disk.reached("publish.before-memberships")
            publish_memberships(self.published, Recorded(layers), self.engine.buckets, stays, self.label)
            self.progress("Publishing", 1, 1)
        record.sweep(self.store)
        return self.report(layers, outcome, full=full)

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns.segments + tuple(name for name, _ in self.columns.segmentations)

    @property
    def published(self) -> Path:
        return self.store.folder / "published"

    @property
    def label(self) -> str:
        """What the published tables say of themselves: which refresh they show."""
        return f"refresh {self.number}"

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
                self.write(writer, answers)
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
                old = recorded.at(bucket, here)
                due = recorded.due(bucket)[here]
                writer.add(
                    bucket,
                    positions,
                    before.take(pa.array(here)),
                    old.known,
                    packed(old.flags),
                    old.groups,
                    due,
                )
        return Layer(path)

    def frame(self, recorded: Recorded) -> Frame:
        assert self.last is not None
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
            is_walked=np.array(
                [name in self.edits.same - self.fitted for name in self.names], dtype=np.bool_
            ),
            is_edited=np.array([name in self.edits.edited for name in self.names], dtype=np.bool_),
            read_stays=lambda customers: record.read_stays(self.store, customers),
        )

    def affected(self, recorded: Recorded, *, full: bool) -> dict[int, Affected]:
        """Whom new events touch and whose time has come; with `full` everybody, as if all events were new."""
        assert self.last is not None
        found: dict[int, Affected] = {}
        touched = {} if full else self.engine.touched(self.last.sequence)
        for bucket in range(self.engine.buckets):
            size = len(self.engine.roster(bucket))
            earliest = np.full(size, NEVER if not full else ALWAYS, dtype=np.int64)
            if not full:
                due = recorded.due(bucket)
                earliest[: len(due)][due <= self.as_of] = self.last.as_of + 1
            if bucket in touched:
                positions, times = touched[bucket]
                earliest[positions] = np.minimum(earliest[positions], times)
            positions = np.flatnonzero(earliest < NEVER)
            if len(positions):
                found[bucket] = Affected(positions, earliest[positions])
        return found

    # --- the work ---

    def evaluate(
        self,
        frame: Frame | None,
        recorded: Recorded | None,
        affected: Mapping[int, Affected],
        outcome: Outcome,
        traits: TraitsWriter | None,
        *,
        everyone: bool,
    ) -> list[Layer]:
        """The layers of this refresh, the newest of them written."""
        if recorded and not everyone and not affected:
            return list(recorded.layers)
        chosen = None if everyone else {bucket: some.positions for bucket, some in affected.items()}
        whole = self.engine.buckets if chosen is None else len(chosen)
        nobody = Affected(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        path = self.folder / f"{self.number:06}.layer"
        with LayerWriter(
            self.store.disk, path, self.columns, self.engine.generation, is_base=everyone
        ) as writer:
            self.progress("Evaluating", 0, whole)
            for done, answers in enumerate(self.engine.evaluate(self.as_of, chosen, None if traits else ())):
                outcome.evaluated += len(answers.positions)
                customers = self.write(writer, answers)
                if traits:
                    traits.add(customers, answers)
                if frame:
                    examine(frame, answers, affected.get(answers.bucket, nobody), outcome)
                self.progress("Evaluating", done + 1, whole)
        newest = Layer(path)
        if recorded is None or everyone:
            return [newest]
        layers = [*recorded.layers, newest]
        return [self.joined(layers)] if Recorded(layers).is_heavy() else layers

    def write(self, writer: LayerWriter, answers: BucketAnswers) -> pa.StringArray:
        """The customers of the answers."""
        customers = self.engine.roster(answers.bucket).take(pa.array(answers.positions))
        writer.add(
            answers.bucket,
            answers.positions,
            customers,
            answers.known,
            answers.bits,
            answers.groups,
            answers.due,
        )
        return customers

    def joined(self, layers: list[Layer]) -> Layer:
        """Many layers as one base."""
        recorded = Recorded(layers)
        path = self.folder / f"{self.number:06}-base.layer"
        with LayerWriter(self.store.disk, path, self.columns, self.engine.generation, is_base=True) as writer:
            for bucket in range(self.engine.buckets):
                all_ = np.arange(recorded.count(bucket), dtype=np.int64)
                answers = recorded.at(bucket, all_)
                customers, due = recorded.customers(bucket), recorded.due(bucket)
                writer.add(bucket, all_, customers, answers.known, packed(answers.flags), answers.groups, due)
        return Layer(path)

    def commit(self, layers: list[Layer], outcome: Outcome, *, full: bool) -> None:
        entry = Entry(
            as_of=self.as_of,
            sequence=self.sequence,
            mode=self.mode(full=full),
            started=self.started,
            finished=time.time_ns() // 1000,
            layers=[layer.path for layer in layers],
            customers=_customers(layers, self.engine.buckets),
            edits=self.edits,
            identities=self.identities,
        )
        record.commit(self.store, entry, self.book, self.definitions, outcome)

    def mode(self, *, full: bool) -> str:
        return "full" if full or self.last is None else "incremental"

    def report(self, layers: list[Layer], outcome: Outcome, *, full: bool) -> RefreshReport:
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
            customers=_customers(layers, self.engine.buckets),
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
