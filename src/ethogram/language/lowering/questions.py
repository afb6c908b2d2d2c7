"""Small questions about expressions and literals."""

from __future__ import annotations

from decimal import Decimal

from ethogram.language.functions import FUNCTIONS
from ethogram.language.plan import Step, ValueType
from ethogram.language.streams import step_of
from ethogram.language.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Comparison,
    Duration,
    Elem,
    Everyone,
    Expression,
    Flag,
    Group,
    Known,
    Me,
    Negate,
    Not,
    Or,
)
from ethogram.model.errors import Unsupported
from ethogram.model.span import Span

MILLION = 1_000_000
_ELAPSED = frozenset({"days_since", "hours_since", "days_until", "time_in"})


def traits_of_me(condition: Expression) -> list[str]:
    """The traits that a filter compares with (`me.x`)."""
    match condition:
        case Me():
            return [condition.trait]
        case And() | Or():
            return [name for item in condition.items for name in traits_of_me(item)]
        case Not() | Known() | Negate():
            return traits_of_me(condition.item)
        case Compare() | Arithmetic():
            return traits_of_me(condition.left) + traits_of_me(condition.right)
        case Between():
            return [
                name
                for part in (condition.item, condition.low, condition.high)
                for name in traits_of_me(part)
            ]
        case Elem():
            return traits_of_me(condition.where)
        case Call():
            return [name for argument in condition.arguments for name in traits_of_me(argument)]
        case _:
            return []


def place_of(expression: Expression | None) -> Span | None:
    return expression.span if expression is not None else None


def noun_of(expression: Expression) -> str:
    return {"Events": "a selection of events", "Items": "a list"}.get(
        type(expression).__name__, type(expression).__name__
    )


def millionths(value: Decimal) -> int:
    return int((value * MILLION).to_integral_value())


def only_type(types: frozenset[ValueType], name: str) -> ValueType:
    if len(types) > 1:
        raise Unsupported(
            "E_MIXED_TYPES",
            f"'{name}' holds values of different types: {', '.join(sorted(types))}",
            hint="Compare it with a value of one type, or mend the source.",
        )
    return next(iter(types))


def is_always_known(expression: Expression) -> bool:
    match expression:
        case And() | Or() | Not() | Compare() | Between() | Known() | Flag() | Everyone() | Group():
            return True
        case Call():
            return FUNCTIONS[expression.function].gives == "flag"
        case _:
            return False


def is_met(operator: Comparison, left: int, right: int) -> bool:
    match operator:
        case "==":
            return left == right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def is_elapsed(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.function in _ELAPSED


def shift_of_now(expression: Expression) -> Step | None:
    """The shift of `now()`, `now() - 6mo`, `now() + 3d`."""
    match expression:
        case Call(function="now"):
            return Step()
        case Arithmetic(operator=sign, left=Call(function="now"), right=Duration() as duration) if (
            sign in "+-"
        ):
            step = step_of(duration)
            return step if sign == "+" else Step(-step.micros, -step.months)
        case _:
            return None
