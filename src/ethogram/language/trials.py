"""Running the tests that definitions carry: a few events, a moment, and the answer that is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ethogram.language.meaning import Result, World, evaluate
from ethogram.language.meaning.local_time import back, parse_moment
from ethogram.language.meaning.trace import Trace, trace
from ethogram.language.phrases import number_text
from ethogram.language.printer import print_expression
from ethogram.language.spelling import did_you_mean
from ethogram.language.tree import (
    And,
    Definition,
    Definitions,
    DefinitionTest,
    Events,
    Name,
    Not,
    Or,
    Segment,
    Segmentation,
    TestEvent,
    Trait,
)
from ethogram.language.visits import expressions_of
from ethogram.language.walk import walk
from ethogram.model.errors import EthogramError
from ethogram.model.event import Event, Moment, Value
from ethogram.model.settings import Settings
from ethogram.model.span import Span

DEFAULT_MOMENT = "2026-01-15 12:00"
"""When a test takes place unless it says `at:`; in the project's timezone."""

_CUSTOMER = "the customer of the test"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One test that was run; `why` says of each condition how it came out, and is empty where the test passed."""

    definition: str
    test: str
    passed: bool
    expected: str
    found: str
    why: tuple[str, ...] = ()
    span: Span | None = None

    def __str__(self) -> str:
        place = f"{self.span.file}:{self.span.line}:{self.span.column}: " if self.span else ""
        if self.passed:
            return f"{place}{self.definition}: {self.test}: passed"
        head = f"{place}{self.definition}: {self.test}: expected {self.expected}, found {self.found}"
        return "\n".join((head, *(f"   {line}" for line in self.why)))


def run_tests(definitions: Definitions, settings: Settings) -> tuple[TrialResult, ...]:
    """Every test of every definition, in order; the definitions must have passed the check."""
    tested: tuple[Trait | Segment | Segmentation, ...] = (
        *definitions.traits.values(),
        *definitions.segments.values(),
        *definitions.segmentations.values(),
    )
    return tuple(
        run_test(definition, test, definitions, settings)
        for definition in tested
        for test in definition.tests
    )


def run_test(
    definition: Trait | Segment | Segmentation,
    test: DefinitionTest,
    definitions: Definitions,
    settings: Settings,
) -> TrialResult:
    zone = ZoneInfo(settings.timezone)
    expected = _expected_text(definition, test)
    at = parse_moment(zone, test.at or DEFAULT_MOMENT)
    strangers = tuple(_strangers(test, definitions))
    if at is None or strangers:
        why = strangers or (f'"{test.at}" is no date or time',)
        return TrialResult(definition.name, test.name, False, expected, "no answer", why, test.span)
    world = World(settings, definitions, {_CUSTOMER: history(test, at, definitions, zone)})
    try:
        answer = evaluate(world, definition.name, _CUSTOMER, at)
        reasons = trace(world, definition.name, _CUSTOMER, at)
    except EthogramError as problem:
        why = (problem.message,)
        return TrialResult(definition.name, test.name, False, expected, "no answer", why, test.span)
    passed = _is_expected(answer, test, zone)
    found = answer_text(answer, definition, zone)
    why = () if passed or reasons is None else tuple(_reasons(reasons, definition, zone))
    return TrialResult(definition.name, test.name, passed, expected, found, why, test.span)


# --- the customer of a test -----------------------------------------------------------------------------------------


def history(test: DefinitionTest, at: Moment, definitions: Definitions, zone: ZoneInfo) -> tuple[Event, ...]:
    """The test's events, after a record by which the customer is known from the first of them on."""
    moments = [back(zone, at, event.before) for event in test.events]
    birth = Event(min(moments, default=at), "", "", "test", "identify")
    events = [
        _event(event, moment, f"{index:06}", definitions)
        for index, (event, moment) in enumerate(zip(test.events, moments, strict=True), start=1)
    ]
    return (birth, *events)


def _event(event: TestEvent, moment: Moment, message_id: str, definitions: Definitions) -> Event:
    properties = {name: plain_value(value) for name, value in event.properties.items()}
    if event.do == "identify":
        return Event(moment, "", message_id, "test", "identify", traits=properties)
    behavior = definitions.behaviors.get(event.do)
    if behavior is None:
        return Event(moment, event.do, message_id, "test", properties=properties)
    if behavior.each and behavior.each[0] not in properties:
        for name in reversed(behavior.each):
            element: Value = properties if name != behavior.each[-1] else (properties,)
            properties = {name: element}
    return Event(moment, behavior.events[0], message_id, "test", properties=properties)


