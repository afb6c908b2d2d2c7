"""Which definitions are new, edited or gone since the last refresh, and which depend on everybody else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from ethogram.language.hashing import definition_hashes
from ethogram.language.names import all_definitions, references
from ethogram.language.tree import Call, Definitions
from ethogram.language.visits import expressions_of
from ethogram.language.walk import walk
from ethogram.model.settings import Settings

FITTED: Final = frozenset({"rank", "ntile", "top", "zscore"})
"""Functions whose answer for one customer depends on all others, and so changes at refreshes only."""


@dataclass(frozen=True, slots=True)
class Edits:
    """Segments and segmentations by what happened to them since they were last evaluated."""

    new: frozenset[str]
    edited: frozenset[str]
    removed: frozenset[str]
    same: frozenset[str]

    @property
    def any(self) -> bool:
        return bool(self.new or self.edited or self.removed)


Identity: TypeAlias = tuple[str, str]
"""What a definition is (segment or segmentation) and the hash of its meaning."""


def edits_between(before: Mapping[str, Identity], after: Mapping[str, Identity]) -> Edits:
    """What became another kind of definition is gone, and new.

    >>> edits_between({"a": ("segment", "1"), "b": ("segment", "1")}, {"b": ("segment", "2"), "c": ("segment", "1")})
    Edits(new=frozenset({'c'}), edited=frozenset({'b'}), removed=frozenset({'a'}), same=frozenset())
    """
    both = frozenset(name for name in before.keys() & after.keys() if before[name][0] == after[name][0])
    edited = frozenset(name for name in both if before[name] != after[name])
    return Edits(frozenset(after.keys() - both), edited, frozenset(before.keys() - both), both - edited)


def identities(
    definitions: Definitions, settings: Settings, lists: Mapping[str, frozenset[str]]
) -> dict[str, Identity]:
    """Of every segment and segmentation. Other people on a list that it asks for make it mean something else."""
    hashes = meaning_hashes(definitions, settings)
    needs = _Needs(definitions) if definitions.lists else None
    return {
        name: (
            "segment" if name in definitions.segments else "segmentation",
            hashes[name]
            + (_lists_hash(sorted(needs.of(name) & definitions.lists.keys()), lists) if needs else ""),
        )
        for name in evaluated(definitions)
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """These very definitions: equal to nothing but itself, so that remembering what is known of them costs no comparison."""

    definitions: Definitions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Given) and self.definitions is other.definitions

    def __hash__(self) -> int:
        return id(self.definitions)


def meaning_hashes(definitions: Definitions, settings: Settings) -> Mapping[str, str]:
    """The hash of every definition, worked out once while the same definitions are refreshed again and again."""
    return _hashes_of(_Given(definitions), settings)


@lru_cache(maxsize=2)
def _hashes_of(given: _Given, settings: Settings) -> Mapping[str, str]:
    return definition_hashes(given.definitions, settings)


def _lists_hash(asked: Sequence[str], lists: Mapping[str, frozenset[str]]) -> str:
    """Empty where no list is asked for."""
    digest = hashlib.sha256()
    for name in asked:
        digest.update(f"\0\0{name}".encode())
        for customer in sorted(lists.get(name, frozenset())):
            digest.update(b"\0" + customer.encode())
    return f"+{digest.hexdigest()[:16]}" if asked else ""


def evaluated(definitions: Definitions) -> Iterator[str]:
    """The names that customers are in or out of."""
    yield from definitions.segments
    yield from definitions.segmentations


def fitted(definitions: Definitions) -> frozenset[str]:
    """The segments and segmentations that depend, directly or through other definitions, on a function in `FITTED`."""
    needs = _Needs(definitions)
    uses = {name for name in needs.everything if _calls_fitted(definitions, name)}
    return frozenset(name for name in evaluated(definitions) if name in uses or needs.of(name) & uses)


def _calls_fitted(definitions: Definitions, name: str) -> bool:
    definition = definitions.find(name)
    roots = expressions_of(definition) if definition else ()
    return any(isinstance(node, Call) and node.function in FITTED for root in roots for node in walk(root))


class _Needs:
    """All that a definition refers to, directly or through others."""

    def __init__(self, definitions: Definitions) -> None:
        self.everything = [definition.name for definition in all_definitions(definitions)]
        self._direct = {one.name: frozenset(references(one)) for one in all_definitions(definitions)}
        self._known: dict[str, frozenset[str]] = {}

    def of(self, name: str) -> frozenset[str]:
        if name not in self._known:
            found = set(self._direct.get(name, frozenset()))
            waiting = list(found)
            while waiting:
                new = self._direct.get(waiting.pop(), frozenset()) - found
                found |= new
                waiting += new
            self._known[name] = frozenset(found)
        return self._known[name]
