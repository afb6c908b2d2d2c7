"""YAML files to entries and parts. Every mistake is told with file, line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import cast

from ethogram.catalog.entry import (
    CUSTOMER,
    KINDS,
    Entry,
    EventPart,
    FromData,
    Holds,
    Kind,
    Parameter,
    Parts,
    Play,
    PropertyPart,
    Statistic,
)
from ethogram.language.reading import Reader
from ethogram.language.spelling import did_you_mean, listing
from ethogram.language.yamltree import Mapping as Block
from ethogram.language.yamltree import Node, Scalar, read_yaml
from ethogram.model.errors import DefinitionError, Problems

ENTRY_KEYS = (
    "name", "title", "kind", "sentence", "needs", "optional", "any_of", "settings", "uses", "parameters", "play", "notes", "cuts",
    "published", "definitions",
)  # fmt: skip
PARAMETER_KEYS = ("default", "means", "from_data", "is", "type")
STATISTICS: tuple[Statistic, ...] = ("gaps", "values", "stays", "most_frequent", "ratio")
HOLDS: tuple[Holds, ...] = ("number", "text", "sign", "any")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


@cache
def load_parts() -> Parts:
    return read_parts((files("ethogram.catalog") / "parts.yml").read_text(encoding="utf-8"), "parts.yml")


@cache
def load_catalog() -> Mapping[str, Entry]:
    """All entries by name, by kind and title. Raises Problems."""
    parts = load_parts()
    found: dict[str, Entry] = {}
    problems: list[DefinitionError] = []
    for text, file in _texts():
        try:
            for entry in read_entries(text, file, parts):
                found[entry.name] = entry
        except Problems as error:
            problems += cast("tuple[DefinitionError, ...]", error.errors)
    for entry in found.values():
        unknown = [name for name in entry.uses if name not in found]
        problems += [
            DefinitionError("E_UNKNOWN_NAME", f"no entry '{name}'", file=entry.file) for name in unknown
        ]
    if problems:
        raise Problems(problems)
    order = {kind: place for place, kind in enumerate(KINDS)}
    return dict(sorted(found.items(), key=lambda item: order[item[1].kind]))


def require_entry(name: str) -> Entry:
    """Raises DefinitionError E_UNKNOWN_NAME with the nearest name."""
    catalog = load_catalog()
    if name not in catalog:
        hint = f"{did_you_mean(name, catalog)} See all: ethogram catalog".strip()
        raise DefinitionError("E_UNKNOWN_NAME", f"the catalog has no '{name}'", hint=hint)
    return catalog[name]


def _texts() -> Iterator[tuple[str, str]]:
    folder = files("ethogram.catalog") / "entries"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yml"):
            yield file.read_text(encoding="utf-8"), f"catalog/{file.name}"


# --- entries --------------------------------------------------------------------------------------------------------


def read_entries(text: str, file: str, parts: Parts) -> tuple[Entry, ...]:
    """The entries of one file, a list under `entries`. Raises Problems."""
    reader = Reader()
    root = _root(reader, text, file)
    fields = reader.fields(root, ("entries",), "") if root else {}
    found = tuple(
        _entry(reader, node, file, parts) for node in reader.items(fields.get("entries"), "entries")
    )
    _raise(reader)
    return found


def _root(reader: Reader, text: str, file: str) -> Node | None:
    try:
        return read_yaml(text, file, reader.errors)
    except DefinitionError as error:
        raise Problems([error]) from None


def _raise(reader: Reader) -> None:
    if reader.errors:
        raise Problems(reader.errors)


def _entry(reader: Reader, node: Node, file: str, parts: Parts) -> Entry:
    fields = reader.fields(node, ENTRY_KEYS, "")
    kind = reader.needed(fields.get("kind"), node, "kind")
    if kind and kind not in KINDS:
        reader.note(fields["kind"], f"no kind is called '{kind}'", hint=f"There are: {listing(KINDS)}.")
    needs = tuple(_need(reader, item, parts) for item in reader.items(fields.get("needs"), "needs"))
    optional = tuple(_need(reader, item, parts) for item in reader.items(fields.get("optional"), "optional"))
    any_of = tuple(_need(reader, item, parts) for item in reader.items(fields.get("any_of"), "any_of"))
    parameters = {
        key.value: _parameter(reader, key.value, value)
        for key, value in reader.entries(fields.get("parameters"), "parameters", "parameters")
    }
    entry = Entry(
        name=reader.needed(fields.get("name"), node, "name"),
        title=reader.needed(fields.get("title"), node, "title"),
        kind=cast("Kind", kind),
        sentence=reader.needed(fields.get("sentence"), node, "sentence"),
        needs=needs,
        optional=optional,
        any_of=any_of,
        settings=_names(reader, fields.get("settings"), "settings"),
        uses=_names(reader, fields.get("uses"), "uses"),
        parameters=parameters,
        play=_play(reader, fields.get("play"), node),
        notes=_names(reader, fields.get("notes"), "notes"),
        cuts=tuple(_cut(reader, item) for item in reader.items(fields.get("cuts"), "cuts")),
        published=reader.text(fields.get("published"), "published"),
        template=_template(reader, fields.get("definitions"), node),
        file=file,
    )
    _check_places(reader, entry, fields.get("definitions", node), parts)
    return entry


def _names(reader: Reader, node: Node | None, field: str) -> tuple[str, ...]:
    return tuple(reader.text(item, field) for item in reader.items(node, field))


def _need(reader: Reader, node: Node, parts: Parts) -> str:
    need = reader.text(node, "needs")
    if not parts.has(need):
        hint = did_you_mean(need.partition(".")[0], parts.events) or "parts.yml has them all."
        reader.note(node, f"no part is called '{need}'", code="E_UNKNOWN_NAME", hint=hint)
    return need


def _template(reader: Reader, node: Node | None, owner: Node) -> str:
    """The text as it is written: blanks at the beginning of lines belong to it."""
    if isinstance(node, Scalar) and node.style == "literal":
        return node.value
    reader.note(
        node or owner, "the definitions are missing", hint="Write definitions: | and the YAML below it."
    )
    return ""


def _play(reader: Reader, node: Node | None, owner: Node) -> Play:
    if node is None:
        reader.note(
            owner, "'play' is missing", code="E_MISSING_KEY", hint="Add play: { what: …, purpose: … }"
        )
        return Play("")
    fields = reader.fields(node, ("what", "purpose"), "play")
    return Play(
        reader.needed(fields.get("what"), node, "play.what"),
        reader.text(fields.get("purpose"), "play.purpose"),
    )


def _parameter(reader: Reader, name: str, node: Node) -> Parameter:
    fields = reader.fields(node, PARAMETER_KEYS, name)
    computed = reader.text(fields.get("is"), f"{name}.is")
    default = reader.text(fields.get("default"), f"{name}.default")
    means = reader.needed(fields.get("means"), node, f"{name}.means")
    data = _from_data(reader, fields["from_data"], name) if "from_data" in fields else None
    is_text = reader.text(fields.get("type"), f"{name}.type") == "text"
    return Parameter(name, default, means, data, computed, is_text)


def _cut(reader: Reader, node: Node) -> Parameter:
    fields = reader.fields(node, ("of", "parts", "means"), "cuts")
    means = reader.needed(fields.get("means"), node, "means")
    parts = reader.needed(fields.get("parts"), node, "parts")
    data = FromData("cuts", reader.needed(fields.get("of"), node, "of"), most=int(parts or 1), means=means)
    return Parameter(means, "", means, data)


def _from_data(reader: Reader, node: Node, name: str) -> FromData:
    fields = reader.fields(node, (*STATISTICS, "at", "most", "means"), f"{name}.from_data")
    named = [statistic for statistic in STATISTICS if statistic in fields]
    if len(named) != 1:
        reader.note(node, "one statistic is expected here", hint=f"There are: {listing(STATISTICS)}.")
        return FromData("values", "")
    at = reader.text(fields.get("at"), f"{name}.at") or "50%"
    quantile = _PERCENT.fullmatch(at)
    if not quantile:
        reader.note(fields["at"], f"'{at}' is no quantile", hint="Write at: 75%")
    most = reader.text(fields.get("most"), f"{name}.most") or "1"
    return FromData(
        named[0],
        reader.text(fields[named[0]], f"{name}.from_data"),
        float(quantile[1]) / 100 if quantile else 0.5,
        int(most) if most.isdigit() else 1,
        reader.needed(fields.get("means"), node, f"{name}.from_data.means"),
    )


def _check_places(reader: Reader, entry: Entry, node: Node, parts: Parts) -> None:
    """Every place in the text is a need, a parameter or one of its own names."""
    asked = {*entry.needs, *entry.any_of, *entry.optional}
    for name, sign, inner in entry.places:
        if name in parts.events or name == CUSTOMER:
            need = f"{name}.{inner}" if sign and parts.has(f"{name}.{inner}") else name
            if need != CUSTOMER and not any(need == one or one.startswith(f"{need}.") for one in asked):
                reader.note(node, f"'${need}' is used, but stands neither under needs, any_of nor optional")
        elif (
            name not in entry.parameters
            and name not in entry.defines
            and not entry.uses
            and name not in _LOOP
        ):
            reader.note(node, f"'${name}' is no part, no parameter and no definition of {entry.name}")


_LOOP = ("each", "each_name", "each_title")


# --- parts ----------------------------------------------------------------------------------------------------------

EVENT_KEYS = ("title", "names", "words", "not", "properties", "several", "by", "of", "lists")


def read_parts(text: str, file: str) -> Parts:
    """Raises Problems."""
    reader = Reader()
    root = _root(reader, text, file)
    fields = reader.fields(root, ("events", CUSTOMER), "") if root else {}
    events = {
        key.value: _event_part(reader, key.value, node)
        for key, node in reader.entries(fields.get("events"), "events", "parts")
    }
    customer = {
        key.value: _property_part(reader, node)
        for key, node in reader.entries(fields.get(CUSTOMER), CUSTOMER, "traits")
    }
    _raise(reader)
    return Parts(events, customer)


def _event_part(reader: Reader, name: str, node: Node) -> EventPart:
    fields = reader.fields(node, EVENT_KEYS, name)
    inner = fields.get("properties")
    return EventPart(
        name,
        reader.needed(fields.get("title"), node, f"{name}.title"),
        names=_names(reader, fields.get("names"), "names"),
        words=_names(reader, fields.get("words"), "words"),
        unlike=_names(reader, fields.get("not"), "not"),
        properties={
            key.value: _property_part(reader, value)
            for key, value in (inner.items if isinstance(inner, Block) else ())
        },
        several=reader.text(fields.get("several"), "several") == "true",
        by_company=reader.text(fields.get("by"), "by") == "company",
        of=reader.text(fields.get("of"), "of"),
        lists=_names(reader, fields.get("lists"), "lists"),
    )


def _property_part(reader: Reader, node: Node) -> PropertyPart:
    fields = reader.fields(node, ("title", "type", "names"), "")
    holds = reader.text(fields.get("type"), "type")
    if holds not in HOLDS:
        reader.note(node, f"no type is called '{holds}'", hint=f"There are: {listing(HOLDS)}.")
    return PropertyPart(
        reader.needed(fields.get("title"), node, "title"),
        cast("Holds", holds),
        _names(reader, fields.get("names"), "names"),
    )
