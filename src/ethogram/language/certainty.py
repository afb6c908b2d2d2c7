"""Who is in a segment only because a value is unknown.

A comparison with a missing value is false, so `not (spend > 100)` holds for those whose spend is unknown. A condition made
*certain* does not: under a `not`, a comparison counts as one that might hold wherever one of its values is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ethogram.language.tree import (
    And,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Definitions,
    Expression,
    Known,
    Name,
    Not,
    Or,
)

ALWAYS_KNOWN = frozenset({
    "count", "sum", "did", "active_days", "active_periods", "streak", "count_distinct", "max_count_by", "max_sum_by", "bucket",
    "now", "was_in", "entered", "left", "sequence", "top", "bottom",
})  # fmt: skip


def only_unknown(when: Expression, definitions: Definitions) -> Expression | None:
    """The condition for being in only because a value is unknown; None where that cannot be."""
    sure = _certain(when, definitions)
    return None if sure == when else And((when, Not(sure)))


def _certain(node: Expression, definitions: Definitions) -> Expression:
    """True only where the condition is, whatever the missing values are."""
    match node:
        case And(items) | Or(items):
            found = tuple(_certain(item, definitions) for item in items)
            return node if found == items else type(node)(found)
        case Not(item):
            possible = _possible(item, definitions)
            return node if possible == item else Not(possible)
        case Name(name) if name in definitions.segments:
            when = definitions.segments[name].when
            sure = _certain(when, definitions)
            return node if sure == when else sure
        case _:
            return node


def _possible(node: Expression, definitions: Definitions) -> Expression:
    """True wherever the condition might be, if the missing values were known."""
    match node:
        case And(items) | Or(items):
            found = tuple(_possible(item, definitions) for item in items)
            return node if found == items else type(node)(found)
        case Not(item):
            sure = _certain(item, definitions)
            return node if sure == item else Not(sure)
        case Compare(left=left, right=right):
            return _or_unknown(node, (left, right), definitions)
        case Between(item=item, low=low, high=high):
            return _or_unknown(node, (item, low, high), definitions)
        case Name(name) if name in definitions.segments:
            when = definitions.segments[name].when
            possible = _possible(when, definitions)
            return node if possible == when else possible
        case _:
            return node


def _or_unknown(node: Expression, values: tuple[Expression, ...], definitions: Definitions) -> Expression:
    missing = tuple(Not(Known(value)) for value in _may_be_missing(values, definitions))
    return Or((node, *missing)) if missing else node


def _may_be_missing(values: tuple[Expression, ...], definitions: Definitions) -> Iterator[Expression]:
    for value in values:
        match value:
            case CustomerTrait():
                yield value
            case Call(function=function) if function not in ALWAYS_KNOWN:
                yield value
            case Name(name) if name in definitions.traits:
                if any(_may_be_missing((definitions.traits[name].value,), definitions)):
                    yield value
