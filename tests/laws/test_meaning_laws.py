"""Laws of the language that hold for every definition, history and moment."""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.language.checker import check
from ethogram.language.functions import FUNCTIONS
from ethogram.language.meaning import (
    World,
    change_moments,
    evaluate,
    is_known,
    members,
    trace,
    universe,
    value,
)
from ethogram.language.meaning.local_time import DAY, ahead, back, day_of, next_period, period_of, start_of
from ethogram.language.meaning.values import Scalar
from ethogram.language.tree import (
    And,
    Call,
    Compare,
    Definitions,
    Duration,
    Events,
    Expression,
    Flag,
    Name,
    Negate,
    Not,
    Number,
    Option,
    Or,
    Property,
    Segment,
    Text,
)
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings
from tests.laws.definition_sets import (
    calls_of,
    conditions,
    definition_sets,
    definitions_with,
    scope,
    selection,
)
from tests.laws.histories import DURATIONS, UNITS, ZONES, Case, moments, worlds

FACTOR = float(os.environ.get("ETHOGRAM_LAW_FACTOR", "1"))
"""How much longer than usual to look for a counterexample."""
LAWS = settings(max_examples=int(40 * FACTOR), deadline=None)
AVAILABLE = [name for name, signature in FUNCTIONS.items() if not signature.refused]


def answers(world: World, as_of: Moment) -> dict[tuple[str, str], object]:
    names = [*world.definitions.traits, *world.definitions.segments, *world.definitions.segmentations]
    return {
        (customer, name): evaluate(world, name, customer, as_of)
        for customer in world.histories
        for name in names
    }


def with_segments(case: Case, **conditions: Expression) -> World:
    definitions = case.world.definitions
    segments = {name: Segment(name, when) for name, when in conditions.items()}
    return replace(case.world, definitions=replace(definitions, segments=segments))


# --- law 7 ----------------------------------------------------------------------------------------------------------


@LAWS
@given(worlds(), conditions())
def test_d06_a_segment_and_its_negation_divide_the_universe(case: Case, condition: Expression) -> None:
    world = with_segments(case, p=condition, not_p=Not(condition))
    inside, outside = members(world, "p", case.as_of), members(world, "not_p", case.as_of)
    assert not inside & outside
    assert inside | outside == universe(world, case.as_of)


@LAWS
@given(worlds(), conditions(), conditions())
def test_de_morgan(case: Case, p: Expression, q: Expression) -> None:
    world = with_segments(case, one=Not(And((p, q))), other=Or((Not(p), Not(q))))
    assert members(world, "one", case.as_of) == members(world, "other", case.as_of)


@LAWS
@given(worlds(), conditions(), conditions())
def test_d06_and_or_commute(case: Case, p: Expression, q: Expression) -> None:
    world = with_segments(case, a=And((p, q)), b=And((q, p)), c=Or((p, q)), d=Or((q, p)))
    assert members(world, "a", case.as_of) == members(world, "b", case.as_of)
    assert members(world, "c", case.as_of) == members(world, "d", case.as_of)


@LAWS
@given(
    worlds(), st.data(), st.integers(1, 40), st.integers(0, 40), st.sampled_from(["h", "d", "w", "mo", "y"])
)
def test_a_longer_window_of_the_same_unit_never_loses_a_did(
    case: Case, data: st.DataObject, amount: int, more: int, unit: str
) -> None:
    events = selection(data.draw, scope())
    short, long = (
        Call("did", (events,), (Option("last", Duration(length, unit)),))  # type: ignore[arg-type]
        for length in (amount, amount + more)
    )
    world = with_segments(case, short=short, long=long)
    assert members(world, "short", case.as_of) <= members(world, "long", case.as_of)


