"""The meaning of every expression, for one customer at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import takewhile
from typing import assert_never
from zoneinfo import ZoneInfo

from ethogram.language.functions import FUNCTIONS
from ethogram.language.meaning.local_time import (
    age,
    day_of,
    days_to_anniversary,
    is_timezone,
    parse_moment,
    step,
)
from ethogram.language.meaning.moments import SLOPES, Past, candidates, elapsed_call
from ethogram.language.meaning.options import days_of, duration_of, events_of, text_of
from ethogram.language.meaning.over_events import event_function, life_function
from ethogram.language.meaning.population import population_function
from ethogram.language.meaning.sequences import Chain, sequence
from ethogram.language.meaning.values import (
    Exact,
    Result,
    Scalar,
    Type,
    bucket,
    calculate,
    compare,
    element_properties,
    elements,
    given,
    known,
    known_elements,
    leaves,
    number,
    typed,
)
from ethogram.language.meaning.windows import Now, windows
from ethogram.language.meaning.world import Item, Layers, World
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Behavior,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Date,
    Duration,
    Elem,
    Events,
    Everyone,
    Expression,
    Flag,
    Group,
    Items,
    Known,
    Me,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Percent,
    Property,
    Text,
    Unless,
    Word,
)
from ethogram.model.errors import DefinitionError, Unsupported
from ethogram.model.event import Event, Moment

ACTIONS = ("track", "page", "screen")
ROW_WISE = ("lower", "coalesce", "if")


@dataclass(frozen=True, slots=True)
class Here:
    """Where an expression is evaluated; `row` are the properties at hand inside a filter."""

    world: World
    customer: str
    as_of: Moment
    row: Layers = ()

    @property
    def now(self) -> Now:
        return Now(self.world.settings, self.as_of)

    def at(self, moment: Moment) -> Here:
        return Here(self.world, self.customer, moment)


def records(here: Here) -> tuple[Event, ...]:
    """What has happened by now, in order."""
    return tuple(event for event in here.world.history(here.customer) if event.time <= here.as_of)


def is_known(here: Here) -> bool:
    return any(event.time <= here.as_of for event in here.world.history(here.customer))


# --- any expression -------------------------------------------------------------------------------------------------


def value(here: Here, node: Expression) -> Result:
    """Its one value; None where it is missing, or a list with more than one element."""
    match node:
        case Number(amount):
            return amount
        case Percent(amount):
            return number(Fraction(amount) / 100)
        case Text(text):
            return text
        case Flag(flag):
            return flag
        case Date(text):
            return parse_moment(here.now.zone, text)
        case Name(name) | Me(name):
            return named(here, name)
        case Property() | CustomerTrait() | Arithmetic() | Negate():
            return _only(many(here, node))
        case Call(function) if function in ROW_WISE:
            return _only(many(here, node))
        case Call():
            return call(here, node)
        case Group() | Everyone() | Elem() | And() | Or() | Not() | Compare() | Between() | Known():
            return holds(here, node)
        case AccountTrait():
            raise Unsupported("E_UNSUPPORTED", "accounts are not resolved yet", span=node.span)
        case Events() | Items() | Duration() | Word():
            raise DefinitionError("E_NOT_A_VALUE", "this has no value of its own", span=node.span)
        case _:
            assert_never(node)


def many(here: Here, node: Expression) -> list[Exact]:
    """All its values: a path through a list has one for each element; none where it is missing."""
    match node:
        case Property(path):
            return list[Exact](known(here.row, path))
        case CustomerTrait(path):
            return list[Exact](leaves(given([event.traits for event in records(here)], path), ()))
        case Arithmetic(operator, left, Duration() as duration):
            moments = [as_moment(here, start) for start in many(here, left)]
            direction = 1 if operator == "+" else -1
            return [
                step(here.now.zone, moment, duration, direction) for moment in moments if moment is not None
            ]
        case Arithmetic(operator, left, right):
            pairs = [_meet(here, a, b) for a in many(here, left) for b in many(here, right)]
            results = [calculate(operator, *pair) for pair in pairs if pair]
            return [result for result in results if result is not None]
        case Negate(item):
            return [-number(amount) for amount in many(here, item) if isinstance(amount, Decimal)]
        case Call("lower", (item,)):
            return [text.lower() for text in many(here, item) if isinstance(text, str)]
        case Call("coalesce", items):
            return next((found for item in items if (found := many(here, item))), [])
        case Call("if", (condition, yes, no)):
            return many(here, yes if holds(here, condition) else no)
        case _:
            one = value(here, node)
            return [] if one is None else [one]


def holds(here: Here, node: Expression) -> bool:
    """Two-valued: a condition on something missing does not hold."""
    match node:
        case And(items):
            return all(holds(here, item) for item in items)
        case Or(items):
            return any(holds(here, item) for item in items)
        case Not(item):
            return not holds(here, item)
        case Everyone():
            return True
        case Group(segmentation, group):
            return named(here, segmentation) == group
        case Known(item):
            return bool(many(here, item))
        case Compare("in", left, Items(items)):
            return any(_compares(here, Compare("==", left, item)) for item in items)
        case Compare():
            return _compares(here, node)
        case Between(item, low, high):
            return any(
                _met(here, ">=", one, bottom) and _met(here, "<=", one, top)
                for one in exactly(here, item)
                for bottom in exactly(here, low)
                for top in exactly(here, high)
            )
        case Elem(path, where):
            inside = [
                replace(here, row=(element_properties(element),))
                for element in known_elements(here.row, path)
            ]
            return any(holds(element, where) for element in inside)
        case _:
            return any(one is True for one in many(here, node))


def named(here: Here, name: str) -> Result:
    """The value of a trait, whether a segment holds, the group of a segmentation."""
    memory, key = here.world.memory, (name, here.customer, here.as_of)
    if key not in memory:
        memory[key] = _named(here.at(here.as_of), name)
    return memory[key]  # type: ignore[return-value]


def _named(here: Here, name: str) -> Result:
    definitions = here.world.definitions
    if name in definitions.traits:
        return value(here, definitions.traits[name].value)
    if name in definitions.segments:
        return holds(here, definitions.segments[name].when)
    if name in definitions.segmentations:
        groups = definitions.segmentations[name].groups
        return next((group.name for group in groups if group.when is None or holds(here, group.when)), None)
    raise DefinitionError("E_UNKNOWN_NAME", f"no trait, segment or segmentation is named {name!r}")


def _only(found: list[Exact]) -> Result:
    if len(found) != 1:
        return None
    return number(found[0]) if isinstance(found[0], Fraction) else found[0]


# --- comparisons ----------------------------------------------------------------------------------------------------


def _compares(here: Here, node: Compare) -> bool:
    """Any value of the one side with any of the other."""
    return any(
        _met(here, node.operator, left, right)
        for left in exactly(here, node.left)
        for right in exactly(here, node.right)
    )


def _met(here: Here, operator: str, left: Exact, right: Exact) -> bool:
    pair = _meet(here, left, right)
    return pair is not None and compare(operator, *pair)  # type: ignore[arg-type]


def _meet(here: Here, left: Exact, right: Exact) -> tuple[Exact, Exact] | None:
    """Text beside a moment is read as one."""
    one, two = (
        as_moment(here, side) if isinstance(side, str) and _is_moment(other) else side
        for side, other in ((left, right), (right, left))
    )
    return None if one is None or two is None else (one, two)


def _is_moment(one: Exact) -> bool:
    return isinstance(one, int) and not isinstance(one, bool)


def as_moment(here: Here, one: Exact | None) -> Moment | None:
    if isinstance(one, str):
        return parse_moment(here.now.zone, one)
    return one if isinstance(one, int) and not isinstance(one, bool) else None


def moment_of(here: Here, node: Expression) -> Moment | None:
    return as_moment(here, value(here, node))


def exactly(here: Here, node: Expression) -> list[Exact]:
    """As one side of a comparison, elapsed time is not rounded."""
    clock = elapsed_call(here.world.definitions, node)
    if clock is None:
        return many(here, node)
    found = elapsed(here, clock)
    return [] if found is None else [found]


def elapsed(here: Here, node: Call) -> Fraction | None:
    """Days or hours, not rounded."""
    subject = node.arguments[0]
    start = start_of_stay(here, subject) if node.function == "time_in" else moment_of(here, subject)
    return None if start is None else SLOPES[node.function] * (here.as_of - start)


# --- selections of events -------------------------------------------------------------------------------------------


def select(here: Here, events: Events) -> list[Item]:
    """The items of a selection by now, in order."""
    here = here.at(here.as_of)
    behavior = None if events.raw else here.world.definitions.behaviors.get(events.source)
    if behavior:
        items = _of_behavior(here, behavior)
    elif events.source == "any" and not events.raw:
        behaviors = here.world.definitions.behaviors.values()
        company = {name for behavior in behaviors if behavior.by_company for name in behavior.events}
        items = [_whole(event) for event in _actions(here) if event.name not in company]
    else:
        items = [_whole(event) for event in _actions(here) if event.name == events.source]
    return [item for item in items if events.where is None or _passes(here, item, events.where)]


def _of_behavior(here: Here, behavior: Behavior) -> list[Item]:
    items, where, unless = _items(here, behavior), behavior.where, behavior.unless
    if where is not None:
        items = [item for item in items if _passes(here, item, where)]
    if unless is not None:
        undone = _undone(here, unless)
        items = [item for item in items if undone.isdisjoint(typed(known(item.properties, unless.same)))]
    return items


def _actions(here: Here) -> list[Event]:
    return [event for event in records(here) if event.kind in ACTIONS]


def _whole(event: Event) -> Item:
    return Item(event.time, event.message_id, event.source, properties=(event.properties,))


def _items(here: Here, behavior: Behavior) -> list[Item]:
    """With `each` one item for every element, whose properties stand before the event's."""
    events = [event for event in _actions(here) if event.name in behavior.events]
    if not behavior.each:
        return [_whole(event) for event in events]
    return [
        Item(
            event.time,
            event.message_id,
            event.source,
            index,
            behavior.each,
            (element_properties(element), event.properties),
        )
        for event in events
        for index, element in enumerate(elements(event.properties, behavior.each))
    ]


