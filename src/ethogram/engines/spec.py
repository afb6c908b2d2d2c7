"""What a plan needs of the lake: which event names, property columns and item lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ethogram.language.plan import Atom, Plan, Stream
from ethogram.language.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Elem,
    Expression,
    Items,
    Known,
    Negate,
    Not,
    Or,
    Path,
    Property,
)
from ethogram.store import GivenTrait
from ethogram.store import Property as SeenProperty
from ethogram.store.paths import join_path


@dataclass(frozen=True, slots=True, order=True)
class ColumnKey:
    """A property by path and type: n, t, f; `length` is the number of elements of the list at the path."""

    path: Path
    type: str

    def __str__(self) -> str:
        return f"{join_path(self.path)}:{self.type}"


@dataclass(frozen=True, slots=True)
class Needs:
    """`names` None is every action; `each` pairs an event name with the list whose elements become items."""

    names: frozenset[str] | None
    columns: frozenset[ColumnKey]
    each: frozenset[tuple[str, Path]]
    traits: frozenset[Path]

    def covers(self, other: Needs) -> bool:
        names = self.names is None or (other.names is not None and other.names <= self.names)
        return (
            names
            and other.columns <= self.columns
            and other.each <= self.each
            and other.traits <= self.traits
        )

    def joined(self, other: Needs) -> Needs:
        names = None if self.names is None or other.names is None else self.names | other.names
        return Needs(names, self.columns | other.columns, self.each | other.each, self.traits | other.traits)


@dataclass(frozen=True, slots=True)
class Seen:
    """Which types the lake has under each path."""

    properties: dict[Path, frozenset[tuple[str, bool]]]
    by_event: dict[tuple[str, Path], frozenset[str]]
    traits: dict[Path, frozenset[tuple[str, bool]]]

    def keys(self, path: Path) -> Iterator[ColumnKey]:
        for type_ in sorted({type_ for type_, _ in self.properties.get(path, ())}):
            yield ColumnKey(path, type_)

    def is_list(self, key: ColumnKey) -> bool:
        return (key.type, True) in self.properties.get(key.path, ())

    def is_plain(self, key: ColumnKey) -> bool:
        return (key.type, False) in self.properties.get(key.path, ())


def seen(properties: Iterable[SeenProperty], traits: Iterable[GivenTrait]) -> Seen:
    by_path: dict[Path, set[tuple[str, bool]]] = {}
    by_event: dict[tuple[str, Path], set[str]] = {}
    for one in properties:
        by_path.setdefault(one.path, set()).add((one.type, one.is_list))
        by_event.setdefault((one.event, one.path), set()).add(one.type)
    given: dict[Path, set[tuple[str, bool]]] = {}
    for trait in traits:
        given.setdefault(trait.path, set()).add((trait.type, trait.is_list))
    return Seen(
        {path: frozenset(types) for path, types in by_path.items()},
        {key: frozenset(types) for key, types in by_event.items()},
        {path: frozenset(types) for path, types in given.items()},
    )


def needs_of(plan: Plan, known: Seen) -> Needs:
    names: set[str] | None = set()
    columns: set[ColumnKey] = set()
    each: set[tuple[str, Path]] = set()
    for stream in streams_of(plan):
        if stream.names is None:
            names = None
        elif names is not None:
            names |= set(stream.names)
        if stream.unless is not None and names is not None:
            names.add(stream.unless.event)
        if stream.each:
            each |= {(name, stream.each) for name in stream.names or ()}
            columns.add(ColumnKey(stream.each, "length"))
        for path in paths_of(stream):
            columns |= _columns(path, stream.each, known)
        for condition in stream.where:
            columns |= {ColumnKey(path, "length") for path in lists_of(condition)}
    for atom in plan.atoms:
        for path in _measured(atom):
            columns |= _columns(path, atom.stream.each, known)
    return Needs(
        None if names is None else frozenset(names),
        frozenset(columns),
        frozenset(each),
        frozenset(path for path, _ in plan.givens),
    )


def streams_of(plan: Plan) -> Iterator[Stream]:
    for atom in plan.atoms:
        yield atom.stream
        if atom.sequence is not None:
            yield from (step.stream for step in atom.sequence.steps)
            if atom.sequence.strict is not None:
                yield atom.sequence.strict


def _measured(atom: Atom) -> Iterator[Path]:
    if atom.path:
        yield atom.path
    if atom.by:
        yield atom.by
    if atom.sequence is not None and atom.sequence.same:
        yield atom.sequence.same


def paths_of(stream: Stream) -> Iterator[Path]:
    for condition in stream.where:
        yield from properties_of(condition)
    if stream.unless is not None:
        yield stream.unless.same


def properties_of(node: Expression, inside: Path = ()) -> Iterator[Path]:
    """The full paths of all properties that a condition reads."""
    match node:
        case Property():
            yield inside + node.path
            if inside and node.path == ("value",):
                yield inside
        case Elem():
            yield from properties_of(node.where, inside + node.path)
        case _:
            for child in children_of(node):
                yield from properties_of(child, inside)


def lists_of(node: Expression, inside: Path = ()) -> Iterator[Path]:
    match node:
        case Elem():
            yield inside + node.path
            yield from lists_of(node.where, inside + node.path)
        case _:
            for child in children_of(node):
                yield from lists_of(child, inside)


def children_of(node: Expression) -> tuple[Expression, ...]:
    match node:
        case And() | Or() | Items():
            return node.items
        case Not() | Known() | Negate():
            return (node.item,)
        case Compare() | Arithmetic():
            return (node.left, node.right)
        case Between():
            return (node.item, node.low, node.high)
        case Call():
            return node.arguments
        case _:
            return ()


def _columns(path: Path, each: Path, known: Seen) -> set[ColumnKey]:
    """A property's columns; of items the element's own stand before the event's."""
    found = set(known.keys(path))
    if each:
        inner = each if path == ("value",) else each + path
        found |= {ColumnKey(path, key.type) for key in known.keys(inner)}
    return found
