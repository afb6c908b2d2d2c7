"""One bucket of a refresh: what differs from the record, and when it came to differ.

Customers whose new events are all later than the last refresh, and those whose time has come, are walked from there: their
changes go behind the record. Customers with an event before it are corrected (see `late`). What changed without walking (a
definition was edited, a population function fitted anew) changed at the refresh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER, BucketAnswers, Evaluator, Moves, Positions
from ethogram.membership.bits import unpacked
from ethogram.membership.late import Version, corrected
from ethogram.membership.layers import Recorded, Slice
from ethogram.membership.outcome import Outcome
from ethogram.membership.stays import OUT, Stay, stays_of, steps_of
from ethogram.membership.steps import (
    Aligned,
    Pairs,
    changes_of,
    differences,
    latest,
    moved_values,
    realigned,
)
from ethogram.model.event import Moment
from ethogram.store import Interval

_DAY = 86_400_000_000
_LATENESS = np.array([_DAY // 24, _DAY, 7 * _DAY, 30 * _DAY, 180 * _DAY], dtype=np.int64)


ReadStays: TypeAlias = Callable[[Sequence[str]], Sequence[Interval]]
"""The stays that the ledger keeps of these customers."""


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


def examine(frame: Frame, answers: BucketAnswers, affected: Affected, outcome: Outcome) -> None:
    """Adds to `outcome` what changed for the customers of `answers`, which include the `affected`."""
    positions, count = answers.positions, len(frame.versions)
    before = realigned(frame.recorded.at(answers.bucket, positions), frame.alignment)
    after = slice_of(answers)
    pairs = differences(before, after)
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
        np.concatenate([moved_values(moves, len(before.flags)), settled.after]),
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
    before: Slice,
    after: Slice,
    pairs: Pairs,
    outcome: Outcome,
) -> dict[_Key, Moment]:
    """Rewrites the stays of customers with late events; gives when their answers of now became true, where known."""
    places = np.searchsorted(answers.positions, late.positions)
    unchanged_until = dict(zip(places.tolist(), (late.earliest - 1).tolist(), strict=True))
    moves = _late_moves(frame, answers, late, len(before.flags))
    stays = _stays(frame, customers, places, outcome)
    # a later version's beginning may be decided otherwise, without a single move
    versions = frame.versions
    again = np.array([v is not None and not v.is_first for v in versions], dtype=np.bool_) & frame.is_walked
    is_late = np.zeros(len(customers), dtype=np.bool_)
    is_late[places] = True
    reset = pairs.where(again[pairs.definition] & is_late[pairs.place])
    keys = (
        moves.keys() | stays.keys() | set(zip(reset.place.tolist(), reset.definition.tolist(), strict=True))
    )
    bases = _Bases(frame, answers, late, after)
    since: dict[_Key, Moment] = {}
    for key in sorted(keys):
        place, definition = key
        version = versions[definition]
        if version is None or not frame.is_walked[definition]:
            continue
        known = stays.get(key, [])
        now = _value(before, place, definition)
        until = unchanged_until[place]
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
    frame: Frame, customers: pa.StringArray, places: NDArray[np.int64], outcome: Outcome
) -> dict[_Key, list[Stay]]:
    """What the ledger keeps of these customers, in order of time."""
    place_of = dict(zip(customers.take(pa.array(places)).to_pylist(), places.tolist(), strict=True))
    definition_of = {name: index for index, name in enumerate(outcome.definitions)}
    found: dict[_Key, list[Stay]] = {}
    for kept in frame.read_stays(list(place_of)):
        definition = definition_of.get(kept.definition)
        if definition is not None:
            value = outcome.group_index(definition, kept.group)
            stay = Stay(value, kept.entered_at, kept.left_at)
            found.setdefault((place_of[kept.customer], definition), []).append(stay)
    for stays in found.values():
        stays.sort(key=lambda stay: (stay.entered_at is not None, stay.entered_at or 0))
    return found


class _Bases:
    """Today's answers of late customers at the beginnings of versions, asked for once each."""

    def __init__(self, frame: Frame, answers: BucketAnswers, late: Affected, after: Slice) -> None:
        self._frame, self._answers, self._late = frame, answers, late
        self._known: dict[Moment, tuple[Mapping[int, int], Slice]] = {}
        places = range(len(answers.positions))
        self._known[frame.end] = (dict(zip(places, places, strict=True)), after)

    def value(self, moment: Moment, place: int, definition: int) -> int:
        if moment not in self._known:
            self._known[moment] = self._evaluate(moment)
        places, slice_ = self._known[moment]
        return _value(slice_, places[place], definition)

    def _evaluate(self, moment: Moment) -> tuple[Mapping[int, int], Slice]:
        some = self._late.positions[self._late.earliest <= moment]
        (answers,) = self._frame.engine.evaluate(moment, {self._answers.bucket: some}, traits=())
        places = np.searchsorted(self._answers.positions, answers.positions).tolist()
        return {place: index for index, place in enumerate(places)}, slice_of(answers)


def _value(slice_: Slice, place: int, definition: int) -> int:
    segments = len(slice_.flags)
    if definition < segments:
        return 0 if slice_.flags[definition, place] else OUT
    return int(slice_.groups[definition - segments, place])


def _rewrite(outcome: Outcome, definition: int, customer: str, stays: Sequence[Stay]) -> None:
    name, groups = outcome.definitions[definition], outcome.names[definition]
    rows = tuple((name, groups[stay.value], customer, stay.entered_at, stay.left_at) for stay in stays)
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