def _passes(here: Here, item: Item, where: Expression) -> bool:
    return holds(replace(here, row=item.properties), where)


def _undone(here: Here, unless: Unless) -> set[tuple[Type, Scalar]]:
    """The values of those that were undone by now."""
    undoing = [event for event in _actions(here) if event.name == unless.event]
    return {value for event in undoing for value in typed(leaves(event.properties, unless.same))}


def selected(here: Here, node: Call) -> list[Item]:
    """The items of a function's selection that are in all its windows."""
    tests = windows(node, here.now, lambda setting: moment_of(here, setting), _clock(here, node))
    return [item for item in select(here, events_of(node)) if all(test(item.time) for test in tests)]


def _clock(here: Here, node: Call) -> ZoneInfo:
    """With `clock=customer` the customer's own timezone, where it is known and a timezone."""
    if node.option("clock") == Word("customer"):
        name = value(here, CustomerTrait(("timezone",)))
        if isinstance(name, str) and is_timezone(name):
            return ZoneInfo(name)
    return here.now.zone


# --- functions ------------------------------------------------------------------------------------------------------


def call(here: Here, node: Call) -> Result:
    signature = FUNCTIONS[node.function]
    if signature.refused:
        raise Unsupported(
            "E_UNSUPPORTED", f"{node.function}() is refused: {signature.refused}", span=node.span
        )
    match signature.group:
        case "events":
            return event_function(node, selected(here, node), _whole_of_share(here, node), here.now)
        case "life":
            return life_function(node, select(here, events_of(node)), here.now)
        case "order":
            return chain(here, node) is not None
        case "time":
            return _time_function(here, node)
        case "population" if node.function == "bin":
            return _bin(here, node)
        case "population":
            everyone = _everyone(here, node.arguments[0], node.option("among"))
            return population_function(node, everyone.get(here.customer), [*everyone.values()])
        case "membership":
            return _membership_function(here, node)
    match node.function:
        case "bucket":
            return bucket(text_of(node.arguments[0]), here.customer)
        case "is_identified":
            return any(event.identified for event in records(here))
    raise AssertionError(node.function)


