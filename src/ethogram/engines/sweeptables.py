"""The tables that the sweep reads, made of a bound program and of claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.binding import Bound
from ethogram.engines.claims import Claim, Claims
from ethogram.engines.dispatch import SECTIONS
from ethogram.engines.rows import table_of
from ethogram.kernel.accumulate import DISTINCT_FEW, MAX, MIN, PERIODS, SUM
from ethogram.kernel.layout import (
    ATOM_COLUMN,
    ATOM_NUMBER,
    ATOM_PLACE,
    CHECK_FIRST,
    CHECK_PAST,
    CODED,
    FLAT,
    LEAST_VALUE,
    NEVER,
    NOWHERE,
    NULL,
    OP_RANGE,
    OP_SLOT,
    SLOT_KIND,
    Program,
)
from ethogram.kernel.sweep import BY_VALUE, EVEN, IF_DIFFERENT, ONE_EACH

Integers = NDArray[np.int64]
WEIGHS = {SUM: BY_VALUE, DISTINCT_FEW: IF_DIFFERENT}
Item = TypeVar("Item")


def joined_groups(groups: Sequence[Sequence[Item]]) -> tuple[Integers, list[Item]]:
    """Rows (first, past) of the groups, and these one after the other."""
    ends = np.cumsum([len(group) for group in groups], dtype=np.int64)
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    spans = np.stack([begins[: len(ends)], ends], axis=1)
    return spans, [item for group in groups for item in group]


def claim_tables(
    bound: Bound, claims: Sequence[Claim], counted: int, edges: Claims
) -> tuple[Integers, Integers, NDArray[np.int32], NDArray[np.int32], Integers]:
    """`Rules.claims`, `facts`, `lists`, `placed`, `limits`."""
    program = bound.program
    dispatch = _dispatch(program)
    op_of = {int(slot): op for op, slot in enumerate(program.ops[:, OP_SLOT])}
    rows, facts, places = [], [], []
    for number, claim in enumerate(claims):
        op = op_of[claim.slot]
        kind = int(program.slots[claim.slot, SLOT_KIND])
        place, value_column = program.atoms[claim.slot, [ATOM_PLACE, ATOM_COLUMN]].tolist()
        which = program.ops[op, OP_RANGE]
        column, low, high = program.ranges[which].tolist() if which else (NOWHERE, NULL, NEVER)
        least, most = (claim.low, claim.high) if claim.is_single else (LEAST_VALUE, NEVER)
        if kind not in (SUM, MIN, MAX, DISTINCT_FEW):
            place = NOWHERE
        elif claim.is_single and place == FLAT and column in (NOWHERE, value_column):
            place, column, low, high = NOWHERE, value_column, max(low, least), min(high, most)
        elif (
            claim.is_single
            and place == CODED
            and dispatch.is_known(bound.coded[value_column], op, least, most)
        ):
            place = NOWHERE
        first, past = program.checks[op, [CHECK_FIRST, CHECK_PAST]].tolist()
        is_now = claim.enters == edges.now
        is_simple = claim.is_single and place == NOWHERE and first == past and is_now and high == NEVER
        places.append((op, int(number >= counted or not is_simple), column, low))
        rows.append((*edges.steps(claim.leaves), *((EVEN, 0) if is_now else claim.enters), int(is_simple)))
        limit = (NOWHERE, NEVER) if high == NEVER else (column, high)
        unit = NOWHERE if claim.is_single or kind != PERIODS else int(program.atoms[claim.slot, ATOM_NUMBER])
        total = (1, NEVER, ONE_EACH)
        if not claim.is_single:
            total = (claim.low, claim.high, WEIGHS.get(kind, ONE_EACH))
        facts.append((*limit, place, value_column, least, most, unit, first, past, *total))
    lists, placed = dispatch.tables(*table_of(places, 4).T)
    limits = np.array([low for *_, low in places], np.int64)
    return table_of(rows, 7), table_of(facts, 12), lists, placed, limits


@dataclass(frozen=True, slots=True)
class _Dispatch:
    """The number of each code's list, and the operations in each list, as pairs (list, operation)."""

    of_code: Integers
    lists: Integers
    ops: Integers

    def is_known(self, coded: Integers, op: int, least: int, most: int) -> bool:
        """Whether every event of an operation has a value between the limits."""
        values = coded[np.isin(self.of_code, self.lists[self.ops == op])]
        return bool(((values >= least) & (values <= most)).all())

    def tables(
        self, ops: Integers, parts: Integers, columns: Integers, limits: Integers
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """`Rules.lists` and `Rules.placed`, given each claim's operation, part of the list, column and lower limit there. Claims
        without a column are in the run of another, if there is one: anything is above their limit."""
        order = np.argsort(ops, kind="stable")
        first, past = (np.searchsorted(ops[order], self.ops, side=side) for side in ("left", "right"))
        claims = order[_ranges(first, past - first)]
        own = 2 * np.repeat(self.lists, past - first) + parts[claims]
        size = int(self.of_code.max(initial=0)) + 1
        usual = np.zeros(2 * size, np.int64)
        np.maximum.at(usual, own, columns[claims])
        column = np.where(columns[claims] == NOWHERE, usual[own], columns[claims])
        key = np.lexsort((claims, limits[claims], column, own))
        own, column, claims = own[key], column[key], claims[key]
        begins = np.flatnonzero(np.diff(own, prepend=-1) | np.diff(column, prepend=-1))
        sizes = np.diff(begins, append=len(claims))
        runs = np.bincount(own[begins], minlength=2 * size).reshape(size, 2)
        # before each list stand two numbers, before each run two
        at = begins + 2 * np.arange(len(begins)) + 2 * (own[begins] // 2 + 1)
        placed = np.zeros(len(claims) + 2 * len(begins) + 2 * size, np.int32)
        placed[at], placed[at + 1], placed[_ranges(at + 2, sizes)] = column[begins], sizes, claims
        starts = np.zeros(size, np.int64)
        starts[1:] = np.cumsum(2 + np.bincount(own[begins] // 2, sizes + 2, minlength=size))[:-1]
        placed[starts[:, None] + np.arange(2)] = runs
        return starts[self.of_code].astype(np.int32), placed


def _dispatch(program: Program) -> _Dispatch:
    begins, of_code = np.unique(program.lists[0], return_inverse=True)
    sizes = program.operations[begins[:, None] + np.arange(SECTIONS)].sum(axis=1)
    ops = program.operations[_ranges(begins + SECTIONS, sizes)]
    return _Dispatch(of_code.ravel(), np.repeat(np.arange(len(begins)), sizes), ops.astype(np.int64))


def _ranges(begins: NDArray[np.integer[Any]], sizes: NDArray[np.integer[Any]]) -> Integers:
    """The numbers begins[k], begins[k] + 1, ... of each k, sizes[k] of them."""
    past = np.cumsum(sizes)
    return np.arange(past[-1] if len(past) else 0) + np.repeat(begins - (past - sizes), sizes)


def grid_tables(rows: Sequence[Integers]) -> tuple[Integers, NDArray[np.int32], NDArray[np.int32], Integers]:
    """`Rules.grids`, `onwards`, `cells`, `scales`. A cell is as long as two times are apart at least, if there are not too
    many then."""
    onwards, cells, scales = [], [], []
    for row in rows:
        apart = np.diff(row)
        last, scale = int(row[-1]), int(apart[apart > 0].min(initial=NEVER)).bit_length() - 1
        while last >> scale > 8 * len(row) + 64:
            scale += 1
        onwards.append(np.append(np.searchsorted(row, row, side="right"), len(row)))
        cells.append(np.searchsorted(row, np.arange(((last + 1) >> scale) + 1) << scale))
        scales.append((scale, last))
    width = max(len(some) for some in cells)
    return (
        np.stack([np.append(row, NEVER) for row in rows]),
        np.stack(onwards).astype(np.int32),
        np.stack([np.pad(some, (0, width - len(some))) for some in cells]).astype(np.int32),
        np.array(scales, np.int64),
    )
