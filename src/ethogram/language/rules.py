"""Rules that need more than one node: currencies, the past of segments, exact moments, limits."""

from __future__ import annotations

from collections.abc import Iterator

from ethogram.language.agreement import Scope
from ethogram.language.findings import Finding, error
from ethogram.language.names import dependencies, require
from ethogram.language.selections import currencies_of, picks_currency, selection_of, written
from ethogram.language.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Definitions,
    Duration,
    Events,
    Expression,
    Group,
    Name,
    Negate,
    Or,
    Trait,
)
from ethogram.language.visits import expressions_of
from ethogram.language.walk import children, require_shallow, walk
from ethogram.model.errors import DefinitionError

MOST_CONDITIONS = 200
"""In one expression."""

POPULATION = frozenset({"rank", "ntile", "top", "zscore"})
ELAPSED = frozenset({"days_since", "hours_since", "days_until", "time_in", "now"})
"""Functions whose value changes at every moment."""

_PAST = frozenset({"was_in", "entered", "left", "time_in"})
_ADDING = frozenset({"sum", "avg", "min", "max", "median", "max_sum_by", "trend"})
_NO_AMOUNT = frozenset({"quantity"})
"""Numbers of the usual e-commerce events that are no amounts of money."""


# --- limits ---------------------------------------------------------------------------------------------------------


def limit_findings(root: Expression) -> Iterator[Finding]:
    """An expression beyond these limits is not looked at any further."""
    try:
        require_shallow(root)
    except DefinitionError as problem:
        yield error("E_DEPTH", problem.message, problem.span or root.span, problem.hint)
        return
    conditions = sum(conditions_of(node) for node in walk(root))
    if conditions > MOST_CONDITIONS:
        hint = "give parts of it names, as segments; a long list of values is one condition: `… in [1, 2, 3]`"
        message = f"{conditions} conditions in one expression; {MOST_CONDITIONS} are possible"
        yield error("E_TOO_LARGE", message, root.span, hint)


def conditions_of(node: Expression) -> int:
    """The conditions that this one `and` or `or` joins."""
    match node:
        case And(items) | Or(items):
            return sum(1 for item in items if not isinstance(item, And | Or))
        case _:
            return 0


# --- currencies -----------------------------------------------------------------------------------------------------


def currency_findings(node: Expression, scope: Scope) -> Iterator[Finding]:
    if (
        scope.catalog is None
        or not isinstance(node, Call)
        or node.function not in _ADDING
        or not node.arguments
    ):
        return
    events = node.arguments[0]
    if not isinstance(events, Events) or not events.path or events.path[-1] in _NO_AMOUNT:
        return
    chosen = selection_of(events, scope.definitions, scope.catalog)
    use = chosen.use(events.path)
    seen = currencies_of(chosen, scope.catalog) if use is not None and "number" in use.types else ()
    if len(seen) > 1 and not picks_currency(chosen):
        preferred = scope.settings.currency if scope.settings.currency in seen else seen[0]
        shown = ", ".join(seen[:6])
        message = f"{written(events.path)} of {chosen.label} is in {len(seen)} currencies ({shown}), which are never added"
        hint = f'pick one: {events.source}[currency == "{preferred}"].{written(events.path)}'
        yield error("E_CURRENCIES", message, events.span or node.span, hint)


# --- the past of a segment ------------------------------------------------------------------------------------------


def membership_findings(node: Expression, scope: Scope) -> Iterator[Finding]:
    """was_in, entered, left and time_in follow a segment through the past; some segments have none."""
    if not isinstance(node, Call) or node.function not in _PAST or not node.arguments:
        return
    match node.arguments[0]:
        case Name(name) | Group(name, _):
            found = no_past(name, scope.definitions)
            if found:
                function, way = found
                through = f" through {' -> '.join(way)}" if len(way) > 1 else ""
                message = f"{node.function}({name}) is refused: '{name}' uses {function}{through}, which has no past"
                hint = "its answer is that of the last fit over all customers, not a function of one customer's history"
                if function in ("consented", "reachable"):
                    hint = "consent is recorded, not part of a customer's history"
                yield error("E_MEMBERSHIP", message, node.span, hint)
        case _:
            return


