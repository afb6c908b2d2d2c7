"""The kernel says what the interpreter says, for every definition, history and moment (D07)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethogram.engines import running
from ethogram.engines.engine import Engine
from ethogram.language.files import definitions_from_text
from ethogram.language.functions import FUNCTIONS
from ethogram.language.meaning import World
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Definitions, Expression, Segment, Trait
from ethogram.model.errors import DataError, Unsupported
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings
from tests.laws.definition_sets import definition_sets, definitions_with
from tests.laws.histories import Case, vocabulary, worlds
from tests.parity.kernel_world import (
    Answer,
    engine_of,
    kernel_answers,
    kernel_moves,
    lists_of,
    meant_answers,
    meant_moves,
    stored,
)

FACTOR = float(os.environ.get("ETHOGRAM_LAW_FACTOR", "1"))
AVAILABLE = [name for name, signature in FUNCTIONS.items() if not signature.refused]
DAY = 86_400_000_000
REFUSED = ("E_UNSUPPORTED", "E_MIXED_TYPES")
Answers = Mapping[tuple[str, str], Answer]


def examples(count: int) -> settings:
    return settings(
        max_examples=max(1, int(count * FACTOR)), deadline=None, suppress_health_check=list(HealthCheck)
    )


def refused(world: World, histories: Mapping[str, tuple[Event, ...]]) -> bool:
    """Whether the engine refuses the definitions by name, on these histories."""
    with stored(histories) as store:
        try:
            engine_of(store, world)
        except Unsupported as refusal:
            assert refusal.code in REFUSED
            return True
    return False


def check_answers(case: Case) -> None:
    with stored(case.world.histories) as store:
        try:
            engine = engine_of(store, case.world)
        except Unsupported as refusal:
            assert refusal.code in REFUSED
            return
        try:
            found = kernel_answers(engine, case.as_of)
        except DataError as overflow:
            assert overflow.code == "E_NUMBER_OVERFLOW"
            with pytest.raises(DataError, match="grows beyond"):
                meant_answers(case.world, case.as_of)
            return
        assert found == meant_answers(case.world, case.as_of)


@examples(60)
@given(st.data())
def test_d07_kernel_is_meaning(data: st.DataObject) -> None:
    """Law 1."""
    definitions = data.draw(definition_sets())
    check_answers(data.draw(worlds(definitions)))


@pytest.mark.parametrize("function", AVAILABLE)
def test_d07_each_function_is_meaning(function: str) -> None:
    @examples(6)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        definitions: Definitions = data.draw(definitions_with(function))
        check_answers(data.draw(worlds(definitions)))

    holds()


@examples(20)
@given(st.data())
def test_a_few_people_are_answered_as_among_everyone(data: st.DataObject) -> None:
    """From an excerpt of several tapes, or from the tapes themselves."""
    case = data.draw(worlds(data.draw(definition_sets())))
    with pytest.MonkeyPatch.context() as patch, stored(case.world.histories) as store:
        patch.setattr(running, "FEW_ROWS", data.draw(st.sampled_from([0, 5, 10_000])))
        try:
            engine = engine_of(store, case.world)
            everyone = kernel_answers(engine, case.as_of)
        except (Unsupported, DataError):
            return
        rosters = [engine.roster(bucket).to_pylist() for bucket in range(engine.buckets)]
        asked = data.draw(st.frozensets(st.sampled_from(sorted(sum(rosters, ["nobody"])))))
        positions = {
            bucket: np.array([k for k, name in enumerate(roster) if name in asked], np.int64)
            for bucket, roster in enumerate(rosters)
        }
        assert kernel_answers(engine, case.as_of, positions) == {
            key: answer for key, answer in everyone.items() if key[0] in asked
        }


@examples(8)
@given(st.data())
def test_moves_are_the_moments_of_change(data: st.DataObject) -> None:
    """Law 3: between moves and before `due` no answer changes, and each move carries its exact moment."""
    definitions = data.draw(definition_sets(population=False, size=2))
    case = data.draw(worlds(definitions, customers=2, largest=5))
    start, end = case.as_of - 40 * DAY, case.as_of
    if refused(case.world, case.world.histories):
        return
    with stored(case.world.histories) as store:
        assert kernel_moves(engine_of(store, case.world), start, end) == meant_moves(case.world, start, end)


@examples(15)
@given(st.data())
def test_a_moment_in_the_past_is_answered_as_it_was_then(data: st.DataObject) -> None:
    """Law 4: `as_of` today says what was said when no later event was there."""
    case = data.draw(worlds(data.draw(definition_sets(size=2))))
    then = case.as_of - data.draw(st.sampled_from([0, 1, 5])) * DAY
    before = {
        customer: tuple(event for event in events if event.time <= then)
        for customer, events in case.world.histories.items()
    }
    if refused(case.world, case.world.histories) or refused(case.world, before):
        return
    with stored(case.world.histories) as whole, stored(before) as part:
        assert _said(engine_of(whole, case.world), then) == _said(engine_of(part, case.world), then)


def _said(engine: Engine, as_of: Moment) -> Answers | str:
    try:
        return kernel_answers(engine, as_of)
    except DataError as overflow:
        return overflow.code


@examples(8)
@given(st.data())
def test_each_definition_alone_says_what_all_together_say(data: st.DataObject) -> None:
    """Law 5: definitions that share a pass do not disturb each other."""
    case = data.draw(worlds(data.draw(definition_sets(size=2))))
    if refused(case.world, case.world.histories):
        return
    world = case.world
    with stored(world.histories) as store:
        together = _said(engine_of(store, world), case.as_of)
        if together == "E_NUMBER_OVERFLOW":
            return
        assert isinstance(together, Mapping)
        definitions = world.definitions
        for name in (*definitions.segments, *definitions.segmentations, *definitions.traits):
            alone = Engine(store, definitions, world.settings, lists_of(world), names=[name])
            found = kernel_answers(alone, case.as_of)
            assert _only(found, name) == _only(together, name)


def test_a_set_of_numbers_has_each_once_and_plainly_written() -> None:
    """0 and -0.0 are one number, whichever came first."""
    numbers = [Decimal(text) for text in ("-0.0", "0", "10.0", "10", "0.000001")]
    events = tuple(
        Event(time, "A", f"m{time}", properties={"quantity": one}) for time, one in enumerate(numbers)
    )
    asked = Definitions(traits={"seen": Trait("seen", parse_expression("values(any.quantity)"))})
    for history in (events, tuple(replace(one, time=9 - one.time) for one in events)):
        world = World(Settings(), asked, {"ada": history})
        check_answers(Case(world, 10))
        with stored(world.histories) as store:
            assert kernel_answers(engine_of(store, world), 10) == {("ada", "seen"): ["0", "0.000001", "10"]}


def _only(answers: Answers, name: str) -> Answers:
    return {key: answer for key, answer in answers.items() if key[1] == name}


# --- chosen questions on random histories -------------------------------------------------------------------------------

ASKED = Definitions(
    traits={
        "spend": Trait("spend", parse_expression("sum(purchase.total)")),
        "recency": Trait("recency", parse_expression("days_since(last(any))")),
    },
    segments={
        "buyers": Segment("buyers", parse_expression("did(purchase)")),
        "recent": Segment("recent", parse_expression("did(any, last=30d)")),
    },
)
WINDOWS = (
    "last=1h",
    "last=30d",
    "last=1mo",
    "last=1y",
    "ago=[30d, 7d]",
    "ago=[3mo, 1mo]",
    "ago=[1y, 1h]",
    'since="2025-03-09 02:30"',
    'until="2025-11-02 01:30"',
    "since=now() - 1mo",
    "until=now() - 7d",
    "since=first(any)",
    "until=last(view)",
    "since=last(add) - 1mo, until=last(add) + 1d",
    "this=day",
    "this=week",
    "this=month",
    "this=quarter",
    "this=year",
    "previous=day",
    "previous=week",
    "previous=month",
    "previous=quarter",
    "previous=year",
    "hours=[22, 6]",
    "hours=[9, 17]",
    'weekdays=["sat", "sun"]',
    "months=[3, 11]",
    'holiday="any"',
    'holiday="Christmas Day"',
    "hours=[1, 3], clock=customer",
    'weekdays=["mon"], clock=customer',
    'holiday="any", clock=customer',
    "last=90d, hours=[9, 17]",
    'this=month, weekdays=["sat", "sun"]',
    "previous=month, since=first(any)",
    "last=30d, ago=[90d, 7d]",
)
FILLED = (
    "did(any, {})",
    "count(any, {})",
    "last(any, {})",
    'gap(any, "max", {})',
    "most_frequent(any.category, {})",
)
BINS = (
    "bin(spend, 0, 10, 100)",
    "bin(days_since(last(any)), 1, 7, 30)",
    "bin(hours_since(first(any)), 24)",
    "bin(count(any), 1, 1.5, 2)",
    "bin(customer.points, 0, 10)",
    "bin(days_until(last(any) + 30d), 0, 7) + 1",
)
POPULATIONS = tuple(
    f"{call}, among={among})"
    for call in (
        "rank(spend",
        "ntile(spend, 3",
        "zscore(spend",
        "top(spend, 1",
        "top(spend, 50%",
        "rank(recency",
    )
    for among in ("buyers", "recent", "level.some")
)


def check_asked(case: Case, asked: Mapping[str, Expression]) -> None:
    base = case.world.definitions
    together = replace(
        base,
        traits={**base.traits, **{name: Trait(name, one) for name, one in asked.items()}},
    )
    world = World(case.world.settings, together, case.world.histories)
    check_answers(Case(world, case.as_of))


def _named(expressions: tuple[str, ...]) -> dict[str, Expression]:
    return {f"x{number}": parse_expression(text) for number, text in enumerate(expressions)}


def _vocabulary() -> Definitions:
    level = (
        "segmentations: { level: { groups: { high: 'count(any) > 5', some: 'did(any)', none: otherwise } } }"
    )
    return replace(
        vocabulary(),
        traits=ASKED.traits,
        segments=ASKED.segments,
        segmentations=definitions_from_text(level).segmentations,
    )


@pytest.mark.parametrize("question", FILLED)
def test_every_window(question: str) -> None:
    asked = _named(tuple(question.format(window) for window in WINDOWS))

    @examples(8)
    @given(worlds(_vocabulary()))
    def holds(case: Case) -> None:
        check_asked(case, asked)

    holds()


@pytest.mark.parametrize("expressions", [BINS, POPULATIONS], ids=["bin", "among"])
def test_bins_and_populations(expressions: tuple[str, ...]) -> None:
    @examples(15)
    @given(worlds(_vocabulary(), customers=4))
    def holds(case: Case) -> None:
        check_asked(case, _named(expressions))

    holds()


# --- what is refused ----------------------------------------------------------------------------------------------------


def _engine_on(expression: str, *events: Event) -> None:
    with stored({"ada": events}) as store:
        Engine(store, vocabulary(), Settings(), names=(), extra={"asked": parse_expression(expression)})


def test_a_given_trait_that_is_a_list_is_refused_by_name() -> None:
    said = Event(0, "", "m", kind="identify", traits={"interests": ("golf", "chess")})
    with pytest.raises(Unsupported, match=r"customer\.interests holds lists"):
        _engine_on('customer.interests == "golf"', said)


def test_same_on_a_property_that_holds_lists_is_refused_by_name() -> None:
    said = Event(0, "A", "m", properties={"tags": ("x", "y")})
    with pytest.raises(Unsupported, match="same=tags cannot be followed"):
        _engine_on("sequence(view, add, same=tags)", said)


@pytest.mark.parametrize(
    "expression",
    [
        "rank(customer.country)",
        "rank(customer.points)",
        "customer.points is known",
        "bin(customer.country, 1)",
    ],
)
def test_given_traits_of_the_wrong_type_are_no_numbers(expression: str) -> None:
    histories = {
        "ada": (Event(0, "", "m", kind="identify", traits={"country": "b", "points": Decimal(2)}),),
        "bob": (Event(0, "", "m", kind="identify", traits={"country": "a", "points": "x"}),),
    }
    with stored(histories) as store:
        asked = replace(vocabulary(), traits={"asked": Trait("asked", parse_expression(expression))})
        world = World(Settings(), asked, histories)
        assert kernel_answers(engine_of(store, world), 0) == meant_answers(world, 0)


def test_same_keeps_a_number_and_a_text_apart() -> None:
    times = (("A", 0, Decimal(1)), ("B", DAY, "1"), ("A", 2 * DAY, "o"), ("B", 3 * DAY, "o"))
    events = tuple(Event(at, name, str(at), properties={"order_id": order}) for name, at, order in times)
    asked = {"x0": parse_expression("sequence(view, add, same=order_id)")}
    for day, holds in ((1, False), (3, True)):
        world = World(Settings(), vocabulary(), {"ada": events})
        with stored(world.histories) as store:
            engine = Engine(store, world.definitions, world.settings, names=(), extra=asked)
            (column,) = [column for _, column in engine.values(day * DAY, "x0") if len(column)]
            assert column.to_pylist() == [holds]
        check_asked(Case(world, day * DAY), asked)


def test_who_looks_on_is_told_how_many_buckets_have_answered() -> None:
    told: list[tuple[int, int]] = []
    with stored({"ada": (Event(DAY, "seen", "1"),)}, buckets=3) as store:
        definitions = definitions_from_text(
            'segments:\n  lately: did(any, last=2d)\n  half: bucket("s") < 0.5\n'
        )
        engine = Engine(store, definitions, Settings(), asking=lambda *one: told.append(one))
        list(engine.evaluate(2 * DAY))
        assert told == [(1, 3), (2, 3), (3, 3)]
        list(engine.evaluate(2 * DAY, {0: np.zeros(0, np.int64)}))
        assert len(told) == 3
        engine.sizes([DAY, 2 * DAY])
        assert told[3:] == [(done, 6) for done in range(1, 7)]
