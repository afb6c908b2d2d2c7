"""Rules 9 to 12: elapsed time, life, populations, membership in the past; TRUST E05."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.language.meaning import Result, World, change_moments, evaluate, members, trace, value
from ethogram.language.meaning.values import variation
from ethogram.language.parser import parse_expression
from ethogram.model.errors import Unsupported
from ethogram.model.event import Event
from tests.language.meaning_cases import DAY, HOUR, NEW_YORK, NOW, ago, ask, moment, on, people, world

HERE = moment(NOW)


def views(*days: float) -> list[Event]:
    return [on(HERE - int(day * DAY), "Product Viewed") for day in days]


# --- rule 12 --------------------------------------------------------------------------------------------------------


def test_elapsed_time_is_fractional() -> None:
    assert ask("days_since(last(view))", *views(1.5)) == Decimal("1.5")
    assert ask("hours_since(last(view))", *views(1.5)) == 36
    assert ask("days_until(customer.due)", on("9d", traits={"due": "2026-01-16"})) == Decimal("0.5")
    assert ask("last(view) - first(view)", *views(3, 1.5)) == Decimal("1.5")
    assert ask("days_since(first(view))", on(HERE - 1, "Product Viewed")) == 0


@pytest.mark.parametrize(
    ("nudge", "at_least", "more"), [(-1, False, False), (0, True, False), (1, True, True)]
)
def test_elapsed_time_is_compared_exactly(nudge: int, at_least: bool, more: bool) -> None:
    view = on(HERE - 3 * HOUR - nudge, "Product Viewed")
    assert ask("hours_since(last(view)) >= 3", view) is at_least
    assert ask("hours_since(last(view)) > 3", view) is more
    assert ask("hours_since(last(view)) between 3 and 9", view) is at_least
    assert ask("bin(hours_since(last(view)), 3)", view) == at_least


def test_a_traits_name_stands_for_its_expression() -> None:
    definitions = "traits:\n  recency: days_since(last(view))\nsegments:\n  late: recency > 3\n"
    view = on(HERE - 3 * DAY - 1, "Product Viewed")
    assert ask("recency", view, definitions=definitions) == 3
    assert ask("late", view, definitions=definitions) is True


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((), False),
        ((10,), False),
        ((60,), True),
        ((60 - 1 / DAY,), False),
        ((90, 10), False),
        ((90, 70), True),
    ],
)
def test_lapsed_is_ever_and_not_lately(days: tuple[float, ...], expected: bool) -> None:
    assert ask("lapsed(view, after=60d)", *views(*days)) is expected


def test_the_first_time() -> None:
    assert ask("first_time(view, last=7d)", *views(3, 1)) is True
    assert ask("first_time(view, last=7d)", *views(30, 1)) is False
    assert ask("first_time(view, last=7d)", *views(7)) is False


def test_resumed_after_a_pause() -> None:
    assert ask("resumed(view, gap=60d, last=7d)", *views(70, 3)) is True
    assert ask("resumed(view, gap=60d, last=7d)", *views(63, 3)) is True
    assert ask("resumed(view, gap=60d, last=7d)", *views(62.9, 3)) is False
    assert ask("resumed(view, gap=60d, last=7d)", *views(3)) is False
    assert ask("resumed(view, gap=60d, last=7d)", *views(80, 7)) is False
    assert ask("resumed(view, gap=60d, last=7d)", *views(80, 3, 1)) is True


@pytest.mark.parametrize(
    ("days", "expected"), [((), 0), ((0,), 1), ((0, 1, 2), 3), ((1, 2), 2), ((2, 3), 0), ((0, 2), 1)]
)
def test_a_streak_ends_at_the_current_period_or_the_one_before(
    days: tuple[float, ...], expected: int
) -> None:
    assert ask("streak(view, day)", *views(*days)) == expected


def test_active_periods_are_local() -> None:
    events = [on(f"2026-01-10 {hour}:30", "Product Viewed") for hour in ("03", "04", "05", "06")]
    assert ask("active_days(view)", *events) == 1
    assert ask("active_days(view)", *events, zone=NEW_YORK) == 2
    assert ask("active_periods(view, week)", *views(0, 3, 4, 11)) == 3  # Thursday, Monday, two Sundays
    assert ask("active_periods(view, month)", *views(0, 14, 15)) == 2


def test_recurring_counts_complete_periods() -> None:
    weekly = views(4, 11, 18)  # Sundays before this week, before Monday 12 January
    assert ask("recurring(view, every=week, at_least=3, of=4)", *weekly) is True
    assert ask("recurring(view, every=week, at_least=3, of=4)", *views(0, 4, 11)) is False
    assert ask("recurring(view, every=week, at_least=3, of=3)", *weekly) is True
    assert ask("recurring(view, every=week, at_least=4, of=4)", *weekly) is False


def test_trend_is_this_window_by_the_one_before() -> None:
    assert ask("trend(view, last=7d)", *views(1, 2, 3, 8, 9)) == Decimal("1.5")
    assert ask("trend(view, last=7d)", *views(1, 2)) is None
    assert ask("trend(view, last=7d)", *views(8)) == 0
    assert ask("trend(view, last=7d)", *views(7, 14)) == 0
    amounts = [on("8d", "Order Completed", total=4), on("1d", "Order Completed", total=10)]
    assert ask("trend(order.total, last=7d)", *amounts) == Decimal("2.5")


@pytest.mark.parametrize(
    ("which", "six", "three"),
    [
        ("mean", "2.8", "2.5"),
        ("median", 1, "2.5"),
        ("min", 1, 2),
        ("max", 7, 3),
        ("last", 1, 3),
        ("cv", "0.857143", "0.2"),
    ],
)
def test_gaps_are_days_between_events(which: str, six: object, three: object) -> None:
    assert ask(f'gap(view, "{which}")', *views(16, 12, 11, 10, 3, 2)) == Decimal(str(six))
    assert ask(f'gap(view, "{which}")', *views(10, 8, 5)) == Decimal(str(three))
    assert ask(f'gap(view, "{which}")', *views(3)) is None


def test_gaps_that_do_not_vary() -> None:
    assert ask('gap(view, "cv")', *views(9, 6, 3)) == 0
    assert ask('gap(view, "cv")', *views(9, 3)) == 0
    assert ask('gap(view, "cv")', *views(3, 3, 3)) is None
    assert ask('gap(view, "mean")', *views(3, 3, 3)) == 0


@given(st.lists(st.integers(0, 10**16), min_size=1, max_size=30).filter(any))
def test_variation_is_rounded_half_to_even(sizes: list[int]) -> None:
    with localcontext(prec=120):
        mean = Decimal(sum(sizes)) / len(sizes)
        deviation = (sum((size - mean) ** 2 for size in sizes) / len(sizes)).sqrt()
        assert variation(sizes) == (deviation / mean).quantize(Decimal("1e-6"), ROUND_HALF_EVEN)


def test_variation_at_a_half_of_a_millionth() -> None:
    """Two gaps m - d and m + d vary by d / m: here by an odd number of halves of a millionth."""
    mean = 2_000_000
    assert [variation([mean - d, mean + d]) for d in (1, 3, 5, 1_999_999)] == [
        Decimal("0.000000"),
        Decimal("0.000002"),
        Decimal("0.000002"),
        Decimal("1.000000"),
    ]


# --- rule 10 --------------------------------------------------------------------------------------------------------


def _spenders(*totals: object, **options: str) -> World:
    histories = {
        f"c{index}": (on("3d", "Order Completed", total=total),) if total is not None else ()
        for index, total in enumerate(totals)
    }
    return people(histories, **options)  # type: ignore[arg-type]


def _all(shop: World, expression: str) -> list[Result]:
    return [value(shop, parse_expression(expression), customer, HERE) for customer in shop.histories]


def test_rank_is_those_lower_by_those_known() -> None:
    shop = _spenders(5, 1, 5, None, 9)
    assert _all(shop, "rank(max(order.total))") == [
        Decimal("0.25"),
        0,
        Decimal("0.25"),
        None,
        Decimal("0.75"),
    ]
    assert _all(shop, "ntile(max(order.total), 2)") == [1, 1, 1, None, 2]
    assert _all(shop, "ntile(max(order.total), 4)") == [2, 1, 2, None, 4]
    assert _all(shop, "rank(sum(order.total))") == [
        Decimal("0.4"),
        Decimal("0.2"),
        Decimal("0.4"),
        0,
        Decimal("0.8"),
    ]


def test_top_may_be_exceeded_by_ties() -> None:
    shop = _spenders(5, 1, 5, None, 9)
    assert _all(shop, "top(max(order.total), 1)") == [False, False, False, False, True]
    assert _all(shop, "top(max(order.total), 2)") == [True, False, True, False, True]
    assert _all(shop, "top(max(order.total), 25%)") == [False, False, False, False, True]
    assert _all(shop, "top(max(order.total), 26%)") == [True, False, True, False, True]


def test_among_limits_both_the_field_and_those_in_it() -> None:
    shop = _spenders(5, 1, 7, None, 9, definitions="segments:\n  good: sum(order.total) >= 5\n")
    assert _all(shop, "rank(max(order.total), among=good)") == [
        0,
        None,
        Decimal("0.333333"),
        None,
        Decimal("0.666667"),
    ]
    assert _all(shop, "top(max(order.total), 5, among=good)") == [True, False, True, False, True]


def test_standard_scores() -> None:
    assert _all(_spenders(2, 4, 4, 4, 5, 5, 7, 9), "zscore(max(order.total))") == [
        Decimal(text) for text in ("-1.5", "-0.5", "-0.5", "-0.5", "0", "0", "1", "2")
    ]
    assert _all(_spenders(1, 2, 3), "zscore(max(order.total))") == [
        Decimal("-1.224745"),
        0,
        Decimal("1.224745"),
    ]
    assert _all(_spenders(3, 3, None), "zscore(max(order.total))") == [None, None, None]


def test_the_population_is_those_known_by_then() -> None:
    shop = _spenders(5, 1)
    late = replace(shop, histories={**shop.histories, "late": (on(HERE + 1, kind="identify"),)})
    assert value(late, parse_expression("rank(count(order))"), "c0", HERE) == 0
    assert value(late, parse_expression("rank(sum(order.total))"), "c0", HERE) == Decimal("0.5")
    assert value(late, parse_expression("rank(sum(order.total))"), "c0", HERE + 1) == Decimal("0.666667")


@pytest.mark.parametrize(("total", "expected"), [(9, 0), (10, 1), (19, 1), (20, 2), (50, 3), (99, 3)])
def test_bins_include_their_lower_edge(total: int, expected: int) -> None:
    assert ask("bin(sum(order.total), 10, 20, 50)", on("3d", "Order Completed", total=total)) == expected


# --- rule 9 ---------------------------------------------------------------------------------------------------------


def moves(
    definitions: str, *events: Event, zone: str = "UTC", end: int = HERE + 400 * DAY
) -> list[tuple[int, Result]]:
    """Moments of change from the first event on, with the answers they bring."""
    shop = world(*events, zone=zone, definitions=definitions)
    (name,) = [*shop.definitions.segments, *shop.definitions.segmentations]
    start = min((event.time for event in events), default=HERE) - 1
    return [(at, evaluate(shop, name, "anna", at)) for at in change_moments(shop, name, "anna", start, end)]


VIEW = on(HERE, "Product Viewed", tags=["a"])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("did(view, last=90d)", [(0, True), (90 * DAY, False)]),
        ("not did(view, last=90d)", [(0, False), (90 * DAY, True)]),
        ("did(view, ago=[90d, 30d])", [(30 * DAY, True), (90 * DAY, False)]),
        ("lapsed(view, after=60d)", [(60 * DAY, True)]),
        ("first_time(view, last=7d)", [(0, True), (7 * DAY, False)]),
        ("hours_since(last(view)) >= 3", [(3 * HOUR, True)]),
        ("hours_since(last(view)) > 3", [(3 * HOUR + 1, True)]),
        ("hours_since(last(view)) == 3", [(3 * HOUR, True), (3 * HOUR + 1, False)]),
        ("days_since(last(view)) between 1 and 2", [(DAY, True), (2 * DAY + 1, False)]),
        ("did(view, this=day)", [(0, True), (12 * HOUR, False)]),
        ("did(view, previous=day)", [(12 * HOUR, True), (36 * HOUR, False)]),
        ("streak(view, day) >= 1", [(0, True), (36 * HOUR, False)]),
        ("recurring(view, every=day, at_least=1, of=2)", [(12 * HOUR, True), (60 * HOUR, False)]),
        ('sequence(view, not "B", within=2d)', [(2 * DAY, True)]),
        ("did(view, since=now() - 7d)", [(0, True), (7 * DAY + 1, False)]),
        ("now() - 7d > last(view)", [(7 * DAY + 1, True)]),
        ("last(view) + 2d <= now()", [(2 * DAY, True)]),
        (
            "anniversary(last(view), within=2d)",
            [(0, True), (12 * HOUR, False), (362 * DAY + 12 * HOUR, True), (365 * DAY + 12 * HOUR, False)],
        ),
    ],
)
def test_e05_time_alone_moves_people_at_exact_moments(
    condition: str, expected: list[tuple[int, bool]]
) -> None:
    found = moves(f"segments:\n  s: '{condition}'\n", VIEW)
    assert found == [(HERE + offset, answer) for offset, answer in expected]


def test_e05_a_calendar_month_ends_with_the_local_clock() -> None:
    view = on("2025-02-28 09:00", "Product Viewed", zone=NEW_YORK)
    found = moves("segments:\n  s: did(view, last=1mo)\n", view, zone=NEW_YORK)
    assert found == [(view.time, True), (moment("2025-03-28 09:00", NEW_YORK), False)]
    view = on("2025-02-28 23:59:59", "Product Viewed", zone=NEW_YORK)
    assert moves("segments:\n  s: did(view, last=1mo)\n", view, zone=NEW_YORK)[1][0] == moment(
        "2025-03-28 23:59:59", NEW_YORK
    )
    view = on(moment("2025-03-01", NEW_YORK), "Product Viewed")
    assert moves("segments:\n  s: did(view, last=1mo)\n", view, zone=NEW_YORK)[1][0] == moment(
        "2025-03-29", NEW_YORK
    )


def test_a_segmentation_moves_from_group_to_group() -> None:
    definitions = """
