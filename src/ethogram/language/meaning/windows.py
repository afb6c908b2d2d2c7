"""Which moments a window holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from ethogram.language.functions import FUNCTIONS
from ethogram.language.meaning.local_time import (
    WEEKDAYS,
    back,
    day_of,
    is_holiday,
    next_period,
    period_of,
    previous_period,
    start_of,
    wall,
)
from ethogram.language.meaning.options import duration_of, text_of, unit_of, whole_numbers_of
from ethogram.language.tree import CalendarUnit, Call, Duration, Expression, Items
from ethogram.model.event import Moment
from ethogram.model.settings import Settings

Window = Callable[[Moment], bool]


@dataclass(frozen=True, slots=True)
class Now:
    """The moment of evaluation on the project's calendar."""

    settings: Settings
    as_of: Moment

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.timezone)

    @property
    def day(self) -> date:
        return day_of(self.zone, self.as_of)

    def back(self, duration: Duration) -> Moment:
        return back(self.zone, self.as_of, duration)

    def periods(self, times: Iterable[Moment], unit: CalendarUnit) -> set[date]:
        """The local days, weeks … that have one of the times."""
        return {period_of(day_of(self.zone, time), unit, self.settings.week_starts) for time in times}

    def periods_back(self, unit: CalendarUnit, count: int) -> list[date]:
        """The current period and those before it."""
        found = [period_of(self.day, unit, self.settings.week_starts)]
        while len(found) < count:
            found.append(previous_period(found[-1], unit, self.settings.week_starts))
        return found


def windows(
    node: Call, now: Now, moment_of: Callable[[Expression], Moment | None], clock: ZoneInfo
) -> list[Window]:
    """A moment must pass them all; `clock` is the timezone of hours, weekdays, months and holidays."""
    if not FUNCTIONS[node.function].windows:
        return []
    found = [_rolling(option.name, option.value, now) for option in node.options]
    found += [_dated(option.name, option.value, moment_of) for option in node.options]
    found += [_calendar(option.name, option.value, now) for option in node.options]
    found += [_by_clock(option.name, option.value, clock, now.settings.country) for option in node.options]
    return [window for window in found if window]


def _rolling(name: str, setting: Expression, now: Now) -> Window | None:
    match name, setting:
        case "last", _:
            start = now.back(duration_of(setting))
            return lambda t: start < t
        case "ago", Items((oldest, newest)):
            first, last = (now.back(duration_of(item)) for item in (oldest, newest))
            return lambda t: first < t <= last
        case _:
            return None


def _dated(name: str, setting: Expression, moment_of: Callable[[Expression], Moment | None]) -> Window | None:
    """A missing moment makes the window empty."""
    if name not in ("since", "until"):
        return None
    edge = moment_of(setting)
    if edge is None:
        return lambda t: False
    return (lambda t: edge <= t) if name == "since" else (lambda t: t < edge)


def _calendar(name: str, setting: Expression, now: Now) -> Window | None:
    if name not in ("this", "previous"):
        return None
    unit = unit_of(setting)
    period = now.periods_back(unit, 2)[0 if name == "this" else 1]
    start, end = start_of(now.zone, period), start_of(now.zone, next_period(period, unit))
    return lambda t: start <= t < end


def _by_clock(name: str, setting: Expression, clock: ZoneInfo, country: str) -> Window | None:
    match name, setting:
        case "hours", _:
            opens, closes = whole_numbers_of(setting)
            return lambda t: _is_hour(wall(clock, t).hour, opens, closes)
        case "weekdays", Items(items):
            days = [WEEKDAYS.index(text_of(item)) for item in items]
            return lambda t: wall(clock, t).weekday() in days
        case "months", _:
            months = whole_numbers_of(setting)
            return lambda t: wall(clock, t).month in months
        case "holiday", _:
            return lambda t: is_holiday(wall(clock, t).date(), text_of(setting), country)
        case _:
            return None


def _is_hour(hour: int, opens: int, closes: int) -> bool:
    """[22, 6] is 22:00 to 06:00."""
    return opens <= hour < closes if opens <= closes else hour >= opens or hour < closes
