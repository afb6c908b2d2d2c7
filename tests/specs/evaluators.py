"""Everything that can answer a question of the language; the pages of the reference are put to each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from ethogram.engines.engine import Engine
from ethogram.language.meaning import Result, World, universe, value
from ethogram.language.tree import Definitions, Expression
from ethogram.model.errors import Unsupported
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings
from tests.parity.kernel_world import EPOCH, stored


@dataclass(frozen=True, slots=True)
class Question:
    """An expression over customers' histories at a moment."""

    settings: Settings
    definitions: Definitions
    histories: Mapping[str, tuple[Event, ...]]
    lists: Mapping[str, frozenset[str]]
    expression: Expression
    as_of: Moment


Evaluator = Callable[[Question], Mapping[str, Result]]
"""Gives an answer for every customer who is known at `as_of`, and for nobody else."""


def by_meaning(question: Question) -> Mapping[str, Result]:
    world = World(question.settings, question.definitions, question.histories, question.lists)
    known = universe(world, question.as_of)
    return {customer: value(world, question.expression, customer, question.as_of) for customer in known}


def by_kernel(question: Question) -> Mapping[str, Result]:
    with stored(question.histories) as store:
        engine = Engine(
            store,
            question.definitions,
            question.settings,
            question.lists,
            names=(),
            extra={"asked": question.expression},
        )
        found: dict[str, Result] = {}
        for answers in engine.evaluate(question.as_of, traits=["asked"]):
            roster = engine.roster(answers.bucket).to_pylist()
            column = answers.traits["asked"].to_pylist()
            for position, known, one in zip(answers.positions, answers.known, column, strict=True):
                if known:
                    found[roster[position]] = _result(one)
        return found


def _result(answer: object) -> Result:
    """An Arrow value as the interpreter gives it; the elements of a set have become texts."""
    match answer:
        case datetime():
            return (answer.replace(tzinfo=UTC) - EPOCH) // EPOCH.resolution
        case list():
            return frozenset(("text", one) for one in answer)
        case _:
            return answer  # type: ignore[return-value]


EVALUATORS: list[tuple[str, Evaluator]] = [("interpreter", by_meaning), ("kernel", by_kernel)]

GAPS: dict[str, frozenset[str]] = {"kernel": frozenset()}
"""What an evaluator refuses by name: pages' sections and timelines. One that begins to pass must leave this table."""


@contextmanager
def refusing(evaluator: str, title: str) -> Iterator[None]:
    """A question whose refusal is expected must be refused, any other answered."""
    if title not in GAPS.get(evaluator, ()):
        yield
        return
    with pytest.raises(Unsupported):
        yield
