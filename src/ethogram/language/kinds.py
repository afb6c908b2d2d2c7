"""The five kinds of definition, from YAML nodes."""

from __future__ import annotations

from pathlib import PurePosixPath

from ethogram.language.reading import Reader, key_span
from ethogram.language.testcases import read_tests
from ethogram.language.tree import (
    Behavior,
    Definition,
    PeopleList,
    Segment,
    Segmentation,
    SegmentationGroup,
    Trait,
    Unless,
)
from ethogram.language.yamltree import Mapping, Node, Scalar, Sequence

SECTIONS = ("behaviors", "traits", "segments", "segmentations", "lists")

BEHAVIOR_KEYS = ("event", "where", "each", "unless", "by", "title", "description")
TRAIT_KEYS = ("value", "title", "description", "tests")
SEGMENT_KEYS = ("when", "title", "description", "purpose", "owner", "tests")
SEGMENTATION_KEYS = ("groups", "title", "description", "purpose", "owner", "tests")
GROUP_KEYS = ("when", "title")
LIST_KEYS = ("file", "customers", "title")


def read_section(reader: Reader, section: str, node: Node) -> list[Definition]:
    """The definitions of one section that can be read."""
    read = {
        "behaviors": _behavior,
        "traits": _trait,
        "segments": _segment,
        "segmentations": _segmentation,
        "lists": _people,
    }[section]
    found = [
        read(reader, key, value, f"{section}.{key.value}")
        for key, value in reader.entries(node, section, section)
    ]
    return [definition for definition in found if definition is not None]


def _behavior(reader: Reader, key: Scalar, node: Node, field: str) -> Behavior | None:
    if not isinstance(node, Mapping):
        events = _event_names(reader, node, key, field)
        return Behavior(key.value, events, span=key_span(key)) if events else None
    fields = reader.fields(node, BEHAVIOR_KEYS, field)
    where = fields.get("where")
    return Behavior(
        key.value,
        _event_names(reader, fields.get("event"), key, f"{field}.event"),
        reader.expression(where, key, f"{field}.where", inside_filter=True) if where else None,
        reader.path(fields.get("each"), f"{field}.each"),
        _unless(reader, fields["unless"], f"{field}.unless") if "unless" in fields else None,
        _by_company(reader, fields.get("by"), f"{field}.by"),
        reader.text(fields.get("title"), f"{field}.title"),
        reader.text(fields.get("description"), f"{field}.description"),
        span=key_span(key),
    )


def _event_names(reader: Reader, node: Node | None, key: Scalar, field: str) -> tuple[str, ...]:
    if isinstance(node, Sequence):
        names = tuple(reader.needed(item, item, field) for item in node.items)
        if not names:
            reader.note(node, "the list of events is empty", hint="Name at least one event.", field=field)
        return names
    name = reader.needed(node, key, field)
    return (name,) if name else ()


def _unless(reader: Reader, node: Node, field: str) -> Unless | None:
    if not isinstance(node, Mapping):
        hint = "Write unless: { event: Order Cancelled, same: order_id }."
        reader.note(node, "an event and a property are expected here", hint=hint, field=field)
        return None
    fields = reader.fields(node, ("event", "same"), field)
    event = reader.needed(fields.get("event"), node, f"{field}.event")
    if "same" not in fields:
        reader.needed(None, node, f"{field}.same")
    return Unless(event, reader.path(fields.get("same"), f"{field}.same"), span=key_span(node))


def _by_company(reader: Reader, node: Node | None, field: str) -> bool:
    value = reader.text(node, field)
    if node is not None and value != "company":
        hint = "Write by: company, or leave it away for what customers do themselves."
        reader.note(node, f"'{value}' is not known here", hint=hint, field=field)
    return value == "company"


def _trait(reader: Reader, key: Scalar, node: Node, field: str) -> Trait | None:
    if not isinstance(node, Mapping):
        value = reader.expression(node, key, field)
        return Trait(key.value, value, span=key_span(key)) if value else None
    fields = reader.fields(node, TRAIT_KEYS, field)
    value = reader.expression(fields.get("value"), key, f"{field}.value")
    title = reader.text(fields.get("title"), f"{field}.title")
    description = reader.text(fields.get("description"), f"{field}.description")
    tests = read_tests(reader, fields.get("tests"), f"{field}.tests", "trait")
    return Trait(key.value, value, title, description, tests, span=key_span(key)) if value else None


