"""All entries of the catalog together, under the names of the specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from ethogram.catalog.adding import all_needs
from ethogram.catalog.entry import CUSTOMER, Entry, Parts
from ethogram.catalog.loading import load_catalog, load_parts
from ethogram.catalog.rendering import (
    Cast,
    render_behaviors,
    render_definitions,
    set_values,
    usual_cast,
    usual_type,
)
from ethogram.language.catalog import DataCatalog, EventUse, PropertyUse
from ethogram.language.files import definitions_from_text
from ethogram.language.tree import Definitions, DefinitionTest, Path, Segment, Segmentation, Trait
from ethogram.model.settings import Settings

SETTINGS = Settings(timezone="Europe/London", country="GB", currency="GBP")
SAID = {"replenishment_due": {"product": "a1"}}
"""Values for parameters that have no default."""

Answer = Trait | Segment | Segmentation


def usual_values(entry: Entry) -> dict[str, str]:
    return set_values(entry, SAID.get(entry.name, {}))


def cast_of(entries: Mapping[str, Entry]) -> Cast:
    needs, optional = all_needs(tuple(entries.values()))
    return usual_cast(load_parts(), (*needs, *optional))


@cache
def whole_catalog() -> Definitions:
    entries = load_catalog()
    cast = cast_of(entries)
    sections: dict[str, list[str]] = {"behaviors": list(render_behaviors(cast).values())}
    for entry in entries.values():
        section = ""
        for line in render_definitions(entry, cast, usual_values(entry)).splitlines():
            if line and not line.startswith(" "):
                section = line.rstrip(":")
            else:
                sections.setdefault(section, []).append(line)
    text = "".join(f"{name}:\n" + "\n".join(lines) + "\n" for name, lines in sections.items())
    return definitions_from_text(text)


@dataclass(frozen=True)
class Case:
    """One test of one definition; `entry` is where it stands."""

    definition: Answer
    test: DefinitionTest

    def __str__(self) -> str:
        return f"{self.definition.name}: {self.test.name}"


def cases() -> Iterator[Case]:
    definitions = whole_catalog()
    for kind in (definitions.traits, definitions.segments, definitions.segmentations):
        for definition in kind.values():
            for test in definition.tests:
                yield Case(definition, test)


def usual_data() -> DataCatalog:
    """Data in which every part is played under its first name."""
    parts, entries = load_parts(), load_catalog()
    cast = cast_of(entries)
    events: dict[str, EventUse] = {}
    for name, played in cast.events.items():
        uses = {filled.path: _use(parts, name, key) for key, filled in played.properties.items()}
        if played.each:
            uses = {(*played.each, *path): PropertyUse(use.types, True) for path, use in uses.items()}
        for event in played.events:
            before = dict(events[event].properties) if event in events else {}
            events[event] = EventUse({**before, **uses}, 100)
    given: dict[Path, PropertyUse] = {
        filled.path: _use(parts, CUSTOMER, key) for key, filled in cast.customer.items()
    }
    return DataCatalog(events, given, customers=100)


def _use(parts: Parts, owner: str, name: str) -> PropertyUse:
    part = parts.customer[name] if owner == CUSTOMER else parts.events[owner].properties[name]
    return PropertyUse({usual_type(part.holds): 100})  # type: ignore[dict-item]
