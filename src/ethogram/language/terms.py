"""Terms of the Python builder: pieces of syntax tree with Python's operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from ethogram.language import tree
from ethogram.language.literals import date_problem
from ethogram.language.parser import parse_expression
from ethogram.language.printer import print_expression, print_number
from ethogram.model.errors import DefinitionError

Value: TypeAlias = "Term | str | int | float | Decimal | bool | date | list[Value] | tuple[Value, ...]"
"""What may stand wherever a value is expected; a date or datetime is a moment."""


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A part of an expression. Comparisons and `& | ~` make larger terms, so a term is neither true nor false.

    `definition` is what the term names, where it was made by `behavior`, `trait`, `segment`, `segmentation` or `people`.
    """

    node: tree.Expression
    definition: tree.Definition | None = None

    def __repr__(self) -> str:
        return print_expression(self.node)

    def __bool__(self) -> bool:
        message = f"'{self!r}' is neither true nor false in Python"
        hint = "Write & | ~ with parentheses instead of and, or, not; (a < b) & (b < c) instead of a < b < c."
        raise DefinitionError("E_BUILDER", message, hint=hint)

    __hash__ = None  # type: ignore[assignment]

    # --- parts of selections, given traits and properties ---------------------------------------------------------

    def __getattr__(self, name: str) -> Term:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._part(name)

    def __getitem__(self, part: Term | str) -> Term:
        """`purchase[prop.total > 10]` is a filter, `prop["unit price"]` an unusual name."""
        if isinstance(part, str):
            return self._part(part)
        if isinstance(self.node, tree.Events) and self.node.where is None and not self.node.path:
            return Term(tree.Events(self.node.source, self.node.raw, part.node))
        raise DefinitionError(
            "E_BUILDER", f"'{self!r}' cannot be filtered", hint="Filter a selection, once: purchase[…]."
        )

    def _part(self, name: str) -> Term:
        match self.node:
            case tree.Events(source, raw, where, path):
                return Term(tree.Events(source, raw, where, (*path, name)))
            case tree.Property(path):
                return Term(tree.Property((*path, name)))
            case tree.CustomerTrait(path):
                return Term(tree.CustomerTrait((*path, name)))
            case tree.AccountTrait(path):
                return Term(tree.AccountTrait((*path, name)))
            case tree.Name(segmentation):
                return Term(tree.Group(segmentation, name))
            case _:
                raise AttributeError(f"'{self!r}' has no part '{name}'")

    # --- operators ------------------------------------------------------------------------------------------------

    def __and__(self, other: Term) -> Term:
        """`a & b & c` is one `and` of three; `a & (b & c)` keeps its parentheses."""
        items = self.node.items if isinstance(self.node, tree.And) else (self.node,)
        return Term(tree.And((*items, other.node)))

    def __or__(self, other: Term) -> Term:
        items = self.node.items if isinstance(self.node, tree.Or) else (self.node,)
        return Term(tree.Or((*items, other.node)))

    def __invert__(self) -> Term:
        return Term(tree.Not(self.node))

    def __eq__(self, other: object) -> Term:  # type: ignore[override]
        return self._compare("==", other)

    def __ne__(self, other: object) -> Term:  # type: ignore[override]
        return ~self._compare("==", other)

    def __lt__(self, other: Value) -> Term:
        return self._compare("<", other)

    def __le__(self, other: Value) -> Term:
        return self._compare("<=", other)

    def __gt__(self, other: Value) -> Term:
        return self._compare(">", other)

    def __ge__(self, other: Value) -> Term:
        return self._compare(">=", other)

    def contains(self, other: Value) -> Term:
        return self._compare("contains", other)

    def is_in(self, *values: Value) -> Term:
        return self._compare("in", list(values))

    def not_in(self, *values: Value) -> Term:
        return ~self.is_in(*values)

    def between(self, low: Value, high: Value) -> Term:
        """Both ends included."""
        return Term(tree.Between(self.node, expression(low), expression(high)))

    def is_known(self) -> Term:
        return Term(tree.Known(self.node))

    def is_not_known(self) -> Term:
        return ~self.is_known()

    def _compare(self, operator: tree.Comparison, other: object) -> Term:
        return Term(tree.Compare(operator, self.node, expression(other)))

    def __add__(self, other: Value) -> Term:
        return self._arithmetic("+", other)

    def __sub__(self, other: Value) -> Term:
        return self._arithmetic("-", other)

    def __mul__(self, other: Value) -> Term:
        return self._arithmetic("*", other)

    def __truediv__(self, other: Value) -> Term:
        return self._arithmetic("/", other)

    def __radd__(self, other: Value) -> Term:
        return Term(expression(other))._arithmetic("+", self)

    def __rsub__(self, other: Value) -> Term:
        return Term(expression(other))._arithmetic("-", self)

    def __rmul__(self, other: Value) -> Term:
        return Term(expression(other))._arithmetic("*", self)

    def __rtruediv__(self, other: Value) -> Term:
        return Term(expression(other))._arithmetic("/", self)

    def __neg__(self) -> Term:
        return Term(tree.Negate(self.node))

    def _arithmetic(self, operator: tree.Operator, other: Value) -> Term:
        return Term(tree.Arithmetic(operator, self.node, expression(other)))


@dataclass(frozen=True, slots=True)
class Root:
    """`customer.country`, `prop.total`, `me.average_order`: the word before the point."""

    make: Callable[[str], tree.Expression]

    def __getattr__(self, name: str) -> Term:
        if name.startswith("__"):
            raise AttributeError(name)
        return Term(self.make(name))

    def __getitem__(self, name: str) -> Term:
        return Term(self.make(name))


# --- values -----------------------------------------------------------------------------------------------------------


def expression(value: object) -> tree.Expression:
    """The tree of a Python value or a term. Raises DefinitionError for what the language cannot say."""
    match value:
        case Term():
            return value.node
        case bool():
            return tree.Flag(value)
        case int() | float() | Decimal():
            return _number(value)
        case str():
            return tree.Text(value)
        case date():
            return date_of(value.isoformat())
        case list() | tuple():
            return tree.Items(tuple(expression(item) for item in value))
        case _:
            message = f"a {type(value).__name__} is no value of the language"
            raise DefinitionError(
                "E_BUILDER", message, hint="There are numbers, text, flags, dates and lists of them."
            )


def _number(value: int | float | Decimal) -> tree.Expression:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if not exact.is_finite():
        raise DefinitionError("E_NUMBER", f"{value} is no number of the language")
    return parsed(print_number(exact))


def parsed(text: str) -> tree.Expression:
    """Of the language's own opinion on digits and units; the place within so small a text says nothing."""
    try:
        return _without_span(parse_expression(text))
    except DefinitionError as error:
        raise DefinitionError(error.code, f"{text}: {error.message}", hint=error.hint) from None


def _without_span(node: tree.Expression) -> tree.Expression:
    match node:
        case tree.Number(value):
            return tree.Number(value)
        case tree.Percent(value):
            return tree.Percent(value)
        case tree.Duration(amount, unit):
            return tree.Duration(amount, unit)
        case tree.Negate(item):
            return tree.Negate(_without_span(item))
        case _:
            return node


def date_of(text: str) -> tree.Date:
    if problem := date_problem(text):
        raise DefinitionError("E_DATE", problem)
    return tree.Date(text)


def duration_of(text: str) -> tree.Duration:
    found = parsed(text)
    if isinstance(found, tree.Duration):
        return found
    raise DefinitionError(
        "E_UNIT", f"'{text}' is not a duration", hint='Write for example "30d", "12h" or "6mo".'
    )
