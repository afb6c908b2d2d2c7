"""The check of definitions: everything that is wrong, and what is worth a look, with its place and what to do.

Passes run from names to meaning; a definition that breaks a limit or is on a circle is not looked at further, and warnings
about usefulness wait until there are no errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ethogram.language.agreement import Scope, agreement, must_be_flag, must_be_value
from ethogram.language.calls import call_findings
from ethogram.language.catalog import DataCatalog
from ethogram.language.filters import filter_findings, outside_findings
from ethogram.language.findings import Finding, choices, error
from ethogram.language.hazards import missing_moment_findings, tie_findings, unused_findings
from ethogram.language.names import all_definitions, circle_found, circles, name_findings
from ethogram.language.references import event_known, reference_findings
from ethogram.language.rules import (
    currency_findings,
    limit_findings,
    membership_findings,
    time_findings,
)
from ethogram.language.selections import Selection, behavior_selection, selection_of, written
from ethogram.language.totality import reach_findings, shape_findings
from ethogram.language.tree import (
    Behavior,
    Call,
    Definition,
    Definitions,
    Elem,
    Events,
    Expression,
    PeopleList,
    Segment,
    Segmentation,
    Trait,
)
from ethogram.language.types import SPOKEN, Types
from ethogram.language.usefulness import usefulness_findings
from ethogram.language.visits import expressions_of, visits
from ethogram.model.errors import EthogramError, Problems
from ethogram.model.settings import Settings


def check(
    definitions: Definitions, settings: Settings, catalog: DataCatalog | None = None
) -> tuple[Finding, ...]:
    """All findings, errors first, otherwise in the order of the definitions."""
    found = [*name_findings(definitions)]
    found += [circle_found(definitions, circle) for circle in circles(definitions)]
    on_circles = {
        name for finding in found if finding.code == "E_CIRCLE" for name in _walked(finding, definitions)
    }
    scope = Scope(definitions, settings, catalog, Types(definitions, catalog))
    for definition in all_definitions(definitions):
        if definition.name not in on_circles:
            found += _named(definition, _definition_findings(definition, scope))
    if not on_circles:
        found += _exact_moments(definitions)
    if not any(finding.is_error for finding in found):
        for definition in all_definitions(definitions):
            found += _named(definition, _surprises(definition, scope))
        found += unused_findings(definitions)
    distinct = list(dict.fromkeys(found))
    return tuple(sorted(distinct, key=lambda finding: not finding.is_error))


def check_expression(
    expression: Expression,
    definitions: Definitions,
    settings: Settings,
    catalog: DataCatalog | None = None,
) -> tuple[Finding, ...]:
    """Findings about one condition or value that stands in no file, as in `ethogram count`."""
    limits = tuple(limit_findings(expression))
    if limits:
        return limits
    on_circles = [finding for finding in check(definitions, settings, catalog) if finding.code == "E_CIRCLE"]
    if on_circles:
        return tuple(on_circles)
    scope = Scope(definitions, settings, catalog, Types(definitions, catalog))
    found = [*_value(expression, scope), *time_findings(expression, definitions)]
    if not any(finding.is_error for finding in found):
        found += _expression_surprises(expression, scope)
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: not finding.is_error))


def require_sound(findings: Iterable[Finding]) -> None:
    """Raises the errors among the findings: one as itself, several as `Problems`."""
    errors: list[EthogramError] = [finding.as_error() for finding in findings if finding.is_error]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Problems(errors)


def _walked(finding: Finding, definitions: Definitions) -> Iterator[str]:
    for circle in circles(definitions):
        if circle[0] == finding.definition:
            yield from circle


def _named(definition: Definition, findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        named = replace(finding, definition=finding.definition or definition.name)
        yield named if named.span else replace(named, span=definition.span)


# --- errors ---------------------------------------------------------------------------------------------------------


def _definition_findings(definition: Definition, scope: Scope) -> Iterator[Finding]:
    broken = [finding for root in expressions_of(definition) for finding in limit_findings(root)]
    if broken:
        yield from broken
        return
    match definition:
        case Behavior():
            yield from _behavior(definition, scope)
        case Trait(value=value):
            yield from _value(value, scope)
        case Segment(when=when):
            yield from _condition(when, scope)
        case Segmentation():
            yield from shape_findings(definition)
            for when in expressions_of(definition):
                yield from _condition(when, scope)
        case PeopleList():
            return


def _value(value: Expression, scope: Scope) -> Iterator[Finding]:
    yield from must_be_value(value)
    yield from _expression_findings(value, scope)


def _condition(when: Expression, scope: Scope) -> Iterator[Finding]:
    kind = scope.type_of(when)
    if kind not in ("flag", "any"):
        hint = "compare it with something, as in `… > 0`; or write `… is known`"
        yield error("E_TYPE", f"a condition is expected, but this is {SPOKEN[kind]}", when.span, hint)
    else:
        yield from must_be_flag(when, scope)
    yield from _expression_findings(when, scope)


def _behavior(behavior: Behavior, scope: Scope) -> Iterator[Finding]:
    if not behavior.events:
        yield error(
            "E_EMPTY", f"the behavior '{behavior.name}' has no event", behavior.span, "name one: `event: …`"
        )
    for event in behavior.events:
        yield from event_known(event, behavior, scope)
    bare = behavior_selection(replace(behavior, where=None, each=()), scope.catalog)
    if behavior.each and not bare.knows(behavior.each):
        hint = choices(written(behavior.each), bare.property_names, "it has")
        message = f"unknown property '{written(behavior.each)}' of {bare.label}"
        yield error("E_UNKNOWN_PROPERTY", message, behavior.span, hint)
    chosen = behavior_selection(replace(behavior, where=None), scope.catalog)
    if behavior.unless:
        yield from event_known(behavior.unless.event, behavior.unless, scope)
        if not chosen.knows(behavior.unless.same):
            hint = choices(written(behavior.unless.same), chosen.property_names, "it has")
            message = f"unknown property '{written(behavior.unless.same)}' of {chosen.label}"
            yield error("E_UNKNOWN_PROPERTY", message, behavior.unless.span or behavior.span, hint)
    if behavior.where is not None:
        inside = replace(scope, selection=chosen)
        yield from must_be_flag(behavior.where, inside)
        yield from _filter_findings(behavior.where, inside)


_PASSES: tuple[Callable[[Expression, Scope, tuple[Expression, ...]], Iterator[Finding]], ...] = (
    lambda node, scope, above: reference_findings(node, scope),
    agreement,
    lambda node, scope, above: call_findings(node, scope) if isinstance(node, Call) else iter(()),
    lambda node, scope, above: currency_findings(node, scope),
    lambda node, scope, above: membership_findings(node, scope),
)


def _expression_findings(root: Expression, scope: Scope) -> Iterator[Finding]:
    for node, above, inside in _scoped(root, scope):
        for look in _PASSES:
            yield from look(node, inside, above)
        if inside.selection is not None:
            yield from filter_findings(node, _above_in_filter(above))
        else:
            yield from outside_findings(node, above)
        if isinstance(node, Events) and node.where is not None:
            yield from must_be_flag(node.where, _inside(node, scope))


def _filter_findings(root: Expression, scope: Scope) -> Iterator[Finding]:
    """The same for a behavior's `where`, which is a filter as a whole."""
    for node, above, inside in _scoped(root, scope):
        for look in _PASSES:
            yield from look(node, inside, above)
        yield from filter_findings(node, above)


