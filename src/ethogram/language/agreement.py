"""Whether values fit where they stand: conditions, comparisons, arithmetic, lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from ethogram.language.catalog import DataCatalog, PropertyUse
from ethogram.language.findings import Finding, error, warning
from ethogram.language.selections import Selection, path_span, selection_of, written
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
    Text,
    Word,
)
from ethogram.language.types import SPOKEN, Types, ValueType, agree, is_moment_text
from ethogram.model.settings import Settings
from ethogram.model.span import Span

LARGEST = Decimal("9223372036854.775807")
"""Numbers are kept as 64-bit counts of millionths."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a check of one expression knows; `selection` is set inside a filter."""

    definitions: Definitions
    settings: Settings
    catalog: DataCatalog | None
    types: Types
    selection: Selection | None = None

    def type_of(self, node: Expression) -> ValueType:
        return self.types.of(node, self.selection)


def agreement(node: Expression, scope: Scope, above: tuple[Expression, ...]) -> Iterator[Finding]:
    """Findings about `node` itself; its parts are looked at in their own turn."""
    match node:
        case And(items) | Or(items):
            if not items:
                yield error(
                    "E_EMPTY", "a group of conditions without conditions", node.span, "write at least one"
                )
            for item in items:
                yield from must_be_flag(item, scope)
        case Not(item):
            if not (isinstance(item, Events) and _is_step(node, above)):
                yield from must_be_flag(item, scope)
        case Elem(_, where):
            yield from must_be_flag(where, scope)
        case Compare():
            yield from _comparison(node, scope)
        case Between(item, low, high):
            yield from _fit(item, low, "<", scope)
            yield from _fit(item, high, "<", scope)
        case Known(item):
            yield from must_be_value(item)
        case Arithmetic():
            yield from _arithmetic(node, scope)
        case Negate(item):
            yield from must_be_number(item, scope)
        case Items(items):
            yield from _list(node, items, above)
        case Number(value) | Percent(value):
            if value > LARGEST:
                yield error(
                    "E_NUMBER_OVERFLOW", f"{value} is too large", node.span, f"numbers go up to {LARGEST}"
                )
        case Date(text):
            yield from _moment_text(text, node)
        case Duration() | Word():
            yield from _out_of_place(node, above)
        case (
            Text() | Flag() | Name() | Group() | CustomerTrait() | AccountTrait() | Everyone() | Events()
            | Property() | Me() | Call()
        ):  # fmt: skip
            return
        case _:
            assert_never(node)


def _is_step(node: Expression, above: tuple[Expression, ...]) -> bool:
    return bool(above) and isinstance(above[-1], Call) and above[-1].function == "sequence"


# --- what is expected -----------------------------------------------------------------------------------------------


def must_be_flag(node: Expression, scope: Scope) -> Iterator[Finding]:
    yield from must_be_value(node)
    kind = scope.type_of(node)
    if kind not in ("flag", "any"):
        hint = "compare it with something, as in `… > 0`; or write `… is known`"
        yield error(
            "E_TYPE", f"a condition is expected, but {name_of(node)} is {SPOKEN[kind]}", node.span, hint
        )
    yield from types_seen(node, "flag", scope)


def must_be_number(node: Expression, scope: Scope) -> Iterator[Finding]:
    yield from must_be_value(node)
    kind = scope.type_of(node)
    if kind not in ("number", "any"):
        yield error("E_TYPE", f"a number is expected, but {name_of(node)} is {SPOKEN[kind]}", node.span)
    yield from types_seen(node, "number", scope)


def must_be_text(node: Expression, scope: Scope) -> Iterator[Finding]:
    yield from must_be_value(node)
    kind = scope.type_of(node)
    if kind not in ("text", "any"):
        yield error("E_TYPE", f"text is expected, but {name_of(node)} is {SPOKEN[kind]}", node.span)
    yield from types_seen(node, "text", scope)


def must_be_moment(node: Expression, scope: Scope) -> Iterator[Finding]:
    yield from must_be_value(node)
    kind = scope.type_of(node)
    if isinstance(node, Text):
        yield from _moment_text(node.value, node)
    elif kind not in ("moment", "text", "any"):
        hint = 'a moment is date("2026-11-01"), now(), first(…), last(…), or a property with such a value'
        yield error("E_TYPE", f"a moment is expected, but {name_of(node)} is {SPOKEN[kind]}", node.span, hint)