def _segment(reader: Reader, key: Scalar, node: Node, field: str) -> Segment | None:
    if not isinstance(node, Mapping):
        when = reader.expression(node, key, field)
        return Segment(key.value, when, span=key_span(key)) if when else None
    fields = reader.fields(node, SEGMENT_KEYS, field)
    when = reader.expression(fields.get("when"), key, f"{field}.when")
    texts = {name: reader.text(fields.get(name), f"{field}.{name}") for name in _TEXTS}
    tests = read_tests(reader, fields.get("tests"), f"{field}.tests", "segment")
    return Segment(key.value, when, **texts, tests=tests, span=key_span(key)) if when else None


_TEXTS = ("title", "description", "purpose", "owner")


def _segmentation(reader: Reader, key: Scalar, node: Node, field: str) -> Segmentation | None:
    fields = reader.fields(node, SEGMENTATION_KEYS, field)
    if isinstance(node, Mapping) and "groups" not in fields:
        reader.note(
            key, "'groups' is missing", code="E_MISSING_KEY", hint="Add groups: …", field=f"{field}.groups"
        )
    groups = _groups(reader, fields.get("groups"), f"{field}.groups")
    texts = {name: reader.text(fields.get(name), f"{field}.{name}") for name in _TEXTS}
    names = tuple(group.name for group in groups)
    tests = read_tests(reader, fields.get("tests"), f"{field}.tests", "segmentation", names)
    return Segmentation(key.value, groups, **texts, tests=tests, span=key_span(key)) if groups else None


def _groups(reader: Reader, node: Node | None, field: str) -> tuple[SegmentationGroup, ...]:
    entries = reader.entries(node, field, "groups")
    if node is not None and not entries and (isinstance(node, Mapping) or _is_empty(node)):
        reader.note(node, "a segmentation without groups", hint="Its last group is 'otherwise'.", field=field)
    found = tuple(_group(reader, key, value, f"{field}.{key.value}") for key, value in entries)
    for (key, _), group in list(zip(entries, found, strict=True))[:-1]:
        if group is not None and group.when is None:
            message = f"'{group.name}: otherwise' takes everybody; the groups after it stay empty"
            reader.note(key, message, code="E_OTHERWISE", hint="Put it last.", field=field)
    return tuple(group for group in found if group is not None)


def _group(reader: Reader, key: Scalar, node: Node, field: str) -> SegmentationGroup | None:
    title = ""
    condition: Node | None = node
    if isinstance(node, Mapping):
        fields = reader.fields(node, GROUP_KEYS, field)
        condition = fields.get("when")
        title = reader.text(fields.get("title"), f"{field}.title")
    if isinstance(condition, Scalar) and condition.value.strip() == "otherwise":
        return SegmentationGroup(key.value, None, title, span=key_span(key))
    when = reader.expression(condition, key, field)
    return SegmentationGroup(key.value, when, title, span=key_span(key)) if when else None


def _people(reader: Reader, key: Scalar, node: Node, field: str) -> PeopleList | None:
    if isinstance(node, Scalar):
        return PeopleList(key.value, _list_file(reader, node, field), span=key_span(key))
    if isinstance(node, Sequence):
        return PeopleList(key.value, customers=_customers(reader, node, field), span=key_span(key))
    fields = reader.fields(node, LIST_KEYS, field)
    if ("file" in fields) == ("customers" in fields):
        message = "a list has either a file or customers"
        reader.note(
            key, message, code="E_MISSING_KEY", hint=f"Write file: lists/{key.value}.csv.", field=field
        )
        return None
    file = _list_file(reader, fields["file"], f"{field}.file") if "file" in fields else ""
    customers = _customers(reader, fields.get("customers"), f"{field}.customers")
    return PeopleList(
        key.value, file, customers, reader.text(fields.get("title"), f"{field}.title"), span=key_span(key)
    )


def _list_file(reader: Reader, node: Node, field: str) -> str:
    file = reader.needed(node, node, field)
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file or ":" in file:
        hint = "Write a path inside the project's folder: lists/staff.csv."
        reader.note(
            node, f"'{file}' leads out of the project", code="E_PATH_OUTSIDE_ROOT", hint=hint, field=field
        )
    return file


def _customers(reader: Reader, node: Node | None, field: str) -> tuple[str, ...]:
    return tuple(reader.needed(item, item, field) for item in reader.items(node, field))


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_empty
