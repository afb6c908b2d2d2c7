"""Definitions to YAML text that loads as equal definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias, assert_never

from ethogram.language.printer import print_expression, print_lines, print_number, print_path
from ethogram.language.tree import (
    Behavior,
    Definition,
    Definitions,
    DefinitionTest,
    Expression,
    PeopleList,
    Segment,
    Segmentation,
    SegmentationGroup,
    TestEvent,
    Trait,
)

Lines: TypeAlias = Iterator[str]

_WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z_](?:[\w ,.!?()=<>+*/\-\[\]\"`%&';]|:(?=\S)|#)*")
_PLAIN_IN_BRACES = re.compile(r"[A-Za-z_][\w .\-]*")
_SURPRISING = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|missing|otherwise")
_UNPRINTABLE = re.compile(
    r"[^\x20-\x7e\xa1-\u1fff\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def write_definitions(definitions: Definitions) -> str:
    """One file with everything in it; loading it gives equal definitions."""
    sections: tuple[tuple[str, Mapping[str, Definition]], ...] = (
        ("behaviors", definitions.behaviors),
        ("traits", definitions.traits),
        ("segments", definitions.segments),
        ("segmentations", definitions.segmentations),
        ("lists", definitions.lists),
    )
    return "\n".join(_section(name, list(found.values())) for name, found in sections if found)


def print_definition(definition: Definition) -> str:
    """One definition as a file of its own."""
    match definition:
        case Behavior():
            return _section("behaviors", [definition])
        case Trait():
            return _section("traits", [definition])
        case Segment():
            return _section("segments", [definition])
        case Segmentation():
            return _section("segmentations", [definition])
        case PeopleList():
            return _section("lists", [definition])
        case _:
            assert_never(definition)


def _section(name: str, definitions: Sequence[Definition]) -> str:
    lines = [f"  {line}" for definition in definitions for line in _definition(definition)]
    return "\n".join([f"{name}:", *lines]) + "\n"


def _definition(definition: Definition) -> Lines:
    match definition:
        case Behavior():
            return _behavior(definition)
        case Trait():
            return _trait(definition)
        case Segment():
            return _segment(definition)
        case Segmentation():
            return _segmentation(definition)
        case PeopleList():
            return _people(definition)
        case _:
            assert_never(definition)


# --- the five kinds -------------------------------------------------------------------------------------------------


def _behavior(behavior: Behavior) -> Lines:
    events = _scalar(behavior.events[0]) if len(behavior.events) == 1 else _in_brackets(behavior.events)
    details = list(_behavior_details(behavior))
    if not details:
        yield f"{behavior.name}: {events}"
        return
    yield f"{behavior.name}:"
    yield f"  event: {events}"
    yield from details


def _behavior_details(behavior: Behavior) -> Lines:
    if behavior.where is not None:
        yield from _indented(_expression("where", behavior.where))
    if behavior.each:
        yield f"  each: {_scalar(print_path(behavior.each))}"
    if behavior.unless is not None:
        event, same = _in_braces(behavior.unless.event), _in_braces(print_path(behavior.unless.same))
        yield f"  unless: {{ event: {event}, same: {same} }}"
    if behavior.by_company:
        yield "  by: company"
    yield from _texts(title=behavior.title, description=behavior.description)


def _trait(trait: Trait) -> Lines:
    details = [
        *_texts(title=trait.title, description=trait.description),
        *_tests(trait.tests, yes="true", no="false"),
    ]
    if not details:
        yield from _expression(trait.name, trait.value)
        return
    yield f"{trait.name}:"
    yield from _indented(_expression("value", trait.value))
    yield from details


def _segment(segment: Segment) -> Lines:
    titles = list(_texts(title=segment.title, description=segment.description))
    rest = [*_texts(purpose=segment.purpose, owner=segment.owner), *_tests(segment.tests)]
    if not titles and not rest:
        yield from _expression(segment.name, segment.when)
        return
    yield f"{segment.name}:"
    yield from titles
    yield from _indented(_expression("when", segment.when))
    yield from rest


def _segmentation(segmentation: Segmentation) -> Lines:
    yield f"{segmentation.name}:"
    yield from _texts(title=segmentation.title, description=segmentation.description)
    yield "  groups:"
    for group in segmentation.groups:
        yield from (f"    {line}" for line in _group(group))
    yield from _texts(purpose=segmentation.purpose, owner=segmentation.owner)
    yield from _tests(segmentation.tests)


def _group(group: SegmentationGroup) -> Lines:
    key = "when" if group.title else group.name
    lines = [f"{key}: otherwise"] if group.when is None else list(_expression(key, group.when))
    if not group.title:
        yield from lines
        return
    yield f"{group.name}:"
    yield f"  title: {_scalar(group.title)}"
    yield from _indented(lines)


def _people(people: PeopleList) -> Lines:
    yield f"{people.name}:"
    yield (
        f"  file: {_scalar(people.file)}" if people.file else f"  customers: {_in_brackets(people.customers)}"
    )
    yield from _texts(title=people.title)


def _texts(**texts: str) -> Lines:
    yield from (f"  {key}: {_scalar(text)}" for key, text in texts.items() if text)


def _indented(lines: Iterator[str] | list[str]) -> Lines:
    yield from (f"  {line}" for line in lines)


def _expression(key: str, expression: Expression) -> Lines:
    """On one line where it fits, else folded: one line for each part of an outer `and` or `or`."""
    text = print_expression(expression)
    if len(key) + len(text) <= _WIDTH:
        yield f"{key}: {_scalar(text)}"
        return
    lines = print_lines(expression)
    yield f"{key}: >-"
    yield from _indented(lines)


# --- tests ----------------------------------------------------------------------------------------------------------


def _tests(tests: tuple[DefinitionTest, ...], yes: str = "in", no: str = "out") -> Lines:
    if not tests:
        return
    yield "  tests:"
    for test in tests:
        yield f"    - name: {_scalar(test.name)}"
        if test.at:
            yield f"      at: {_quoted(test.at)}"
        if test.events:
            yield "      events:"
            yield from (f"        - {_event(event)}" for event in test.events)
        yield f"      expect: {_expected(test.expect, yes, no)}"


def _event(event: TestEvent) -> str:
    parts = [f"ago: {event.before.amount}{event.before.unit}", f"do: {_in_braces(event.do)}"]
    parts += [f"{_in_braces(key)}: {_value(value)}" for key, value in event.properties.items()]
    return f"{{ {', '.join(parts)} }}"


def _expected(expect: bool | str | Decimal | None, yes: str, no: str) -> str:
    if isinstance(expect, bool):
        return yes if expect else no
    return "missing" if expect is None else _value(expect)


def _value(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return print_number(value)
        case str():
            return _in_braces(value)
        case Mapping():
            return (
                "{"
                + ", ".join(f"{_in_braces(str(key))}: {_value(item)}" for key, item in value.items())
                + "}"
            )
        case tuple():
            return f"[{', '.join(_value(item) for item in value)}]"
        case _:
            raise TypeError(f"a test's property cannot be a {type(value).__name__}")


# --- scalars --------------------------------------------------------------------------------------------------------


def _scalar(text: str) -> str:
    """A value in a block: plain where YAML leaves it alone, else in single or double quotes."""
    if (
        _PLAIN.fullmatch(text)
        and " #" not in text
        and not text.endswith(" ")
        and not _SURPRISING.fullmatch(text)
    ):
        return text
    if _UNPRINTABLE.search(text):
        return _quoted(text)
    return "'" + text.replace("'", "''") + "'"


def _in_braces(text: str) -> str:
    is_plain = _PLAIN_IN_BRACES.fullmatch(text) and not text.endswith(" ") and not _SURPRISING.fullmatch(text)
    return text if is_plain else _quoted(text)


def _in_brackets(texts: Sequence[str]) -> str:
    return f"[{', '.join(_in_braces(text) for text in texts)}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{_UNPRINTABLE.sub(lambda match: f"{chr(92)}u{ord(match[0]):04x}", escaped)}"'
