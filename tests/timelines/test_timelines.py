"""Every timeline, put to everything that can answer."""

from __future__ import annotations

from collections.abc import Iterator, Set

import pytest

from ethogram.engines.engine import Engine
from ethogram.language.meaning import World, change_moments
from ethogram.language.parser import parse_expression
from ethogram.model.event import Moment
from tests.parity.kernel_world import kernel_moves, stored
from tests.specs.evaluators import EVALUATORS, Evaluator, Question, refusing
from tests.timelines.timelines import Timeline, timelines

TIMELINES = list(timelines())
ALL_SEEN = 2**62
HORIZON = 300 * 86_400_000_000
by_every_evaluator = pytest.mark.parametrize(
    ("engine", "evaluator"), EVALUATORS, ids=[name for name, _ in EVALUATORS]
)
on_every_timeline = pytest.mark.parametrize("timeline", TIMELINES, ids=str)


def members(evaluator: Evaluator, timeline: Timeline, name: str, at: Moment, seen: Moment) -> Set[str]:
    question = Question(
        timeline.settings,
        timeline.definitions(seen),
        timeline.histories(seen),
        {},
        parse_expression(name),
        at,
    )
    return {customer for customer, answer in evaluator(question).items() if answer is True}


@by_every_evaluator
@on_every_timeline
def test_who_is_in_when(timeline: Timeline, engine: str, evaluator: Evaluator) -> None:
    with refusing(engine, timeline.name):
        for line in timeline.expectations:
            for name, expected in line.members.items():
                found = members(evaluator, timeline, name, line.at, line.seen)
                assert found == expected, (name, line.at, line.seen)


@by_every_evaluator
@on_every_timeline
def test_who_moves_at_which_microsecond(timeline: Timeline, engine: str, evaluator: Evaluator) -> None:
    with refusing(engine, timeline.name):
        for name, customer, at, comes_in in every_move(timeline):
            assert (customer in members(evaluator, timeline, name, at, ALL_SEEN)) is comes_in, (name, at)
            assert (customer in members(evaluator, timeline, name, at - 1, ALL_SEEN)) is not comes_in, (
                name,
                at,
            )


def every_move(timeline: Timeline) -> Iterator[tuple[str, str, Moment, bool]]:
    for name, people in timeline.moves.items():
        for customer, moves in people.items():
            for at, comes_in in moves:
                yield name, customer, at, comes_in


@on_every_timeline
def test_the_kernel_walks_from_move_to_move(timeline: Timeline) -> None:
    histories = timeline.histories(ALL_SEEN)
    start = min(event.time for events in histories.values() for event in events)
    with stored(histories) as store:
        for name, people in timeline.moves.items():
            engine = Engine(store, timeline.definitions(ALL_SEEN), timeline.settings, names=[name])
            found = kernel_moves(engine, start - 1, start + HORIZON)
            assert {customer: found.get((customer, name), []) for customer in people} == {
                customer: [at for at, _ in moves] for customer, moves in people.items()
            }


@on_every_timeline
def test_nobody_moves_at_another_moment(timeline: Timeline) -> None:
    histories = timeline.histories(ALL_SEEN)
    world = World(timeline.settings, timeline.definitions(ALL_SEEN), histories)
    for name, people in timeline.moves.items():
        for customer, moves in people.items():
            start = min(event.time for event in histories[customer])
            found = change_moments(world, name, customer, start - 1, start + HORIZON)
            assert found == [at for at, _ in moves], (name, customer)