def must_be_value(node: Expression) -> Iterator[Finding]:
    """Everything but a bare selection of events, a list, or a duration."""
    match node:
        case Events(source, path=path):
            what = f"{source}.{written(path)}" if path else source
            function = "last" if path else "did"
            message = f"'{what}' are events, not a value"
            yield error(
                "E_KIND", message, node.span, f"ask something about them: {function}({what}), count({source})"
            )
        case Items():
            yield error("E_TYPE", "a list stands only after `in`", node.span, "write `… in […]`")
        case _:
            return


def _moment_text(text: str, node: Expression) -> Iterator[Finding]:
    if not is_moment_text(text):
        hint = 'write year-month-day: "2026-11-01" or "2026-11-01 18:30", with "Z" or "+01:00" where another timezone is meant'
        yield error("E_DATE", f'"{text}" is no date or time', node.span, hint)


# --- operators ------------------------------------------------------------------------------------------------------


def _comparison(node: Compare, scope: Scope) -> Iterator[Finding]:
    left, right = node.left, node.right
    match node.operator:
        case "in":
            yield from must_be_value(left)
            if not isinstance(right, Items):
                hint = 'write `… in [1, 2]`; for people named by hand, in_list("…")'
                yield error("E_TYPE", "`in` needs a list on its right", right.span or node.span, hint)
                return
            for item in right.items:
                yield from _fit(left, item, "==", scope)
        case "contains":
            yield from must_be_value(left)
            yield from must_be_value(right)
            kind = scope.type_of(left)
            if kind == "text":
                yield from must_be_text(right, scope)
            elif kind not in ("set", "any"):
                message = (
                    f"`contains` looks into text or a set of values, but {name_of(left)} is {SPOKEN[kind]}"
                )
                yield error("E_TYPE", message, left.span or node.span)
        case "==" | "<" | "<=" | ">" | ">=" as operator:
            yield from _fit(left, right, operator, scope)
        case _:
            assert_never(node.operator)


def _fit(left: Expression, right: Expression, operator: str, scope: Scope) -> Iterator[Finding]:
    """Whether the two can be compared."""
    for side in (left, right):
        yield from must_be_value(side)
    one, other = scope.type_of(left), scope.type_of(right)
    span = right.span or left.span
    if not agree(one, other):
        message = f"{name_of(left)} is {SPOKEN[one]}, but {name_of(right)} is {SPOKEN[other]}"
        yield error("E_TYPE", message, span, "values of different types are never equal, less or greater")
        return
    kinds = {one, other} - {"any"}
    if "set" in kinds:
        yield error(
            "E_TYPE",
            f"{name_of(left)} is a set of values",
            span,
            "ask whether it contains one: `… contains …`",
        )
    elif "duration" in kinds:
        hint = "for elapsed time write `days_since(…) > 30`; for a window, last=30d"
        yield error("E_TYPE", "a duration cannot be compared", span, hint)
    elif "flag" in kinds and operator != "==":
        yield error(
            "E_TYPE", "yes and no are not less or greater", span, "write `… == true`, or only the condition"
        )
    elif "moment" in kinds:
        for side in (left, right):
            if isinstance(side, Text):
                yield from _moment_text(side.value, side)
        return
    if one != "any" or other != "any":
        yield from types_seen(left, other, scope)
        yield from types_seen(right, one, scope)


def _arithmetic(node: Arithmetic, scope: Scope) -> Iterator[Finding]:
    for side in (node.left, node.right):
        yield from must_be_value(side)
    left, right = scope.type_of(node.left), scope.type_of(node.right)
    if right == "duration":
        if node.operator not in ("+", "-") or left not in ("moment", "text", "any"):
            hint = "a duration is added to or taken from a moment, as in `now() - 6mo`"
            yield error(
                "E_TYPE", f"{name_of(node.left)} {node.operator} a duration has no meaning", node.span, hint
            )
    elif left == "duration":
        hint = "write the moment first, as in `last(purchase) + 30d`"
        yield error("E_TYPE", "a duration cannot stand on the left", node.span, hint)
    elif "moment" in (left, right):
        if node.operator != "-" or not agree(left, right):
            hint = "a moment less a moment is a number of days; a moment plus or minus a duration is a moment"
            yield error(
                "E_TYPE", f"{SPOKEN[left]} {node.operator} {SPOKEN[right]} has no meaning", node.span, hint
            )
    else:
        for side in (node.left, node.right):
            yield from must_be_number(side, scope)
        if node.operator == "/" and isinstance(node.right, Number) and node.right.value == 0:
            yield warning("W_NEVER", "division by zero is always missing", node.span)


