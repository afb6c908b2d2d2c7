"""Which operations an event with a code is put through, and how they feed their slots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.distinct import different
from ethogram.engines.rows import table_of
from ethogram.kernel import layout
from ethogram.kernel.accumulate import DISTINCT_FEW, FOLLOWED
from ethogram.kernel.calendar import UNIT_DAY
from ethogram.kernel.layout import NOWHERE, NULL
from ethogram.language.plan import ZERO_OF_NOTHING, Atom, Kind

Integers = NDArray[np.int64]

FORMS: dict[int, int] = {
    Kind.DID: layout.PRESENT, Kind.COUNT: layout.PRESENT, Kind.FIRST_TIME: layout.MOMENT,
    Kind.LAST_TIME: layout.MOMENT, Kind.SUM: layout.ADD, Kind.AVERAGE: layout.ADD, Kind.MAX: layout.GREATEST,
    Kind.MIN: layout.LEAST, Kind.FIRST_VALUE: layout.EARLIEST, Kind.LAST_VALUE: layout.LATEST,
    Kind.PERIODS: layout.DAYS, DISTINCT_FEW: layout.MASK, FOLLOWED: layout.STEP,
}  # fmt: skip
"""How the kernel's hot path feeds a kind; it calls for those that are not here."""
MOST_AGES = 15
PLAIN, CAREFUL, FOLLOWING = range(3)
"""Sections of a list, in their order: operations without conditions, with conditions, and steps of followed sequences."""
SECTIONS = 3


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


class Lists(NamedTuple):
    """`Program.lists`, `operations` and `loads`, for each of the ages an operation with its window, and whether there are
    more windows than ages."""

    lists: NDArray[np.int32]
    operations: NDArray[np.int32]
    loads: NDArray[np.int64]
    ages: list[int]
    coarse: int


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
) -> Lists:
    """A list that several codes have is there once. `selections` are ascending codes, `forms` the operations', those that are
    alike stand together where their windows are; `levels` are the atoms'."""
    facts = np.array(
        [
            (levels[one.atom], _section(one, form), one.order, form, -one.step, one.atom)
            for one, form in zip(operations, forms, strict=True)
        ],
        np.int64,
    ).reshape(-1, 6)
    order = np.lexsort(facts.T[:0:-1])
    section, orders = facts[:, 1], facts[:, 2]
    plain = section == PLAIN
    ages = _ages(orders[plain])
    place = np.where(plain, np.searchsorted(ages, orders, side="right"), len(ages) + section)
    selection = np.array([one.selection for one in operations], np.int64)
    lists, pieces, loads, size = [], [], [], 0
    for level in range(depth):
        own = order[facts[order, 0] == level]
        used = np.unique(selection[own])
        first, kind = _alike([selections[one] for one in used], codes)
        is_first = np.zeros(codes, np.bool_)
        is_first[first] = True
        kinds = {one: kind[selections[one][is_first[selections[one]]]] for one in used}
        rows = [kinds[one] for one in selection[own]]
        begins, piece, longest = _joined(own, rows, _Heads(place[own], len(ages) + SECTIONS), len(first))
        lists.append((begins + size)[kind])
        pieces.append(piece)
        loads.append((*np.bincount(section[own], minlength=SECTIONS).tolist(), longest))
        size += len(piece)
    pieces.append(np.zeros(layout.ABREAST, np.int64))  # that many are read from where a list begins
    return Lists(
        np.stack(lists).astype(np.int32),
        np.concatenate(pieces).astype(np.int32),
        table_of(loads, 4),
        [int(np.flatnonzero(plain & (orders == age))[0]) for age in ages],
        int(len(ages) < len(np.unique(orders[plain]))),
    )


def _section(operation: Operation, form: int) -> int:
    if form == layout.STEP:
        return FOLLOWING
    return PLAIN if operation.plain else CAREFUL


class _Heads(NamedTuple):
    """What stands before a list: how many of its plain operations are in windows older than each of the ages, and how many
    of each section there are. `place` is where each operation counts."""

    place: Integers
    width: int


def _joined(
    operations: Integers, rows: Sequence[Integers], heads: _Heads, size: int
) -> tuple[Integers, Integers, int]:
    """Lists one after the other, where in each the number of plain operations is, and the greatest such number; of operations with
    the rows whose lists they are in."""
    width, lengths = heads.width, [len(some) for some in rows]
    row = np.concatenate([np.zeros(0, np.int64), *rows])
    head = np.bincount(row * width + np.repeat(heads.place, lengths), minlength=size * width)
    head = head.reshape(size, width)
    counts = head.sum(axis=1)
    plain = width - SECTIONS
    head[:, : plain + 1] = np.cumsum(head[:, : plain + 1], axis=1)
    begins = np.cumsum(counts + width) - counts - width
    whole = np.empty(len(row) + width * size, np.int64)
    is_operation = np.ones(len(whole), np.bool_)
    at = begins[:, None] + np.arange(width)
    is_operation[at] = False
    whole[at] = head
    whole[is_operation] = np.repeat(operations, lengths)[np.argsort(row, kind="stable")]
    return begins + plain, whole, int(head[:, plain].max(initial=0))


def _ages(orders: Integers) -> Integers:
    """Where windows begin, the earliest first; of many that are next to each other one."""
    found = np.unique(orders)
    return found[:: -(-max(1, len(found)) // MOST_AGES)]


def _alike(selections: Sequence[Integers], codes: int) -> tuple[Integers, Integers]:
    """The first of the codes that are in the same selections, and of which kind each code is."""
    words = np.zeros((len(selections) // 64 + 1, codes), np.uint64)
    for number, some in enumerate(selections):
        words[number >> 6, some] |= np.uint64(1) << np.uint64(number & 63)
    return different(list(words))