def _scoped(root: Expression, scope: Scope) -> Iterator[tuple[Expression, tuple[Expression, ...], Scope]]:
    """Every node with the scope it stands in: filters and elem() change what properties mean."""
    scopes: dict[tuple[int, ...], Scope] = {(): scope}
    for node, above in visits(root):
        key = tuple(id(outer) for outer in above if isinstance(outer, Events | Elem))
        if key not in scopes:
            opener = next(outer for outer in reversed(above) if isinstance(outer, Events | Elem))
            scopes[key] = _inside(opener, scopes[key[:-1]])
        yield node, above, scopes[key]


def _inside(opener: Events | Elem, outer: Scope) -> Scope:
    if isinstance(opener, Events):
        chosen = selection_of(replace(opener, where=None), outer.definitions, outer.catalog)
    else:
        chosen = (outer.selection or Selection("the event", (), None)).element(opener.path)
    return replace(outer, selection=chosen)


def _above_in_filter(above: tuple[Expression, ...]) -> tuple[Expression, ...]:
    last = max((index for index, outer in enumerate(above) if isinstance(outer, Events)), default=-1)
    return above[last + 1 :]


def _exact_moments(definitions: Definitions) -> Iterator[Finding]:
    conditions: tuple[Definition, ...] = (*definitions.segments.values(), *definitions.segmentations.values())
    for definition in conditions:
        for root in expressions_of(definition):
            yield from _named(definition, time_findings(root, definitions))


# --- warnings -------------------------------------------------------------------------------------------------------


def _surprises(definition: Definition, scope: Scope) -> Iterator[Finding]:
    if isinstance(definition, Segmentation):
        yield from reach_findings(definition, scope)
    inside = scope
    if isinstance(definition, Behavior):
        inside = replace(scope, selection=behavior_selection(replace(definition, where=None), scope.catalog))
    for root in expressions_of(definition):
        yield from _expression_surprises(root, inside)


def _expression_surprises(root: Expression, scope: Scope) -> Iterator[Finding]:
    for node, above, inside in _scoped(root, scope):
        yield from usefulness_findings(node, inside)
        yield from missing_moment_findings(node, above, inside)
        yield from tie_findings(node, inside)
