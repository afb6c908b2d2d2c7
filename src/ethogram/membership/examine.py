"""One bucket of a refresh: what differs from the record, and when it came to differ.

Customers whose new events are all later than the last refresh, and those whose time has come, are walked from there: their
changes go behind the record. Customers with an event before it are corrected (see `late`). What changed without walking (a
definition was edited, a population function fitted anew) changed at the refresh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER, BucketAnswers, Evaluator, Moves, Positions
from ethogram.membership.bits import column, put_column, unpacked
from ethogram.membership.late import Version, corrected
from ethogram.membership.layers import Recorded, Rows, Slice, rows_of
from ethogram.membership.outcome import Outcome
from ethogram.membership.stays import OUT, Stay, stays_of, steps_of
from ethogram.membership.steps import (
    Aligned,
    Changes,
    Pairs,
    changes_of,
    latest,
    moved_values,
    realigned_rows,
    row_differences,
)
from ethogram.model.event import Moment
from ethogram.store import Interval

_DAY = 86_400_000_000
_LATENESS = np.array([_DAY // 24, _DAY, 7 * _DAY, 30 * _DAY, 180 * _DAY], dtype=np.int64)


ReadStays: TypeAlias = Callable[[pa.StringArray], pa.Table]
"""The stays that the ledger keeps of these customers, in columns."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same for all buckets of one refresh, which leads from `start` to `end`.

    By definition, segments first: `versions` (of the record; None for what was never evaluated), `is_walked` (the same
    version as before, and a function of the customer's own history) and `is_edited`.
    """

    engine: Evaluator
    recorded: Recorded
    alignment: Aligned
    start: Moment
    end: Moment
    versions: tuple[Version | None, ...]
    is_walked: NDArray[np.bool_]
    is_edited: NDArray[np.bool_]
    read_stays: ReadStays

    @property
    def is_compared(self) -> NDArray[np.bool_]:
        return np.array([version is not None for version in self.versions], dtype=np.bool_)

    @property
    def beginnings(self) -> tuple[Moment, ...]:
        """When the versions of the walked definitions began, each moment once."""
        walked = zip(self.versions, self.is_walked.tolist(), strict=True)
        return tuple(sorted({version.begins for version, is_walked in walked if version and is_walked}))


@dataclass(frozen=True, slots=True)
class Affected:
    """Customers to walk, ascending; `earliest` is the time of their earliest new event, later than the last refresh for
    those whose time has come without one."""

    positions: Positions
    earliest: NDArray[np.int64]


def slice_of(answers: BucketAnswers) -> Slice:
    return Slice(answers.known, unpacked(answers.bits, len(answers.positions)), answers.groups)


def examine(frame: Frame, answers: BucketAnswers, after: Rows, affected: Affected, outcome: Outcome) -> None:
    """Adds to `outcome` what changed for the customers of `answers`, which include the `affected`."""
    positions, count = answers.positions, len(frame.versions)
    before = realigned_rows(frame.recorded.rows(answers.bucket, positions), frame.alignment)
    pairs = row_differences(before, after)
    if not frame.is_compared.all():
        pairs = pairs.where(frame.is_compared[pairs.definition])
    if not len(pairs) and not len(affected.positions):
        return
    customers = frame.engine.roster(answers.bucket).take(pa.array(positions))

    is_late = affected.earliest <= frame.start
    late = Affected(affected.positions[is_late], affected.earliest[is_late])
    walked = np.zeros(len(positions), dtype=np.bool_)
    walked[np.searchsorted(positions, affected.positions)] = True

    moves = _walk(frame, answers.bucket, affected.positions[~is_late], frame.start)
    settled = pairs.where(~(frame.is_walked[pairs.definition] & walked[pairs.place]))
    changes = changes_of(
        before,
        np.concatenate([np.searchsorted(positions, moves.position), settled.place]),
        np.concatenate([moves.definition.astype(np.int64), settled.definition]),
        np.concatenate([moves.at, np.full(len(settled), frame.end)]),
        np.concatenate([moved_values(moves, before.segments), settled.after]),
    )
    outcome.add_changes(customers, changes)

    at = np.full(len(pairs), NEVER, dtype=np.int64)
    found, moments = latest(changes, pairs, count)
    at[found] = moments[found]
    at[frame.is_edited[pairs.definition]] = NEVER
    if len(late.positions):
        since = _correct(frame, answers, late, customers, before, after, pairs, outcome)
        _fill(at, pairs, since, count)
    outcome.add_net(customers, pairs, at)


def examine_edited(
    frame: Frame,
    answers: BucketAnswers,
    edited: Mapping[str, int],
    before: Rows,
    affected: Positions,
    outcome: Outcome,
) -> None:
    """Takes the answers of an engine for the `edited` definitions alone, which says them of everybody, into the rows `before`;

    adds to `outcome` what changed with them, but for the `affected`, who are examined by themselves."""
    others = np.ones(len(before.known), dtype=np.bool_)
    others[affected] = False
    found: list[Pairs] = []
    names = [*frame.engine.segments, *frame.engine.segmentations]
    for row, (name, definition) in enumerate(edited.items()):
        assert names[definition] == name
        if definition < before.segments:
            now = answers.members(row)
            was_in = column(before.words, definition)
            was, is_ = np.where(was_in, 0, OUT), np.where(now, 0, OUT)
            put_column(before.words, definition, now)
        else:
            group = definition - before.segments
            was, is_ = (
                before.groups[:, group].astype(np.int64),
                answers.groups[row - len(answers.bits)].astype(np.int64),
            )
            before.groups[:, group] = is_
        if frame.is_compared[definition]:
            place = np.flatnonzero((was != is_) & others)
            found.append(Pairs(place, np.full(len(place), definition), was[place], is_[place]))
    if not sum(map(len, found)):
        return
    pairs = Pairs(*(np.concatenate([getattr(one, field.name) for one in found]) for field in fields(Pairs)))
    customers = frame.engine.roster(answers.bucket)
    at = np.full(len(pairs), frame.end)
    once = np.ones(len(pairs), dtype=np.bool_)
    outcome.add_changes(
        customers, Changes(pairs.place, pairs.definition, at, pairs.before, pairs.after, once, once)
    )
    outcome.add_net(customers, pairs, np.where(frame.is_edited[pairs.definition], NEVER, at))


def _walk(frame: Frame, bucket: int, positions: Positions, start: Moment) -> Moves:
    """The moves of walked definitions after `start`."""
    if not len(positions) or start >= frame.end or not frame.is_walked.any():
        nothing = np.zeros(0, dtype=np.int64)
        return Moves(nothing, nothing.astype(np.int32), nothing, nothing.astype(np.int16))
    moves = frame.engine.walk(bucket, positions, start, frame.end)
    kept = frame.is_walked[moves.definition]
    return Moves(moves.position[kept], moves.definition[kept], moves.at[kept], moves.value[kept])


_Key: TypeAlias = tuple[int, int]
"""Place among the answers, definition."""


def _correct(
    frame: Frame,
    answers: BucketAnswers,
    late: Affected,
    customers: pa.StringArray,
    before: Rows,
    after: Rows,
    pairs: Pairs,
    outcome: Outcome,
) -> dict[_Key, Moment]:
    """Rewrites the stays of customers with late events; gives when their answers of now became true, where known."""
    places = np.searchsorted(answers.positions, late.positions)
    unchanged_until = np.full(len(customers), NEVER, dtype=np.int64)
    unchanged_until[places] = late.earliest - 1
    moves = _late_moves(frame, answers, late, before.segments)
    # a later version's beginning may be decided otherwise, without a single move
    versions = frame.versions
    again = np.array([v is not None and not v.is_first for v in versions], dtype=np.bool_) & frame.is_walked
    is_late = np.zeros(len(customers), dtype=np.bool_)
    is_late[places] = True
    reset = pairs.where(again[pairs.definition] & is_late[pairs.place])
    wanted_keys = moves.keys() | set(zip(reset.place.tolist(), reset.definition.tolist(), strict=True))
    stays = _stays(frame, customers, places, unchanged_until, wanted_keys, outcome)
    bases = _Bases(frame, answers, late, after)
    since: dict[_Key, Moment] = {}
    for key in sorted(wanted_keys | stays.keys()):
        place, definition = key
        version = versions[definition]
        if version is None or not frame.is_walked[definition]:
            continue
        known = stays.get(key, [])
        now = _value(before, place, definition)
        until = int(unchanged_until[place])
        base = bases.value(version.begins, place, definition) if version.begins > until else now
        after_cut = [move for move in moves.get(key, ()) if move[0] > max(until, version.begins)]
        steps = corrected(steps_of(known, now), version, until, base, after_cut)
        wanted = stays_of(steps)
        if list(wanted) != known:
            _rewrite(outcome, definition, customers[place].as_py(), wanted)
        if steps.since is not None:
            since[key] = steps.since
    return since


def _late_moves(
    frame: Frame, answers: BucketAnswers, late: Affected, segments: int
) -> dict[_Key, list[tuple[Moment, int]]]:
    """The moves of late customers, each walked from about their earliest late event."""
    beginnings = frame.beginnings
    if not beginnings:
        return {}
    starts = np.maximum(late.earliest - 1, beginnings[0])
    classes = np.searchsorted(_LATENESS, frame.start - starts)
    moves: dict[_Key, list[tuple[Moment, int]]] = {}
    for lateness in np.unique(classes).tolist():
        some = classes == lateness
        found = _walk(frame, answers.bucket, late.positions[some], int(starts[some].min()))
        places = np.searchsorted(answers.positions, found.position).tolist()
        values = moved_values(found, segments).tolist()
        for place, definition, at, value in zip(
            places, found.definition.tolist(), found.at.tolist(), values, strict=True
        ):
            moves.setdefault((place, definition), []).append((at, value))
    return moves


def _stays(
    frame: Frame,
    customers: pa.StringArray,
    places: NDArray[np.int64],
    unchanged_until: NDArray[np.int64],
    wanted: Set[_Key],
    outcome: Outcome,
) -> dict[_Key, list[Stay]]:
    """What the ledger keeps of the answers of these customers that are `wanted` or that late events may have changed, in

    order of time: a stay that began and ended before them stands, if its version had begun."""
    table = frame.read_stays(customers.take(pa.array(places)))
    definitions = pa.array(outcome.definitions, pa.string())
    told = pc.index_in(table["definition"].cast(pa.string()), value_set=definitions)
    definition = told.fill_null(-1).to_numpy().astype(np.int64)
    place = pc.index_in(table["customer"], value_set=customers).to_numpy().astype(np.int64)
    until = unchanged_until[place]
    entered, left = (table[name].fill_null(-NEVER).to_numpy() for name in ("entered_at", "left_at"))
    begins = np.array([version.begins if version else NEVER for version in frame.versions], dtype=np.int64)
    count = len(frame.versions)
    asked = np.array([place_ * count + definition_ for place_, definition_ in wanted], dtype=np.int64)
    key = place * count + definition
    may_change = (entered > until) | (left > until) | (begins[definition] > until)
    rows = np.flatnonzero((definition >= 0) & np.isin(key, np.concatenate([asked, key[may_change]])))
    columns = (table[name].take(pa.array(rows)).to_pylist() for name in ("group", "entered_at", "left_at"))
    found: dict[_Key, list[Stay]] = {}
    for who, of, group, since, until_ in zip(
        place[rows].tolist(), definition[rows].tolist(), *columns, strict=True
    ):
        found.setdefault((who, of), []).append(Stay(outcome.group_index(of, group), since, until_))
    for stays in found.values():
        stays.sort(key=lambda stay: (stay.entered_at is not None, stay.entered_at or 0))
    return found


class _Bases:
    """Today's answers of late customers at the beginnings of versions, asked for once each."""

    def __init__(self, frame: Frame, answers: BucketAnswers, late: Affected, after: Rows) -> None:
        self._frame, self._answers, self._late = frame, answers, late
        self._known: dict[Moment, tuple[Mapping[int, int], Rows]] = {}
        places = range(len(answers.positions))
        self._known[frame.end] = (dict(zip(places, places, strict=True)), after)

    def value(self, moment: Moment, place: int, definition: int) -> int:
        if moment not in self._known:
            self._known[moment] = self._evaluate(moment)
        places, slice_ = self._known[moment]
        return _value(slice_, places[place], definition)

    def _evaluate(self, moment: Moment) -> tuple[Mapping[int, int], Rows]:
        some = self._late.positions[self._late.earliest <= moment]
        (answers,) = self._frame.engine.evaluate(moment, {self._answers.bucket: some}, traits=())
        places = np.searchsorted(self._answers.positions, answers.positions).tolist()
        return {place: index for index, place in enumerate(places)}, rows_of(answers)


def _value(rows: Rows, place: int, definition: int) -> int:
    if definition < rows.segments:
        word = int(rows.words[place, definition >> 6])
        return 0 if word >> (definition & 63) & 1 else OUT
    return int(rows.groups[place, definition - rows.segments])


def _rewrite(outcome: Outcome, definition: int, customer: str, stays: Sequence[Stay]) -> None:
    name, groups = outcome.definitions[definition], outcome.names[definition]
    rows = tuple(
        Interval(name, groups[stay.value], customer, stay.entered_at, stay.left_at) for stay in stays
    )
    outcome.rewritten.setdefault(name, {})[customer] = rows


def _fill(at: NDArray[np.int64], pairs: Pairs, since: Mapping[_Key, Moment], definitions: int) -> None:
    """The moments found for corrected answers."""
    if not since:
        return
    keys = np.array([place * definitions + definition for place, definition in since], dtype=np.int64)
    moments = np.fromiter(since.values(), dtype=np.int64, count=len(since))
    order = np.argsort(keys)
    keys, moments = keys[order], moments[order]
    wanted = pairs.place * definitions + pairs.definition
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = keys[places] == wanted
    at[found] = moments[places[found]]
