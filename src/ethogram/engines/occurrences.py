"""The events behind a definition, one by one: what views over time count, where a definition says one thing a customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.engine import Engine
from ethogram.engines.made import Undone, make, rows_table
from ethogram.engines.rowwise import Table
from ethogram.engines.tapefiles import Arrays
from ethogram.kernel.layout import NULL
from ethogram.language.lowering import traits_of_me
from ethogram.language.plan import Op, Stream
from ethogram.model.errors import Unsupported
from ethogram.model.event import Moment

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Events of one selection, by customer and in order of time. `position` is the customer's in the bucket's roster, `row`
    tells the bucket's events apart."""

    position: Integers
    row: Integers
    time: Integers

    def __len__(self) -> int:
        return len(self.row)


def occurrences(engine: Engine, name: str, as_of: Moment) -> Iterator[tuple[int, Occurrences]]:
    """The events up to `as_of`, by bucket, that an expression of `Engine(extra=…)` looks at: one function of one selection,
    such as `count(purchase)`; its window does not count. Raises Unsupported for a selection that
    depends on the customer (`me.x`)."""
    stream = _stream(engine, name)
    tapes = engine.tapes
    for bucket in sorted(tapes.buckets):
        yield bucket, _found(engine, stream, tapes.arrays(bucket), as_of)


def _stream(engine: Engine, name: str) -> Stream:
    plan = engine.runner.plan
    output = next(one for one in plan.outputs if one.name == name)
    slots = {one.a for one in output.code if one.op in (Op.SLOT, Op.SLOT_COMPARE)}
    assert len(slots) == 1, f"{name} is not one function of events"
    stream = plan.atoms[slots.pop()].stream
    for condition in stream.where:
        if traits_of_me(condition):
            raise Unsupported(
                "E_UNSUPPORTED", "a filter with me.… cannot be followed over time", span=condition.span
            )
    return stream


def _found(engine: Engine, stream: Stream, arrays: Arrays, as_of: Moment) -> Occurrences:
    """The table's rows are those that customers have, customer by customer."""
    rows = rows_table(engine.tapes, arrays, ZoneInfo(engine.settings.timezone))
    first, past = arrays["spans"].T
    counts = past - first
    position = np.repeat(np.arange(len(counts)), counts)
    row = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(rows.size)
    time = arrays["time"][row]
    chosen = _selected(engine, stream, arrays, rows, row, as_of) & (time <= as_of)
    return Occurrences(position[chosen], row[chosen], time[chosen])


def _selected(
    engine: Engine, stream: Stream, arrays: Arrays, rows: Table, row: Integers, as_of: Moment
) -> NDArray[np.bool_]:
    known = engine.tapes.names.known
    code_name = np.array([code[0] for code in engine.tapes.codes] or [0], np.int64)
    wanted = np.array([_is_named(stream, *one) for one in known] or [False], np.bool_)
    chosen = wanted[code_name][arrays["code"][row]]
    for condition in stream.where:
        chosen &= rows.holds(condition)
    if stream.unless is not None:
        own = np.flatnonzero(wanted)
        undoing = [n for n, (name, each) in enumerate(known) if name == stream.unless.event and not each]
        bare = Stream(stream.names, each=stream.each, unless=stream.unless)
        undone = make(Undone(bare, tuple(own.tolist()), tuple(undoing)), rows, arrays, code_name)[row]
        chosen &= (undone == NULL) | (undone > as_of)
    return chosen


def _is_named(stream: Stream, name: str, each: tuple[str, ...]) -> bool:
    if stream.names is None:
        return not each and name not in stream.excluded
    return name in stream.names and each == stream.each