def no_past(name: str, definitions: Definitions) -> tuple[str, tuple[str, ...]] | None:
    """The function that leaves a definition without a past of its own, and the names on the way to it."""
    waiting: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    while waiting:
        way = waiting.pop()
        if way[-1] in seen or definitions.find(way[-1]) is None:
            continue
        seen.add(way[-1])
        for root in expressions_of(require(definitions, way[-1])):
            for node in walk(root):
                if isinstance(node, Call) and node.function in POPULATION | {"consented", "reachable"}:
                    return node.function, way
        waiting.extend((*way, other) for other in reversed(dependencies(definitions, way[-1])))
    return None


# --- exact moments --------------------------------------------------------------------------------------------------


def time_findings(root: Expression, definitions: Definitions) -> Iterator[Finding]:
    """In a condition, elapsed time is compared directly, so that the moment of change is exact.

    Follows names into traits; leaves out what population functions rank, since that is fitted, not followed.
    """
    waiting, seen = [root], set[str]()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call) and node.function in POPULATION:
            continue
        if isinstance(node, Name) and node.name in definitions.traits and node.name not in seen:
            seen.add(node.name)
            waiting.append(definitions.traits[node.name].value)
        for side in _sides(node):
            inner = hidden_elapsed(side, definitions)
            if inner is not None:
                yield _inexact(inner, node)
        waiting.extend(reversed(children(node)))


def _sides(node: Expression) -> tuple[Expression, ...]:
    match node:
        case Compare(_, left, right):
            return (left, right)
        case Between(item, low, high):
            return (item, low, high)
        case Call("bin", (item, *_)):
            return (item,)
        case _:
            return ()


def hidden_elapsed(side: Expression, definitions: Definitions) -> Call | None:
    """A function of elapsed time that is computed with, rather than being the side itself."""
    plain = named_value(side, definitions)
    while isinstance(plain, Call) and plain.function == "bin" and plain.arguments:
        plain = named_value(plain.arguments[0], definitions)
    if isinstance(plain, Arithmetic) and isinstance(plain.right, Duration):
        plain = plain.left  # now() - 6mo is a moment that only moves on
    if isinstance(plain, Call) and plain.function in ELAPSED:
        return None
    waiting, seen = [plain], set[str]()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call) and node.function in ELAPSED:
            return node
        if isinstance(node, Name) and node.name in definitions.traits and node.name not in seen:
            seen.add(node.name)
            waiting.append(definitions.traits[node.name].value)
        waiting.extend(reversed(_computed_from(node)))
    return None


def _computed_from(node: Expression) -> tuple[Expression, ...]:
    """The parts whose value goes into the node's own."""
    match node:
        case Arithmetic(_, left, right):
            return (left, right)
        case Negate(item):
            return (item,)
        case Call("if", (_, one, other)):
            return (one, other)
        case Call("coalesce", values):
            return values
        case _:
            return ()


def named_value(node: Expression, definitions: Definitions) -> Expression:
    """A trait's value in place of its name; stops at a circle."""
    seen: set[str] = set()
    while isinstance(node, Name) and node.name not in seen:
        seen.add(node.name)
        found = definitions.traits.get(node.name)
        if not isinstance(found, Trait):
            return node
        node = found.value
    return node


def _inexact(inner: Call, node: Expression) -> Finding:
    shown = f"{inner.function}(…)" if inner.arguments else f"{inner.function}()"
    if inner.function == "now":
        hint = "write days_since(…) or days_until(…) and compare it directly"
    else:
        hint = f"bring everything else to the other side: `{shown} / 7 > 4` is `{shown} > 28`"
    message = f"{shown} is computed with before it is compared, so the moment of change would not be exact"
    return error("E_TIME_ARITHMETIC", message, node.span or inner.span, hint)
