"""The executable specification: what every expression means, in plain Python over one customer's events.

It shares no code with the compiler and the kernel; it is the oracle of their tests, and what `explain` and `verify` ask.
It is slow on purpose: nothing is prepared, every question is answered from the whole history.

    world         what an answer depends on
    evaluation    the value of every expression at one moment
    local_time · values · over_events · sequences     the arithmetic behind it
    moments       when an answer can change
    trace         why an answer is what it is
"""

from __future__ import annotations

from ethogram.language.meaning import evaluation
from ethogram.language.meaning.evaluation import Here
from ethogram.language.meaning.moments import candidates
from ethogram.language.meaning.trace import Trace, trace
from ethogram.language.meaning.values import Result
from ethogram.language.meaning.world import Item, World
from ethogram.language.tree import Expression, Name
from ethogram.model.event import Moment

__all__ = [
    "Item",
    "Result",
    "Trace",
    "World",
    "change_moments",
    "evaluate",
    "is_known",
    "members",
    "trace",
    "universe",
    "value",
]


def is_known(world: World, customer: str, as_of: Moment) -> bool:
    """Known from the first record on, of any kind."""
    return evaluation.is_known(Here(world, customer, as_of))


def universe(world: World, as_of: Moment) -> frozenset[str]:
    return frozenset(customer for customer in world.histories if is_known(world, customer, as_of))


def value(world: World, expression: Expression, customer: str, as_of: Moment) -> Result:
    """The value of an expression; True or False for a condition; None where missing or the customer is not yet known."""
    here = Here(world, customer, as_of)
    return evaluation.value(here, expression) if evaluation.is_known(here) else None


def evaluate(world: World, name: str, customer: str, as_of: Moment) -> Result:
    """A trait's value, whether a segment holds, or the name of a segmentation's group."""
    return value(world, Name(name), customer, as_of)


def members(world: World, name: str, as_of: Moment) -> frozenset[str]:
    """Who is in a segment, or in `segmentation.group`."""
    segmentation, _, group = name.partition(".")
    wanted = group or True
    return frozenset(
        customer for customer in world.histories if evaluate(world, segmentation, customer, as_of) == wanted
    )


def change_moments(world: World, name: str, customer: str, start: Moment, end: Moment) -> list[Moment]:
    """Every moment in (start, end] at which the answer changes, in order.

    For a segment not to be known yet is the same as to be out; a trait's or segmentation's answer begins with the
    customer. Exact for everything but traits that change all the time (`days_since(m)` itself).
    """
    past = evaluation.past(Here(world, customer, end))
    outside = False if name in world.definitions.segments else None
    found: list[Moment] = []
    before: Result = outside
    for moment in sorted(candidates(past, Name(name))):
        answer = evaluate(world, name, customer, moment)
        if (type(answer), answer) != (type(before), before) and moment > start:
            found.append(moment)
        before = answer
    return found