def _whole_of_share(here: Here, node: Call) -> list[Item]:
    """What a share is a share of: the same selection and windows without the filter."""
    if node.function != "share":
        return []
    return selected(here, replace(node, arguments=(replace(events_of(node), where=None),)))


def chain(here: Here, node: Call) -> Chain | None:
    """The events that make a `sequence` true: the first found."""
    return sequence(node, lambda events: select(here, events), here.now)


def _time_function(here: Here, node: Call) -> Result:
    match node.function:
        case "now":
            return here.as_of
        case "days_since" | "hours_since" | "days_until":
            found = elapsed(here, node)
            return None if found is None else number(found)
    moment = moment_of(here, node.arguments[0])
    day = None if moment is None else day_of(here.now.zone, moment)
    match node.function:
        case "age":
            return None if day is None else Decimal(age(day, here.now.day))
        case "anniversary":
            return day is not None and days_to_anniversary(day, here.now.day) <= days_of(
                node.option("within")
            )
    raise AssertionError(node.function)


def _bin(here: Here, node: Call) -> Decimal | None:
    """How many edges it has reached."""
    found = exactly(here, node.arguments[0])
    edges = [edge for argument in node.arguments[1:] for edge in many(here, argument)]
    return Decimal(sum(_met(here, ">=", found[0], edge) for edge in edges)) if len(found) == 1 else None


