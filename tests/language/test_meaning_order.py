"""Rules 7 and 8: order and sequences, once; TRUST E07."""

from __future__ import annotations

import pytest

from ethogram.model.errors import DefinitionError
from ethogram.model.event import Event
from tests.language.meaning_cases import DAY, HOUR, NOW, ago, ask, moment, on

HERE = moment(NOW)


def at(hours: int, name: str, /, **properties: object) -> Event:
    """Hours before now; the later the larger its message id."""
    return on(HERE - hours * HOUR, name, id=f"m{999 - hours}", **properties)


# --- order ----------------------------------------------------------------------------------------------------------


def test_e07_order_is_by_time_then_message_id_then_source_never_by_arrival() -> None:
    tie = ago("3d")
    events = (
        on(tie, "A", id="m2", source="a", x=3),
        on(tie, "A", id="m1", source="b", x=2),
        on(tie, "A", id="m1", source="a", x=1),
        on(tie - 1, "A", id="m9", x=0),
    )
    for order in (events, events[::-1]):
        assert [ask(f'nth("A".x, {place})', *order) for place in (1, 2, 3, 4)] == [0, 1, 2, 3]


def test_an_event_is_identified_by_source_and_message_id() -> None:
    first, again = on("3d", "A", id="m", x=1), on("2d", "A", id="m", x=2)
    assert ask('count("A")', first, again, first) == 1
    assert ask('sum("A".x)', first, again) == 1
    assert ask('sum("A".x)', again, first) == 2
    assert ask('count("A")', first, on("2d", "A", id="m", source="other")) == 2


# --- sequences ------------------------------------------------------------------------------------------------------


def test_e07_a_funnel_goes_by_the_time_of_events() -> None:
    buy, view = at(1, "B"), at(2, "A")
    assert ask('sequence("A", "B")', buy, view) is True
    assert ask('sequence("B", "A")', buy, view) is False


def test_a_tie_counts_as_after() -> None:
    one, other = on(HERE - 5, "A", id="m2"), on(HERE - 5, "B", id="m1")
    assert ask('sequence("A", "B")', one, other) is True
    assert ask('sequence("B", "A")', one, other) is True


def test_steps_are_different_events() -> None:
    assert ask('sequence("A", "A")', at(2, "A")) is False
    assert ask('sequence("A", "A")', at(2, "A"), at(1, "A")) is True
    assert ask('sequence("A", "A"[x > 1])', at(2, "A", x=2)) is False
    tie = (on(HERE - 5, "A", id="m1"), on(HERE - 5, "A", id="m2"))
    assert ask('sequence("A", "A")', *tie) is True
    assert ask('sequence("A", "A", "A")', *tie) is False


@pytest.mark.parametrize(("nudge", "expected"), [(0, True), (1, False)])
def test_within_runs_from_first_to_last(nudge: int, expected: bool) -> None:
    events = (on(HERE - 7 * DAY - nudge, "A"), on(HERE - DAY, "B"), on(HERE, "C"))
    assert ask('sequence("A", "B", "C", within=7d)', *events) is expected


@pytest.mark.parametrize(("nudge", "expected"), [(0, True), (1, False)])
def test_gap_is_between_neighbors(nudge: int, expected: bool) -> None:
    events = (on(HERE - 9 * DAY, "A"), on(HERE - 5 * DAY, "B"), on(HERE - DAY + nudge, "C"))
    assert ask('sequence("A", "B", "C", gap=4d)', *events) is expected


def test_the_right_chain_is_found_where_the_nearest_fails() -> None:
    events = (at(10, "A"), at(9, "B"), at(5, "B"), at(4, "C"))
    assert ask('sequence("A", "B", "C", gap=5h)', *events) is True
    assert ask('sequence("A", "B", "C", gap=4h)', *events) is False
    assert ask('sequence("A", "B", within=2h)', at(10, "A"), at(5, "A"), at(4, "B")) is True


def test_last_holds_for_every_event_of_the_chain() -> None:
    events = (on(HERE - 7 * DAY, "A"), on(HERE - DAY, "B"))
    assert ask('sequence("A", "B", last=7d)', *events) is False
    assert ask('sequence("A", "B", last=7d)', on(HERE - 7 * DAY + 1, "A"), events[1]) is True


def test_strict_allows_nothing_between() -> None:
    assert ask('sequence("A", "B", strict=true)', at(3, "A"), at(1, "B")) is True
    assert ask('sequence("A", "B", strict=true)', at(3, "A"), at(2, "C"), at(1, "B")) is False
    assert ask('sequence("A", "B", strict=true)', at(3, "A"), at(2, "Email Delivered"), at(1, "B")) is True
    assert ask('sequence("A", "B", strict=true)', at(3, "A"), at(2, "X", kind="page"), at(1, "B")) is False
    assert ask('sequence("A", "B", strict=true)', at(3, "A"), on("1h", kind="identify"), at(1, "B")) is True
    tie = on(HERE - HOUR, "C", id="zz")
    assert ask('sequence("A", "B", strict=true)', at(3, "A"), tie, at(1, "B")) is False


