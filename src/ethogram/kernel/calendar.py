"""Calendar arithmetic in timezones, compiled.

A `Zones` table holds the UTC offsets of several timezones; zone 0 is the project's. Moments are microseconds since 1970 in
UTC, local times microseconds since 1970 on the wall clock, days local days since 1970-01-01 (a Thursday).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel.compiling import compiled

DAY = 86_400_000_000
HOUR = 3_600_000_000
FIRST = -(2**62)
UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_QUARTER, UNIT_YEAR = range(5)
UNITS = {"day": UNIT_DAY, "week": UNIT_WEEK, "month": UNIT_MONTH, "quarter": UNIT_QUARTER, "year": UNIT_YEAR}


class Zones(NamedTuple):
    """Rows `start[z] : start[z + 1]` are zone z's; each offset (microseconds) holds from its moment on."""

    start: NDArray[np.int64]
    moment: NDArray[np.int64]
    offset: NDArray[np.int64]
    week_starts: int


@lru_cache(maxsize=64)
def _transitions(name: str) -> tuple[tuple[int, int], ...]:
    """Every change of UTC offset from 1970 to 2100."""
    zone = ZoneInfo(name)

    def offset(seconds: int) -> int:
        delta = datetime.fromtimestamp(seconds, zone).utcoffset()
        assert delta is not None
        return round(delta.total_seconds()) * 1_000_000

    step = 2 * 86_400
    found = [(FIRST, offset(0))]
    before = found[0][1]
    for seconds in range(step, 130 * 365 * 86_400, step):
        after = offset(seconds)
        if after == before:
            continue
        low, high = seconds - step, seconds
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == before else (low, middle)
        found.append((high * 1_000_000, after))
        before = after
    return tuple(found)


def zones(names: tuple[str, ...], week_starts: int) -> Zones:
    tables = [_transitions(name) for name in names]
    start = np.cumsum([0] + [len(table) for table in tables], dtype=np.int64)
    rows = np.array([row for table in tables for row in table], dtype=np.int64)
    return Zones(start, np.ascontiguousarray(rows[:, 0]), np.ascontiguousarray(rows[:, 1]), week_starts)


@compiled
def _row(moment: int, zone: int, table: Zones) -> int:
    low, high = table.start[zone], table.start[zone + 1]
    while high - low > 1:
        middle = (low + high) >> 1
        if table.moment[middle] <= moment:
            low = middle
        else:
            high = middle
    return low


@compiled
def local_time(moment: int, zone: int, table: Zones) -> int:
    return moment + table.offset[_row(moment, zone, table)]


@compiled
def local_time_standing(moment: int, zone: int, table: Zones) -> int:
    """The latest local time so far: while an hour is repeated it stands still at the end of the first pass."""
    row = _row(moment, zone, table)
    local = moment + table.offset[row]
    if row > table.start[zone]:
        return max(local, table.moment[row] - 1 + table.offset[row - 1])
    return local


@compiled
def moment_of(local: int, zone: int, table: Zones) -> int:
    """A local time that does not exist moves forward by the gap; of two, the first is meant."""
    row = _row(local - DAY, zone, table)
    last = table.start[zone + 1] - 1
    moment = local - table.offset[row]
    while row < last and moment >= table.moment[row + 1]:
        following = local - table.offset[row + 1]
        if following < table.moment[row + 1]:
            return moment
        row += 1
        moment = following
    return moment


@compiled
def day_of(local: int) -> int:
    return local // DAY


@compiled
def civil(day: int) -> tuple[int, int, int]:
    """Year, month, day of month of a day number (proleptic Gregorian; H. Hinnant, "chrono-compatible low-level date algorithms")."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, of_year - (153 * shifted_month + 2) // 5 + 1


@compiled
def day_number(year: int, month: int, day: int) -> int:
    """The inverse of `civil`; months outside 1..12 are carried into the year."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year
    return era * 146_097 + of_era - 719_468


@compiled
def weekday(day: int) -> int:
    """0 is Monday."""
    return (day + 3) % 7


@compiled
def period_of(day: int, unit: int, week_starts: int) -> int:
    """The number of the period a local day lies in; neighboring periods have neighboring numbers."""
    if unit == UNIT_DAY:
        return day
    if unit == UNIT_WEEK:
        return (day + 3 - week_starts) // 7
    year, month, _ = civil(day)
    if unit == UNIT_MONTH:
        return year * 12 + month - 1
    if unit == UNIT_QUARTER:
        return year * 4 + (month - 1) // 3
    return year


@compiled
def period_first_day(period: int, unit: int, week_starts: int) -> int:
    if unit == UNIT_DAY:
        return period
    if unit == UNIT_WEEK:
        return period * 7 - 3 + week_starts
    if unit == UNIT_MONTH:
        return day_number(period // 12, period % 12 + 1, 1)
    if unit == UNIT_QUARTER:
        return day_number(period // 4, period % 4 * 3 + 1, 1)
    return day_number(period, 1, 1)


@compiled
def period_at(moment: int, unit: int, zone: int, table: Zones) -> int:
    return period_of(day_of(local_time_standing(moment, zone, table)), unit, table.week_starts)


@compiled
def period_start(period: int, unit: int, zone: int, table: Zones) -> int:
    """The moment a period begins."""
    return moment_of(period_first_day(period, unit, table.week_starts) * DAY, zone, table)


@compiled
def _moment_standing(local: int, zone: int, table: Zones) -> int:
    """The latest moment of all local times up to this one: after a gap it stands still for the gap's length."""
    moment = moment_of(local, zone, table)
    row = _row(moment, zone, table)
    if row > table.start[zone] and moment + table.offset[row] == local:
        gap = table.offset[row] - table.offset[row - 1]
        return max(moment, table.moment[row] + gap - 1) if gap > 0 else moment
    return moment


@compiled
def step_months(moment: int, months: int, zone: int, table: Zones) -> int:
    """A calendar step that never goes back; a day that does not exist lands at 24:00 of its month's last day."""
    local = local_time_standing(moment, zone, table)
    day = day_of(local)
    year, month, of_month = civil(day)
    target = day_number(year, month + months, of_month)
    following = day_number(year, month + months + 1, 1)
    if target >= following:
        return _moment_standing(following * DAY, zone, table)
    return _moment_standing(target * DAY + (local - day * DAY), zone, table)


@compiled
def reaches(target: int, months: int, zone: int, table: Zones) -> int:
    """The first moment whose calendar step by `months` is at or after `target`."""
    guess = step_months(target, -months, zone, table)
    if step_months(guess, months, zone, table) >= target > step_months(guess - 1, months, zone, table):
        return guess
    low, high = guess - 4 * DAY, guess + 4 * DAY
    while high - low > 1:
        middle = (low + high) >> 1
        if step_months(middle, months, zone, table) >= target:
            high = middle
        else:
            low = middle
    return high
