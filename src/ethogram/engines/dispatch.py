"""Which operations an event with a code is put through, and how they feed their slots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.distinct import different
from ethogram.kernel import layout
from ethogram.kernel.accumulate import DISTINCT_FEW, FOLLOWED
from ethogram.kernel.calendar import UNIT_DAY
from ethogram.kernel.layout import NOWHERE, NULL
from ethogram.language.plan import ZERO_OF_NOTHING, Atom, Kind, Part, Step, Window

Integers = NDArray[np.int64]

FORMS: dict[int, int] = {
    Kind.DID: layout.PRESENT, Kind.COUNT: layout.PRESENT, Kind.FIRST_TIME: layout.PRESENT,
    Kind.LAST_TIME: layout.PRESENT, Kind.SUM: layout.ADD, Kind.AVERAGE: layout.ADD, Kind.MAX: layout.GREATEST,
    Kind.MIN: layout.LEAST, Kind.FIRST_VALUE: layout.EARLIEST, Kind.LAST_VALUE: layout.LATEST,
    Kind.PERIODS: layout.DAYS, DISTINCT_FEW: layout.MASK, FOLLOWED: layout.STEP,
}  # fmt: skip
"""How the kernel's hot path feeds a kind; it calls for those that are not here."""


class Operation(NamedTuple):
    """What the events of a selection of codes do to an atom. `plain` ones have no conditions but one range and the start of
    their window, which is earlier the lower `order` is."""

    atom: int
    step: int
    selection: int
    plain: bool
    order: int
    range_column: int = NOWHERE
    low: int = 0
    high: int = 0
    conditions: tuple[int, int] = (0, 0)


def form_of(kind: int, place: int, unit: int) -> int:
    form = FORMS.get(kind, layout.OTHER)
    by_value = layout.ADD <= form <= layout.LATEST
    if (by_value and place != layout.FLAT) or (form == layout.DAYS and unit != UNIT_DAY):
        return layout.OTHER
    return form


def is_followed(atom: Atom, operations: Sequence[Operation]) -> bool:
    """Whether a sequence is simple enough for `accumulate.follow`."""
    sequence = atom.sequence
    return (
        sequence is not None
        and sequence.strict is None
        and sequence.gap is None
        and not sequence.same
        and (sequence.within is None or not sequence.within.months)
        and not any(step.forbidden for step in sequence.steps)
        and atom.level == 0
        and all(one.plain for one in operations)
    )


def empty_of(kind: Kind) -> int:
    """The value over no events."""
    return 0 if kind in ZERO_OF_NOTHING else NULL


def operation_lists(
    operations: Sequence[Operation],
    selections: Sequence[Integers],
    forms: Sequence[int],
    levels: Sequence[int],
    depth: int,
    codes: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`Program.lists` and `Program.operations`; a list that several codes have is there once. `selections` are ascending
    codes, `forms` the operations', those that are alike stand together where their windows are; `levels` are the atoms'."""
    facts = np.array(
        [
            (levels[one.atom], not one.plain, one.order, form, one.atom, -one.step)
            for one, form in zip(operations, forms, strict=True)
        ],
        np.int64,
    ).reshape(-1, 6)
    order = np.lexsort(facts.T[:0:-1])
    selection = np.array([one.selection for one in operations], np.int64)
    lists, pieces, size = [], [], 0
    for level in range(depth):
        own = order[facts[order, 0] == level]
        used = np.unique(selection[own])
        first, kind = _alike([selections[one] for one in used], codes)
        is_first = np.zeros(codes, np.bool_)
        is_first[first] = True
        kinds = {one: kind[selections[one][is_first[selections[one]]]] for one in used}
        rows = [kinds[one] for one in selection[own]]
        begins, piece = _joined(own, rows, facts[own, 1], len(first))
        lists.append((begins + size)[kind])
        pieces.append(piece)
        size += len(piece)
    return np.stack(lists).astype(np.int32), np.concatenate(pieces).astype(np.int32)


def _joined(
    operations: Integers, rows: Sequence[Integers], careful: Integers, size: int
) -> tuple[Integers, Integers]:
    """Lists one after the other, and where each begins, of operations with the rows whose lists they are in."""
    lengths = [len(some) for some in rows]
    row = np.concatenate([np.zeros(0, np.int64), *rows])
    counts = np.bincount(row, minlength=size)
    cautious = np.bincount(row, np.repeat(careful, lengths), size).astype(np.int64)
    begins = np.cumsum(counts + 2) - counts - 2
    whole = np.empty(len(row) + 2 * size, np.int64)
    is_operation = np.ones(len(whole), np.bool_)
    is_operation[begins] = is_operation[begins + 1] = False
    whole[begins], whole[begins + 1] = counts - cautious, cautious
    whole[is_operation] = np.repeat(operations, lengths)[np.argsort(row, kind="stable")]
    return begins, whole


def _alike(selections: Sequence[Integers], codes: int) -> tuple[Integers, Integers]:
    """The first of the codes that are in the same selections, and of which kind each code is."""
    words = np.zeros((len(selections) // 64 + 1, codes), np.uint64)
    for number, some in enumerate(selections):
        words[number >> 6, some] |= np.uint64(1) << np.uint64(number & 63)
    return different(list(words))


# --- rows of the program's tables -----------------------------------------------------------------------------------------


def table_of(rows: Sequence[Sequence[int]], columns: int, kind: type[Any] = np.int64) -> NDArray[Any]:
    return np.array(rows, kind).reshape(len(rows), columns)


def part_row(part: Part) -> tuple[int, ...]:
    return layout.PARTS[part.kind], part.step.micros, part.step.months, part.unit, part.first, part.past


def limit_of(step: Step | None) -> tuple[int, int]:
    if step is None:
        return -1, 0
    return step.micros, step.months


def quick_length(window: Window) -> int:
    """The length of a rolling window in microseconds; 0 for all of the past, -1 where the calendar decides."""
    if not window or all(part.kind in ("since", "until") for part in window):
        return 0
    if len(window) == 1 and window[0].kind == "from" and window[0].step.micros > 0:
        return window[0].step.micros
    return -1