def plain_value(value: object) -> Value:
    """A value as events carry it: numbers are decimals, lists tuples."""
    match value:
        case bool() | str() | Decimal() | None:
            return value
        case int() | float():
            return Decimal(str(value))
        case Mapping():
            return {str(name): plain_value(inner) for name, inner in value.items()}
        case Sequence():
            return tuple(plain_value(inner) for inner in value)
        case _:
            return str(value)


def _strangers(test: DefinitionTest, definitions: Definitions) -> Iterator[str]:
    """Events that no definition could mean: a slip of the pen would make a test pass for nothing."""
    known = {*definitions.behaviors, *_raw_names(definitions), "identify"}
    for event in test.events:
        if event.do not in known:
            hint = did_you_mean(event.do, known)
            yield f"no behavior is called '{event.do}', and no definition names such an event. {hint}".rstrip()


def _raw_names(definitions: Definitions) -> set[str]:
    found: set[str] = set()
    for behavior in definitions.behaviors.values():
        found.update(behavior.events)
        if behavior.unless:
            found.add(behavior.unless.event)
    answers: tuple[Definition, ...] = (
        *definitions.traits.values(),
        *definitions.segments.values(),
        *definitions.segmentations.values(),
    )
    for answer in answers:
        for root in expressions_of(answer):
            found.update(node.source for node in walk(root) if isinstance(node, Events) and node.raw)
    return found


# --- expected and found ---------------------------------------------------------------------------------------------


def _is_expected(answer: Result, test: DefinitionTest, zone: ZoneInfo) -> bool:
    expect = test.expect
    if isinstance(answer, bool) or isinstance(expect, bool):
        return answer is expect
    if isinstance(answer, int) and isinstance(expect, str):
        return answer == parse_moment(zone, expect)
    return answer == expect


def _expected_text(definition: Trait | Segment | Segmentation, test: DefinitionTest) -> str:
    match test.expect:
        case bool() as expect if isinstance(definition, Segment):
            return "in" if expect else "out"
        case bool() as expect:
            return "true" if expect else "false"
        case None:
            return "missing"
        case Decimal() as number:
            return number_text(number)
        case str() as text:
            return text


def answer_text(answer: Result, definition: Trait | Segment | Segmentation | None, zone: ZoneInfo) -> str:
    """An answer as it is read: `in`, a group, a number, a local time."""
    match answer:
        case bool() if isinstance(definition, Segment):
            return "in" if answer else "out"
        case bool():
            return "true" if answer else "false"
        case None:
            return "missing"
        case Decimal():
            return number_text(answer)
        case int():
            utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=answer)
            return utc.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
        case str():
            return answer
        case _:
            return "[" + ", ".join(sorted(str(value) for _, value in answer)) + "]"


def _reasons(found: Trace, definition: Trait | Segment | Segmentation, zone: ZoneInfo) -> Iterator[str]:
    """A line for every condition and every value below it, except literals and what only joins others."""
    for child in found.children:
        if child.node is None:
            yield f"{child.name}: everyone else"
        elif isinstance(definition, Segmentation) and child.name:
            yield f"{child.name}: {answer_text(child.value, None, zone)}"
            yield from (f"  {line}" for inner in child.children for line in _lines(inner, zone))
        else:
            yield from _lines(child, zone)


def _lines(found: Trace, zone: ZoneInfo) -> Iterator[str]:
    node = found.node
    if node is None or isinstance(node, And | Or | Not):
        for child in found.children:
            yield from _lines(child, zone)
        return
    answer = answer_text(found.value, None, zone)
    count = (
        f" ({len(found.events)} events)" if len(found.events) > 1 else " (1 event)" if found.events else ""
    )
    yield f"{print_expression(node)}: {answer}{count}"
    for child in found.children:
        inner = child.children if isinstance(node, Name) and child.name else (child,)
        for one in inner:
            yield from (f"  {line}" for line in _lines(one, zone))
