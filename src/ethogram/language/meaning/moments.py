"""The moments at which an answer can change.

An answer depends on `as_of` only by comparing it, or a step back from it, with a time on the customer's record, with the
edge of a local period, or with the value of an expression of moments. So it can change only

- when a record's time comes: a new event, a given trait, an identity;
- when a window's start (or the end of `ago=`) passes an event: the first moment whose step back reaches it;
- when a period ends that has an event, and for functions of several periods at the ends of as many that follow;
- when a sequence's time is up: an event's time + `within`;
- at the local midnights around birthdays and anniversaries;
- when elapsed time passes what it is compared with: two straight lines cross once;
- when `now() - 6mo` passes an event, a moment it is compared with, or (`was_in`) a moment of change of what it asks about;
- when what it refers to changes: a trait, a segment, the moment of `since=`.

`candidates` gathers all of these, and more than needed (it looks at every record's time, whether the record is selected
or not), never fewer. Between two neighboring candidates an answer stands still; to know when it really changed one
evaluates it at each candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import assert_never
from zoneinfo import ZoneInfo

from ethogram.language.functions import FUNCTIONS
from ethogram.language.meaning.local_time import (
    DAY,
    HOUR,
    LENGTHS,
    ahead,
    back,
    birthday,
    day_of,
    next_period,
    parse_moment,
    period_of,
    start_of,
    step,
)
from ethogram.language.meaning.options import days_of
from ethogram.language.meaning.values import Exact
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Date,
    Definitions,
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
    Word,
)
from ethogram.model.errors import Unsupported
from ethogram.model.event import Moment
from ethogram.model.settings import Settings

Clock = Callable[[Moment], Moment]
"""Something that advances with `as_of`, such as `now() - 6mo`."""
SLOPES = {
    "days_since": Fraction(1, DAY),
    "hours_since": Fraction(1, HOUR),
    "days_until": Fraction(-1, DAY),
    "time_in": Fraction(1, DAY),
}
"""How fast elapsed time grows."""


@dataclass(frozen=True, slots=True)
class Past:
    """One customer's record up to `end`; `times` are those of all records, in order."""

    definitions: Definitions
    settings: Settings
    times: tuple[Moment, ...]
    end: Moment
    values_at: Callable[[Expression, Moment], list[Exact]]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.timezone)


def candidates(past: Past, node: Expression) -> set[Moment]:
    """All moments up to the end, from becoming known, at which the value of a node can change."""
    if not past.times:
        return set()
    return {moment for moment in _of(past, node) | {*past.times} if past.times[0] <= moment <= past.end}


def _of(past: Past, node: Expression) -> set[Moment]:
    match node:
        case Number() | Percent() | Text() | Flag() | Date() | Duration() | Word():
            return set()
        case Property() | CustomerTrait() | AccountTrait() | Everyone():
            return set()
        case Name(name) | Group(name):
            return _all(past, *_expressions(past, name))
        case Me(name):
            if any(is_moving(past.definitions, one) for one in _expressions(past, name)):
                raise _unclear(node, "a trait that changes all the time is compared with a property")
            return _all(past, *_expressions(past, name))
        case And(items) | Or(items) | Items(items):
            return _all(past, *items)
        case Not(item) | Known(item) | Negate(item) | Elem(_, item):
            return _of(past, item)
        case Arithmetic(_, left, right):
            return _all(past, left, right)
        case Compare(_, left, Items(items)):
            return _all(past, left, *items).union(*(_crossings(past, left, item) for item in items))
        case Compare(_, left, right):
            return _all(past, left, right) | _crossings(past, left, right)
        case Between(item, low, high):
            return _all(past, item, low, high) | _crossings(past, item, low) | _crossings(past, item, high)
        case Events(source, raw, where):
            behavior = None if raw else past.definitions.behaviors.get(source)
            filters = (where, behavior.where if behavior else None)
            return _all(past, *(one for one in filters if one is not None))
        case Call():
            return _of_call(past, node)
        case _:
            assert_never(node)


def _all(past: Past, *nodes: Expression) -> set[Moment]:
    return set().union(*(_of(past, node) for node in nodes))


def _expressions(past: Past, name: str) -> list[Expression]:
    """What a definition is made of."""
    definitions = past.definitions
    if name in definitions.traits:
        return [definitions.traits[name].value]
    if name in definitions.segments:
        return [definitions.segments[name].when]
    return [group.when for group in definitions.segmentations[name].groups if group.when is not None]


