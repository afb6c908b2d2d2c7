"""What a shop counts, for a period and the one before, of everybody and by group, with how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ethogram.insight.figures import Figure
from ethogram.insight.inference import Estimate
from ethogram.insight.people import Numbers
from ethogram.language.parser import parse_expression

if TYPE_CHECKING:
    from ethogram.language.tree import Expression
    from ethogram.model.event import Moment

Unit: TypeAlias = Literal["count", "share", "money"]
Columns: TypeAlias = Mapping[str, Numbers]
EVERYONE = "everyone"
NEWCOMERS = "(new)"
"""Those who were not customers yet when the period began."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What in this project means what, as selections and measures are written: `purchase`, `purchase.total`. Empty for what
    there is not."""

    purchase: str = ""
    amount: str = ""
    margin: str = ""
    discount: str = ""
    refunded: str = ""
    cart_add: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """`needs` are fields of `Measured`. `figure` makes it of the columns of one period; what it divides by may be nobody."""

    name: str
    title: str
    unit: Unit
    needs: tuple[str, ...]
    figure: Callable[[Columns], Figure | None]


def _sum(column: str) -> Callable[[Columns], Figure | None]:
    return lambda columns: Figure.total(columns[column])


def _ratio(column: str, base: str) -> Callable[[Columns], Figure | None]:
    return lambda columns: Figure.ratio(columns[column], columns[base])


METRICS: Sequence[Metric] = (
    Metric("active", "active", "count", (), _sum("active")),
    Metric("buyers", "buyers", "count", ("purchase",), _sum("buyer")),
    Metric("orders", "orders", "count", ("purchase",), _sum("orders")),
    Metric("conversion", "conversion", "share", ("purchase",), _ratio("active_buyer", "active")),
    Metric("cart_abandonment", "cart abandonment", "share", ("cart_add", "purchase"), _ratio("left_cart", "cart")),
    Metric("repeat_rate", "bought before", "share", ("purchase",), _ratio("repeat", "buyer")),
    Metric("retention", "came back", "share", ("purchase",), _ratio("kept", "buyer_before")),
    Metric("revenue", "revenue", "money", ("amount",), _sum("revenue")),
    Metric("average_order", "average order", "money", ("amount", "purchase"), _ratio("revenue", "orders")),
    Metric("orders_per_buyer", "orders a buyer", "count", ("purchase",), _ratio("orders", "buyer")),
    Metric("margin", "margin", "money", ("margin",), _sum("margin")),
    Metric("margin_rate", "margin rate", "share", ("margin", "amount"), _ratio("margin", "revenue")),
    Metric("discounts", "discounts", "money", ("discount",), _sum("discount")),
    Metric("discount_rate", "discount rate", "share", ("discount", "amount"), _ratio("discount", "revenue")),
    Metric("refunds", "refunds", "money", ("refunded",), _sum("refunded")),
    Metric("refund_rate", "refund rate", "share", ("refunded", "amount"), _ratio("refunded", "revenue")),
    Metric("value_to_date", "value to date", "money", ("amount", "purchase"), _ratio("value", "ever")),
)  # fmt: skip
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


def available(measured: Measured) -> tuple[Metric, ...]:
    return tuple(metric for metric in METRICS if all(getattr(measured, need) for need in metric.needs))


# --- what is asked of the engine ----------------------------------------------------------------------------------------


def questions(measured: Measured, period: str) -> dict[str, Expression]:
    """Values of each customer at the period's end, for the period (`now …`) and the one before (`then …`)."""
    found = dict(_texts(measured, period))
    return {name: parse_expression(text) for name, text in found.items()}


