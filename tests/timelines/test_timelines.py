"""Every timeline, put to everything that can answer."""

from __future__ import annotations

from collections.abc import Set

import pytest

from ethogram.language.meaning import World, change_moments
from ethogram.language.parser import parse_expression
from ethogram.model.event import Moment
from tests.specs.evaluators import EVALUATORS, Evaluator, Question
from tests.timelines.timelines import Timeline, timelines

TIMELINES = list(timelines())
by_every_evaluator = pytest.mark.parametrize(
    "evaluator", [pytest.param(evaluator, id=name) for name, evaluator in EVALUATORS]
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
def test_who_is_in_when(timeline: Timeline, evaluator: Evaluator) -> None:
    for line in timeline.expectations:
        for name, expected in line.members.items():
            assert members(evaluator, timeline, name, line.at, line.seen) == expected, (
                name,
                line.at,
                line.seen,
            )


@by_every_evaluator
@on_every_timeline
def test_who_moves_at_which_microsecond(timeline: Timeline, evaluator: Evaluator) -> None:
    seen = 2**62
    for name, people in timeline.moves.items():
        for customer, moves in people.items():
            for at, comes_in in moves:
                assert (customer in members(evaluator, timeline, name, at, seen)) is comes_in, (
                    name,
                    customer,
                    at,
                )
                assert (customer in members(evaluator, timeline, name, at - 1, seen)) is not comes_in


@on_every_timeline
def test_nobody_moves_at_another_moment(timeline: Timeline) -> None:
    seen = 2**62
    histories = timeline.histories(seen)
    world = World(timeline.settings, timeline.definitions(seen), histories)
    for name, people in timeline.moves.items():
        for customer, moves in people.items():
            start = min(event.time for event in histories[customer])
            found = change_moments(world, name, customer, start - 1, start + 300 * 86_400_000_000)
            assert found == [at for at, _ in moves], (name, customer)
