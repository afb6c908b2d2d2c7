"""The rows of some customers of several tapes, copied together in the form of one tape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.merging import ranges
from ethogram.engines.tapefiles import Arrays
from ethogram.kernel.layout import NEVER

Integers = NDArray[np.int64]


def excerpt(sources: Sequence[tuple[Arrays, Integers]], begins: Sequence[int], columns: int) -> Arrays:
    """The customers at some positions of each tape take the places from `begins` on; the last of `begins` says how many places
    there are. Who is not on a tape yet has no rows. `columns` are flat."""
    size = begins[-1]
    births = np.full((size, 2), NEVER, np.int64)
    spans, given_spans = np.zeros((size, 2), np.int64), np.zeros((size, 2), np.int64)
    for (tape, positions), begin in zip(sources, begins, strict=False):
        there = np.flatnonzero(positions < len(tape["births"]))
        own, places = positions[there], there + begin
        births[places], spans[places] = tape["births"][own], tape["spans"][own]
        given_spans[places] = tape["given_spans"][own]
    tapes = [tape for tape, _ in sources]
    rows, givens = _rows(spans, begins), _rows(given_spans, begins)
    offset, value = _lists(tapes, rows)
    flat = [_gathered([tape["flat"][column] for tape in tapes], rows) for column in range(columns)]
    return {
        "spans": _one_after_another(spans),
        "time": _gathered([tape["time"] for tape in tapes], rows),
        "code": _gathered([tape["code"] for tape in tapes], rows),
        "flat": np.stack(flat) if flat else np.zeros((0, sum(map(len, rows))), np.int64),
        "ragged_offset": offset,
        "ragged_value": value,
        "births": births,
        "given_spans": _one_after_another(given_spans),
        "given": _gathered([tape["given"] for tape in tapes], givens),
    }


def _rows(spans: Integers, begins: Sequence[int]) -> list[Integers]:
    """The rows that these spans are of, tape by tape."""
    parts = np.split(spans, begins[1:-1])
    return [ranges(own[:, 0], own[:, 1] - own[:, 0]) for own in parts]


def _one_after_another(spans: Integers) -> Integers:
    lengths = spans[:, 1] - spans[:, 0]
    ends = np.cumsum(lengths)
    return np.stack([ends - lengths, ends], axis=1)


def _gathered(columns: Sequence[NDArray[Any]], rows: Sequence[Integers]) -> NDArray[Any]:
    return np.concatenate([column[own] for column, own in zip(columns, rows, strict=True)])


def _lists(tapes: Sequence[Arrays], rows: Sequence[Integers]) -> tuple[Integers, Integers]:
    """As `ragged_offset` and `ragged_value`: the lists of one column after those of another."""
    offsets: list[Integers] = []
    values = [np.zeros(0, np.int64)]
    begin = 0
    for column in range(len(tapes[0]["ragged_offset"])):
        ends = [np.array([begin])]
        for tape, own in zip(tapes, rows, strict=True):
            first = tape["ragged_offset"][column][own]
            lengths = tape["ragged_offset"][column][own + 1] - first
            values.append(tape["ragged_value"][ranges(first, lengths)])
            ends.append(begin + np.cumsum(lengths))
            begin += len(values[-1])
        offsets.append(np.concatenate(ends))
    size = sum(map(len, rows)) + 1
    return np.stack(offsets) if offsets else np.zeros((0, size), np.int64), np.concatenate(values)