def _texts(measured: Measured, period: str) -> Iterator[tuple[str, str]]:
    amount, unit = _parts(period)
    windows = {
        "now": f"last={period}",
        "then": f"ago=[{2 * amount}{unit}, {period}]",
        "before": f"ago=[{3 * amount}{unit}, {2 * amount}{unit}]",
    }
    for when in ("now", "then"):
        window = windows[when]
        yield f"{when} active", f"if(did(any, {window}), 1, 0)"
        if measured.purchase:
            yield f"{when} orders", f"count({measured.purchase}, {window})"
        if measured.cart_add and measured.purchase:
            cart = f"did({measured.cart_add}, {window})"
            last = f"last({measured.cart_add}, {window})"
            yield f"{when} cart", f"if({cart}, 1, 0)"
            bought = f"did({measured.purchase}, {window}, since={last})"
            yield f"{when} left_cart", f"if({cart} and not {bought}, 1, 0)"
        sums = {
            "revenue": measured.amount, "margin": measured.margin,
            "discount": measured.discount, "refunded": measured.refunded,
        }  # fmt: skip
        for name, measure in sums.items():
            if measure:
                yield f"{when} {name}", f"sum({measure}, {window})"
    if measured.purchase:
        yield "before orders", f"count({measured.purchase}, {windows['before']})"
        yield "ever orders", f"count({measured.purchase})"
    if measured.amount:
        yield "ever revenue", f"sum({measured.amount})"


def _parts(period: str) -> tuple[int, str]:
    """
    >>> _parts("30d")
    (30, 'd')
    """
    digits = len(period) - len(period.lstrip("0123456789"))
    return int(period[:digits]), period[digits:]


# --- figures ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """`change` is relative, and of shares the difference; None where there is nothing to compare with."""

    metric: str
    group: str
    unit: Unit
    now: Estimate | None
    then: Estimate | None
    change: Estimate | None

    def as_json(self) -> dict[str, object]:
        estimates = {"now": self.now, "then": self.then, "change": self.change}
        figures = {name: one.as_json() if one else None for name, one in estimates.items()}
        return {"metric": self.metric, "group": self.group, "unit": self.unit, **figures}


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of (`since`, `until`] and of the period of the same length before. Customers count in the group they were in when the
    period began, so that what they did in it did not put them there. `missing` says what the project's data lacks."""

    since: Moment
    until: Moment
    lines: tuple[Line, ...]
    missing: tuple[str, ...]

    def of(self, group: str) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.group == group)

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.group for line in self.lines))

    def as_json(self) -> list[dict[str, object]]:
        return [line.as_json() for line in self.lines]


@dataclass(frozen=True, slots=True)
class GroupOf:
    """Who was in a group when the period began, and when the one before began."""

    now: NDArray[np.bool_]
    then: NDArray[np.bool_]


def lines(
    values: Columns, groups: Mapping[str, GroupOf], measured: Measured, names: Sequence[str] = ()
) -> tuple[Line, ...]:
    """`values` are the answers to `questions`, a row a customer."""
    wanted = [metric for metric in available(measured) if not names or metric.name in names]
    found = []
    for group, members in groups.items():
        now = _columns(values, "now", "then", members.now)
        then = _columns(values, "then", "before", members.then)
        found += [_line(metric, group, now, then) for metric in wanted]
    return tuple(found)


def _columns(values: Columns, when: str, before: str, inside: NDArray[np.bool_]) -> Columns:
    def of(name: str) -> Numbers:
        whole = values.get(name)
        return np.zeros(len(inside)) if whole is None else np.where(inside, whole, 0.0)

    def to_date(name: str) -> Numbers:
        return of(f"ever {name}") - (of(f"now {name}") if when == "then" else 0.0)

    orders, active, ever = of(f"{when} orders"), of(f"{when} active"), to_date("orders")
    buyer, buyer_before = (orders > 0) * 1.0, (of(f"{before} orders") > 0) * 1.0
    return {
        "active": active,
        "orders": orders,
        "buyer": buyer,
        "active_buyer": buyer * (active > 0),
        "repeat": buyer * (ever >= 2),
        "buyer_before": buyer_before,
        "kept": buyer_before * buyer,
        "cart": of(f"{when} cart"),
        "left_cart": of(f"{when} left_cart"),
        "revenue": of(f"{when} revenue"),
        "margin": of(f"{when} margin"),
        "discount": of(f"{when} discount"),
        "refunded": of(f"{when} refunded"),
        "ever": (ever > 0) * 1.0,
        "value": to_date("revenue") * (ever > 0),
    }


def _line(metric: Metric, group: str, now: Columns, then: Columns) -> Line:
    one, other = metric.figure(now), metric.figure(then)
    change = None
    if one is not None and other is not None:
        change = one.less(other) if metric.unit == "share" else one.growth(other)
    return Line(
        metric.name,
        group,
        metric.unit,
        one.estimate if one is not None else None,
        other.estimate if other is not None else None,
        change,
    )
