"""Which operations an event with a code is put through, and how they feed their slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel import layout
from ethogram.kernel.accumulate import DISTINCT_FEW, FOLLOWED
from ethogram.kernel.calendar import UNIT_DAY
from ethogram.kernel.layout import NOWHERE, NULL
from ethogram.language.plan import ZERO_OF_NOTHING, Atom, Kind, Part, Step, Window

FORMS: dict[int, int] = {
    Kind.DID: layout.PRESENT, Kind.COUNT: layout.PRESENT, Kind.FIRST_TIME: layout.PRESENT,
    Kind.LAST_TIME: layout.PRESENT, Kind.SUM: layout.ADD, Kind.AVERAGE: layout.ADD, Kind.MAX: layout.GREATEST,
    Kind.MIN: layout.LEAST, Kind.FIRST_VALUE: layout.EARLIEST, Kind.LAST_VALUE: layout.LATEST,
    Kind.PERIODS: layout.DAYS, DISTINCT_FEW: layout.MASK, FOLLOWED: layout.STEP,
}  # fmt: skip
"""How the kernel's hot path feeds a kind; it calls for those that are not here."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What the events with some codes do to an atom. `plain` ones have no conditions but one range and the start of their
    window, which is earlier the lower `order` is."""

    atom: int
    step: int
    codes: NDArray[np.int64]
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
    operations: Sequence[Operation], forms: Sequence[int], levels: Sequence[int], depth: int, codes: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`Program.lists` and `Program.operations`; a list that several codes have is there once. `forms` are the operations',
    those that are alike stand together where their windows are; `levels` are the atoms'."""
    rows, count = depth * codes, max(1, len(operations))
    facts = np.array(
        [
            (levels[one.atom], not one.plain, one.order, form, one.atom, -one.step)
            for one, form in zip(operations, forms, strict=True)
        ],
        np.int64,
    ).reshape(-1, 6)
    order = np.lexsort(facts.T[:0:-1])
    rank = np.argsort(order)
    spread = np.repeat(np.arange(len(operations)), [len(one.codes) for one in operations])
    every = np.concatenate([one.codes for one in operations]) if len(operations) else np.zeros(0, np.int64)
    placed = np.sort((facts[spread, 0] * codes + every) * count + rank[spread])
    which, begins = order[placed % count], np.searchsorted(placed, np.arange(rows + 1) * count)
    starts = np.zeros(rows, np.int32)
    pieces = [np.zeros(2, np.int64)]
    size = 2
    for same in _alike(which, begins):
        own = which[begins[same[0]] : begins[same[0] + 1]]
        if len(own):
            careful = int(facts[own, 1].sum())
            pieces += [np.array([len(own) - careful, careful]), own]
            starts[same] = size
            size += 2 + len(own)
    return starts.reshape(depth, codes), np.concatenate(pieces).astype(np.int32)


def _alike(which: NDArray[np.int64], begins: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows `which[begins[k] : begins[k + 1]]` that are the same, together."""
    if len(begins) < 2:
        return []
    weights = np.random.default_rng(0).integers(1, 2**63, int(which.max(initial=0)) + 1)
    sums = np.concatenate([[0], np.cumsum(weights[which])])
    lengths = np.diff(begins)
    marks = np.stack([sums[begins[1:]] - sums[begins[:-1]], lengths])
    _, kind = np.unique(marks, axis=1, return_inverse=True)
    kind = kind.ravel()
    groups = np.split(np.argsort(kind, kind="stable"), np.cumsum(np.bincount(kind))[:-1])
    first = np.array([group[0] for group in groups])[kind]
    shift = np.repeat(begins[first] - begins[:-1], lengths)
    if np.array_equal(which, which[np.arange(len(which)) + shift]):
        return groups
    return [np.array([row]) for row in range(len(lengths))]


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
