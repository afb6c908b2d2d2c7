"""Windows at a moment, and the moments at which events enter and leave them."""

from __future__ import annotations

from ethogram.kernel.calendar import Zones, period_at, period_start, reaches, step_months
from ethogram.kernel.compiling import compiled
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
)


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
