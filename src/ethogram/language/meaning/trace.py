"""Why an answer is what it is: every condition with its value and the events behind it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from ethogram.language.functions import FUNCTIONS
from ethogram.language.meaning.evaluation import (
    Here,
    chain,
    is_known,
    moment_of,
    named,
    records,
    select,
    selected,
    start_of_stay,
    turns,
    value,
)
from ethogram.language.meaning.options import duration_of, events_of, whole_number_of
from ethogram.language.meaning.over_events import resumptions
from ethogram.language.meaning.values import Result, given, known
from ethogram.language.meaning.world import Item, World
from ethogram.language.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Expression,
    Group,
    Items,
    Known,
    Literals,
    Name,
    Negate,
    Not,
    Or,
    Path,
    Segmentation,
)
from ethogram.model.event import Event, Moment


@dataclass(frozen=True, slots=True)
class Trace:
    """One node of the answer.

    `name` is the definition's or the group's, where it is one; `node` None stands for `otherwise`. `holds` is the verdict
    of a condition, None for anything else. `events` are those that made the value, in order; `moments` those at which the
    customer came into (or went out of) what a membership function asks about. A segmentation's children are its groups
    up to the one that holds.
    """

    node: Expression | None
    value: Result
    holds: bool | None
    name: str = ""
    events: tuple[Item, ...] = ()
    moments: tuple[Moment, ...] = ()
    children: tuple[Trace, ...] = ()


def trace(world: World, name: str, customer: str, as_of: Moment) -> Trace | None:
    """None for a customer who is not known by then."""
    here = Here(world, customer, as_of)
    return _definition(here, name) if is_known(here) else None


def _definition(here: Here, name: str) -> Trace:
    definitions, answer = here.world.definitions, named(here, name)
    if name in definitions.segmentations:
        return Trace(Name(name), answer, None, name, children=_groups(here, definitions.segmentations[name]))
    found = definitions.segments.get(name)
    expression = found.when if found else definitions.traits[name].value
    return Trace(Name(name), answer, _verdict(answer), name, children=(_node(here, expression),))


def _groups(here: Here, segmentation: Segmentation) -> tuple[Trace, ...]:
    found: list[Trace] = []
    for group in segmentation.groups:
        if group.when is None:
            return (*found, Trace(None, True, True, group.name))
        inner = _node(here, group.when)
        holds = inner.value is True
        found.append(Trace(group.when, holds, holds, group.name, children=(inner,)))
        if holds:
            break
    return tuple(found)


def _node(here: Here, node: Expression) -> Trace:
    answer = value(here, node)
    return Trace(
        node,
        answer,
        _verdict(answer),
        events=_events(here, node),
        moments=_moments(here, node),
        children=_children(here, node),
    )


def _verdict(answer: Result) -> bool | None:
    return answer if isinstance(answer, bool) else None


def _children(here: Here, node: Expression) -> tuple[Trace, ...]:
    match node:
        case Name(name) | Group(name):
            return (_definition(here, name),)
        case And(items) | Or(items):
            parts: tuple[Expression, ...] = items
        case Not(item) | Known(item) | Negate(item):
            parts = (item,)
        case Compare(_, left, right) | Arithmetic(_, left, right):
            parts = (left, right)
        case Between(item, low, high):
            parts = (item, low, high)
        case Call("was_in", (subject,)):
            return _as_it_was(here, node, subject)
        case Call(function, arguments) if FUNCTIONS[function].group in (
            "time",
            "other",
            "population",
            "membership",
        ):
            parts = arguments
        case Call():
            parts = tuple(option.value for option in node.options if option.name in ("since", "until"))
        case _:
            parts = ()
    return tuple(_node(here, part) for part in parts if not isinstance(part, Literals | Items))


def _as_it_was(here: Here, node: Call, subject: Expression) -> tuple[Trace, ...]:
    at = node.option("at")
    moment = moment_of(here, at) if at else None
    then = here.at(min(moment, here.as_of)) if moment is not None else None
    return (_node(then, subject),) if then and is_known(then) else ()


def _events(here: Here, node: Expression) -> tuple[Item, ...]:
    match node:
        case CustomerTrait(path):
            carrying = [
                event for event in records(here) if value(here, node) is not None and _carries(event, path)
            ]
            return tuple(Item(event.time, event.message_id, event.source) for event in carrying[-1:])
        case Call("sequence"):
            return chain(here, node) or ()
        case Call("resumed"):
            return tuple(resumptions(node, select(here, events_of(node)), here.now))
        case Call("lapsed"):
            return tuple(select(here, events_of(node))[-1:])
        case Call("first_time"):
            return tuple(select(here, events_of(node))[:1])
        case Call("recurring" | "trend"):
            return tuple(select(here, events_of(node)))
        case Call(function) if FUNCTIONS[function].windows:
            path = events_of(node).path
            items = [item for item in selected(here, node) if not path or known(item.properties, path)]
            if function == "nth" and not path:
                place = whole_number_of(node.arguments[1])
                return tuple(items[place - 1 : place])
            ends = {"first": slice(0, 1), "last": slice(-1, None)}
            return tuple(items[ends.get(function, slice(None))])
        case _:
            return ()


def _carries(event: Event, path: Path) -> bool:
    return given([event.traits], path) is not None


def _moments(here: Here, node: Expression) -> tuple[Moment, ...]:
    match node:
        case Call("entered" | "left" as function, (subject,)):
            start = here.now.back(duration_of(node.option("last")))
            lately = takewhile(lambda turn: turn[0] > start, turns(here, subject))
            return tuple(moment for moment, inside in lately if inside == (function == "entered"))[::-1]
        case Call("time_in", (subject,)):
            moment = start_of_stay(here, subject)
            return () if moment is None else (moment,)
        case _:
            return ()
