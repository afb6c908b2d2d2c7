"""Differences and moves as arrays: what a refresh finds, before it is written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.answers import Moves
from ethogram.membership.bits import Words, packed, set_bits
from ethogram.membership.layers import Columns, Rows, Slice
from ethogram.membership.stays import OUT


@dataclass(frozen=True, slots=True)
class Pairs:
    """Answers that differ: the customer at `place` was `before` and is `after` in `definition`."""

    place: NDArray[np.int64]
    definition: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.place)

    def where(self, mask: NDArray[np.bool_]) -> Pairs:
        return Pairs(self.place[mask], self.definition[mask], self.before[mask], self.after[mask])


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of answers in order of (place, definition, at). `first` marks the first one of an answer, whose `before`

    is the recorded value; `last` the last one, whose `after` is the value now.
    """

    place: NDArray[np.int64]
    definition: NDArray[np.int64]
    at: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Aligned:
    """How recorded answers are read under today's definitions.

    `source` is the recorded row of each segment and segmentation, -1 for none; `regroup` translates a recorded group's
    index into today's, the groups that are gone coming after today's; `names` are all of them, by definition.
    """

    segments: NDArray[np.int64]
    segmentations: NDArray[np.int64]
    regroup: tuple[NDArray[np.int16], ...]
    names: tuple[tuple[str, ...], ...]
    is_same: bool


def aligned(recorded: Columns, today: Columns) -> Aligned:
    segments = {name: row for row, name in enumerate(recorded.segments)}
    rows = {name: row for row, (name, _) in enumerate(recorded.segmentations)}
    regroup: list[NDArray[np.int16]] = []
    names: list[tuple[str, ...]] = [("",)] * len(today.segments)
    for name, groups in today.segmentations:
        before = recorded.groups(name) if name in rows else ()
        every = groups + tuple(group for group in before if group not in groups)
        # index -1, no group, takes the last place
        regroup.append(np.array([every.index(group) for group in before] + [OUT], dtype=np.int16))
        names.append(every)
    return Aligned(
        np.array([segments.get(name, -1) for name in today.segments], dtype=np.int64),
        np.array([rows.get(name, -1) for name, _ in today.segmentations], dtype=np.int64),
        tuple(regroup),
        tuple(names),
        recorded == today,
    )


def realigned(slice_: Slice, alignment: Aligned) -> Slice:
    """Recorded answers in today's order; nobody was in what is new."""
    count = len(slice_.known)
    flags = np.zeros((len(alignment.segments), count), dtype=np.bool_)
    kept = alignment.segments >= 0
    flags[kept] = slice_.flags[alignment.segments[kept]]
    groups = np.full((len(alignment.segmentations), count), OUT, dtype=np.int16)
    for row, source in enumerate(alignment.segmentations):
        if source >= 0:
            groups[row] = alignment.regroup[row][slice_.groups[source]]
    return Slice(slice_.known, flags, groups)


def realigned_rows(rows: Rows, alignment: Aligned) -> Rows:
    if alignment.is_same:
        return rows
    slice_ = realigned(rows.as_slice(), alignment)
    groups = np.ascontiguousarray(slice_.groups.T)
    return Rows(slice_.known, packed(slice_.flags.T), groups, len(slice_.flags))


def row_differences(before: Rows, after: Rows) -> Pairs:
    """Where the rows of the same customers differ, segments first."""
    place, definition = set_bits(before.words ^ after.words)
    was = np.where(_bits_at(before.words, place, definition), 0, OUT)
    group_place, group_row = np.nonzero(before.groups != after.groups)
    return Pairs(
        np.concatenate([place, group_place]),
        np.concatenate([definition, group_row + before.segments]),
        np.concatenate([was, before.groups[group_place, group_row]]).astype(np.int64),
        np.concatenate([-1 - was, after.groups[group_place, group_row]]).astype(np.int64),
    )


def _bits_at(words: Words, place: NDArray[np.int64], bit: NDArray[np.int64]) -> NDArray[np.bool_]:
    shifted = words[place, bit >> 6] >> (bit & 63).astype(np.uint64)
    return np.asarray(shifted & np.uint64(1), dtype=np.bool_)


def differences(before: Slice, after: Slice) -> Pairs:
    """Where two slices of the same customers differ, segments first."""
    row, place = np.nonzero(before.flags != after.flags)
    was = np.where(before.flags[row, place], 0, OUT)
    group_row, group_place = np.nonzero(before.groups != after.groups)
    return Pairs(
        np.concatenate([place, group_place]),
        np.concatenate([row, group_row + len(before.flags)]),
        np.concatenate([was, before.groups[group_row, group_place]]).astype(np.int64),
        np.concatenate([-1 - was, after.groups[group_row, group_place]]).astype(np.int64),
    )


def values_at(rows: Rows, place: NDArray[np.int64], definition: NDArray[np.int64]) -> NDArray[np.int64]:
    """The value of each answer asked for."""
    values = np.empty(len(place), dtype=np.int64)
    is_group = definition >= rows.segments
    values[~is_group] = np.where(_bits_at(rows.words, place[~is_group], definition[~is_group]), 0, OUT)
    values[is_group] = rows.groups[place[is_group], definition[is_group] - rows.segments]
    return values


def moved_values(moves: Moves, segments: int) -> NDArray[np.int64]:
    """The values of a walk with `OUT` for no more in."""
    return np.where(moves.definition < segments, moves.value.astype(np.int64) - 1, moves.value)


def changes_of(
    before: Rows,
    place: NDArray[np.int64],
    definition: NDArray[np.int64],
    at: NDArray[np.int64],
    value: NDArray[np.int64],
) -> Changes:
    """Moves put in order, each with the value it moved from; what changes nothing is left out."""
    order = np.lexsort((at, definition, place))
    place, definition, at, value = place[order], definition[order], at[order], value[order]
    same = np.zeros(len(place), dtype=np.bool_)
    same[1:] = (place[1:] == place[:-1]) & (definition[1:] == definition[:-1])
    was = np.empty(len(place), dtype=np.int64)
    was[1:] = value[:-1]
    was[~same] = values_at(before, place[~same], definition[~same])
    real = was != value
    place, definition, at, was, value = place[real], definition[real], at[real], was[real], value[real]
    first = np.ones(len(place), dtype=np.bool_)
    first[1:] = (place[1:] != place[:-1]) | (definition[1:] != definition[:-1])
    last = np.ones(len(place), dtype=np.bool_)
    last[:-1] = first[1:]
    return Changes(place, definition, at, was, value, first, last)


def latest(changes: Changes, pairs: Pairs, definitions: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """For each pair whether one of the changes led to it, and when the last of them happened."""
    keys = (changes.place * definitions + changes.definition)[changes.last]
    moments = changes.at[changes.last]
    if not len(keys):
        return np.zeros(len(pairs), dtype=np.bool_), np.zeros(len(pairs), dtype=np.int64)
    wanted = pairs.place * definitions + pairs.definition
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return keys[places] == wanted, moments[places]
