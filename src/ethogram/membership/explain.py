"""Why a customer is in, or not: each condition with its value and the events behind it, and what would change the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final, Literal
from zoneinfo import ZoneInfo

from ethogram.identity.person import unknown_customer
from ethogram.language import meaning
from ethogram.language.instants import iso
from ethogram.language.meaning.trace import Trace, trace
from ethogram.language.names import require
from ethogram.language.phrases import number_text
from ethogram.language.printer import print_expression
from ethogram.language.tree import Behavior, Definitions, PeopleList
from ethogram.membership.advice import Adviser, Way
from ethogram.membership.people import EngineFor, person, remember_everybody, world_of
from ethogram.membership.timing import ByEngine, ByInterpreter, Timing
from ethogram.membership.versions import evaluated, fitted
from ethogram.model.errors import DefinitionError
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Store
from ethogram.store.values import number_text as plain_number

SHOWN: Final = 5
"""So many of the latest events are listed for each condition."""
LONG: Final = 100
"""Events of a history that the interpreter can still walk in a second."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event behind a value: when, and its message id (of an element of a list, with its place)."""

    at: Moment
    id: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition or value. `holds` is None for a value; `events` are the latest of `event_count`."""

    text: str
    name: str
    value: str
    holds: bool | None
    events: tuple[Evidence, ...]
    event_count: int
    moments: tuple[Moment, ...]
    children: tuple[Reason, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "text": self.text,
            "name": self.name or None,
            "value": self.value,
            "holds": self.holds,
            "event_count": self.event_count,
            "events": [{"at": iso(event.at), "id": event.id} for event in self.events],
            "moments": [iso(moment) for moment in self.moments],
            "conditions": [child.as_json() for child in self.children],
        }


@dataclass(frozen=True, slots=True)
class Change:
    """Another answer and the ways that lead to it, each of them enough; the steps of a way are all needed."""

    to: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`answer` is `in` or `out`, a group's name, or a trait's value; None for a customer who was not known yet.

    `since` is when this answer became true (None: not known, it depends on everybody). `time_changes_at` is when time alone
    changes it, and to what; None if it does not within five years. `note` says what could not be told.
    """

    customer: str
    name: str
    kind: Literal["segment", "segmentation", "trait"]
    as_of: Moment
    answer: str | None
    since: Moment | None
    tree: Reason | None
    changes: tuple[Change, ...]
    time_changes_at: Moment | None
    time_changes_to: str | None
    note: str = ""

    def as_json(self) -> dict[str, object]:
        return {
            "customer": self.customer,
            "name": self.name,
            "kind": self.kind,
            "as_of": iso(self.as_of),
            "answer": self.answer,
            "since": None if self.since is None else iso(self.since),
            "reasons": self.tree.as_json() if self.tree else None,
            "changes": [
                {"to": change.to, "ways": [list(way) for way in change.ways]} for change in self.changes
            ],
            "time_changes_at": None if self.time_changes_at is None else iso(self.time_changes_at),
            "time_changes_to": self.time_changes_to,
            "note": self.note or None,
        }


def explain(
    store: Store,
    definitions: Definitions,
    settings: Settings,
    customer: str,
    names: Sequence[str] = (),
    *,
    as_of: Moment,
    lists: Mapping[str, frozenset[str]] | None = None,
    engine_for: EngineFor | None = None,
) -> tuple[Explanation, ...]:
    """Of each name (a segment, a segmentation, one of its groups, a trait), or of all segments and segmentations.

    Complete to the newest event; what happened after `as_of` is left out. Without `engine_for` the interpreter answers alone,
    which takes long for long histories and for definitions that compare the customer with everybody. Raises DataError E_UNKNOWN_CUSTOMER, DefinitionError for an unknown name.
    """
    wanted = [_definition_name(definitions, name) for name in names] or list(evaluated(definitions))
    customer = person(store, customer)
    world = world_of(store, definitions, settings, [customer], lists or {}, until=as_of)
    if customer not in world.histories:
        raise unknown_customer()
    names = list(dict.fromkeys(wanted))
    world = remember_everybody(world, store, names, as_of, engine_for)
    traces = {name: trace(world, name, customer, as_of) for name in names}
    timing = _timing(world, store, customer, as_of, [one for one in traces.values() if one], engine_for)
    explaining = _Explaining(world, settings, customer, as_of, timing, fitted(definitions))
    return tuple(explaining.of(name, found) for name, found in traces.items())


def _timing(
    world: meaning.World,
    store: Store,
    customer: str,
    as_of: Moment,
    traces: Sequence[Trace],
    engine_for: EngineFor | None,
) -> Timing | None:
    """None where it would take too long to find out: a long history, of which only a part had happened by then."""
    events = len(world.histories[customer])
    if engine_for is not None and traces:
        whole = world_of(store, world.definitions, world.settings, [customer], {})
        if len(whole.histories[customer]) == events:
            return ByEngine(world, customer, as_of, traces, engine_for)
    return ByInterpreter(world, customer, as_of) if events <= LONG else None


def _definition_name(definitions: Definitions, name: str) -> str:
    definition, _, group = name.partition(".")
    found = require(definitions, definition)
    if isinstance(found, Behavior | PeopleList):
        raise DefinitionError("E_NOT_AN_ANSWER", f"'{definition}' is no trait, segment or segmentation")
    groups = definitions.segmentations[definition].groups if definition in definitions.segmentations else ()
    if group and group not in {one.name for one in groups}:
        raise DefinitionError("E_UNKNOWN_NAME", f"'{definition}' has no group '{group}'")
    return definition