segmentations:
  level:
    groups:
      often: count(view, last=7d) >= 2
      once: did(view, last=7d)
      never: otherwise
"""
    first, second = on(HERE, "Product Viewed"), on(HERE + DAY, "Product Viewed")
    assert moves(definitions, first, second) == [
        (HERE, "once"),
        (HERE + DAY, "often"),
        (HERE + 7 * DAY, "once"),
        (HERE + 8 * DAY, "never"),
    ]


def test_becoming_known_is_a_change_where_the_segment_holds() -> None:
    shop = people({}, definitions="segments:\n  s: not did(view)\n  t: did(view)\n")
    shop = replace(shop, histories={"new": (on(HERE, kind="identify"),)})
    assert change_moments(shop, "s", "new", 0, HERE + DAY) == [HERE]
    assert change_moments(shop, "t", "new", 0, HERE + DAY) == []
    assert change_moments(shop, "s", "nobody", 0, HERE + DAY) == []
    assert change_moments(shop, "s", "new", HERE, HERE + DAY) == []


# --- rule 11 --------------------------------------------------------------------------------------------------------

ACTIVE = "segments:\n  active: did(view, last=7d)\n  new: not did(view)\n  best: top(count(view), 1)\n"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("active", False),
        ("was_in(active, at=now() - 4d)", True),
        ("was_in(active, at=now() - 3d)", False),
        ("was_in(active, at=now() - 10d)", True),
        ("was_in(active, at=now() - 11d)", False),
        ('was_in(active, at=date("2030-01-01"))', False),
        ("was_in(active, at=last(purchase))", False),
        ('was_in(new, at=date("1989-12-31"))', False),
        ("entered(active, last=10d)", False),
        ("entered(active, last=11d)", True),
        ("left(active, last=4d)", True),
        ("left(active, last=3d)", False),
        ("left(active, last=1w) and not entered(active, last=1w)", True),
        ("time_in(active)", None),
        ("time_in(active) > 0", False),
    ],
)
def test_membership_in_the_past(expression: str, expected: Result) -> None:
    """Viewed ten days ago: in from then until three days ago."""
    assert ask(expression, *views(10), definitions=ACTIVE) == expected


def test_time_in_is_the_current_stay() -> None:
    assert ask("time_in(active)", *views(30, 5, 2.5), definitions=ACTIVE) == 5
    assert (
        ask("time_in(active)", *views(12, 5), definitions=ACTIVE) == 12
    )  # the new event comes as the old one goes
    assert ask("time_in(active)", *views(12, 4.5), definitions=ACTIVE) == Decimal("4.5")
    assert ask("time_in(active) >= 5", *views(12.5, 5), definitions=ACTIVE) is True
    assert ask("time_in(active) > 5", *views(12.5, 5), definitions=ACTIVE) is False


def test_becoming_known_counts_as_entering() -> None:
    shop = people({}, definitions=ACTIVE)
    shop = replace(shop, histories={"new": (on("2d", kind="identify"),)})
    assert value(shop, parse_expression("entered(new, last=3d)"), "new", HERE) is True
    assert value(shop, parse_expression("entered(new, last=2d)"), "new", HERE) is False
    assert value(shop, parse_expression("time_in(new)"), "new", HERE) == 2


def test_groups_have_a_past_too() -> None:
    definitions = (
        "segmentations:\n  level:\n    groups:\n      some: did(view, last=7d)\n      none: otherwise\n"
    )
    assert ask("entered(level.none, last=4d)", *views(10), definitions=definitions) is True
    assert ask("was_in(level.some, at=now() - 5d)", *views(10), definitions=definitions) is True
    assert ask("time_in(level.none)", *views(10), definitions=definitions) == 3


@pytest.mark.parametrize("expression", ["entered(best, last=7d)", "left(best, last=7d)", "time_in(best)"])
def test_the_past_of_a_population_is_refused(expression: str) -> None:
    with pytest.raises(Unsupported) as caught:
        ask(expression, *views(3), definitions=ACTIVE)
    assert caught.value.code == "E_UNSUPPORTED"


def test_moments_that_would_not_be_exact_are_refused() -> None:
    shop = world(*views(3), definitions="segments:\n  s: days_since(last(view)) / 7 > 4\n")
    with pytest.raises(Unsupported) as caught:
        change_moments(shop, "s", "anna", 0, HERE)
    assert caught.value.code == "E_TIME_ARITHMETIC"


# --- reasons --------------------------------------------------------------------------------------------------------


def test_reasons_name_the_events_behind_every_condition() -> None:
    definitions = """
