"""What works, but surprises: windows without their moment, rankings with many ties, behaviors that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ethogram.language.agreement import Scope
from ethogram.language.findings import Finding, warning
from ethogram.language.names import all_definitions, references
from ethogram.language.rules import named_value
from ethogram.language.selections import selection_of, share_without
from ethogram.language.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Definitions,
    Duration,
    Events,
    Expression,
    Known,
    Name,
    Negate,
    Number,
)

MOST_TIED = Decimal("0.2")


# --- since= and until= ----------------------------------------------------------------------------------------------


def missing_moment_findings(
    node: Expression, above: tuple[Expression, ...], scope: Scope
) -> Iterator[Finding]:
    """A window whose moment some customers do not have, unless a condition beside it says that they do."""
    if not isinstance(node, Call):
        return
    for option in node.options:
        if option.name not in ("since", "until", "at") or not can_be_missing(option.value, scope):
            continue
        if _is_among(_unshifted(option.value, scope), _known_beside(node, above, scope)):
            continue
        outcome = f"{node.function} then does not hold" if option.name == "at" else "the window is then empty"
        message = f"the moment of {option.name}= can be missing: {outcome}"
        hint = "say beside it that there is one, as in `… and did(cart_add)`, or give another: coalesce(…, …)"
        yield warning("W_MISSING_MOMENT", message, option.value.span or node.span, hint)


def can_be_missing(node: Expression, scope: Scope) -> bool:
    """Whether some customer may have no such value."""
    plain = unfolded(node, scope)
    match plain:
        case CustomerTrait() | Name():
            return True
        case Call("coalesce", values):
            return all(can_be_missing(value, scope) for value in values)
        case Call("if", (_, one, other)):
            return can_be_missing(one, scope) or can_be_missing(other, scope)
        case Call("first" | "last" | "nth" | "most_frequent"):
            return True
        case Arithmetic(_, left, right):
            return can_be_missing(left, scope) or can_be_missing(right, scope)
        case _:
            return False


def unfolded(node: Expression, scope: Scope) -> Expression:
    return named_value(node, scope.definitions)


def _known_beside(node: Expression, above: tuple[Expression, ...], scope: Scope) -> set[Expression]:
    """Values that conditions joined to this one by `and` need to be known."""
    known: set[Expression] = set()
    inner: Expression = node
    for outer in reversed(above):
        if isinstance(outer, And):
            for item in outer.items:
                if item is not inner:
                    known.update(_needed(item, scope))
        inner = outer
    return known


def _unshifted(moment: Expression, scope: Scope) -> Expression:
    """A moment that is there where this one is: less what is added to it and taken from it."""
    plain = unfolded(moment, scope)
    while isinstance(plain, Arithmetic) and isinstance(plain.right, Duration):
        plain = unfolded(plain.left, scope)
    return plain


def _is_among(value: Expression, known: set[Expression]) -> bool:
    """Whether it is one of them, or the nth event of which a later one is."""
    match value:
        case Call("nth", (Events(path=()) as events, Number(place)), ()):
            places = [
                one.arguments[1]
                for one in known
                if isinstance(one, Call) and one.function == "nth" and one.arguments[0] == events
            ]
            return any(isinstance(one, Number) and one.value >= place for one in places)
        case _:
            return value in known


def _needed(condition: Expression, scope: Scope) -> Iterator[Expression]:
    """Values that are known wherever the condition holds."""
    match condition:
        case And(items):
            for item in items:
                yield from _needed(item, scope)
        case Compare(operator, left, right):
            yield from _needed_value(left, scope)
            yield from _needed_value(right, scope)
            yield from _counted(operator, left, right)
        case Between(item, low, high):
            for side in (item, low, high):
                yield from _needed_value(side, scope)
        case Known(item):
            yield from _needed_value(item, scope)
        case Call("did", (Events() as events, *_)):
            yield from (Call("first", (events,)), Call("last", (events,)))
        case Call("lapsed" | "resumed" | "first_time" | "recurring", (Events() as events, *_)):
            yield from (Call("first", (events,)), Call("last", (events,)))
        case Name(name) if name in scope.definitions.segments:
            yield from _needed(scope.definitions.segments[name].when, scope)
        case _:
            return


def _counted(operator: str, left: Expression, right: Expression) -> Iterator[Expression]:
    """The moments that there are where `count(e) >= 2`."""
    match left, right:
        case Call("count", (Events() as events,)), Number(number):
            least = number // 1 + 1 if operator == ">" else number
            if operator in (">", ">=", "==") and least >= 1:
                yield from (Call("first", (events,)), Call("last", (events,)))
                yield Call("nth", (events, Number(least)))
        case _:
            return


def _needed_value(node: Expression, scope: Scope) -> Iterator[Expression]:
    """The value itself, and what it is computed from: missing parts make it missing."""
    plain = unfolded(node, scope)
    yield plain
    match plain:
        case Arithmetic(_, left, right):
            yield from _needed_value(left, scope)
            yield from _needed_value(right, scope)
        case Negate(item):
            yield from _needed_value(item, scope)
        case Call("days_since" | "hours_since" | "days_until" | "age" | "bin", (item, *_)):
            yield from _needed_value(item, scope)
        case _:
            return


# --- rankings -------------------------------------------------------------------------------------------------------


def tie_findings(node: Expression, scope: Scope) -> Iterator[Finding]:
    """Rankings of a count or sum over everyone, of whom more than a fifth never did it and share the lowest value."""
    match node:
        case Call("rank" | "ntile" | "zscore" as function, (ranked, *_)) if node.option("among") is None:
            pass
        case _:
            return
    plain = unfolded(ranked, scope)
    counted = {
        "count",
        "sum",
        "count_distinct",
        "active_days",
        "active_periods",
        "max_count_by",
        "max_sum_by",
    }
    if scope.catalog is None or not isinstance(plain, Call) or plain.function not in counted:
        return
    events = plain.arguments[0] if plain.arguments else None
    if not isinstance(events, Events):
        return
    tied = share_without(selection_of(events, scope.definitions, scope.catalog), scope.catalog)
    if tied is not None and tied > MOST_TIED:
        percent = f"{tied * 100:.0f}%"
        message = f"at least {percent} of customers have none of these events and are tied at 0, the lowest value, in {function}"
        hint = "rank only those who did it: among=<segment>"
        yield warning("W_TIES", message, node.span, hint)


# --- unused ---------------------------------------------------------------------------------------------------------


def unused_findings(definitions: Definitions) -> Iterator[Finding]:
    """Behaviors that no definition names. Traits, segments and segmentations are answers by themselves."""
    used = {name for definition in all_definitions(definitions) for name in references(definition)}
    for behavior in definitions.behaviors.values():
        if behavior.name not in used and not behavior.by_company:
            message = f"nothing uses the behavior '{behavior.name}'"
            yield Finding(
                "warning", "W_UNUSED", message, "use it or leave it out", behavior.span, behavior.name
            )
