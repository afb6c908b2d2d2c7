"""Columns that are made of a bucket's tape for a program: conditions, undone events, values of several types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.merging import ranges
from ethogram.engines.rowwise import Table
from ethogram.engines.spec import ColumnKey
from ethogram.engines.tapefiles import Arrays
from ethogram.engines.tapes import Ragged
from ethogram.engines.tapeset import TapeSet
from ethogram.kernel.layout import NULL, Tape
from ethogram.language.plan import Stream
from ethogram.language.tree import Expression

Integers = NDArray[np.int64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Undone:
    """A column to be made: when an event of the stream was undone by its `unless`."""

    stream: Stream
    names: tuple[int, ...]
    undoing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """A column to be made: 1 where a condition holds, `otherwise` elsewhere."""

    condition: Expression
    codes: Truth = field(compare=False, hash=False)
    otherwise: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """A column to be made: numbers that are equal where a property is, whatever its type."""

    keys: tuple[ColumnKey, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """A column to be made: the row of the event that an item is an element of, which stands before it; of an event its own."""

    items: tuple[int, ...]


Made: TypeAlias = Undone | Derived | Shared | Owner


def rows_table(tapes: TapeSet, arrays: Arrays, zone: ZoneInfo) -> Table:
    """The rows that customers have, customer by customer."""
    rows = _rows(arrays)
    flat = {key: arrays["flat"][index][rows] for index, key in enumerate(tapes.flat)}
    code = arrays["code"][rows]
    flat |= {key: tapes.codes[code, 1 + index] for index, key in enumerate(tapes.coded)}
    ragged = {}
    for index, key in enumerate(tapes.ragged):
        begin = arrays["ragged_offset"][index][rows]
        lengths = arrays["ragged_offset"][index][rows + 1] - begin
        offset = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        ragged[key] = Ragged(offset, arrays["ragged_value"][ranges(begin, lengths)])
    return Table(len(rows), flat, ragged, tapes.texts, zone)


def _rows(arrays: Arrays) -> Integers:
    first, past = arrays["spans"].T
    return ranges(first, past - first)


def make(column: Made, rows: Table, arrays: Arrays, code_name: Integers) -> Integers:
    """Where no customer's rows are it is not filled."""
    whole = np.empty(len(arrays["time"]), np.int64)
    whole[_rows(arrays)] = _made(column, rows, arrays, code_name)
    return whole


def _made(column: Made, rows: Table, arrays: Arrays, code_name: Integers) -> Integers:
    match column:
        case Derived():
            return np.where(rows.holds(column.condition), 1, column.otherwise).astype(np.int64)
        case Shared():
            return _shared(column, rows)
        case Undone():
            return _undone(column, rows, arrays, code_name)
        case Owner():
            is_item = np.isin(code_name[arrays["code"][_rows(arrays)]], column.items)
            return np.maximum.accumulate(np.where(is_item, -1, np.arange(rows.size)))


def _shared(column: Shared, rows: Table) -> Integers:
    shared, begin = np.full(rows.size, NULL, np.int64), 0
    for key in column.keys:
        known = rows.flat[key] != NULL
        different, place = np.unique(rows.flat[key][known], return_inverse=True)
        shared[known] = place + begin
        begin += len(different)
    return shared


def _undone(column: Undone, rows: Table, arrays: Arrays, code_name: Integers) -> Integers:
    unless = column.stream.unless
    assert unless is not None
    own = _rows(arrays)
    name, time = code_name[arrays["code"][own]], arrays["time"][own]
    customer = np.repeat(np.arange(len(arrays["spans"])), np.diff(arrays["spans"], axis=1).ravel())
    undone = np.full(rows.size, 2**63 - 1, np.int64)
    for many in rows.property(unless.same):
        mine = np.isin(name[many.row], column.names)
        theirs = np.isin(name[many.row], column.undoing)
        keys = np.stack([customer[many.row], many.value])
        pairs, place = np.unique(keys, axis=1, return_inverse=True)
        first = np.full(pairs.shape[1], 2**63 - 1, np.int64)
        place = place.ravel()
        np.minimum.at(first, place[theirs], time[many.row[theirs]])
        np.minimum.at(undone, many.row[mine], first[place[mine]])
    undone[undone == 2**63 - 1] = NULL
    return undone


def tape_of(columns: Sequence[Made], coded: Integers, tapes: TapeSet, arrays: Arrays, zone: ZoneInfo) -> Tape:
    """The bucket's tape with the columns that a program needs made of it."""
    flat = arrays["flat"]
    if columns:
        rows = rows_table(tapes, arrays, zone)
        code_name = np.array([code[0] for code in tapes.codes] or [0], np.int64)
        made = [make(column, rows, arrays, code_name) for column in columns]
        flat = np.concatenate([flat, np.stack(made)]) if len(flat) else np.stack(made)
    if not len(flat):
        flat = arrays["time"].reshape(1, -1)  # the hot path reads some column before it asks whether it must
    return Tape(
        spans=arrays["spans"],
        time=arrays["time"],
        code=arrays["code"],
        flat=flat,
        coded=coded,
        ragged_offset=arrays["ragged_offset"],
        ragged_value=arrays["ragged_value"],
        births=arrays["births"],
        given_spans=arrays["given_spans"],
        given=arrays["given"],
    )
