"""Which operations an event with a code is put through, and how they feed their slots."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel import layout
from ethogram.kernel.accumulate import DISTINCT_FEW
from ethogram.kernel.calendar import UNIT_DAY
from ethogram.kernel.layout import NOWHERE, NULL
from ethogram.language.plan import ZERO_OF_NOTHING, Kind

FORMS: dict[int, int] = {
    Kind.DID: layout.PRESENT, Kind.COUNT: layout.PRESENT, Kind.FIRST_TIME: layout.PRESENT,
    Kind.LAST_TIME: layout.PRESENT, Kind.SUM: layout.ADD, Kind.AVERAGE: layout.ADD, Kind.MAX: layout.GREATEST,
    Kind.MIN: layout.LEAST, Kind.FIRST_VALUE: layout.EARLIEST, Kind.LAST_VALUE: layout.LATEST,
    Kind.PERIODS: layout.DAYS, DISTINCT_FEW: layout.MASK,
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


def empty_of(kind: Kind) -> int:
    """The value over no events."""
    return 0 if kind in ZERO_OF_NOTHING else NULL


def operation_lists(
    operations: Sequence[Operation], forms: Sequence[int], levels: Sequence[int], depth: int, codes: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`Program.lists` and `Program.operations`; a list that several codes have is there once. `forms` are the operations',
    those that are alike stand together where their windows are; `levels` are the atoms'."""
    which = np.repeat(np.arange(len(operations)), [len(one.codes) for one in operations])
    rows = depth * codes
    facts = np.array(
        [
            (levels[one.atom], not one.plain, one.order, form, one.atom)
            for one, form in zip(operations, forms, strict=True)
        ],
        np.int64,
    ).reshape(-1, 5)
    row = np.zeros(0, np.int64)
    if len(operations):
        row = facts[which, 0] * codes + np.concatenate([one.codes for one in operations])
    sort = np.lexsort((which, *facts[which].T[:0:-1], row))
    whole = which[sort].astype(np.int32)
    begins = np.searchsorted(row[sort], np.arange(rows + 1)).tolist()
    known: dict[bytes, int] = {}
    pieces: list[NDArray[np.int32]] = []
    size = 0
    starts = np.zeros(rows, np.int32)
    for place, (begin, past) in enumerate(itertools.pairwise(begins)):
        key = whole[begin:past].tobytes()
        if key not in known:
            known[key] = size
            careful = int(facts[whole[begin:past], 1].sum())
            pieces += [np.array([past - begin - careful, careful], np.int32), whole[begin:past]]
            size += 2 + past - begin
        starts[place] = known[key]
    placed = np.concatenate(pieces) if pieces else np.zeros(2, np.int32)
    return starts.reshape(depth, codes), placed
