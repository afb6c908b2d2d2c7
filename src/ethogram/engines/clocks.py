"""Local hours, weekdays and months as masks of bits, holidays as days, and the names that are timezones."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from zoneinfo import available_timezones

import holidays

HOLIDAY_YEARS = range(1900, 2151)


def hour_mask(hours: tuple[int, int] | None) -> int:
    if hours is None:
        return (1 << 24) - 1
    opens, closes = hours
    return sum(
        1 << hour
        for hour in range(24)
        if (opens <= hour < closes if opens <= closes else not closes <= hour < opens)
    )


def mask_of(chosen: Sequence[int], every: Iterable[int]) -> int:
    return sum(1 << number for number in (chosen or every))


@cache
def timezones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def holiday_days(name: str, country: str) -> tuple[int, ...]:
    """Local days since 1970 of the holidays of that name ("any": all), in `HOLIDAY_YEARS`."""
    if not country:
        return ()
    code, _, subdivision = country.partition("-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some calendars do not reach as far
        known = holidays.country_holidays(
            code, subdiv=subdivision or None, years=HOLIDAY_YEARS, language="en_US"
        )
    epoch = date(1970, 1, 1)
    return tuple(sorted((day - epoch).days for day in known if name == "any" or name in known.get_list(day)))