def _list(node: Items, items: tuple[Expression, ...], above: tuple[Expression, ...]) -> Iterator[Finding]:
    if not items:
        yield error("E_EMPTY", "an empty list holds for nobody", node.span, "name at least one value")
    inside_call = bool(above) and isinstance(above[-1], Call)
    for item in items:
        plain = item.item if isinstance(item, Negate) else item
        if not isinstance(plain, (Number, Percent, Text, Flag, Date)) and not (
            inside_call and isinstance(plain, Duration)
        ):
            yield error(
                "E_TYPE",
                "a list holds plain values only",
                item.span or node.span,
                'such as [1, 2] or ["a", "b"]',
            )


def _out_of_place(node: Duration | Word, above: tuple[Expression, ...]) -> Iterator[Finding]:
    outer = above[-1] if above else None
    if isinstance(node, Word):
        if not isinstance(outer, Call):
            yield error("E_WORD", f"the word '{node.value}' means nothing here", node.span)
    elif outer is None:
        yield error(
            "E_TYPE",
            "a duration is no value",
            node.span,
            "it stands in options, and after + or - of a moment",
        )


# --- properties of several types ------------------------------------------------------------------------------------


def types_seen(node: Expression, expected: ValueType, scope: Scope) -> Iterator[Finding]:
    """Says how many values of a property or given trait are of another type than the one expected here."""
    if expected not in ("number", "text", "flag"):
        return
    use, label, span = _use_of(node, scope)
    if use is None or not use.total:
        return
    fitting = sum(count for kind, count in use.types.items() if kind == expected)
    if fitting == 0 and len(use.types) > 1:
        seen = " and ".join(SPOKEN[kind] for kind in use.types)
        yield error("E_TYPE", f"{label} is {seen}, never {SPOKEN[expected]}", span)
    elif 0 < fitting < use.total:
        others = use.total - fitting
        unlike = {"number": "no numbers", "text": "no text", "flag": "neither yes nor no"}[expected]
        message = f"{others} of {use.total} values of {label} are {unlike} and count as missing here"
        yield warning(
            "W_MIXED_TYPES", message, span, "mend them at the source, or leave them out with a filter"
        )


def _use_of(node: Expression, scope: Scope) -> tuple[PropertyUse | None, str, Span | None]:
    match node:
        case Property(path) if scope.selection:
            return scope.selection.use(path), f"'{written(path)}' of {scope.selection.label}", node.span
        case CustomerTrait(path) if scope.catalog:
            return scope.catalog.traits.get(path), f"'customer.{written(path)}'", node.span
        case Events(path=path) if path:
            chosen = selection_of(node, scope.definitions, scope.catalog)
            return chosen.use(path), f"'{written(path)}' of {chosen.label}", path_span(node.span, path)
        case _:
            return None, "", None


def name_of(node: Expression) -> str:
    """How a message calls a part of an expression."""
    match node:
        case Number(value):
            return f"{value}"
        case Percent(value):
            return f"{value}%"
        case Text(value):
            return f'"{value}"'
        case Flag(flag):
            return "true" if flag else "false"
        case Date(value):
            return f'date("{value}")'
        case Duration(amount, unit):
            return f"{amount}{unit}"
        case Property(path):
            return f"'{written(path)}'"
        case CustomerTrait(path):
            return f"'customer.{written(path)}'"
        case AccountTrait(path):
            return f"'account.{written(path)}'"
        case Name(name):
            return f"'{name}'"
        case Group(segmentation, group):
            return f"'{segmentation}.{group}'"
        case Me(trait):
            return f"'me.{trait}'"
        case Events(source, path=path):
            return f"'{source}.{written(path)}'" if path else f"'{source}'"
        case Call(function, arguments):
            first = (
                name_of(arguments[0]).strip("'") if arguments and isinstance(arguments[0], Events) else "…"
            )
            return f"{function}({first})" if arguments else f"{function}()"
        case Everyone():
            return "everyone"
        case _:
            return "this"