@dataclass(frozen=True, slots=True)
class _Explaining:
    world: meaning.World
    settings: Settings
    customer: str
    as_of: Moment
    timing: Timing | None
    fitted: frozenset[str]

    def of(self, name: str, found: Trace | None) -> Explanation:
        definitions = self.world.definitions
        kind: Literal["segment", "segmentation", "trait"] = (
            "segment"
            if name in definitions.segments
            else "trait"
            if name in definitions.traits
            else "segmentation"
        )
        if found is None:
            return Explanation(
                self.customer, name, kind, self.as_of, None, None, None, (), None, None, "not known yet"
            )
        time, since, note = None, None, ""
        if name in self.fitted:
            note = "it depends on everybody, so it changes at refreshes"
        elif self.timing is None:
            note = "the history is too long to say here since when, and what time alone will do"
        elif kind != "trait":
            since, time = self.timing.since(name), self.timing.next(name)
        after = None if time is None else self._answer(name, time)
        changes = () if kind == "trait" else self._changes(found, kind)
        answer = self._answer(name, self.as_of)
        return Explanation(
            self.customer,
            name,
            kind,
            self.as_of,
            answer,
            since,
            self.reason(found),
            changes,
            time,
            after,
            note,
        )

    def _answer(self, name: str, at: Moment) -> str:
        found = meaning.evaluate(self.world, name, self.customer, at)
        if name in self.world.definitions.segments:
            return "in" if found is True else "out"
        return say_value(found, self.settings)

    def _changes(self, found: Trace, kind: str) -> tuple[Change, ...]:
        if self.timing is None:
            return ()
        say = partial(say_moment, settings=self.settings)
        adviser = Adviser(self.world, self.customer, self.as_of, self.timing, say)
        if kind == "segment":
            inside = found.value is True
            ways = adviser.ways(found.children[0], not inside)
            return (Change("out" if inside else "in", ways),) if ways else ()
        better = [child for child in found.children if child.holds is False]
        return tuple(Change(child.name, ways) for child in better if (ways := adviser.ways(child, True)))

    def reason(self, found: Trace) -> Reason:
        found = _folded(found)
        events = tuple(Evidence(event.time, event.label) for event in found.events)
        return Reason(
            text="otherwise" if found.node is None else print_expression(found.node),
            name=found.name,
            value=say_value(found.value, self.settings),
            holds=found.holds,
            events=events[-SHOWN:],
            event_count=len(events),
            moments=found.moments[-SHOWN:],
            children=tuple(self.reason(child) for child in found.children),
        )


def _folded(found: Trace) -> Trace:
    """A name that stands for itself once, and a group with its own condition as one."""
    while len(found.children) == 1 and found.children[0].node == found.node:
        (child,) = found.children
        found = replace(child, name=found.name or child.name)
    return found


# --- for people -----------------------------------------------------------------------------------------------------


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def say_moment(moment: Moment, settings: Settings) -> str:
    """`3 Jan 2012 14:20`, local, with seconds where they are not zero."""
    local = (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(settings.timezone))
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{local.day} {local:%b %Y} {clock}"


def say_value(value: meaning.Result, settings: Settings) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return number_text(value)
        case int():
            return say_moment(value, settings)
        case str():
            return value
        case _:
            return ", ".join(sorted(_element(one) for _, one in value))


def _element(value: Decimal | str | bool) -> str:
    """As the engine writes the values of a set."""
    if isinstance(value, Decimal):
        return plain_number(value)
    return value if isinstance(value, str) else str(value).lower()


_WIDTH: Final = 80


def as_text(explanation: Explanation, settings: Settings) -> str:
    """For a terminal of 80 columns."""
    return "\n".join(_lines(explanation, settings))


def _lines(one: Explanation, settings: Settings) -> Iterator[str]:
    since = f", since {say_moment(one.since, settings)}" if one.since is not None else ""
    verb = {"in": "is in", "out": "is not in"}.get(one.answer or "", f"{one.answer or 'nothing'} in")
    if one.kind == "trait":
        yield f"{one.name} of {one.customer}: {one.answer}"
    elif one.kind == "segment":
        yield f"{one.customer} {verb} {one.name}{since if one.answer == 'in' else ''}"
    else:
        yield f"{one.customer} is {one.answer} in {one.name}{since}"
    if one.tree:
        for child in one.tree.children:
            yield from _reason_lines(child, settings, 1)
    for change in one.changes:
        for index, way in enumerate(change.ways):
            lead = f"To be {change.to}: " if index == 0 else "or: "
            yield from _wrapped(f"  {lead}{' and '.join(way)}")
    if one.time_changes_at is not None:
        yield f"  Time alone: {one.time_changes_to} at {say_moment(one.time_changes_at, settings)}"
    if one.note:
        yield f"  Note: {one.note}"


def _reason_lines(reason: Reason, settings: Settings, depth: int) -> Iterator[str]:
    mark = {True: "yes", False: "no ", None: "   "}[reason.holds]
    label = f"{reason.name}: " if reason.name and reason.name != reason.text else ""
    shown = "" if reason.holds is not None else f" = {reason.value}"
    yield from _wrapped(f"{'  ' * depth}{mark} {label}{reason.text}{shown}", hanging=2 * depth + 6)
    for event in reason.events:
        yield f"{'  ' * depth}      {say_moment(event.at, settings)}  {event.id}"[:_WIDTH]
    if reason.event_count > len(reason.events):
        yield f"{'  ' * depth}      and {reason.event_count - len(reason.events)} earlier"
    for child in reason.children:
        yield from _reason_lines(child, settings, depth + 1)


def _wrapped(text: str, hanging: int = 6) -> Iterator[str]:
    from textwrap import wrap

    indent = text[: len(text) - len(text.lstrip())]
    yield from wrap(text.strip(), _WIDTH, initial_indent=indent, subsequent_indent=" " * hanging)
