"""Names: what a definition refers to, in which order definitions can be answered, and circles of names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ethogram.language.findings import Finding, choices, error
from ethogram.language.parser import RESERVED
from ethogram.language.tree import (
    Call,
    Definition,
    Definitions,
    Events,
    Expression,
    Group,
    Me,
    Name,
    Text,
)
from ethogram.language.visits import expressions_of
from ethogram.language.walk import walk
from ethogram.model.errors import DefinitionError
from ethogram.model.span import Span

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")


def referred_name(node: Expression) -> str:
    """The definition that this one node names, if it names any."""
    match node:
        case Name(name):
            return name
        case Group(segmentation, _):
            return segmentation
        case Me(trait):
            return trait
        case Events(source, raw=False) if source != "any":
            return source
        case Call("in_list", (Text(name), *_)):
            return name
        case _:
            return ""


def references(definition: Definition) -> dict[str, Span | None]:
    """Every name `definition` refers to, with the first place where it does."""
    found: dict[str, Span | None] = {}
    for root in expressions_of(definition):
        for node in walk(root):
            name = referred_name(node)
            if name:
                found.setdefault(name, node.span)
    return found


def all_definitions(definitions: Definitions) -> Iterator[Definition]:
    for kind in (
        definitions.behaviors,
        definitions.traits,
        definitions.segments,
        definitions.segmentations,
        definitions.lists,
    ):
        yield from kind.values()


def dependencies(definitions: Definitions, name: str) -> tuple[str, ...]:
    """The definitions that `name` directly refers to, each once, in the order in which they are written."""
    definition = definitions.find(name)
    if definition is None:
        return ()
    return tuple(other for other in references(definition) if definitions.find(other) is not None)


def evaluation_order(definitions: Definitions) -> tuple[str, ...]:
    """Every definition's name, each after all that it depends on; raises E_CIRCLE where there is no such order."""
    graph = _graph(definitions)
    order, circle = _ordered(graph)
    if circle:
        raise circle_found(definitions, circle).as_error()
    return tuple(order)


def circles(definitions: Definitions) -> tuple[tuple[str, ...], ...]:
    """Circles of names, each once, as it is walked: ("a", "b", "a")."""
    graph = _graph(definitions)
    found: list[tuple[str, ...]] = []
    while True:
        _, circle = _ordered(graph)
        if not circle:
            return tuple(found)
        found.append(circle)
        last, first = circle[-2], circle[-1]
        graph[last] = tuple(name for name in graph[last] if name != first)


def circle_found(definitions: Definitions, circle: tuple[str, ...]) -> Finding:
    definition = definitions.find(circle[0])
    span = references(definition).get(circle[1]) if definition else None
    walk = " -> ".join(circle)
    message = f"'{circle[0]}' needs itself: {walk}" if len(circle) == 2 else f"a circle of names: {walk}"
    hint = "a definition may not refer to itself, not even to its own past; break the circle at one of these names"
    return Finding("error", "E_CIRCLE", message, hint, span, circle[0])


def in_circles(definitions: Definitions) -> frozenset[str]:
    """Names of definitions that are on a circle."""
    return frozenset(name for circle in circles(definitions) for name in circle)


def _graph(definitions: Definitions) -> dict[str, tuple[str, ...]]:
    return {one.name: dependencies(definitions, one.name) for one in all_definitions(definitions)}


def _ordered(graph: Mapping[str, tuple[str, ...]]) -> tuple[list[str], tuple[str, ...]]:
    """The order, or the first circle met; depth first, without recursion."""
    order: list[str] = []
    done: set[str] = set()
    for start in graph:
        if start in done:
            continue
        path, on_path = [start], {start}
        todo = [iter(graph[start])]
        while path:
            following = next((name for name in todo[-1] if name not in done), None)
            if following is None:
                todo.pop()
                name = path.pop()
                on_path.discard(name)
                done.add(name)
                order.append(name)
            elif following in on_path:
                return [], (*path[path.index(following) :], following)
            else:
                path.append(following)
                on_path.add(following)
                todo.append(iter(graph[following]))
    return order, ()


def name_findings(definitions: Definitions) -> Iterator[Finding]:
    """Names that cannot be written, and names defined twice."""
    seen: dict[str, Definition] = {}
    for definition in all_definitions(definitions):
        name = definition.name
        if not _PLAIN.match(name):
            hint = "write a name of small letters, digits and _, which does not begin with a digit"
            found = error("E_NAME", f"'{name}' cannot be a name", definition.span, hint)
            yield Finding(found.severity, found.code, found.message, found.hint, found.span, name)
        elif name in RESERVED:
            message = f"'{name}' means something of its own in the language"
            yield Finding("error", "E_NAME", message, "choose another name", definition.span, name)
        if name in seen:
            first = seen[name]
            where = f" at {first.span.file}:{first.span.line}" if first.span else ""
            message = f"'{name}' is defined twice: a {kind_of(first)}{where} and a {kind_of(definition)}"
            yield Finding(
                "error", "E_DUPLICATE", message, "give one of them another name", definition.span, name
            )
        seen.setdefault(name, definition)


def kind_of(definition: Definition) -> str:
    """What a user calls this kind of definition."""
    return {"PeopleList": "list"}.get(type(definition).__name__, type(definition).__name__.lower())


def require(definitions: Definitions, name: str) -> Definition:
    """The definition of this name; raises E_UNKNOWN_NAME with what exists."""
    found = definitions.find(name)
    if found is None:
        existing = [one.name for one in all_definitions(definitions)]
        raise DefinitionError("E_UNKNOWN_NAME", f"unknown name '{name}'", hint=choices(name, existing))
    return found
