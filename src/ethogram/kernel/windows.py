"""Windows at a moment, and the moments at which events enter and leave them."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from ethogram.kernel.calendar import Zones, period_at, period_start, reaches, step_months
from ethogram.kernel.compiling import compiled, entry
from ethogram.kernel.layout import (
    FROM,
    NEVER,
    OPEN_PAST,
    PART_FIRST,
    PART_KIND,
    PART_MICROS,
    PART_MONTHS,
    PART_PAST,
    PART_UNIT,
    PERIOD,
    SINCE,
    SINCE_NOW,
    TO,
    UNTIL,
    UNTIL_NOW,
    WINDOW_PARTS,
    WINDOW_PARTS_END,
    Integers,
    Program,
)
from ethogram.kernel.tables import address, heads, opener


@compiled
def _back(as_of: int, micros: int, months: int, zones: Zones) -> int:
    return step_months(as_of, -months, 0, zones) if months else as_of - micros


@compiled
def bind_windows(windows: Integers, parts: Integers, zones: Zones, as_of: int, bounds: Integers) -> None:
    for window in range(len(windows)):
        low, high = OPEN_PAST, as_of
        for part in range(windows[window, WINDOW_PARTS], windows[window, WINDOW_PARTS_END]):
            kind = parts[part, PART_KIND]
            micros, months = parts[part, PART_MICROS], parts[part, PART_MONTHS]
            if kind == FROM:
                low = max(low, _back(as_of, micros, months, zones) + 1)
            elif kind == TO:
                high = min(high, _back(as_of, micros, months, zones))
            elif kind == PERIOD:
                unit = parts[part, PART_UNIT]
                current = period_at(as_of, unit, 0, zones)
                low = max(low, period_start(current + parts[part, PART_FIRST], unit, 0, zones))
                high = min(high, period_start(current + parts[part, PART_PAST], unit, 0, zones) - 1)
            elif kind == SINCE:
                low = max(low, micros)
            elif kind == UNTIL:
                high = min(high, micros - 1)
            elif kind == SINCE_NOW:
                low = max(low, _back(as_of, micros, months, zones))
            elif kind == UNTIL_NOW:
                high = min(high, _back(as_of, micros, months, zones) - 1)
        bounds[window, 0], bounds[window, 1] = low, high


@compiled
def next_edge(windows: Integers, parts: Integers, zones: Zones, window: int, time: int, as_of: int) -> int:
    """The next moment at which an event at `time` can enter or leave a window: maybe early, never late."""
    edge = NEVER
    for part in range(windows[window, WINDOW_PARTS], windows[window, WINDOW_PARTS_END]):
        kind = parts[part, PART_KIND]
        micros, months = parts[part, PART_MICROS], parts[part, PART_MONTHS]
        at = NEVER
        if kind == FROM or kind == TO:
            at = reaches(time, -months, 0, zones) if months else time + micros
        elif kind == SINCE_NOW or kind == UNTIL_NOW:
            at = reaches(time + 1, -months, 0, zones) if months else time + micros + 1
        elif kind == PERIOD:
            unit = parts[part, PART_UNIT]
            at = period_start(period_at(as_of, unit, 0, zones) + 1, unit, 0, zones)
        if as_of < at < edge:
            edge = at
    return edge


class _Spans(NamedTuple):
    """Rows (first, last) of all windows at one moment, and of all moments, one after the other."""

    moments: Integers
    bounds: Annotated[Integers, 2]
    every: Annotated[Integers, 2]


_PROGRAM, _ZONES, _SPANS = opener(Program), opener(Zones), opener(_Spans)


def windows_at(program: Program, zones: Zones, moments: Integers) -> Integers:
    """The first and the last moment of each window, inclusive, as [moment, window, 2]."""
    windows = len(program.windows)
    spans = _Spans(moments, np.zeros((windows, 2), np.int64), np.zeros((len(moments) * windows, 2), np.int64))
    all_heads = [heads(tables) for tables in (program, zones, spans)]
    windows_by_address(*[address(one) for one in all_heads])
    return spans.every.reshape(len(moments), windows, 2)


@entry
def windows_by_address(program_at: int, zones_at: int, spans_at: int) -> int:
    program, zones, spans = _PROGRAM(program_at), _ZONES(zones_at), _SPANS(spans_at)
    for k in range(len(spans.moments)):
        bind_windows(program.windows, program.parts, zones, spans.moments[k], spans.bounds)
        for window in range(len(spans.bounds)):
            row = k * len(spans.bounds) + window
            spans.every[row, 0], spans.every[row, 1] = spans.bounds[window, 0], spans.bounds[window, 1]
    return 0
