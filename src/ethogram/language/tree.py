"""The syntax tree: closed unions of frozen nodes.

Sugar is resolved by the parser, so that rules hold by construction: `a != b` is `Not(Compare("==", a, b))`,
`a not in b` is `Not(Compare("in", a, b))`, `x is not known` is `Not(Known(x))`. The printer writes the sugar back.
`a and b and c` is one `And` of three; parentheses make a nested one. Spans take no part in equality.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from ethogram.model.span import Span

Comparison: TypeAlias = Literal["==", "<", "<=", ">", ">=", "in", "contains"]
Operator: TypeAlias = Literal["+", "-", "*", "/"]
DurationUnit: TypeAlias = Literal["s", "min", "h", "d", "w", "mo", "y"]
CalendarUnit: TypeAlias = Literal["day", "week", "month", "quarter", "year"]
Path: TypeAlias = tuple[str, ...]
"""Property names from outer to inner: `address.city` is ("address", "city"); a name may hold any character."""


# --- literals -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """Not negative; a minus sign is `Negate`."""

    value: Decimal
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Percent:
    """`10%` holds 10; as a number it is 0.1."""

    value: Decimal
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Flag:
    value: bool
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Date:
    """`date("2026-11-01")` or `date("2026-11-01 18:30")`: a moment; without an offset, in the project's timezone."""

    value: str
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Duration:
    amount: int
    unit: DurationUnit
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Items:
    """`[1, 2]`, `["sat", "sun"]`, `[90d, 30d]`."""

    items: tuple[Expression, ...]
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word where an option or parameter takes one: `this=month`, `active_periods(e, week)`, `clock=customer`."""

    value: str
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


# --- references -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """A trait, a segment or a segmentation by name."""

    name: str
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Group:
    """`usage_level.intensive`."""

    segmentation: str
    group: str
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class CustomerTrait:
    """`customer.country`: a given trait."""

    path: Path
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AccountTrait:
    path: Path
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Everyone:
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Events:
    """A selection of events, or with a `path` one property of them.

    `source` is a behavior's name, or with `raw` the name of an event as received (`"Order Completed"`); `any` (not raw)
    is every track, page and screen event less the behaviors marked `by: company`.
    """

    source: str
    raw: bool = False
    where: Expression | None = None
    path: Path = ()
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


# --- inside a filter ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Property:
    path: Path
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Me:
    """`me.average_order`: a trait of the customer the event belongs to."""

    trait: str
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Elem:
    """`elem(products, category == "Shoes" and price > 50)`: some one element of the list meets all of it."""

    path: Path
    where: Expression
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


# --- operators ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    items: tuple[Expression, ...]
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Or:
    items: tuple[Expression, ...]
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Not:
    item: Expression
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Compare:
    operator: Comparison
    left: Expression
    right: Expression
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Between:
    """Both ends included."""

    item: Expression
    low: Expression
    high: Expression
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Known:
    item: Expression
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: Operator
    left: Expression
    right: Expression
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Negate:
    item: Expression
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Option:
    name: str
    value: Expression
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `language.functions`; the steps of a `sequence` are `Events` or `Not(Events)`."""

    function: str
    arguments: tuple[Expression, ...] = ()
    options: tuple[Option, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)

    def option(self, name: str) -> Expression | None:
        return next((option.value for option in self.options if option.name == name), None)


Literals: TypeAlias = Number | Percent | Text | Flag | Date | Duration | Items | Word
References: TypeAlias = Name | Group | CustomerTrait | AccountTrait | Everyone | Events
Rows: TypeAlias = Property | Me | Elem
Operators: TypeAlias = And | Or | Not | Compare | Between | Known | Arithmetic | Negate
Expression: TypeAlias = Literals | References | Rows | Operators | Call


# --- definitions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unless:
    """Leaves out events for which `event` (a raw event name) with the same value of `same` has happened by as_of."""

    event: str
    same: Path
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Behavior:
    """`events` are names as received, in the order written; `each` is the path of a list that makes item events."""

    name: str
    events: tuple[str, ...]
    where: Expression | None = None
    each: Path = ()
    unless: Unless | None = None
    by_company: bool = False
    title: str = ""
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class TestEvent:
    """One line of a definition's test: `{ ago: 2d, do: cart_add, total: 20 }`.

    `do` names a behavior, an event as received, or `identify` (its other keys are given traits). A behavior's event is
    made by its first event name. `before` is how long before the test's moment it happens.
    """

    __test__ = False

    before: Duration
    do: str
    properties: Mapping[str, object] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class DefinitionTest:
    """`expect` is True / False for a segment (in / out), a group's name, or a trait's value (None: missing)."""

    name: str
    events: tuple[TestEvent, ...]
    expect: bool | str | Decimal | None
    at: str = ""
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Trait:
    name: str
    value: Expression
    title: str = ""
    description: str = ""
    tests: tuple[DefinitionTest, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Segment:
    name: str
    when: Expression
    title: str = ""
    description: str = ""
    purpose: str = ""
    owner: str = ""
    tests: tuple[DefinitionTest, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class SegmentationGroup:
    """`when` is None for `otherwise`."""

    name: str
    when: Expression | None
    title: str = ""
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The first group that holds wins."""

    name: str
    groups: tuple[SegmentationGroup, ...]
    title: str = ""
    description: str = ""
    purpose: str = ""
    owner: str = ""
    tests: tuple[DefinitionTest, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class PeopleList:
    """People named by hand: `file` (relative to the project; first column `customer`) or `customers` inline."""

    name: str
    file: str = ""
    customers: tuple[str, ...] = ()
    title: str = ""
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


Definition: TypeAlias = Behavior | Trait | Segment | Segmentation | PeopleList


@dataclass(frozen=True, slots=True)
class Definitions:
    """All definitions of a project, each name once, in the order of the files."""

    behaviors: Mapping[str, Behavior] = field(default_factory=dict)
    traits: Mapping[str, Trait] = field(default_factory=dict)
    segments: Mapping[str, Segment] = field(default_factory=dict)
    segmentations: Mapping[str, Segmentation] = field(default_factory=dict)
    lists: Mapping[str, PeopleList] = field(default_factory=dict)

    def find(self, name: str) -> Definition | None:
        for kind in (self.behaviors, self.traits, self.segments, self.segmentations, self.lists):
            if name in kind:
                return kind[name]
        return None