def _everyone(here: Here, node: Expression, among: Expression | None) -> dict[str, Decimal]:
    """The value for everyone known (and among some) for whom it is known."""
    key, memory = ("everyone", node, among, here.as_of), here.world.memory
    if key not in memory:
        found: dict[str, Decimal] = {}
        for customer in here.world.histories:
            there = Here(here.world, customer, here.as_of)
            if is_known(there) and (among is None or holds(there, among)):
                theirs = value(there, node)
                if isinstance(theirs, Decimal):
                    found[customer] = theirs
        memory[key] = found
    return memory[key]  # type: ignore[return-value]


# --- membership -----------------------------------------------------------------------------------------------------


def _membership_function(here: Here, node: Call) -> Result:
    subject = node.arguments[0]
    match node.function:
        case "in_list":
            return here.customer in here.world.people(text_of(subject))
        case "was_in":
            at = node.option("at")
            moment = moment_of(here, at) if at else None
            return moment is not None and is_member(here.at(min(moment, here.as_of)), subject)
        case "entered" | "left":
            start = here.now.back(duration_of(node.option("last")))
            wanted = node.function == "entered"
            lately = takewhile(lambda turn: turn[0] > start, turns(here, subject))
            return any(inside == wanted for _, inside in lately)
        case "time_in":
            found = elapsed(here, node)
            return None if found is None else number(found)
    raise AssertionError(node.function)


def is_member(here: Here, subject: Expression) -> bool:
    return is_known(here) and holds(here, subject)


def turns(here: Here, subject: Expression) -> Iterator[tuple[Moment, bool]]:
    """Every moment up to now at which the customer came in (True) or went out (False), the latest first."""
    later: tuple[Moment, bool] | None = None
    for moment in sorted(candidates(past(here), subject), reverse=True):
        inside = is_member(here.at(moment), subject)
        if later and later[1] != inside:
            yield later
        later = (moment, inside)
    if later and later[1]:
        yield later


def start_of_stay(here: Here, subject: Expression) -> Moment | None:
    moment, inside = next(turns(here, subject), (None, False))
    return moment if inside else None


def past(here: Here) -> Past:
    """All that the search for moments of change needs to know."""
    world = here.world
    return Past(
        definitions=world.definitions,
        settings=world.settings,
        times=tuple(event.time for event in records(here)),
        end=here.as_of,
        values_at=lambda node, moment: exactly(here.at(moment), node),
    )