# --- functions ------------------------------------------------------------------------------------------------------


def _of_call(past: Past, node: Call) -> set[Moment]:
    signature = FUNCTIONS[node.function]
    if signature.refused or (signature.group == "population" and node.function != "bin"):
        raise Unsupported(
            "E_UNSUPPORTED",
            f"what depends on {node.function}() has no moments of change of its own: it depends on everybody",
            hint="use was_in, entered, left and time_in on segments without population functions",
            span=node.span,
        )
    found = _all(past, *node.arguments, *(option.value for option in node.options))
    for option in node.options:
        found |= _of_option(past, node, option.name, option.value)
    match node.function:
        case "streak":
            found |= _period_ends(past, node.arguments[1], 2)
        case "recurring":
            of = node.option("of")
            assert isinstance(of, Number)
            found |= _period_ends(past, node.option("every"), int(of.value) + 1)
        case "age" | "anniversary":
            found |= _birthdays(past, node)
        case "bin":
            found = found.union(*(_crossings(past, node.arguments[0], edge) for edge in node.arguments[1:]))
    return found


def _of_option(past: Past, node: Call, name: str, setting: Expression) -> set[Moment]:
    """When a window reaches an event and when it leaves it behind."""
    match name, setting:
        case "last" | "after", Duration():
            lengths = [setting, *([_doubled(setting)] if node.function == "trend" else [])]
            return _leavings(past, lengths, _turning_points(past, node))
        case "ago", Items(items):
            return _leavings(past, [item for item in items if isinstance(item, Duration)], past.times)
        case "since" | "until" | "at", _:
            return _passings(past, _clocks(past, setting), _turning_points(past, node))
        case "this", _:
            return _period_ends(past, setting, 1)
        case "previous", _:
            return _period_ends(past, setting, 2)
        case "within", Duration() if node.function == "sequence":
            return {ahead(past.zone, time, setting) for time in past.times}
        case _:
            return set()


def _turning_points(past: Past, node: Call) -> Iterable[Moment]:
    """What a window looks at: events, or the moments at which a segment changes."""
    if FUNCTIONS[node.function].group == "membership":
        return candidates(past, node.arguments[0])
    return past.times


def _period_ends(past: Past, unit: Expression | None, count: int) -> set[Moment]:
    """The ends of the period that an event is in, and of those that follow."""
    assert isinstance(unit, Word)
    found: set[Moment] = set()
    for time in past.times:
        period = period_of(day_of(past.zone, time), unit.value, past.settings.week_starts)  # type: ignore[arg-type]
        for _ in range(count):
            period = next_period(period, unit.value)  # type: ignore[arg-type]
            found.add(start_of(past.zone, period))
    return found


def _birthdays(past: Past, node: Call) -> set[Moment]:
    """The midnights at which an anniversary begins, comes near, and is over."""
    if _clocks(past, node.arguments[0]):
        raise _unclear(node, "an anniversary of now()")
    within = node.option("within")
    near = days_of(within)
    years = range(day_of(past.zone, past.times[0]).year - 1, day_of(past.zone, past.end).year + 2)
    found: set[Moment] = set()
    for moment in _moments(past, node.arguments[0]):
        first = day_of(past.zone, moment)
        for day in {first, *(birthday(first, year) for year in years)}:
            found |= {start_of(past.zone, _shift(day, days)) for days in (-near, 0, 1)}
    return found


def _shift(day: date, days: int) -> date:
    return date.fromordinal(min(max(day.toordinal() + days, 3), date.max.toordinal() - 3))


# --- crossings ------------------------------------------------------------------------------------------------------


def _crossings(past: Past, left: Expression, right: Expression) -> set[Moment]:
    """When something that advances by itself passes what it is compared with, and one microsecond after."""
    if not (is_moving(past.definitions, left) or is_moving(past.definitions, right)):
        return set()
    clocks, others = _clocks(past, left), _clocks(past, right)
    if clocks and others:
        raise _unclear(left, "now() is compared with now()")
    if clocks or others:
        thresholds = _moments(past, right if clocks else left)
        return _passings(past, clocks or others, thresholds)
    found: set[Moment] = set()
    for slope, offset in _lines(past, left):
        for other_slope, other_offset in _lines(past, right):
            if slope != other_slope:
                meeting = (other_offset - offset) // (slope - other_slope)
                found |= {meeting, meeting + 1}
    return found


