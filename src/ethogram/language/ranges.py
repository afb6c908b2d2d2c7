"""Conditions reduced to what can be reasoned about: intervals of one value, sets of texts, and, or, not.

The reasoning is sound, not complete: what it says always holds, always holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TypeAlias, assert_never

from ethogram.language.agreement import Scope
from ethogram.language.options import literal_number
from ethogram.language.rules import named_value
from ethogram.language.selections import conjuncts, selection_of
from ethogram.language.tree import (
    And,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Duration,
    Events,
    Everyone,
    Expression,
    Flag,
    Items,
    Not,
    Or,
    Path,
    Property,
    Text,
)
from ethogram.language.types import common

INFINITY = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`; an open end is not in."""

    low: Decimal = -INFINITY
    high: Decimal = INFINITY
    low_open: bool = False
    high_open: bool = False

    @property
    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def holds_all_of(self, other: Range) -> bool:
        if other.is_empty:
            return True
        return self.begins_with(other) and self.ends_with(other)

    def begins_with(self, other: Range) -> bool:
        """Whether it begins where the other does, or before."""
        return self.low < other.low or (self.low == other.low and (other.low_open or not self.low_open))

    def ends_with(self, other: Range) -> bool:
        """Whether it ends where the other does, or after."""
        return self.high > other.high or (self.high == other.high and (other.high_open or not self.high_open))

    def meets(self, other: Range) -> Range:
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Range(low, high, low_open, not high_closed)

    def whole(self) -> Range:
        """The same whole numbers, with closed ends."""
        low, high = self.low, self.high
        if low.is_finite():
            up = low.to_integral_value(ROUND_CEILING)
            low = up + 1 if self.low_open and up == low else up
        if high.is_finite():
            down = high.to_integral_value(ROUND_FLOOR)
            high = down - 1 if self.high_open and down == high else down
        return Range(low, high)


@dataclass(frozen=True, slots=True)
class Domain:
    """What values an expression can have at all."""

    range: Range = Range()
    whole: bool = False
    can_miss: bool = True


# --- forms ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fixed:
    """Holds for everyone, or for nobody."""

    holds: bool


@dataclass(frozen=True, slots=True)
class InRange:
    """The value of `key` lies in `range`, or it is missing and `missing` says that this holds too.

    `single` is false where `key` may have several values (a path through a list) and one of them is enough.
    """

    key: Expression
    range: Range
    missing: bool = False
    single: bool = True


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value of `key` is one of these texts."""

    key: Expression
    texts: frozenset[str]
    single: bool = True


@dataclass(frozen=True, slots=True)
class AllOf:
    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Opposite:
    item: Form


@dataclass(frozen=True, slots=True)
class Opaque:
    """A condition about which nothing is known but that it equals itself."""

    node: Expression


Form: TypeAlias = Fixed | InRange | OneOf | AllOf | AnyOf | Opposite | Opaque


def form_of(node: Expression, scope: Scope) -> Form:
    match node:
        case Flag(value):
            return Fixed(value)
        case Everyone():
            return Fixed(True)
        case And(items):
            return AllOf(tuple(form_of(item, scope) for item in items))
        case Or(items):
            return AnyOf(tuple(form_of(item, scope) for item in items))
        case Not(item):
            return opposite(form_of(item, scope), scope)
        case Call("did", arguments, options) if arguments:
            return _in_range(Call("count", arguments, options), Range(low=Decimal(1)), scope)
        case Compare():
            return _comparison(node, scope)
        case Between(item, low, high):
            bottom, top = literal_number(low), literal_number(high)
            if bottom is None or top is None:
                return Opaque(node)
            return _in_range(item, Range(bottom, top), scope)
        case _:
            return Opaque(node)


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


def _comparison(node: Compare, scope: Scope) -> Form:
    left, right, operator = node.left, node.right, node.operator
    if operator == "in":
        texts = (
            [item.value for item in right.items if isinstance(item, Text)] if isinstance(right, Items) else []
        )
        if isinstance(right, Items) and texts and len(texts) == len(right.items):
            return OneOf(named_value(left, scope.definitions), frozenset(texts), _is_single(left, scope))
        return Opaque(node)
    if operator == "contains":
        return Opaque(node)
    if literal_number(left) is not None or isinstance(left, Text):
        left, right, operator = right, left, _TURNED[operator]  # type: ignore[assignment]
    if operator == "==" and isinstance(right, Text) and common([scope.type_of(left)]) != "moment":
        return OneOf(named_value(left, scope.definitions), frozenset({right.value}), _is_single(left, scope))
    constant = literal_number(right)
    if constant is None:
        return Opaque(node)
    ranges = {
        "==": Range(constant, constant),
        "<": Range(high=constant, high_open=True),
        "<=": Range(high=constant),
        ">": Range(low=constant, low_open=True),
        ">=": Range(low=constant),
    }
    return _in_range(left, ranges[operator], scope)


def _in_range(item: Expression, wanted: Range, scope: Scope) -> Form:
    key = named_value(item, scope.definitions)
    return settled(InRange(key, wanted, single=_is_single(key, scope)), scope)


def _is_single(key: Expression, scope: Scope) -> bool:
    """Whether the key has one value at most."""
    match key:
        case Property(path):
            use = scope.selection.use(path) if scope.selection else None
            return use is not None and not use.in_list
        case CustomerTrait(path):
            given = scope.catalog.traits.get(path) if scope.catalog else None
            return given is not None and not given.in_list
        case _:
            return True


def settled(form: InRange, scope: Scope) -> Form:
    """The form in its plainest writing, or `Fixed` where the value's domain decides."""
    domain = domain_of(form.key, scope)
    wanted = form.range.whole() if domain.whole else form.range
    inside = wanted.meets(domain.range)
    if domain.whole:
        inside = inside.whole()
    if inside.is_empty and not (form.missing and domain.can_miss):
        return Fixed(False)
    covers = wanted.holds_all_of(domain.range.whole() if domain.whole else domain.range)
    if covers and (form.missing or not domain.can_miss):
        return Fixed(True)
    return InRange(form.key, inside, form.missing and domain.can_miss, form.single)


