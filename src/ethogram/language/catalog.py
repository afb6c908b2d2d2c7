"""What the data holds, as far as a check of definitions needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ethogram.language.tree import Path

Seen: TypeAlias = Literal["number", "text", "flag"]

_LETTERS: dict[str, Seen] = {
    "n": "number",
    "t": "text",
    "f": "flag",
    "number": "number",
    "text": "text",
    "flag": "flag",
}


@dataclass(frozen=True, slots=True)
class PropertyUse:
    """How often a property (or a given trait) was seen with each type; `in_list` says that a list is on its path."""

    types: Mapping[Seen, int] = field(default_factory=dict)
    in_list: bool = False

    @property
    def total(self) -> int:
        return sum(self.types.values())

    def merged(self, other: PropertyUse) -> PropertyUse:
        types = {
            kind: self.types.get(kind, 0) + other.types.get(kind, 0) for kind in (*self.types, *other.types)
        }
        return PropertyUse(types, self.in_list or other.in_list)


@dataclass(frozen=True, slots=True)
class EventUse:
    """`customers` is how many did it (0: not counted); `currencies` the distinct values of its `currency` property."""

    properties: Mapping[Path, PropertyUse] = field(default_factory=dict)
    customers: int = 0
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataCatalog:
    """Events by name as received, given traits by path, the names of people lists kept outside the definitions."""

    events: Mapping[str, EventUse] = field(default_factory=dict)
    traits: Mapping[Path, PropertyUse] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    customers: int = 0


def catalog_from_rows(
    properties: Iterable[tuple[str, str, str, bool, int]],
    traits: Iterable[tuple[str, str, bool, int]] = (),
    *,
    events: Iterable[str] = (),
    currencies: Mapping[str, Iterable[str]] | None = None,
    customers: Mapping[str, int] | None = None,
    all_customers: int = 0,
    lists: Iterable[str] = (),
) -> DataCatalog:
    """A catalog of rows (event, path, type, is_list, count); paths are joined by dots, `\\` escapes a dot in a name.

    >>> catalog_from_rows([("Order Completed", "total", "n", False, 3)]).events["Order Completed"].properties
    {('total',): PropertyUse(types={'number': 3}, in_list=False)}
    """
    found: dict[str, dict[Path, PropertyUse]] = {event: {} for event in events}
    for event, path, kind, in_list, count in properties:
        _add(found.setdefault(event, {}), path, kind, in_list, count)
    given: dict[Path, PropertyUse] = {}
    for path, kind, in_list, count in traits:
        _add(given, path, kind, in_list, count)
    coins = currencies or {}
    people = customers or {}
    return DataCatalog(
        {
            event: EventUse(uses, people.get(event, 0), tuple(sorted(set(coins.get(event, ())))))
            for event, uses in found.items()
        },
        given,
        tuple(lists),
        all_customers,
    )


def _add(uses: dict[Path, PropertyUse], text: str, kind: str, in_list: bool, count: int) -> None:
    path = split_path(text)
    use = PropertyUse({_LETTERS[kind]: count}, in_list)
    uses[path] = uses[path].merged(use) if path in uses else use


def split_path(text: str) -> Path:
    r"""The names of a dotted path.

    >>> split_path(r"address.postal\.code")
    ('address', 'postal.code')
    """
    names, name, escaped = [], "", False
    for letter in text:
        if escaped:
            name, escaped = name + letter, False
        elif letter == "\\":
            escaped = True
        elif letter == ".":
            names.append(name)
            name = ""
        else:
            name += letter
    return (*names, name)