segments:
  abandoners: did(cart_add, last=7d) and hours_since(last(cart_add)) >= 3 and not did(purchase, since=last(cart_add))
"""
    adds = [on("9d", "Product Added", id="old"), on("2d", "Product Added", id="new")]
    found = trace(world(*adds, definitions=definitions), "abandoners", "anna", HERE)
    assert found is not None and found.holds is True and found.name == "abandoners"
    (whole,) = found.children
    did, waited, not_bought = whole.children
    assert [(item.time, item.label) for item in did.events] == [(ago("2d"), "new")]
    assert did.holds is True
    (hours,) = waited.children
    assert hours.value == 48 and hours.holds is None
    assert [item.label for item in hours.children[0].events] == ["new"]
    assert not_bought.holds is True and not_bought.children[0].holds is False


def test_reasons_of_a_segmentation_end_with_the_group_that_holds() -> None:
    definitions = (
        "segmentations:\n  level:\n    groups:\n      a: did(order)\n      b: did(view)\n      c: otherwise\n"
    )
    found = trace(world(*views(3), definitions=definitions), "level", "anna", HERE)
    assert found is not None and found.value == "b"
    assert [(group.name, group.holds) for group in found.children] == [("a", False), ("b", True)]
    assert trace(world(definitions=definitions), "level", "nobody", HERE) is None


def test_the_reason_of_an_nth_moment_is_that_event() -> None:
    definitions = "segments:\n  again: nth(view, 2) is known\n"
    found = trace(world(*views(9, 5, 2), definitions=definitions), "again", "anna", HERE)
    assert found is not None
    assert [item.time for item in found.children[0].children[0].events] == [ago("5d")]


def test_reasons_of_membership_functions_are_moments() -> None:
    shop = world(*views(10), definitions=ACTIVE + "  back: left(active, last=7d)\n")
    found = trace(shop, "back", "anna", HERE)
    assert found is not None
    assert found.children[0].moments == (HERE - 3 * DAY,)


def test_members_of_a_segment() -> None:
    shop = people({"anna": tuple(views(3)), "ben": tuple(views(9))}, definitions=ACTIVE)
    assert members(shop, "active", HERE) == {"anna"}
