"""What may stand inside `[ ]` and in a behavior's `where`: one event's properties, and me.x on one side of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from ethogram.language.findings import Finding, error
from ethogram.language.functions import ROW_FUNCTIONS
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Date,
    Duration,
    Elem,
    Events,
    Everyone,
    Expression,
    Flag,
    Group,
    Items,
    Known,
    Me,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Percent,
    Property,
    Text,
    Word,
)
from ethogram.language.walk import walk


def filter_findings(node: Expression, above: tuple[Expression, ...]) -> Iterator[Finding]:
    """Findings about one node inside a filter; `above` begins at the filter."""
    match node:
        case Call(function) if function not in ROW_FUNCTIONS:
            yield error("E_FILTER", f"{function}(…) cannot stand in a filter", node.span, _instead(function))
        case Events() | Everyone():
            yield error("E_FILTER", "other events cannot stand in a filter", node.span, _instead(""))
        case Name(name):
            yield error(
                "E_FILTER",
                f"'{name}' is not of the event",
                node.span,
                f"a trait of the customer is me.{name}",
            )
        case Group(segmentation, group):
            hint = (
                f'write me.{segmentation} == "{group}" outside, or compare a property with me.{segmentation}'
            )
            yield error("E_FILTER", f"'{segmentation}.{group}' is not of the event", node.span, hint)
        case CustomerTrait(path) | AccountTrait(path):
            hint = f"define a trait, as in `{path[-1]}: customer.{path[-1]}`, and compare with me.{path[-1]}"
            yield error("E_FILTER", "given traits are not of the event", node.span, hint)
        case Me(trait):
            if not any(isinstance(outer, (Compare, Between)) for outer in above):
                hint = f"compare it with a property, as in total > me.{trait}"
                yield error("E_ME", f"me.{trait} stands alone in a filter", node.span, hint)
        case Compare(_, left, right):
            yield from _one_side(node, left, (right,))
        case Between(item, low, high):
            yield from _one_side(node, item, (low, high))
        case (
            Number() | Percent() | Text() | Flag() | Date() | Duration() | Items() | Word() | Property() | Elem()
            | And() | Or() | Not() | Known() | Arithmetic() | Negate() | Call()
        ):  # fmt: skip
            return
        case _:
            assert_never(node)


def outside_findings(node: Expression, above: tuple[Expression, ...]) -> Iterator[Finding]:
    """Findings about one node outside every filter."""
    match node:
        case Property(path) if not (above and isinstance(above[-1], Call)):
            hint = f"as in did(purchase[{path[-1]} > 10]), or sum(purchase.{path[-1]})"
            yield error("E_FILTER", f"the property '{path[-1]}' stands outside a filter", node.span, hint)
        case Me(trait):
            yield error("E_FILTER", f"me.{trait} stands outside a filter", node.span, f"write {trait} alone")
        case Elem():
            yield error(
                "E_FILTER", "elem(…) stands outside a filter", node.span, "as in did(purchase[elem(…)])"
            )
        case _:
            return


def _instead(function: str) -> str:
    if function == "now":
        return "for a time before now use a window, as in last=30d, outside the filter"
    return "a filter is about one event: its properties, lower, if, coalesce, arithmetic; define a trait for the rest and compare with me.x"


def _one_side(node: Compare | Between, one: Expression, others: tuple[Expression, ...]) -> Iterator[Finding]:
    left = set(_kinds(one))
    right = {kind for other in others for kind in _kinds(other)}
    if Me not in left | right:
        return
    if Me in left and Me in right:
        hint = "compare me.x with a property of the event; compare two traits outside the filter"
        yield error("E_ME", "me.x stands on both sides of a comparison", node.span, hint)
    elif (Me in left and Property in left) or (Me in right and Property in right):
        hint = "bring the properties to one side and me.x to the other: `total > me.average + 10`"
        yield error("E_ME", "a property and me.x stand on the same side of a comparison", node.span, hint)
    elif Property not in left | right:
        yield error(
            "E_ME",
            "me.x is compared with no property of the event",
            node.span,
            "compare traits outside the filter",
        )


def _kinds(node: Expression) -> Iterator[type]:
    for inner in walk(node):
        yield type(inner)
