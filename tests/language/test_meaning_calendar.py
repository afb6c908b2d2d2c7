"""Rule 3, the calendar; TRUST E02, E04."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ethogram.language.meaning.local_time import ahead, back, parse_moment
from ethogram.language.tree import Duration
from ethogram.model.event import Event
from tests.language.meaning_cases import NEW_YORK, ask, moment, on

MONTH, YEAR = Duration(1, "mo"), Duration(1, "y")


@pytest.mark.parametrize(
    ("as_of", "duration", "start"),
    [
        ("2025-03-31 09:00", MONTH, "2025-03-01 00:00"),
        ("2025-03-30 09:00", MONTH, "2025-03-01 00:00"),
        ("2025-03-28 09:00", MONTH, "2025-02-28 09:00"),
        ("2024-03-31 09:00", MONTH, "2024-03-01 00:00"),
        ("2024-03-29 09:00", MONTH, "2024-02-29 09:00"),
        ("2025-05-31 09:00", MONTH, "2025-05-01 00:00"),
        ("2024-02-29 09:00", YEAR, "2023-03-01 00:00"),
        ("2025-02-28 09:00", YEAR, "2024-02-28 09:00"),
        ("2026-01-31 09:00", Duration(11, "mo"), "2025-03-01 00:00"),
        ("2026-01-15 09:00", Duration(13, "mo"), "2024-12-15 09:00"),
        ("2026-02-28 09:00", Duration(2, "y"), "2024-02-28 09:00"),
    ],
)
def test_e04_a_step_to_a_day_that_does_not_exist_lands_at_the_end_of_the_month(
    as_of: str, duration: Duration, start: str
) -> None:
    assert back(ZoneInfo("UTC"), moment(as_of), duration) == moment(start)
    edge = moment(start)
    window = f"did(view, last={duration.amount}{duration.unit})"
    assert ask(window, _view(edge), at=as_of) is False
    assert ask(window, _view(edge + 1), at=as_of) is True


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2025-01-31 09:00", MONTH, "2025-03-01 00:00"),
        ("2025-01-29 09:00", MONTH, "2025-03-01 00:00"),
        ("2025-01-28 09:00", MONTH, "2025-02-28 09:00"),
        ("2024-02-29 09:00", YEAR, "2025-03-01 00:00"),
        ("2025-12-31 09:00", Duration(2, "mo"), "2026-03-01 00:00"),
    ],
)
def test_e04_forward_steps_follow_the_same_rule(start: str, duration: Duration, end: str) -> None:
    assert ahead(ZoneInfo("UTC"), moment(start), duration) == moment(end)
    assert ask(
        f"last(view) + {duration.amount}{duration.unit}", on(start, "Product Viewed"), at="2026-06-01"
    ) == moment(end)


def test_e02_a_local_time_that_does_not_exist_moves_forward_by_the_gap() -> None:
    assert moment("2025-03-09 02:30", NEW_YORK) == moment("2025-03-09T07:30:00Z")
    assert back(ZoneInfo(NEW_YORK), moment("2025-04-09 02:30", NEW_YORK), MONTH) == moment(
        "2025-03-09T07:30:00Z"
    )


def test_e02_of_a_local_time_that_occurs_twice_the_first_is_meant() -> None:
    assert moment("2025-11-02 01:30", NEW_YORK) == moment("2025-11-02T05:30:00Z")
    assert back(ZoneInfo(NEW_YORK), moment("2025-12-02 01:30", NEW_YORK), MONTH) == moment(
        "2025-11-02T05:30:00Z"
    )


@pytest.mark.parametrize(
    ("as_of", "start"),
    [
        ("2025-11-02T05:30:00Z", "2025-10-02T05:30:00Z"),  # 01:30, first pass
        ("2025-11-02T05:59:59.999999Z", "2025-10-02T05:59:59.999999Z"),
        ("2025-11-02T06:00:00Z", "2025-10-02T05:59:59.999999Z"),  # 01:00, second pass
        ("2025-11-02T06:59:59.999999Z", "2025-10-02T05:59:59.999999Z"),
        ("2025-11-02T07:00:00Z", "2025-10-02T06:00:00Z"),  # 02:00
    ],
)
def test_e02_window_starts_stand_still_in_a_repeated_hour(as_of: str, start: str) -> None:
    assert back(ZoneInfo(NEW_YORK), moment(as_of), MONTH) == moment(start)


@pytest.mark.parametrize(
    ("as_of", "start"),
    [
        ("2025-04-09 01:59:59.999999", "2025-03-09T06:59:59.999999Z"),
        ("2025-04-09 02:00", "2025-03-09T07:00:00Z"),  # 02:00 does not exist: 03:00
        ("2025-04-09 02:59:59.999999", "2025-03-09T07:59:59.999999Z"),
        ("2025-04-09 03:00", "2025-03-09T07:59:59.999999Z"),  # 03:00 would be an hour back
        ("2025-04-09 04:00", "2025-03-09T08:00:00Z"),
    ],
)
def test_e02_window_starts_never_move_back_after_a_gap(as_of: str, start: str) -> None:
    assert back(ZoneInfo(NEW_YORK), moment(as_of, NEW_YORK), MONTH) == moment(start)


@pytest.mark.parametrize(
    ("unit", "start"),
    [
        ("day", "2026-01-15"),
        ("week", "2026-01-12"),
        ("month", "2026-01-01"),
        ("quarter", "2026-01-01"),
        ("year", "2026-01-01"),
    ],
)
def test_this_period_starts_at_local_midnight(unit: str, start: str) -> None:
    first = moment(start, NEW_YORK)
    assert ask(f"count(view, this={unit})", _view(first - 1), _view(first), zone=NEW_YORK) == 1


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        ("day", "2026-01-14", "2026-01-15"),
        ("week", "2026-01-05", "2026-01-12"),
        ("month", "2025-12-01", "2026-01-01"),
        ("quarter", "2025-10-01", "2026-01-01"),
        ("year", "2025-01-01", "2026-01-01"),
    ],
)
def test_previous_period_is_whole(unit: str, start: str, end: str) -> None:
    first, after = moment(start, NEW_YORK), moment(end, NEW_YORK)
    views = [_view(time) for time in (first - 1, first, after - 1, after)]
    assert ask(f"count(view, previous={unit})", *views, zone=NEW_YORK) == 2


def test_weeks_start_when_the_project_says() -> None:
    sunday = moment("2026-01-11")
    assert ask("count(view, this=week)", _view(sunday)) == 0
    assert ask("count(view, this=week)", _view(sunday), week_starts=6) == 1


@pytest.mark.parametrize(
    ("birthday", "at", "expected"),
    [
        ("1990-01-15", "2026-01-15 00:00", 36),
        ("1990-01-15", "2026-01-14 23:59:59", 35),
        ("1992-02-29", "2025-02-28 23:59", 32),
        ("1992-02-29", "2025-03-01 00:00", 33),
        ("1992-02-29", "2024-02-29 00:00", 32),
    ],
)
def test_age_is_full_local_years(birthday: str, at: str, expected: int) -> None:
    given = on("2020-01-01", traits={"birthday": birthday})
    assert ask("age(customer.birthday)", given, at=at, zone=NEW_YORK) == expected


@pytest.mark.parametrize(
    ("date", "within", "at", "expected"),
    [
        ("2020-01-15", "", "2026-01-15 00:00", True),
        ("2020-01-15", "", "2026-01-15 23:59:59", True),
        ("2020-01-15", "", "2026-01-14 23:59:59", False),
        ("2020-01-15", "", "2026-01-16 00:00", False),
        ("2020-01-15", ", within=30d", "2025-12-16 00:00", True),
        ("2020-01-15", ", within=30d", "2025-12-15 23:59:59", False),
        ("2020-01-15", ", within=1w", "2026-01-08 00:00", True),
        ("2020-02-29", "", "2025-03-01 10:00", True),
        ("2020-02-29", "", "2025-02-28 10:00", False),
        ("2024-02-29", "", "2028-02-29 10:00", True),
        ("2020-02-29", "", "2028-03-01 10:00", False),
        ("2026-01-15", "", "2026-01-15 10:00", True),  # the day itself
        ("2026-02-01", ", within=30d", "2026-01-15 10:00", True),
    ],
)
def test_anniversaries_are_whole_local_days(date: str, within: str, at: str, expected: bool) -> None:
    given = on("2020-01-01", traits={"joined": date})
    assert ask(f"anniversary(customer.joined{within})", given, at=at, zone=NEW_YORK) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-15", datetime(2026, 1, 15)),
        ("2026-01-15 09:30", datetime(2026, 1, 15, 9, 30)),
        ("2026-01-15T09:30:05", datetime(2026, 1, 15, 9, 30, 5)),
        ("2026-01-15T09:30:05.25", datetime(2026, 1, 15, 9, 30, 5, 250000)),
        ("2026-01-15T09:30:05.1234569Z", datetime(2026, 1, 15, 9, 30, 5, 123456)),
        ("2026-01-15T09:30+01:00", datetime(2026, 1, 15, 8, 30)),
        ("2026-01-15T09:30-0130", datetime(2026, 1, 15, 11, 0)),
    ],
)
def test_iso_8601_text(text: str, expected: datetime) -> None:
    microseconds = (expected - datetime(1970, 1, 1)) // (
        datetime(1970, 1, 1, 0, 0, 0, 1) - datetime(1970, 1, 1)
    )
    assert parse_moment(ZoneInfo("UTC"), text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-1-5",
        "20260115",
        "2026-02-30",
        "2026-01-15Z",
        "2026-01-15T24:00",
        "2026-01-15T09:30:60",
        "x 2026-01-15",
        "2026-W03",
    ],
)
def test_other_text_is_no_moment(text: str) -> None:
    assert parse_moment(ZoneInfo("UTC"), text) is None


def _view(time: int) -> Event:
    return on(time, "Product Viewed")
