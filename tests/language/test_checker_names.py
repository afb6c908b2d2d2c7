"""Names, dependencies, types, catalogs, and what filters may hold in trees that no parser made."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ethogram.language.catalog import catalog_from_rows
from ethogram.language.checker import check, check_expression
from ethogram.language.files import definitions_from_text, gather
from ethogram.language.names import dependencies, evaluation_order
from ethogram.language.parser import parse_expression
from ethogram.language.tree import (
    AccountTrait,
    Behavior,
    Call,
    Compare,
    CustomerTrait,
    Definitions,
    Duration,
    Events,
    Everyone,
    Expression,
    Group,
    Items,
    Me,
    Name,
    Number,
    Option,
    PeopleList,
    Property,
    Segment,
    Text,
    Trait,
    Word,
)
from ethogram.language.types import type_of
from ethogram.model.errors import DefinitionError
from ethogram.model.settings import Settings

DEFINITIONS = definitions_from_text(
    """
behaviors:
  purchase: Order Completed
  big: { event: Order Completed, where: total > me.typical }
traits:
  orders: count(purchase)
  typical: median(purchase.total)
  favorite: most_frequent(purchase.category)
  first_seen: first(any)
segments:
  loyal: { when: 'orders > 3 and did(big) and not in_list("staff") and level.high' }
segmentations:
  level: { groups: { high: orders > 9, low: otherwise } }
lists:
  staff: { customers: [a] }
