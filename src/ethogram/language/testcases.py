"""The `tests:` of a definition, from YAML nodes.

Values are typed here and only here: `true`, `false`, `null` and plain decimals mean themselves, everything else is text. What YAML
versions disagree about (`no`, `1e3`, `012`) is refused unless it is quoted.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal, TypeAlias

from ethogram.language.cursor import Cursor
from ethogram.language.literals import LARGEST, date_problem, duration
from ethogram.language.reading import Reader, key_span
from ethogram.language.spelling import did_you_mean, listing
from ethogram.language.tree import DefinitionTest, Duration, TestEvent
from ethogram.language.yamltree import Mapping, Node, Scalar, Sequence
from ethogram.model.errors import DefinitionError

Owner: TypeAlias = Literal["trait", "segment", "segmentation"]
Expected: TypeAlias = bool | str | Decimal | None

TEST_KEYS = ("name", "events", "expect", "at")

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DOUBTFUL = re.compile(
    r"(?i:y|n|yes|no|on|off)|True|TRUE|False|FALSE|Null|NULL"
    r"|[-+]?\.?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|0[xob][0-9a-fA-F_]+|[-+]?\.(?i:inf|nan)"
)


def read_tests(
    reader: Reader, node: Node | None, field: str, owner: Owner, groups: tuple[str, ...] = ()
) -> tuple[DefinitionTest, ...]:
    """The readable tests of a definition; `groups` are the names a segmentation's test may expect."""
    items = reader.items(node, field)
    return tuple(_test(reader, item, f"{field}.{index}", owner, groups) for index, item in enumerate(items))


def _test(reader: Reader, node: Node, field: str, owner: Owner, groups: tuple[str, ...]) -> DefinitionTest:
    fields = reader.fields(node, TEST_KEYS, field)
    at = reader.text(fields.get("at"), f"{field}.at")
    if at and (problem := date_problem(at)):
        reader.note(
            fields["at"], problem, code="E_DATE", hint="Write at: 2026-01-15 12:00.", field=f"{field}.at"
        )
    if isinstance(node, Mapping) and "expect" not in fields:
        reader.note(node, "'expect' is missing", code="E_MISSING_KEY", hint=_EXPECT_HINTS[owner], field=field)
    name = reader.needed(fields.get("name"), node, f"{field}.name") if isinstance(node, Mapping) else ""
    events = reader.items(fields.get("events"), f"{field}.events")
    return DefinitionTest(
        name,
        tuple(_event(reader, item, f"{field}.events.{index}") for index, item in enumerate(events)),
        _expected(reader, fields["expect"], f"{field}.expect", owner, groups) if "expect" in fields else None,
        at,
        span=key_span(node),
    )


_EXPECT_HINTS: dict[Owner, str] = {
    "segment": "Write expect: in, or expect: out.",
    "segmentation": "Write the name of a group.",
    "trait": "Write the trait's value, or expect: missing.",
}


def _expected(reader: Reader, node: Node, field: str, owner: Owner, groups: tuple[str, ...]) -> Expected:
    if not isinstance(node, Scalar):
        reader.note(node, "one value is expected here", hint=_EXPECT_HINTS[owner], field=field)
        return None
    match owner:
        case "segment":
            if node.value not in ("in", "out"):
                reader.note(
                    node, f"'{node.value}' is neither in nor out", hint=_EXPECT_HINTS[owner], field=field
                )
            return node.value == "in"
        case "segmentation":
            if node.value not in groups:
                hint = f"There are: {listing(groups)}. {did_you_mean(node.value, groups)}".strip()
                reader.note(
                    node, f"no group is called '{node.value}'", code="E_UNKNOWN_NAME", hint=hint, field=field
                )
            return node.value
        case "trait":
            if node.style == "plain" and node.value == "missing":
                return None
            return _scalar(reader, node, field)


def _event(reader: Reader, node: Node, field: str) -> TestEvent:
    if not isinstance(node, Mapping):
        hint = "Write { ago: 2d, do: purchase, total: 20 }."
        reader.note(node, "an event is expected here", hint=hint, field=field)
        return TestEvent(Duration(0, "s"), "")
    properties = {
        key.value: _value(reader, value, f"{field}.{key.value}")
        for key, value in node.items
        if key.value not in ("ago", "do")
    }
    do = reader.needed(node.get("do"), node, f"{field}.do")
    return TestEvent(_ago(reader, node, field), do, properties, span=key_span(node))


def _ago(reader: Reader, node: Mapping, field: str) -> Duration:
    ago = node.get("ago")
    if not isinstance(ago, Scalar):
        hint = "Write how long before the test's moment it happens: ago: 2d."
        reader.note(ago or node, "'ago' is missing", code="E_MISSING_KEY", hint=hint, field=f"{field}.ago")
        return Duration(0, "s")
    try:
        cursor = Cursor(ago.source())
        found = duration(cursor)
        if cursor.next.kind != "end":
            raise cursor.unexpected("nothing more after the duration")
        return found
    except DefinitionError as error:
        error.field = f"{field}.ago"
        reader.errors.append(error)
        return Duration(0, "s")


def _value(reader: Reader, node: Node, field: str) -> object:
    match node:
        case Scalar():
            return _scalar(reader, node, field)
        case Sequence(items):
            return tuple(_value(reader, item, f"{field}.{index}") for index, item in enumerate(items))
        case Mapping(items):
            return {key.value: _value(reader, value, f"{field}.{key.value}") for key, value in items}


def _scalar(reader: Reader, node: Scalar, field: str) -> Expected:
    if node.style != "plain":
        return node.value
    match node.value:
        case "" | "null" | "~":
            return None
        case "true":
            return True
        case "false":
            return False
    if _NUMBER.fullmatch(node.value):
        return _number(reader, node, field)
    if _DOUBTFUL.fullmatch(node.value):
        hint = f'Write "{node.value}" for the text, or a plain number, true or false.'
        reader.note(
            node, f"'{node.value}' can be read in two ways", code="E_YAML_QUOTE", hint=hint, field=field
        )
    return node.value


def _number(reader: Reader, node: Scalar, field: str) -> Decimal:
    value = Decimal(node.value)
    if abs(value) > LARGEST:
        reader.note(node, f"numbers go up to {LARGEST}", code="E_NUMBER_OVERFLOW", field=field)
    elif len(node.value.partition(".")[2].rstrip("0")) > 6:
        reader.note(node, "at most 6 digits after the point are possible", code="E_NUMBER", field=field)
    return value
