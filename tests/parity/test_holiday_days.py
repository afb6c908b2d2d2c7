"""The days that the engine tabulates are those that the interpreter looks up one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ethogram.engines.clocks import holiday_days
from ethogram.language.meaning.local_time import is_holiday

EPOCH = date(1970, 1, 1)
FIRST, PAST = date(2019, 1, 1), date(2033, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range((PAST - FIRST).days)]


@pytest.mark.parametrize("country", ["US", "US-CA", "GB", "GB-SCT", "DE-BY", "JP", "NZ-AUK", "AE", "IL", ""])
@pytest.mark.parametrize(
    "name", ["any", "Christmas Day", "New Year's Day", "New Year's Day (observed)", "christmas day"]
)
def test_holidays_with_observed_days_and_subdivisions(country: str, name: str) -> None:
    tabulated = {EPOCH + timedelta(days=number) for number in holiday_days(name, country)}
    assert {day for day in tabulated if FIRST <= day < PAST} == {
        day for day in DAYS if is_holiday(day, name, country)
    }


def test_a_holiday_kept_in_the_year_before() -> None:
    assert (date(2021, 12, 31) - EPOCH).days in holiday_days("any", "US")
