"""Whether the names in an expression exist: definitions, events, properties, given traits."""

from __future__ import annotations

from collections.abc import Iterator

from ethogram.language.agreement import Scope
from ethogram.language.findings import Finding, choices, error
from ethogram.language.names import kind_of
from ethogram.language.selections import path_span, selection_of, written
from ethogram.language.tree import (
    AccountTrait,
    Behavior,
    CustomerTrait,
    Elem,
    Events,
    Expression,
    Group,
    Me,
    Name,
    PeopleList,
    Property,
    Segment,
    Segmentation,
    Trait,
    Unless,
)


def reference_findings(node: Expression, scope: Scope) -> Iterator[Finding]:
    """Findings about what this one node names."""
    match node:
        case Name():
            yield from _name(node, scope)
        case Group():
            yield from _group(node, scope)
        case Me():
            yield from _me(node, scope)
        case CustomerTrait(path) if scope.catalog and scope.catalog.traits:
            traits = scope.catalog.traits
            if not any(known[: len(path)] == path for known in traits):
                hint = choices(written(path), [written(known) for known in traits], "customers have")
                message = f"no customer has the trait '{written(path)}'"
                yield error("E_UNKNOWN_TRAIT", message, path_span(node.span, path), hint)
        case AccountTrait(path):
            message = f"account.{written(path)} cannot be evaluated: accounts are not resolved yet"
            yield error(
                "E_UNSUPPORTED", message, node.span, "leave it out; nothing is approximated in silence"
            )
        case Events():
            yield from _events(node, scope)
        case Property(path) | Elem(path) if scope.selection and not scope.selection.knows(path):
            hint = choices(written(path), scope.selection.property_names, "it has")
            message = f"unknown property '{written(path)}' of {scope.selection.label}"
            yield error("E_UNKNOWN_PROPERTY", message, node.span, hint)
        case _:
            return


def _name(node: Name, scope: Scope) -> Iterator[Finding]:
    name = node.name
    match scope.definitions.find(name):
        case None:
            hint = choices(name, _values(scope)) or "nothing is defined yet"
            yield error("E_UNKNOWN_NAME", f"unknown name '{name}'", node.span, hint)
        case Behavior():
            hint = f"ask something about it: did({name}), count({name}), last({name})"
            yield error("E_KIND", f"'{name}' is a behavior, not a value", node.span, hint)
        case PeopleList():
            yield error("E_KIND", f"'{name}' is a list of people", node.span, f'write in_list("{name}")')
        case Trait() | Segment() | Segmentation():
            return


def _values(scope: Scope) -> tuple[str, ...]:
    found = scope.definitions
    return (*found.traits, *found.segments, *found.segmentations)


def _group(node: Group, scope: Scope) -> Iterator[Finding]:
    match scope.definitions.find(node.segmentation):
        case Segmentation(groups=groups):
            names = [group.name for group in groups]
            if node.group not in names:
                message = f"'{node.segmentation}' has no group '{node.group}'"
                yield error(
                    "E_UNKNOWN_GROUP", message, node.span, choices(node.group, names, "its groups are")
                )
        case None:
            hint = choices(node.segmentation, scope.definitions.segmentations, "segmentations are")
            message = f"unknown segmentation '{node.segmentation}'"
            yield error("E_UNKNOWN_NAME", message, node.span, hint)
        case Behavior(name):
            hint = f"ask something about it: last({name}.{node.group}), sum({name}.{node.group})"
            yield error("E_KIND", f"'{name}' is a behavior: {name}.{node.group} is no value", node.span, hint)
        case other:
            message = f"'{other.name}' is a {kind_of(other)}, it has no groups"
            yield error("E_KIND", message, node.span)


def _me(node: Me, scope: Scope) -> Iterator[Finding]:
    found = scope.definitions.find(node.trait)
    if isinstance(found, (Trait, Segmentation)):
        return
    known = (*scope.definitions.traits, *scope.definitions.segmentations)
    if found is None:
        hint = choices(node.trait, known, "traits are") or "define it under `traits:`"
        yield error("E_UNKNOWN_NAME", f"unknown trait 'me.{node.trait}'", node.span, hint)
    else:
        yield error("E_KIND", f"'{node.trait}' is a {kind_of(found)}, not a trait", node.span)


def _events(node: Events, scope: Scope) -> Iterator[Finding]:
    if node.raw:
        yield from event_known(node.source, node, scope)
    elif node.source != "any" and node.source not in scope.definitions.behaviors:
        yield from _no_behavior(node, scope)
        return
    if node.path:
        chosen = selection_of(node, scope.definitions, scope.catalog)
        if not chosen.knows(node.path):
            hint = choices(written(node.path), chosen.property_names, "it has")
            message = f"unknown property '{written(node.path)}' of {chosen.label}"
            yield error("E_UNKNOWN_PROPERTY", message, path_span(node.span, node.path), hint)


def _no_behavior(node: Events, scope: Scope) -> Iterator[Finding]:
    found = scope.definitions.find(node.source)
    if found is not None:
        message = f"events are expected, but '{node.source}' is a {kind_of(found)}"
        yield error(
            "E_KIND", message, node.span, choices(node.source, scope.definitions.behaviors, "behaviors are")
        )
        return
    hint = choices(node.source, scope.definitions.behaviors, "behaviors are")
    if scope.catalog and not hint:
        hint = (
            'name an event as received in quotes: "'
            + next(iter(scope.catalog.events), "Order Completed")
            + '"'
        )
    hint = hint or "define it under `behaviors:`"
    yield error("E_UNKNOWN_NAME", f"unknown behavior '{node.source}'", node.span, hint)


def event_known(event: str, node: Events | Behavior | Unless, scope: Scope) -> Iterator[Finding]:
    """Whether the data has an event of this name; silent while there is no data at all."""
    if scope.catalog and scope.catalog.events and event not in scope.catalog.events:
        hint = choices(event, scope.catalog.events, "the data has")
        yield error("E_UNKNOWN_EVENT", f'unknown event "{event}"', node.span, hint)
