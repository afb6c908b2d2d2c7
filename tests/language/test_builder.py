"""The Python builder makes the trees that the text makes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ethogram.language import builder
from ethogram.language.builder import (
    any_event,
    behavior,
    count,
    customer,
    define,
    did,
    elem,
    event,
    everyone,
    first,
    gap,
    hours_since,
    last,
    max_sum_by,
    me,
    name,
    nth,
    otherwise,
    percent,
    prop,
    segment,
    segmentation,
    sum_,
    trait,
)
from ethogram.language.files import definitions_from_text
from ethogram.language.parser import parse_expression
from ethogram.language.terms import Term
from ethogram.model.errors import DefinitionError

purchase = behavior(
    "purchase", event="Order Completed", where=prop.total > 0, unless=("Order Cancelled", "order_id")
)
view = behavior("view", event="Product Viewed")
orders = trait("orders", count(purchase))
level = segmentation("level", {"much": orders > 3, "little": otherwise}, title="Level")


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (
            did(view, last="7d") & (hours_since(last(view)) >= 3) & ~did(purchase, since=last(view)),
            "did(view, last=7d) and hours_since(last(view)) >= 3 and not did(purchase, since=last(view))",
        ),
        (count(purchase[prop.coupon.is_known() & (prop.total >= 100)]) > 1, "count(purchase[coupon is known and total >= 100]) > 1"),
        (sum_(purchase[prop.gift].total, last="1y") / 2 + 1, "sum(purchase[gift].total, last=1y) / 2 + 1"),
        (100 - orders * -2, "100 - orders * -2"),
        (gap(purchase, "cv") <= 0.35, 'gap(purchase, "cv") <= 0.35'),
        (nth(purchase, 2) - first(purchase) < 14, "nth(purchase, 2) - first(purchase) < 14"),
        (max_sum_by(purchase.total, by="store.city", last="1y"), "max_sum_by(purchase.total, by=store.city, last=1y)"),
        (did(event("Order Completed")), 'did("Order Completed")'),
        (did(any_event, ago=["90d", "30d"], hours=[22, 6], weekdays=["sat"]), 'did(any, ago=[90d, 30d], hours=[22, 6], weekdays=["sat"])'),
        (customer.country.is_in("GB", "FR"), 'customer.country in ["GB", "FR"]'),
        (customer["zip code"].not_in("1"), 'customer.`zip code` not in ["1"]'),
        (customer.address.city != "x", 'customer.address.city != "x"'),
        (customer.birthday > date(2000, 1, 2), 'customer.birthday > date("2000-01-02")'),
        (last(view) > datetime(2000, 1, 2, 3, tzinfo=UTC), 'last(view) > date("2000-01-02T03:00:00+00:00")'),
        (orders.between(1, Decimal("2.5")), "orders between 1 and 2.5"),
        (everyone | everyone & did(view), "everyone or everyone and did(view)"),
        ((everyone | did(view)) & everyone, "(everyone or did(view)) and everyone"),
        (everyone & (everyone & did(view)), "everyone and (everyone and did(view))"),
        (did(purchase[elem("products", (prop.price > 1) & (prop.category == "a"))]), 'did(purchase[elem(products, price > 1 and category == "a")])'),
        (did(purchase[prop.total > me.average]), "did(purchase[total > me.average])"),
        (builder.sequence(view, ~event("X"), purchase, within="7d", strict=True, same="cart.id"),
         'sequence(view, not "X", purchase, within=7d, strict=true, same=cart.id)'),
        (builder.was_in(level.much, at=builder.now() - builder.duration("6mo")), "was_in(level.much, at=now() - 6mo)"),
        (builder.entered("vip", last="7d"), "entered(vip, last=7d)"),
        (builder.recurring(view, every="week", at_least=3, of=4), "recurring(view, every=week, at_least=3, of=4)"),
        (builder.top(orders, "10%", among=name("vip")), "top(orders, 10%, among=vip)"),
        (builder.if_(builder.is_identified, 1, percent(2.5)), "if(is_identified, 1, 2.5%)"),
        (builder.streak(view, "day"), "streak(view, day)"),
        (builder.values(view.tags).contains("a"), 'values(view.tags) contains "a"'),
    ],
)  # fmt: skip
def test_terms(term: Term, text: str) -> None:
    assert term.node == parse_expression(text)
    assert repr(term) == text


def test_definitions() -> None:
    vip = segment("vip", (level == "much") & level.much, title="VIP", purpose="marketing")
    people = builder.people("staff", customers=["ann"])
    assert define(purchase, view, orders, level, vip, people) == definitions_from_text(
        """
behaviors:
  purchase: { event: Order Completed, where: total > 0, unless: { event: Order Cancelled, same: order_id } }
  view: Product Viewed
traits:
  orders: count(purchase)
segmentations:
  level: { title: Level, groups: { much: orders > 3, little: otherwise } }
segments:
  vip: { title: VIP, purpose: marketing, when: level == "much" and level.much }
lists:
  staff: { customers: [ann] }
"""
    )


def test_terms_are_not_true_or_false() -> None:
    with pytest.raises(DefinitionError, match="neither true nor false"):
        assert 1 < orders < 3
    with pytest.raises(DefinitionError):
        assert did(view) and did(purchase)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: did(view, last="7m"), "E_UNIT"),
        (lambda: did(view, lst="7d"), "E_UNKNOWN_OPTION"),
        (lambda: did(view.total), "E_ARGUMENTS"),
        (lambda: sum_(view), "E_ARGUMENTS"),
        (lambda: orders > float("nan"), "E_NUMBER"),
        (lambda: orders > 10**13, "E_NUMBER_OVERFLOW"),
        (lambda: orders > 0.1234567, "E_NUMBER"),
        (lambda: orders == object(), "E_BUILDER"),
        (lambda: builder.moment("2024-02-30"), "E_DATE"),
        (lambda: define(name("x")), "E_BUILDER"),
        (lambda: define(view, view), "E_DUPLICATE"),
        (lambda: view[prop.a][prop.b], "E_BUILDER"),
    ],
)
def test_mistakes(make: object, code: str) -> None:
    assert callable(make)
    with pytest.raises(DefinitionError) as caught:
        make()
    assert caught.value.code == code


def test_functions_are_listed_and_misspellings_answered() -> None:
    assert {"did", "count", "behavior"} <= set(dir(builder))
    with pytest.raises(AttributeError, match="Did you mean 'count'"):
        builder.cuont  # noqa: B018
