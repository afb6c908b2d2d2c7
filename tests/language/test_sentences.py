"""Definitions in plain English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ethogram.language.files import definitions_from_text
from ethogram.language.functions import FUNCTIONS
from ethogram.language.names import require
from ethogram.language.parser import parse_expression
from ethogram.language.sentences import sentence
from ethogram.model.settings import Settings

SHOP = definitions_from_text(
    """
behaviors:
  view: Product Viewed
  cart_add: Product Added
  purchase:
    event: Order Completed
    where: total > 0
    unless: { event: Order Cancelled, same: order_id }
    title: Purchase
  bought: { event: Order Completed, each: products }
  mail_sent: { event: Email Delivered, by: company }
traits:
  orders: count(purchase)
  spend_1y: { value: 'sum(purchase.total, last=1y)', title: Spend of a year }
  last_purchase: last(purchase)
segments:
  cart_abandoners:
    title: Cart abandoners
    when: did(cart_add, last=7d) and hours_since(last(cart_add)) >= 3 and not did(purchase, since=last(cart_add))
segmentations:
  usage_level:
    groups:
      intensive: active_days(any, last=28d) >= 21
      inactive: otherwise
lists:
  staff: { file: lists/staff.csv }
"""
)

DEFINITIONS = {
    "view": "Every 'Product Viewed'.",
    "purchase": "Every 'Order Completed' where total is more than 0, unless 'Order Cancelled' with the same order_id has happened.",
    "bought": "Every element of products in 'Order Completed'.",
    "mail_sent": "Every 'Email Delivered', done to the customer by the company.",
    "orders": "The number of 'Purchase'.",
    "spend_1y": "The sum of total of 'Purchase' in the last year.",
    "cart_abandoners": (
        "Customers who did 'Product Added' in the last 7 days, whose last 'Product Added' was at least 3 hours ago, "
        "and who did not do 'Purchase' since their last 'Product Added'."
    ),
    "usage_level": (
        "Every customer is in exactly one group, the first that fits:\n"
        "intensive: customers whose number of days with anything in the last 28 days is at least 21.\n"
        "inactive: all others."
    ),
    "staff": "The people named in lists/staff.csv.",
}

CONDITIONS = {
    "count(purchase, last=1y) >= 3": "Customers who did 'Purchase' at least 3 times in the last year.",
    "count(purchase) == 0": "Customers who never did 'Purchase'.",
    "count(purchase) > 0": "Customers who did 'Purchase'.",
    "not count(purchase) >= 3": "Customers who did 'Purchase' fewer than 3 times.",
    "not (did(view) or orders > 2)": "Customers who never did 'Product Viewed' and whose 'orders' is at most 2.",
    "not (did(view) and cart_abandoners)": "Customers who never did 'Product Viewed' or who are not in 'Cart abandoners'.",
    'usage_level == "inactive" or in_list("staff")': (
        "Customers whose 'usage level' is \"inactive\" or who are on the list 'staff'."
    ),
    "usage_level.intensive": "Customers who are in the group 'intensive' of 'usage level'.",
    "did(purchase[total > me.orders], ago=[90d, 30d])": (
        "Customers who did 'Purchase' between 90 and 30 days ago where total is more than their 'orders'."
    ),
    "sequence(view, not cart_add, purchase, within=7d)": (
        "Customers who did 'Product Viewed' and then 'Purchase' without 'Product Added' in between, all within 7 days."
    ),
    "sequence(cart_add, not purchase, within=1d)": (
        "Customers who did 'Product Added' without 'Purchase' after that, all within 1 day."
    ),
    "lapsed(purchase, after=60d)": "Customers who once did 'Purchase', but not in the last 60 days.",
    "top(spend_1y, 10%)": "Customers who are in the top 10% by 'Spend of a year'.",
    'last_purchase < date("2026-11-01")': "Customers whose 'last purchase' is before 1 November 2026.",
    'bucket("spring") < 0.1': 'Customers who are in the first 10% of the draw "spring".',
    "was_in(cart_abandoners, at=now() - 6mo)": "Customers who were in 'Cart abandoners' 6 months ago.",
    "days_since(last(purchase)) > 1": "Customers whose last 'Purchase' was more than 1 day ago.",
    "customer.country is not known": "Customers whose country is not known.",
    'gap(purchase, "mean", last=1y) < 30': (
        "Customers whose average number of days between two 'Purchase' in the last year is less than 30."
    ),
    'gap(purchase, "cv") <= 0.35': (
        "Customers whose variation of the days between two 'Purchase' (standard deviation / mean) is at most 0.35."
    ),
    "days_since(nth(purchase, 2)) > 30": "Customers whose 2nd 'Purchase' was more than 30 days ago.",
    "nth(purchase, 2) - first(purchase) <= 60": (
        "Customers whose 2nd 'Purchase' minus first 'Purchase' is at most 60."
    ),
    "max_sum_by(bought.price, by=brand, last=1y) > 100": (
        "Customers whose largest sum of price of 'bought' in the last year for one brand is more than 100."
    ),
    "everyone": "Customers who are known at all.",
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definitions(name: str) -> None:
    assert sentence(require(SHOP, name), SHOP, Settings()) == DEFINITIONS[name]


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions(text: str) -> None:
    assert sentence(parse_expression(text), SHOP, Settings()) == CONDITIONS[text]


def test_every_function_can_be_said() -> None:
    """Every example of the reference, so every function and option."""
    pages = Path(__file__).parents[2] / "docs" / "language"
    said = set()
    for page in pages.glob("*.md"):
        for block in re.findall(
            r"```(?:expect|errors|warnings)\n(.*?)```", page.read_text("utf-8"), re.DOTALL
        ):
            for line in block.splitlines():
                text = line.rpartition("->")[0].partition(" @ ")[0].strip()
                try:
                    expression = parse_expression(text)
                except Exception:  # a page of mistakes
                    continue
                words = sentence(expression, SHOP, Settings())
                assert words.endswith("."), words
                assert "None" not in words and "Call(" not in words, words
                said.update(name for name in FUNCTIONS if f"{name}(" in text or text == name)
    assert set(FUNCTIONS) - said == set()