"""
)
CATALOG = catalog_from_rows(
    [
        ("Order Completed", "total", "n", False, 9),
        ("Order Completed", "category", "t", False, 9),
        ("Order Completed", "gift", "f", False, 9),
        ("Order Completed", "note", "t", False, 5),
        ("Order Completed", "note", "n", False, 5),
    ],
    [("country", "t", False, 9), ("age", "n", False, 9)],
)


def test_dependencies_are_direct_and_in_order() -> None:
    assert dependencies(DEFINITIONS, "loyal") == ("orders", "big", "staff", "level")
    assert dependencies(DEFINITIONS, "big") == ("typical",)
    assert dependencies(DEFINITIONS, "purchase") == ()
    assert dependencies(DEFINITIONS, "nothing") == ()


def test_evaluation_order_names_everything_after_what_it_needs() -> None:
    order = evaluation_order(DEFINITIONS)
    assert sorted(order) == sorted(
        ["purchase", "big", "orders", "typical", "favorite", "first_seen", "loyal", "level", "staff"]
    )
    for name in order:
        assert all(order.index(other) < order.index(name) for other in dependencies(DEFINITIONS, name))


def test_evaluation_order_of_a_circle_raises() -> None:
    circle = gather([Segment("a", Name("b")), Segment("b", Name("a"))])
    with pytest.raises(DefinitionError) as caught:
        evaluation_order(circle)
    assert caught.value.code == "E_CIRCLE"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders", "number"),
        ("orders / 2", "number"),
        ("loyal", "flag"),
        ("level", "text"),
        ("level.high", "flag"),
        ("favorite", "text"),
        ("typical", "number"),
        ("first_seen", "moment"),
        ("first_seen + 1mo", "moment"),
        ("now() - first_seen", "number"),
        ("first(purchase.category)", "text"),
        ("last(purchase.gift)", "flag"),
        ("last(purchase.note)", "any"),
        ("values(purchase.category)", "set"),
        ("customer.country", "text"),
        ("customer.nickname", "any"),
        ("coalesce(customer.nickname, customer.country)", "text"),
        ('if(loyal, "a", "b")', "text"),
        ("orders > 3", "flag"),
        ("everyone", "flag"),
        ("10%", "number"),
        ('date("2026-01-01")', "moment"),
        ("rank(orders)", "number"),
    ],
)
def test_types(text: str, expected: str) -> None:
    assert type_of(parse_expression(text), DEFINITIONS, CATALOG) == expected


def test_a_catalog_from_rows() -> None:
    catalog = catalog_from_rows(
        [("A", r"b.c\.d", "n", True, 2), ("A", r"b.c\.d", "t", True, 1)],
        events=["E"],
        currencies={"A": ["GBP", "EUR", "GBP"]},
        customers={"A": 3},
        all_customers=10,
    )
    use = catalog.events["A"].properties[("b", "c.d")]
    assert (dict(use.types), use.in_list, use.total) == ({"number": 2, "text": 1}, True, 3)
    assert catalog.events["A"].currencies == ("EUR", "GBP")
    assert catalog.events["E"].properties == {}


def test_a_name_of_two_kinds() -> None:
    twice = Definitions(
        traits={"x": Trait("x", Number(Decimal(1)))}, segments={"x": Segment("x", Everyone())}
    )
    assert [finding.code for finding in check(twice, Settings())] == ["E_DUPLICATE"]


@pytest.mark.parametrize("name", ["", "Über", "a-b", "9lives", "any", "me", "otherwise", "is_identified"])
def test_names_that_cannot_be_written(name: str) -> None:
    found = check(gather([PeopleList(name, customers=("a",))]), Settings())
    assert [finding.code for finding in found] == ["E_NAME"]


@pytest.mark.parametrize(
    "inside",
    [
        Call("count", (Events("any"),)),
        Call("now"),
        Name("orders"),
        Group("level", "high"),
        CustomerTrait(("country",)),
        Events("purchase", path=("total",)),
    ],
)
def test_what_a_filter_may_not_hold(inside: Expression) -> None:
    where = Compare(">", Property(("total",)), inside)
    found = check_expression(Call("did", (Events("purchase", where=where),)), DEFINITIONS, Settings())
    assert "E_FILTER" in {finding.code for finding in found}


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (Duration(3, "d"), "E_TYPE"),
        (Items((Number(Decimal(1)),)), "E_TYPE"),
        (Word("week"), "E_WORD"),
        (AccountTrait(("plan",)), "E_UNSUPPORTED"),
        (Events("purchase"), "E_KIND"),
        (Call("did"), "E_ARGUMENTS"),
        (Call("did", (Name("orders"),)), "E_KIND"),
        (Call("did", (Events("purchase"),), (Option("over", Duration(3, "d")),)), "E_UNKNOWN_OPTION"),
        (Call("did", (Events("purchase"),), (Option("last", Duration(1, "d")),) * 2), "E_ARGUMENTS"),
        (Call("did", (Events("purchase"),), (Option("this", Word("fortnight")),)), "E_WORD"),
        (Call("did", (Events("purchase"),), (Option("clock", Word("server")), Option("hours", Number(Decimal(3))))), "E_WINDOW"),
        (Call("lapsed", (Events("purchase"),)), "E_ARGUMENTS"),
        (Call("in_list", (Number(Decimal(3)),)), "E_TYPE"),
        (Call("bucket", (Text(""),)), "E_ARGUMENTS"),
        (Number(Decimal(10) ** 20), "E_NUMBER_OVERFLOW"),
        (Me("orders"), "E_FILTER"),
        (Property(("total",)), "E_FILTER"),
    ],
)  # fmt: skip
def test_trees_that_no_text_makes(node: Expression, code: str) -> None:
    found = check_expression(node, DEFINITIONS, Settings())
    assert code in {finding.code for finding in found}, found


def test_what_is_right_brings_nothing() -> None:
    assert check(DEFINITIONS, Settings(), CATALOG) == ()


@pytest.mark.parametrize(
    "text",
    [
        'did(purchase[category == "a" and gift and total > 3])',
        "did(purchase[total > me.typical * 2])",
        'did(purchase, ago=[90d, 30d], weekdays=["sat"], hours=[22, 6], clock=customer)',
        "did(purchase, ago=[1y, 1mo])",
        "last(purchase) > now() - 6mo",
        "customer.birthday < now()".replace("birthday", "country"),
        "days_since(last(purchase)) between 3 and 9 or bin(days_since(first_seen), 7, 28) == 1",
        "rank(days_since(last(purchase)) / 7) > 50%",
        "did(purchase) and not did(any, since=last(purchase))",
        "did(purchase) and did(any, since=first(purchase), until=first(purchase) + 14d - 1h)",
        "count(purchase) > 2 and did(any, since=nth(purchase, 2))",
        "nth(purchase, 2) < now() and did(any, until=nth(purchase, 2))",
        "nth(purchase, 2) - first(purchase) > 30 or count(purchase) >= 3 and did(any, since=nth(purchase, 3))",
        "count(purchase) > 3 and not count(purchase) > 5",
        "sum(purchase.total) >= 0",
        "min(purchase.total) > 0",
        "customer.age > 3 or customer.age <= 3",
        'customer.country == "UK" or customer.country != "UK" and customer.country is known',
        'level == "high" or level == "low"',
        "did(purchase, last=7d) and not did(purchase, ago=[30d, 7d])",
        'last(purchase) == "2026-01-01"',
    ],
)
def test_no_false_alarm(text: str) -> None:
    found = check_expression(parse_expression(text), DEFINITIONS, Settings(), CATALOG)
    assert found == (), "\n".join(map(str, found))


def test_a_behavior_is_checked_too() -> None:
    wrong = gather(
        [
            Behavior("a", ("Order Complete",)),
            Behavior("b", ("Order Completed",), where=Compare(">", Property(("totl",)), Number(Decimal(3)))),
            Behavior("c", ("Order Completed",), each=("producs",)),
            Behavior("d", ()),
        ]
    )
    found = {(finding.definition, finding.code) for finding in check(wrong, Settings(), CATALOG)}
    assert found >= {
        ("a", "E_UNKNOWN_EVENT"),
        ("b", "E_UNKNOWN_PROPERTY"),
        ("c", "E_UNKNOWN_PROPERTY"),
        ("d", "E_EMPTY"),
    }
