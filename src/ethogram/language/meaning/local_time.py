"""Local time: steps of months and years, whole periods, birthdays, holidays, ISO 8601 text.

An instant is a `Moment` (microseconds, UTC); a wall-clock reading is a naive `datetime`; a day is a `date`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import holidays

from ethogram.language.tree import CalendarUnit, Duration
from ethogram.model.event import Moment

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
LENGTHS = {"s": SECOND, "min": 60 * SECOND, "h": HOUR, "d": DAY, "w": 7 * DAY}
MONTHS = {"mo": 1, "y": 12}
MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = (datetime(1, 1, 3) - EPOCH) // MICROSECOND
LATEST = (datetime(9999, 12, 29) - EPOCH) // MICROSECOND
TRANSITION = 26 * HOUR
"""No zone sets its clock twice, or by more, within this time."""


# --- the wall clock -------------------------------------------------------------------------------------------------


def is_timezone(name: str) -> bool:
    return name in _timezones()


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def wall(zone: ZoneInfo, moment: Moment) -> datetime:
    """What the clock on the wall shows."""
    inside = min(max(moment, EARLIEST), LATEST)
    aware = (EPOCH + timedelta(microseconds=inside)).replace(tzinfo=UTC).astimezone(zone)
    return aware.replace(tzinfo=None, fold=0)


def steady_wall(zone: ZoneInfo, moment: Moment) -> datetime:
    """The latest reading so far: in the second pass of a repeated hour, the end of the first.

    >>> steady_wall(ZoneInfo("America/New_York"), instant(ZoneInfo("UTC"), datetime(2025, 11, 2, 6, 30)))
    datetime.datetime(2025, 11, 2, 1, 59, 59, 999999)
    """
    change = _clock_change(zone, moment)
    return wall(zone, moment) if change is None else max(wall(zone, moment), wall(zone, change - 1))


def instant(zone: ZoneInfo, local: datetime) -> Moment:
    """A reading that does not exist moves forward by the gap; of two the first is meant."""
    offset = local.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    return (local - EPOCH) // MICROSECOND - offset // MICROSECOND


def steady_instant(zone: ZoneInfo, local: datetime) -> Moment:
    """The latest instant of all readings up to this one: after a gap, until the readings moved forward are passed."""
    moment = instant(zone, local)
    change = _clock_change(zone, moment)
    if change is None or wall(zone, moment) != local:
        return moment
    gap = (wall(zone, change) - wall(zone, change - 1)) // MICROSECOND - 1
    return max(moment, change + gap - 1)


def _clock_change(zone: ZoneInfo, moment: Moment) -> Moment | None:
    """The instant within the last day or so at which the zone's offset changed."""

    def offset(at: Moment) -> timedelta:
        return wall(zone, at) - wall(ZoneInfo("UTC"), at)

    low, high = moment - TRANSITION, moment
    if offset(low) == offset(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
    return high


# --- steps ----------------------------------------------------------------------------------------------------------


def back(zone: ZoneInfo, moment: Moment, duration: Duration) -> Moment:
    return step(zone, moment, duration, -1)


def ahead(zone: ZoneInfo, moment: Moment, duration: Duration) -> Moment:
    return step(zone, moment, duration, 1)


def step(zone: ZoneInfo, moment: Moment, duration: Duration, direction: int) -> Moment:
    """Never goes back as `moment` advances."""
    amount = direction * duration.amount
    if duration.unit in LENGTHS:
        return moment + amount * LENGTHS[duration.unit]
    return steady_instant(zone, _add_months(steady_wall(zone, moment), amount * MONTHS[duration.unit]))


def _add_months(local: datetime, months: int) -> datetime:
    """Where the day does not exist: 24:00 of that month's last day.

    >>> _add_months(datetime(2025, 3, 31, 9), -1)
    datetime.datetime(2025, 3, 1, 0, 0)
    """
    months += local.year * 12 + local.month - 1
    year, month = min(max(months // 12, 1), 9998), months % 12 + 1
    try:
        return local.replace(year=year, month=month)
    except ValueError:
        return datetime(year, month + 1, 1)


# --- whole periods --------------------------------------------------------------------------------------------------


def day_of(zone: ZoneInfo, moment: Moment) -> date:
    return steady_wall(zone, moment).date()


def start_of(zone: ZoneInfo, day: date) -> Moment:
    return instant(zone, datetime.combine(day, time()))


def period_of(day: date, unit: CalendarUnit, week_starts: int) -> date:
    """The first day of the period that has this day; it stands for the period."""
    match unit:
        case "day":
            return day
        case "week":
            return day - timedelta(days=(day.weekday() - week_starts) % 7)
        case "month" | "quarter" | "year":
            return day.replace(month=day.month - (day.month - 1) % MONTHS_IN[unit], day=1)


def next_period(period: date, unit: CalendarUnit) -> date:
    match unit:
        case "day":
            return period + timedelta(days=1)
        case "week":
            return period + timedelta(days=7)
        case "month" | "quarter" | "year":
            return _add_months(datetime.combine(period, time()), MONTHS_IN[unit]).date()


def previous_period(period: date, unit: CalendarUnit, week_starts: int) -> date:
    return period_of(period - timedelta(days=1), unit, week_starts)


# --- days of the year -----------------------------------------------------------------------------------------------


def birthday(born: date, year: int) -> date:
    """29 February is kept on 1 March in other years."""
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def age(born: date, today: date) -> int:
    return today.year - born.year - (today < birthday(born, today.year))


def days_to_anniversary(first: date, today: date) -> int:
    """Whole local days to the next anniversary; 0 is today. The day itself counts as the first."""
    if today <= first:
        return (first - today).days
    this_year = birthday(first, today.year)
    following = this_year if today <= this_year else birthday(first, today.year + 1)
    return (following - today).days


def is_holiday(day: date, name: str, country: str) -> bool:
    """`name` as the `holidays` library says it in English, or "any"; `country` may carry a subdivision: GB-SCT."""
    if not country:
        return False
    names = _holidays(country).get_list(day)
    return bool(names) if name == "any" else name in names


@cache
def _holidays(country: str) -> holidays.HolidayBase:
    code, _, subdivision = country.partition("-")
    return holidays.country_holidays(code, subdiv=subdivision or None, language="en_US")


# --- text -----------------------------------------------------------------------------------------------------------

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


def parse_moment(zone: ZoneInfo, text: str) -> Moment | None:
    """ISO 8601, `2026-11-01`, `2026-11-01 18:30`, `2026-11-01T18:30:05.25Z`; None where it is not one.

    Without an offset it is local time; without a time, local midnight. Digits beyond the microsecond are dropped.
    """
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    day, clock, seconds, fraction, offset = found.groups()
    if (offset and not clock) or (fraction and not seconds):
        return None
    try:
        local = datetime.fromisoformat(f"{day}T{clock or '00:00'}{seconds or ':00'}")
        local += timedelta(microseconds=int(f"{fraction or '0':0<6}"[:6]))
    except ValueError:
        return None
    return instant(zone, local) if offset is None else _with_offset(local, offset)


def _with_offset(local: datetime, offset: str) -> Moment | None:
    digits = offset[1:].replace(":", "").ljust(4, "0")
    hours, minutes = (0, 0) if offset == "Z" else (int(digits[:2]), int(digits[2:]))
    if hours > 23 or minutes > 59:
        return None
    distance = timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    return (local - EPOCH - distance) // MICROSECOND
