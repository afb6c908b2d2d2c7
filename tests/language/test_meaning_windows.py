"""Rule 2, rolling windows; TRUST E01, E03."""

from __future__ import annotations

import pytest

from ethogram.model.event import Event
from tests.language.meaning_cases import DAY, HOUR, NEW_YORK, NOW, ago, ask, moment, on

EDGE = ago("7d")


@pytest.mark.parametrize(
    ("time", "expected"),
    [(EDGE - 1, False), (EDGE, False), (EDGE + 1, True), (moment(NOW), True), (moment(NOW) + 1, False)],
)
def test_e03_a_window_excludes_its_start_and_includes_its_end(time: int, expected: bool) -> None:
    assert ask("did(view, last=7d)", on(time, "Product Viewed")) is expected


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (ago("90d"), False),
        (ago("90d") + 1, True),
        (ago("30d") - 1, True),
        (ago("30d"), True),
        (ago("30d") + 1, False),
    ],
)
def test_e03_an_offset_window_excludes_its_start_and_includes_its_end(time: int, expected: bool) -> None:
    assert ask("did(view, ago=[90d, 30d])", on(time, "Product Viewed")) is expected


def test_e03_neighboring_windows_count_every_event_once() -> None:
    views = tuple(on(ago("30d") + nudge, "Product Viewed") for nudge in (-1, 0, 1))
    assert ask("count(view, ago=[90d, 30d])", *views) == 2
    assert ask("count(view, last=30d)", *views) == 1
    assert ask('count(view, until=date("2026-01-01"))', on("2026-01-01", "Product Viewed")) == 0
    assert ask('count(view, since=date("2026-01-01"))', on("2026-01-01", "Product Viewed")) == 1


@pytest.mark.parametrize("noon", ["2025-03-09 12:00", "2025-11-02 12:00"])
def test_e01_a_day_is_24_hours_when_the_clock_changes(noon: str) -> None:
    for nudge, expected in ((0, False), (1, True)):
        view = on(moment(noon, NEW_YORK) - 24 * HOUR + nudge, "Product Viewed")
        assert ask("did(view, last=1d)", view, at=noon, zone=NEW_YORK) is expected
        assert ask("did(view, last=24h)", view, at=noon, zone=NEW_YORK) is expected


@pytest.mark.parametrize(("day", "hours"), [("2025-03-09", 23), ("2025-11-02", 25), ("2025-06-01", 24)])
def test_e01_a_calendar_day_is_23_or_25_hours_long(day: str, hours: int) -> None:
    start = moment(day, NEW_YORK)
    last = start + hours * HOUR - 1
    assert (
        ask("count(view, this=day)", _view(start - 1), _view(start), _view(last), at=last, zone=NEW_YORK) == 2
    )
    assert ask("count(view, this=day)", _view(start), _view(last), at=last + 1, zone=NEW_YORK) == 0
    assert ask("count(view, previous=day)", _view(start), _view(last), at=last + 1, zone=NEW_YORK) == 2


def test_a_week_is_168_hours() -> None:
    assert ask("did(view, last=1w)", _view(ago("7d") + 1)) is True
    assert ask("did(view, last=1w)", _view(ago("7d"))) is False


def test_several_windows_are_intersected() -> None:
    views = [_view(moment(f"2026-01-{day:02} 10:00")) for day in (3, 10, 12)]
    assert ask('count(view, last=7d, weekdays=["sat", "sun"])', *views) == 1
    assert ask('count(view, last=30d, weekdays=["sat", "sun"])', *views) == 2
    assert ask("count(view, last=7d, this=month, until=last(view))", *views) == 1


def test_a_missing_moment_makes_the_window_empty() -> None:
    assert ask("count(view, since=last(purchase))", _view(ago("1d"))) == 0
    assert ask("count(view, until=last(purchase))", _view(ago("1d"))) == 0
    assert (
        ask(
            "count(view, until=customer.birthday)",
            on("5d", traits={"birthday": "not a date"}),
            _view(ago("1d")),
        )
        == 0
    )


def test_a_given_trait_in_iso_8601_is_a_moment() -> None:
    given = on("5d", traits={"joined": "2026-01-10"})
    assert (
        ask(
            "count(view, since=customer.joined)",
            given,
            _view(moment("2026-01-10")),
            _view(moment("2026-01-10") - 1),
        )
        == 1
    )


def test_since_a_moving_moment() -> None:
    assert ask("did(view, since=now() - 7d)", _view(ago("7d"))) is True
    assert ask("did(view, since=now() - 7d)", _view(ago("7d") - 1)) is False
    assert ask("did(view, until=now() - 7d)", _view(ago("7d"))) is False


@pytest.mark.parametrize(
    ("hour", "expected"), [(21, False), (22, True), (23, True), (0, True), (5, True), (6, False), (12, False)]
)
def test_hours_past_midnight(hour: int, expected: bool) -> None:
    assert (
        ask(
            "did(view, hours=[22, 6])",
            on(f"2026-01-10 {hour:02}:59", "Product Viewed", zone=NEW_YORK),
            zone=NEW_YORK,
        )
        is expected
    )


def test_months() -> None:
    views = [_view(moment(f"2025-{month:02}-15")) for month in (1, 10, 11, 12)]
    assert ask("count(view, months=[11, 12])", *views) == 2


def test_holidays() -> None:
    christmas, day_after = _view(moment("2025-12-25 10:00")), _view(moment("2025-12-27 10:00"))
    assert ask('count(view, holiday="any")', christmas, day_after, country="US") == 1
    assert ask('count(view, holiday="Christmas Day")', christmas, day_after, country="US") == 1
    assert ask('count(view, holiday="christmas day")', christmas, country="US") == 0
    saint_andrew = _view(moment("2025-11-30 10:00"))
    assert ask('count(view, holiday="any")', saint_andrew, country="GB-SCT") == 1
    assert ask('count(view, holiday="any")', saint_andrew, country="GB") == 0
    assert ask('count(view, holiday="any")', christmas) == 0


def test_the_customers_own_clock() -> None:
    night = on("2026-01-10 15:00", "Product Viewed")  # 00:00 in Tokyo
    tokyo, nowhere, number = (
        on("9d", traits={"timezone": name}) for name in ("Asia/Tokyo", "Nowhere/City", 9)
    )
    assert ask("did(view, hours=[0, 6], clock=customer)", night, tokyo) is True
    assert ask("did(view, hours=[0, 6])", night, tokyo) is False
    assert ask("did(view, hours=[0, 6], clock=customer)", night, nowhere) is False
    assert ask("did(view, hours=[0, 6], clock=customer)", night, number) is False


def test_a_window_of_the_future_is_empty() -> None:
    assert ask('count(view, since=date("2026-02-01"))', _view(moment("2026-03-01"))) == 0
    assert ask("did(view, last=1d)", _view(moment(NOW) + DAY)) is False


def _view(time: int) -> Event:
    return on(time, "Product Viewed")