@LAWS
@given(worlds(), calls_of("max_sum_by"))
def test_the_largest_sum_is_the_sum_of_the_events_of_one_value(case: Case, call: Call) -> None:
    measure, (by, *windows) = call.arguments[0], call.options
    assert isinstance(measure, Events) and isinstance(by.value, Property)
    told_apart = Call("values", (replace(measure, path=by.value.path),), tuple(windows))
    for customer in universe(case.world, case.as_of):
        different = value(case.world, told_apart, customer, case.as_of)
        assert isinstance(different, frozenset)
        sums = []
        for _, one in different:
            of_it = Compare("==", by.value, _literal(one))
            where = of_it if measure.where is None else And((measure.where, of_it))
            added = Call("sum", (replace(measure, where=where),), tuple(windows))
            sums.append(value(case.world, added, customer, case.as_of))
        assert value(case.world, call, customer, case.as_of) == max(sums, default=0)  # type: ignore[type-var]


def _literal(one: Scalar) -> Expression:
    match one:
        case bool():
            return Flag(one)
        case str():
            return Text(one)
        case Decimal():
            return Number(one) if one >= 0 else Negate(Number(-one))


# --- metamorphic ----------------------------------------------------------------------------------------------------


@LAWS
@given(definition_sets().flatmap(worlds), st.integers(0, 10**9))
def test_d06_an_unrelated_event_changes_nothing(case: Case, place: int) -> None:
    before = answers(case.world, case.as_of)
    histories = {person: _with_noise(events, place) for person, events in case.world.histories.items()}
    assert answers(replace(case.world, histories=histories), case.as_of) == before


def _with_noise(events: tuple[Event, ...], place: int) -> tuple[Event, ...]:
    """An event that no definition asks about, of a customer who is known already."""
    if not events:
        return events
    times = [event.time for event in events]
    time = min(times) + place % (max(times) - min(times) + DAY)
    return (Event(time, "Unrelated", "noise", properties={"total": Decimal(7)}, identified=False), *events)


@LAWS
@given(definition_sets().flatmap(worlds), st.randoms(use_true_random=False))
def test_order_of_arrival_and_repetition_change_nothing(case: Case, random: st.DataObject) -> None:
    def shuffled(events: tuple[Event, ...]) -> tuple[Event, ...]:
        twice = [*events, *events]
        random.shuffle(twice)  # type: ignore[attr-defined]
        return tuple(twice)

    histories = {person: shuffled(events) for person, events in case.world.histories.items()}
    assert answers(replace(case.world, histories=histories), case.as_of) == answers(case.world, case.as_of)


@LAWS
@given(definition_sets().flatmap(worlds))
def test_the_future_changes_nothing(case: Case) -> None:
    """Law 4: as_of(t) is what would have been said at t on the events up to t."""
    histories = {
        person: tuple(event for event in events if event.time <= case.as_of)
        for person, events in case.world.histories.items()
    }
    assert answers(replace(case.world, histories=histories), case.as_of) == answers(case.world, case.as_of)


PLACES = st.randoms(use_true_random=False).map(lambda random: [random.randrange(10**18) for _ in range(40)])


# --- moments of change ----------------------------------------------------------------------------------------------


@LAWS
@given(
    definition_sets(population=False).flatmap(worlds),
    st.lists(st.integers(0, 10**9), min_size=20, max_size=20),
)
def test_between_its_moments_of_change_an_answer_stands_still(case: Case, places: list[int]) -> None:
    """Law 3, and the oracle of intervals: at any moment the answer is that of the last moment of change."""
    world, end = case.world, case.as_of + 2 * DAY
    for name in (*world.definitions.segments, *world.definitions.segmentations):
        for customer in world.histories:
            if not is_known(world, customer, end):
                continue
            start = min(event.time for event in world.histories[customer])
            changes = change_moments(world, name, customer, start - 1, end)
            for moment in _probes(world, customer, end, places):
                latest = max((change for change in changes if change <= moment), default=start - 1)
                then, now = evaluate(world, name, customer, latest), evaluate(world, name, customer, moment)
                assert (then or None) == (now or None), (name, moment - latest)