def opposite(form: Form, scope: Scope) -> Form:
    match form:
        case Fixed(holds):
            return Fixed(not holds)
        case Opposite(item):
            return item
        case AllOf(items):
            return AnyOf(tuple(opposite(item, scope) for item in items))
        case AnyOf(items):
            return AllOf(tuple(opposite(item, scope) for item in items))
        case InRange(key, wanted, missing, single=True):
            domain = domain_of(key, scope).range
            if wanted.begins_with(domain) and wanted.high < INFINITY:
                return settled(
                    InRange(key, Range(low=wanted.high, low_open=not wanted.high_open), not missing), scope
                )
            if wanted.ends_with(domain) and wanted.low > -INFINITY:
                return settled(
                    InRange(key, Range(high=wanted.low, high_open=not wanted.low_open), not missing), scope
                )
            return Opposite(form)
        case InRange() | OneOf() | Opaque():
            return Opposite(form)
        case _:
            assert_never(form)


# --- what values are possible ---------------------------------------------------------------------------------------

_COUNTS = frozenset({"count", "count_distinct", "max_count_by", "active_days", "active_periods", "streak"})
_NOT_NEGATIVE = Range(low=Decimal(0))


def domain_of(key: Expression, scope: Scope) -> Domain:
    match key:
        case Call("active_days", _):
            return Domain(Range(Decimal(0), _most_days(key)), whole=True, can_miss=False)
        case Call(function) if function in _COUNTS:
            return Domain(_NOT_NEGATIVE, whole=True, can_miss=False)
        case Call("sum" | "max_sum_by", (Events() as measure, *_)):
            return Domain(_NOT_NEGATIVE if _never_negative(measure, scope) else Range(), can_miss=False)
        case Call("avg" | "min" | "max" | "median", (Events() as measure, *_)):
            return Domain(_NOT_NEGATIVE if _never_negative(measure, scope) else Range())
        case Call("share" | "rank"):
            return Domain(Range(Decimal(0), Decimal(1)))
        case Call("bucket"):
            return Domain(Range(Decimal(0), Decimal(1)), can_miss=False)
        case Call("ntile", (_, parts)):
            return Domain(Range(Decimal(1), literal_number(parts) or INFINITY), whole=True)
        case Call("bin", (_, *edges)):
            return Domain(Range(Decimal(0), Decimal(len(edges))), whole=True)
        case Call("days_since" | "hours_since", (moment,)) if _is_past(moment, scope):
            return Domain(_NOT_NEGATIVE)
        case Call("days_until", (moment,)) if _is_past(moment, scope):
            return Domain(Range(high=Decimal(0)))
        case Call("time_in" | "gap"):
            return Domain(_NOT_NEGATIVE)
        case Call("trend", (Events(path=()),)):
            return Domain(_NOT_NEGATIVE)
        case _:
            return Domain()


def _most_days(call: Call) -> Decimal:
    """Days that a window of n times 24 hours can touch: n + 1, and one more where a day has 23 hours."""
    match call.option("last"):
        case Duration(amount, "d" | "w" as unit):
            return Decimal(amount * (7 if unit == "w" else 1) + 2)
        case _:
            return INFINITY


def _is_past(moment: Expression, scope: Scope) -> bool:
    match named_value(moment, scope.definitions):
        case Call("first" | "last" | "nth", (Events(path=()), *_)):
            return True
        case _:
            return False


def _never_negative(measure: Events, scope: Scope) -> bool:
    """Whether the filters leave only values from 0 up."""
    chosen = selection_of(measure, scope.definitions, scope.catalog)
    return any(
        _bounds_below(condition, measure.path) for where in chosen.where for condition in conjuncts(where)
    )


def _bounds_below(condition: Expression, path: Path) -> bool:
    match condition:
        case Compare(">" | ">=", Property(found), right):
            bound = literal_number(right)
            return found == path and bound is not None and bound >= 0
        case Between(Property(found), low, _):
            bound = literal_number(low)
            return found == path and bound is not None and bound >= 0
        case _:
            return False