def test_strict_and_the_items_of_one_order() -> None:
    order = at(3, "Order Completed", products=[{"category": "Shoes"}, {"category": "Socks"}])
    assert (
        ask('sequence(bought[category == "Shoes"], bought[category == "Socks"], strict=true)', order) is True
    )


def test_same_ties_the_steps_to_one_value() -> None:
    events = (at(5, "A", cart="x"), at(4, "A", cart="y"), at(3, "B", cart="y"), at(2, "B"))
    assert ask('sequence("A", "B", same=cart)', *events) is True
    assert ask('sequence("A", "B", same=cart)', events[0], events[2]) is False
    assert ask('sequence("A", "B", same=cart)', at(5, "A"), at(3, "B")) is False
    assert ask('sequence("A", "B", same=cart)', at(5, "A", cart=1), at(3, "B", cart="1")) is False
    assert ask('sequence("A", "B", same=cart)', at(5, "A", cart=["x", "y"]), at(3, "B", cart="y")) is True


def test_same_and_strict_look_at_the_events_with_that_value() -> None:
    ends = (at(5, "A", cart="x"), at(3, "B", cart="x"))
    assert ask('sequence("A", "B", same=cart, strict=true)', *ends, at(4, "C", cart="x")) is False
    assert ask('sequence("A", "B", same=cart, strict=true)', *ends, at(4, "C", cart="y")) is True
    assert ask('sequence("A", "B", same=cart, strict=true)', *ends, at(4, "C")) is True


def test_not_between_steps() -> None:
    assert ask('sequence("A", not "C", "B")', at(3, "A"), at(1, "B")) is True
    assert ask('sequence("A", not "C", "B")', at(3, "A"), at(2, "C"), at(1, "B")) is False
    assert ask('sequence("A", not "C", "B")', at(4, "A"), at(3, "C"), at(2, "A"), at(1, "B")) is True
    for tie in (3, 1):
        assert (
            ask('sequence("A", not "C", "B")', at(3, "A"), on(HERE - tie * HOUR, "C", id="zz"), at(1, "B"))
            is False
        )
    assert ask('sequence("A", not "A", "B")', at(3, "A"), at(1, "B")) is True
    assert (
        ask(
            'sequence("A", not "C", "B", same=cart)',
            at(3, "A", cart=1),
            at(2, "C", cart=2),
            at(1, "B", cart=1),
        )
        is True
    )
    assert (
        ask('sequence("A", not "C", "B", same=cart)', at(3, "A", cart=1), at(2, "C"), at(1, "B", cart=1))
        is True
    )
    assert (
        ask(
            'sequence("A", not "C", "B", same=cart)',
            at(3, "A", cart=1),
            at(2, "C", cart=1),
            at(1, "B", cart=1),
        )
        is False
    )


@pytest.mark.parametrize(("nudge", "expected"), [(-1, False), (0, True), (1, True)])
def test_not_as_the_last_step_becomes_true_when_its_time_is_up(nudge: int, expected: bool) -> None:
    start = HERE - 10 * DAY
    assert ask('sequence("A", not "B", within=7d)', on(start, "A"), at=start + 7 * DAY + nudge) is expected


@pytest.mark.parametrize(
    ("time", "expected"), [(-1, True), (0, False), (7 * DAY, False), (7 * DAY + 1, True)]
)
def test_not_as_the_last_step_looks_from_the_last_event_to_the_end_included(
    time: int, expected: bool
) -> None:
    start = HERE - 20 * DAY
    events = (on(start, "A", id="a"), on(start + time, "B", id="b"))
    assert ask('sequence("A", not "B", within=7d)', *events) is expected


def test_not_after_two_steps_counts_from_the_first() -> None:
    start = HERE - 20 * DAY
    ends = (on(start, "A"), on(start + 2 * DAY, "B"))
    assert ask('sequence("A", "B", not "C", within=7d)', *ends) is True
    assert ask('sequence("A", "B", not "C", within=7d)', *ends, on(start + DAY, "C")) is True
    assert ask('sequence("A", "B", not "C", within=7d)', *ends, on(start + 3 * DAY, "C")) is False


@pytest.mark.parametrize("expression", ['sequence(not "A", "B")', 'sequence("A", not "B")'])
def test_not_as_the_first_or_an_endless_last_step_is_an_error(expression: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        ask(expression)
    assert caught.value.code == "E_SEQUENCE_NOT"


def test_within_counts_calendar_months_from_the_first_step() -> None:
    events = (on("2025-01-31 09:00", "A"), on("2025-03-01 00:00", "B"))
    assert ask('sequence("A", "B", within=1mo)', *events) is True
    assert ask('sequence("A", "B", within=1mo)', events[0], on(events[1].time + 1, "B")) is False