def _probes(world: World, customer: str, end: Moment, places: list[int]) -> list[Moment]:
    """Some of the moments from becoming known on at which a window may have its edge."""
    zone, times = world.zone, sorted({event.time for event in world.histories[customer]})
    edges = [ahead(zone, time, duration) for time in times for duration in DURATIONS]
    for time in times:
        for unit in UNITS:
            period = period_of(day_of(zone, time), unit, world.settings.week_starts)
            for _ in range(3):
                period = next_period(period, unit)
                edges.append(start_of(zone, period))
    pool = [edge + nudge for edge in edges for nudge in (-1, 0, 1) if times[0] <= edge + nudge <= end]
    anywhere = [times[0] + place % (end - times[0] + 1) for place in places[:5]]
    return anywhere + ([pool[place % len(pool)] for place in places] if pool else [])


@LAWS
@given(definition_sets(population=False).flatmap(worlds))
def test_every_moment_of_change_is_one(case: Case) -> None:
    world, end = case.world, case.as_of + 2 * DAY
    for name in (*world.definitions.segments, *world.definitions.segmentations):
        for customer in world.histories:
            for moment in change_moments(world, name, customer, case.as_of - 400 * DAY, end):
                before, after = (evaluate(world, name, customer, at) for at in (moment - 1, moment))
                assert (before or None) != (after or None)


@pytest.mark.parametrize(
    "function", [name for name in AVAILABLE if name not in ("rank", "ntile", "top", "zscore")]
)
def test_the_moments_of_change_of_each_function_are_complete(function: str) -> None:
    """On a finer net than the one above: a trait of one function, looked at around every event and window."""

    @settings(max_examples=int(15 * FACTOR), deadline=None)
    @given(definitions_with(function).flatmap(lambda found: worlds(found, customers=1)), PLACES)
    def complete(case: Case, places: list[int]) -> None:
        world, end = case.world, case.as_of + 100 * DAY
        (customer,) = world.histories
        if function in ("now", "days_since", "hours_since", "days_until", "time_in", "coalesce", "if"):
            return
        if not is_known(world, customer, end):
            return
        start = min(event.time for event in world.histories[customer])
        changes = change_moments(world, "t0", customer, start - 1, end)
        for moment in _probes(world, customer, end, places):
            latest = max((change for change in changes if change <= moment), default=start - 1)
            assert evaluate(world, "t0", customer, latest) == evaluate(world, "t0", customer, moment)

    complete()


# --- reasons --------------------------------------------------------------------------------------------------------


@LAWS
@given(definition_sets().flatmap(worlds))
def test_reasons_say_what_the_answer_says(case: Case) -> None:
    for (customer, name), answer in answers(case.world, case.as_of).items():
        found = trace(case.world, name, customer, case.as_of)
        assert (found is None) == (not is_known(case.world, customer, case.as_of))
        assert found is None or found.value == answer


@pytest.mark.parametrize("function", AVAILABLE)
def test_each_function_has_a_value_and_reasons(function: str) -> None:
    @settings(max_examples=int(10 * FACTOR), deadline=None)
    @given(definitions_with(function).flatmap(worlds))
    def answers_and_reasons(case: Case) -> None:
        assert isinstance(case.world.definitions.traits["t0"].value, Call)
        for customer in universe(case.world, case.as_of):
            found = trace(case.world, "t0", customer, case.as_of)
            assert found is not None
            assert found.value == value(case.world, Name("t0"), customer, case.as_of)

    answers_and_reasons()


# --- steps of the calendar ------------------------------------------------------------------------------------------


@settings(max_examples=int(200 * FACTOR), deadline=None)
@given(st.data(), st.sampled_from(ZONES), st.sampled_from(DURATIONS), st.integers(0, 2 * DAY))
def test_window_starts_never_move_back(
    data: st.DataObject, name: str, duration: Duration, later: int
) -> None:
    zone = ZoneInfo(name)
    moment = data.draw(moments(zone))
    assert back(zone, moment, duration) <= back(zone, moment + later, duration)


# --- the definitions themselves -------------------------------------------------------------------------------------


@settings(max_examples=int(30 * FACTOR), deadline=None)
@given(definition_sets())
def test_random_definitions_are_ones_that_check_accepts(definitions: Definitions) -> None:
    found = check(definitions, Settings(country="US"), None)
    assert [finding for finding in found if finding.is_error] == []
