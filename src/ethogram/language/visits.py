"""Every node of a definition, with the way to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, assert_never

from ethogram.language.tree import (
    Behavior,
    Definition,
    Expression,
    PeopleList,
    Segment,
    Segmentation,
    Trait,
)
from ethogram.language.walk import children

Visit: TypeAlias = tuple[Expression, tuple[Expression, ...]]
"""A node and the nodes it is in, from outer to inner."""


def visits(root: Expression) -> Iterator[Visit]:
    """Every node below `root` and itself, outer nodes first, in the order of the text."""
    waiting: list[Visit] = [(root, ())]
    while waiting:
        node, above = waiting.pop()
        yield node, above
        below = (*above, node)
        waiting.extend((part, below) for part in reversed(children(node)))


def expressions_of(definition: Definition) -> tuple[Expression, ...]:
    """The expressions a definition is made of."""
    match definition:
        case Behavior(where=where):
            return () if where is None else (where,)
        case Trait(value=value):
            return (value,)
        case Segment(when=when):
            return (when,)
        case Segmentation(groups=groups):
            return tuple(group.when for group in groups if group.when is not None)
        case PeopleList():
            return ()
        case _:
            assert_never(definition)
