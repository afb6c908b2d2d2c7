"""Going through a syntax tree without recursion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

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
from ethogram.model.errors import DefinitionError

MAX_DEPTH = 50
"""An expression is less deep than this, so that every pass may be plainly recursive."""


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly below, in the order of the text; a filter comes before the values of options."""
    match node:
        case Number() | Percent() | Text() | Flag() | Date() | Duration() | Word():
            return ()
        case Name() | Group() | CustomerTrait() | AccountTrait() | Everyone() | Property() | Me():
            return ()
        case Items(items) | And(items) | Or(items):
            return items
        case Events(where=where):
            return () if where is None else (where,)
        case Elem(where=where):
            return (where,)
        case Not(item) | Known(item) | Negate(item):
            return (item,)
        case Compare(left=left, right=right) | Arithmetic(left=left, right=right):
            return (left, right)
        case Between(item, low, high):
            return (item, low, high)
        case Call(arguments=arguments, options=options):
            return arguments + tuple(option.value for option in options)
        case _:
            assert_never(node)


def walk(root: Expression) -> Iterator[Expression]:
    """The node and everything below it, outer nodes first, in the order of the text."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def require_shallow(root: Expression) -> None:
    """Raises DefinitionError when the tree is MAX_DEPTH deep or deeper."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth >= MAX_DEPTH:
            raise too_deep(node)
        waiting.extend((child, depth + 1) for child in children(node))


def too_deep(node: Expression) -> DefinitionError:
    message = f"the expression is nested too deeply (less than {MAX_DEPTH} levels are possible)"
    return DefinitionError(
        "E_DEPTH", message, hint="Give a part of it a name: a trait or a segment.", span=node.span
    )