def _lines(past: Past, node: Expression) -> set[tuple[Fraction, Fraction]]:
    """A number as slope * as_of + offset, for every such line that it follows."""
    clock = elapsed_call(past.definitions, node)
    if clock is not None:
        subject = clock.arguments[0]
        if _clocks(past, subject):
            raise _unclear(node, "the time since now()")
        starts = candidates(past, subject) if clock.function == "time_in" else _moments(past, subject)
        slope = SLOPES[clock.function]
        return {(slope, -slope * start) for start in starts}
    if is_moving(past.definitions, node):
        raise _unclear(node, "arithmetic with elapsed time is compared")
    return {(Fraction(), Fraction(one)) for one in _values(past, node) if isinstance(one, Decimal)}


def elapsed_call(definitions: Definitions, node: Expression) -> Call | None:
    """`days_since(m)` and the like, also by the name of the trait that it is."""
    match node:
        case Name(name) if name in definitions.traits:
            return elapsed_call(definitions, definitions.traits[name].value)
        case Call(function) if function in SLOPES:
            return node
        case _:
            return None


def _clocks(past: Past, node: Expression) -> list[Clock]:
    """The ways in which a moment may advance with `as_of`."""
    match node:
        case Call("now"):
            return [lambda as_of: as_of]
        case Arithmetic(operator, left, Duration() as duration):
            direction = 1 if operator == "+" else -1
            return [_then(clock, past.zone, duration, direction) for clock in _clocks(past, left)]
        case Call("coalesce", items) | Call("if", (_, *items)):
            return [clock for item in items for clock in _clocks(past, item)]
        case Name(name) if name in past.definitions.traits:
            return _clocks(past, past.definitions.traits[name].value)
        case _:
            return []


def _then(clock: Clock, zone: ZoneInfo, duration: Duration, direction: int) -> Clock:
    return lambda as_of: step(zone, clock(as_of), duration, direction)


def _leavings(past: Past, lengths: Iterable[Duration], thresholds: Iterable[Moment]) -> set[Moment]:
    """The first moments at which a window of one of the lengths no longer holds a threshold."""
    goals = [*thresholds]
    found = [_leaves(past, length, goal) for length in lengths for goal in goals]
    return {moment for moment in found if moment is not None}


def _leaves(past: Past, length: Duration, goal: Moment) -> Moment | None:
    if length.unit in LENGTHS:
        return goal + length.amount * LENGTHS[length.unit]
    return _reaches(past, lambda as_of: back(past.zone, as_of, length), goal)


def _doubled(duration: Duration) -> Duration:
    return Duration(2 * duration.amount, duration.unit)


def _passings(past: Past, clocks: Iterable[Clock], thresholds: Iterable[Moment]) -> set[Moment]:
    """The first moments at which a clock, which never goes back, reaches a threshold and is beyond it."""
    found = [
        _reaches(past, clock, goal + beyond) for clock in clocks for goal in thresholds for beyond in (0, 1)
    ]
    return {moment for moment in found if moment is not None}


def _reaches(past: Past, clock: Clock, goal: Moment) -> Moment | None:
    before, after = past.times[0] - 1, past.end
    if clock(before) >= goal or clock(after) < goal:
        return None
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if clock(middle) >= goal else (middle, after)
    return after


def is_moving(definitions: Definitions, node: Expression) -> bool:
    """Whether its value changes with every microsecond."""
    match node:
        case Name(name) | Me(name) if name in definitions.traits:
            return is_moving(definitions, definitions.traits[name].value)
        case Call("now"):
            return True
        case Call(function) if function in SLOPES:
            return True
        case Call("coalesce", items) | Call("if", (_, *items)):
            return any(is_moving(definitions, item) for item in items)
        case Arithmetic(_, left, right):
            return is_moving(definitions, left) or is_moving(definitions, right)
        case Negate(item):
            return is_moving(definitions, item)
        case _:
            return False


def _values(past: Past, node: Expression) -> set[Exact]:
    """All values that a node takes."""
    return {one for moment in candidates(past, node) for one in past.values_at(node, moment)}


def _moments(past: Past, node: Expression) -> set[Moment]:
    read = (parse_moment(past.zone, one) if isinstance(one, str) else one for one in _values(past, node))
    return {one for one in read if isinstance(one, int) and not isinstance(one, bool)}


def _unclear(node: Expression, what: str) -> Unsupported:
    return Unsupported(
        "E_TIME_ARITHMETIC",
        f"{what}: the moments of change would not be exact",
        hint="compare days_since(m) itself, or a moment with now() - 30d",
        span=node.span,
    )
