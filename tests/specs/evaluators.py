"""Everything that can answer a question of the language; the pages of the reference are put to each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ethogram.language.meaning import Result, World, universe, value
from ethogram.language.tree import Definitions, Expression
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings


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


EVALUATORS: list[tuple[str, Evaluator]] = [("interpreter", by_meaning)]
