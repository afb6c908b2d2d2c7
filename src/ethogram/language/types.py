"""What kind of value an expression gives."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, assert_never

from ethogram.language.catalog import DataCatalog, PropertyUse
from ethogram.language.functions import FUNCTIONS
from ethogram.language.selections import Selection, selection_of
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Date,
    Definitions,
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
    Segment,
    Segmentation,
    Text,
    Trait,
    Word,
)

ValueType: TypeAlias = Literal["number", "text", "flag", "moment", "set", "duration", "any"]
"""`any` where the type is not known before the data is; `duration` never is a value, it only stands beside + and -."""

SPOKEN: dict[ValueType, str] = {
    "number": "a number",
    "text": "text",
    "flag": "yes or no",
    "moment": "a moment",
    "set": "a set of values",
    "duration": "a duration",
    "any": "a value of unknown type",
}


@dataclass(frozen=True, slots=True)
class Types:
    """Types under one set of definitions; remembers those of names. Circles give `any`."""

    definitions: Definitions
    catalog: DataCatalog | None = None
    _of_names: dict[str, ValueType] = field(default_factory=dict, compare=False, repr=False)

    def of(self, node: Expression, selection: Selection | None = None) -> ValueType:
        """`selection` is what the filter is on, where `node` stands in one."""
        match node:
            case Number() | Percent() | Negate():
                return "number"
            case Text():
                return "text"
            case (
                Flag()
                | Everyone()
                | And()
                | Or()
                | Not()
                | Compare()
                | Between()
                | Known()
                | Elem()
                | Group()
            ):
                return "flag"
            case Date():
                return "moment"
            case Duration():
                return "duration"
            case Items() | Word() | AccountTrait():
                return "any"
            case Name(name) | Me(name):
                return self.of_name(name)
            case CustomerTrait(path):
                return _seen(self.catalog.traits.get(path)) if self.catalog else "any"
            case Property(path):
                return _seen(selection.use(path)) if selection else "any"
            case Events(path=path):
                return _seen(selection_of(node, self.definitions, self.catalog).use(path)) if path else "any"
            case Arithmetic():
                return self._of_arithmetic(node, selection)
            case Call():
                return self._of_call(node, selection)
            case _:
                assert_never(node)

    def of_name(self, name: str) -> ValueType:
        if name not in self._of_names:
            self._of_names[name] = "any"
            self._of_names[name] = self._of_definition(name)
        return self._of_names[name]

    def _of_definition(self, name: str) -> ValueType:
        match self.definitions.find(name):
            case Trait(value=value):
                return self.of(value)
            case Segment():
                return "flag"
            case Segmentation():
                return "text"
            case _:
                return "any"

    def _of_arithmetic(self, node: Arithmetic, selection: Selection | None) -> ValueType:
        left, right = self.of(node.left, selection), self.of(node.right, selection)
        if "duration" in (left, right):
            return "moment"
        if node.operator == "-" and "moment" in (left, right):
            return "number"
        return "number"

    def _of_call(self, node: Call, selection: Selection | None) -> ValueType:
        signature = FUNCTIONS.get(node.function)
        if signature is None:
            return "any"
        match signature.gives:
            case "of the property":
                measure = node.arguments[0] if node.arguments else None
                if isinstance(measure, Events) and not measure.path:
                    return "moment" if node.function in ("first", "last", "nth") else "any"
                return self.of(measure) if measure is not None else "any"
            case "of the argument":
                choices = node.arguments[1:] if node.function == "if" else node.arguments
                return common(self.of(choice, selection) for choice in choices)
            case "flag" | "number" | "text" | "moment" | "set" as given:
                return given


def type_of(
    expression: Expression, definitions: Definitions, catalog: DataCatalog | None = None
) -> ValueType:
    """The type of an expression outside a filter.

    >>> type_of(Call("count", (Events("any"),)), Definitions())
    'number'
    """
    return Types(definitions, catalog).of(expression)


def common(types: Iterable[ValueType]) -> ValueType:
    """The one type that all of these are, as far as they are known."""
    known = {kind for kind in types if kind != "any"}
    if known == {"moment", "text"}:
        return "moment"
    return known.pop() if len(known) == 1 else "any"


def agree(one: ValueType, other: ValueType) -> bool:
    """Whether values of the two types can be compared: text may be the ISO form of a moment."""
    return "any" in (one, other) or one == other or {one, other} == {"moment", "text"}


def _seen(use: PropertyUse | None) -> ValueType:
    kinds = [kind for kind, count in use.types.items() if count] if use else []
    return kinds[0] if len(kinds) == 1 else "any"


_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,6})?)?\s?(Z|z|[+-]\d{2}:?\d{2})?)?\Z")


def is_moment_text(text: str) -> bool:
    """Whether text is a date or a date and time in ISO 8601.

    >>> is_moment_text("2026-11-01 18:30"), is_moment_text("2026-02-30"), is_moment_text("soon")
    (True, False, False)
    """
    if not _ISO.match(text):
        return False
    try:
        datetime.fromisoformat(text.replace(",", ".").replace(" +", "+").replace(" Z", "Z"))
    except ValueError:
        return False
    return True
