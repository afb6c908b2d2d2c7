"""What a selection of events is made of, as the data catalog knows it: event names, properties, currencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from ethogram.language.catalog import DataCatalog, PropertyUse
from ethogram.language.printer import print_path
from ethogram.language.tree import (
    And,
    Behavior,
    Compare,
    Definitions,
    Elem,
    Events,
    Expression,
    Items,
    Path,
    Property,
    Text,
)
from ethogram.model.span import Span


@dataclass(frozen=True, slots=True)
class Selection:
    """`properties` is None where the data is not known; `where` are the filters that every event passes."""

    label: str
    events: tuple[str, ...]
    properties: Mapping[Path, PropertyUse] | None
    where: tuple[Expression, ...] = field(default=())
    each: Path = ()

    def use(self, path: Path) -> PropertyUse | None:
        """What was seen at `path`, or below it where it is a map or a list; None for nothing."""
        if self.properties is None:
            return None
        if path in self.properties:
            return self.properties[path]
        below = [use for other, use in self.properties.items() if other[: len(path)] == path]
        return PropertyUse({}, any(use.in_list for use in below)) if below else None

    def knows(self, path: Path) -> bool:
        return self.properties is None or self.use(path) is not None

    @property
    def property_names(self) -> tuple[str, ...]:
        return tuple(written(path) for path in self.properties or ())

    def element(self, path: Path) -> Selection:
        """The elements of the list at `path`, as `elem` sees them."""
        if self.properties is None:
            return replace(self, label=f"an element of {written(path)}")
        return replace(
            self, label=f"an element of {written(path)}", properties=_elements(self.properties, path)
        )


def _elements(properties: Mapping[Path, PropertyUse], path: Path) -> dict[Path, PropertyUse]:
    """An element's own properties: those below the list, or `value` for a list of plain values."""
    size = len(path)
    inner = {other[size:]: _outside_list(use) for other, use in properties.items() if other[:size] == path}
    if () in inner:
        inner[("value",)] = inner.pop(())
    return inner


def _outside_list(use: PropertyUse) -> PropertyUse:
    return PropertyUse(use.types)


def written(path: Path) -> str:
    """A path as it is written in an expression.

    >>> written(("address", "zip code"))
    'address.`zip code`'
    """
    return print_path(path)


def selection_of(events: Events, definitions: Definitions, catalog: DataCatalog | None) -> Selection:
    """What `events` selects; an unknown source selects nothing that is known."""
    behavior = None if events.raw else definitions.behaviors.get(events.source)
    if behavior is not None:
        found = behavior_selection(behavior, catalog)
    elif events.raw:
        found = Selection(f'"{events.source}"', (events.source,), _properties((events.source,), catalog))
    elif events.source == "any" and catalog is not None:
        names = tuple(catalog.events)
        found = Selection("any event", names, _properties(names, catalog))
    else:
        found = Selection(events.source, (), None)
    if events.where is None:
        return found
    return replace(found, where=(*found.where, events.where))


def behavior_selection(behavior: Behavior, catalog: DataCatalog | None) -> Selection:
    """A behavior's events, less its own filter where that is being checked."""
    properties = _properties(behavior.events, catalog)
    names = ", ".join(f'"{name}"' for name in behavior.events)
    label = names if len(behavior.events) == 1 else f"'{behavior.name}' ({names})"
    if behavior.each and properties is not None:
        properties = {**properties, **_elements(properties, behavior.each)}
    where = () if behavior.where is None else (behavior.where,)
    return Selection(label, behavior.events, properties, where, behavior.each)


def _properties(events: tuple[str, ...], catalog: DataCatalog | None) -> dict[Path, PropertyUse] | None:
    """The properties of all these events together; None if one of them was never seen."""
    if catalog is None or any(event not in catalog.events for event in events):
        return None
    found: dict[Path, PropertyUse] = {}
    for event in events:
        for path, use in catalog.events[event].properties.items():
            found[path] = found[path].merged(use) if path in found else use
    return found


def conjuncts(where: Expression) -> Iterator[Expression]:
    """The conditions that must all hold.

    >>> [condition.path for condition in conjuncts(And((Property(("a",)), Property(("b",)))))]
    [('a',), ('b',)]
    """
    match where:
        case And(items):
            for item in items:
                yield from conjuncts(item)
        case _:
            yield where


def picks_currency(selection: Selection) -> bool:
    """Whether the filters leave one currency only."""
    return any(_is_one_currency(condition) for where in selection.where for condition in conjuncts(where))


def _is_one_currency(condition: Expression) -> bool:
    match condition:
        case Compare("==", Property(path), Text()) | Compare("==", Text(), Property(path)):
            return path[-1] == "currency"
        case Compare("in", Property(path), Items((Text(),))):
            return path[-1] == "currency"
        case Elem(_, where):
            return any(_is_one_currency(inner) for inner in conjuncts(where))
        case _:
            return False


def currencies_of(selection: Selection, catalog: DataCatalog) -> tuple[str, ...]:
    """All currencies seen on the events of a selection."""
    seen = {
        coin
        for event in selection.events
        if event in catalog.events
        for coin in catalog.events[event].currencies
    }
    return tuple(sorted(seen))


def share_without(selection: Selection, catalog: DataCatalog) -> Decimal | None:
    """At least this share of customers has none of the events; None where customers were not counted."""
    uses = [catalog.events[event] for event in selection.events if event in catalog.events]
    if not catalog.customers or not uses or any(use.customers == 0 for use in uses):
        return None
    doing = min(catalog.customers, sum(use.customers for use in uses))
    return Decimal(catalog.customers - doing) / Decimal(catalog.customers)


def path_span(span: Span | None, path: Path) -> Span | None:
    """The part of a selection's span that is its property path, where the line shows it."""
    if span is None or not path or not span.text:
        return span
    start = span.column - 1
    text = span.text[start : start + span.length]
    tail = ".".join(path)
    shown = tail if text.endswith(tail) else written(path)
    if not text.endswith(shown):
        return span
    return replace(span, column=start + len(text) - len(shown) + 1, length=len(shown))
