"""Rows of the tables that a program is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel import layout
from ethogram.kernel.layout import NOWHERE
from ethogram.language.plan import Atom, Kind, Op, Output, Part, Plan, Step, Window


def table_of(rows: Sequence[Sequence[int]], columns: int, kind: type[Any] = np.int64) -> NDArray[Any]:
    return np.array(rows, kind).reshape(len(rows), columns)


def part_row(part: Part) -> tuple[int, ...]:
    return layout.PARTS[part.kind], part.step.micros, part.step.months, part.unit, part.first, part.past


def atom_rows(
    atoms: Sequence[Atom], places: Sequence[tuple[int, int, int]], bys: Sequence[tuple[int, int]]
) -> list[tuple[int, ...]]:
    rows: list[tuple[int, ...]] = []
    sequences = 0
    for atom, (_, place, column), by in zip(atoms, places, bys, strict=True):
        text_ties = atom.kind is Kind.MOST_FREQUENT and atom.of == "text"
        rows.append(
            (
                place,
                column,
                atom.number,
                1 if text_ties else atom.step.micros,
                atom.step.months,
                NOWHERE if atom.since is None else atom.since,
                NOWHERE if atom.until is None else atom.until,
                NOWHERE if atom.sequence is None else sequences,
                *by,
            )
        )
        sequences += atom.sequence is not None
    return rows


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


def window_rows(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """Where the parts of each window begin and end, which stand one after the other."""
    ends = np.cumsum([len(window) for window in windows], dtype=np.int64).tolist()
    return [(end - len(window), end) for window, end in zip(windows, ends, strict=True)]


def output_rows(outputs: Sequence[Output]) -> list[tuple[int, int, int]]:
    """Where the instructions of each begin and end, and its level."""
    rows, begin = [], 0
    for output in outputs:
        rows.append((begin, begin + len(output.code), output.level))
        begin += len(output.code)
    return rows


def instruction_rows(plan: Plan) -> list[tuple[int, int, int, int]]:
    """Text constants follow the others."""
    texts = len(plan.constants)
    rows = []
    for output in plan.outputs:
        for one in output.code:
            of_text = (one.op is Op.CONST and one.b) or one.op is Op.GROUP_TEXT
            rows.append((int(one.op), one.a + texts if of_text else one.a, one.b, one.c))
    return rows
