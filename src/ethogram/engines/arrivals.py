"""Who had new events, and since when: noted while new events are taken in, so that nothing is read again to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
MANY_NOTES = 64
MANY_ROWS = 1 << 21
SEQUENCE, BUCKET, POSITION, EARLIEST = range(4)


@dataclass(frozen=True, slots=True)
class Note:
    """A file with rows (sequence of the events' file, bucket, position, earliest time)."""

    name: str
    newest: int
    rows: int


def earliest(sequence: Integers, customer: Integers, time: Integers, size: int) -> tuple[Integers, ...]:
    """The different (sequence, customer) of some events with the earliest time of each."""
    found = []
    for one in np.unique(sequence):
        mine = sequence == one
        first = np.full(size, np.iinfo(np.int64).max)
        np.minimum.at(first, customer[mine], time[mine])
        who = np.flatnonzero(np.bincount(customer[mine], minlength=size))
        found.append((np.full(len(who), one), who, first[who]))
    return tuple(np.concatenate(some) for some in zip(*found, strict=True))


def shortened(notes: Sequence[Note]) -> tuple[list[Note], int]:
    """The newest notes, and the newest sequence of those that are dropped (0 if none are)."""
    kept, rows, forgotten = list(notes), sum(note.rows for note in notes), 0
    while len(kept) > 1 and (len(kept) > MANY_NOTES or rows > MANY_ROWS):
        oldest = kept.pop(0)
        rows -= oldest.rows
        forgotten = max(forgotten, oldest.newest)
    return kept, forgotten


def joined(
    some: tuple[Integers, Integers] | None, more: tuple[Integers, Integers]
) -> tuple[Integers, Integers]:
    """Positions, ascending, with the earliest of the times that either says."""
    if some is None:
        return more
    positions = np.union1d(some[0], more[0])
    first = np.full(len(positions), np.iinfo(np.int64).max)
    for own, times in (some, more):
        place = np.searchsorted(positions, own)
        first[place] = np.minimum(first[place], times)
    return positions, first


def since(folder: Path, notes: Sequence[Note], sequence: int) -> dict[int, tuple[Integers, Integers]]:
    """By bucket the positions, ascending, and earliest times of what came after a sequence."""
    read = [np.load(folder / note.name) for note in notes if note.newest > sequence]
    rows = np.concatenate(read) if read else np.zeros((0, 4), np.int64)
    rows = rows[rows[:, SEQUENCE] > sequence]
    rows = rows[np.lexsort((rows[:, EARLIEST], rows[:, POSITION], rows[:, BUCKET]))]
    is_first = np.ones(len(rows), np.bool_)
    is_first[1:] = (np.diff(rows[:, BUCKET]) != 0) | (np.diff(rows[:, POSITION]) != 0)
    rows = rows[is_first]
    edges = np.flatnonzero(np.diff(rows[:, BUCKET])) + 1
    parts = np.split(rows, edges) if len(rows) else []
    return {int(some[0, BUCKET]): (some[:, POSITION].copy(), some[:, EARLIEST].copy()) for some in parts}
