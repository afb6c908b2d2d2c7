"""Rules 1, 4, 5 and 6: the universe, two-valued logic, nothing, exact numbers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from ethogram.language.meaning import is_known, members, universe, value
from ethogram.language.parser import parse_expression
from ethogram.model.errors import EthogramError, Unsupported
from ethogram.model.event import Event
from tests.language.meaning_cases import NOW, SHOP, ask, moment, on, people, world

HERE = moment(NOW)


# --- rule 1 ---------------------------------------------------------------------------------------------------------


def test_only_what_has_happened_counts() -> None:
    later = on(HERE + 1, "Product Viewed")
    assert ask("count(view)", later) == 0
    assert ask("count(view)", later, at=HERE + 1) == 1


def test_the_universe_is_everyone_known_by_then() -> None:
    shop = people({"anna": (), "ben": ()})
    histories = {**shop.histories, "cleo": (on(HERE, kind="identify"),), "dora": (on(HERE, kind="group"),)}
    shop = replace(shop, histories=histories)
    assert universe(shop, HERE) == {"anna", "ben", "cleo", "dora"}
    assert universe(shop, HERE - 1) == {"anna", "ben"}
    assert not is_known(shop, "nobody", HERE)
    assert value(shop, parse_expression("everyone"), "cleo", HERE - 1) is None


def test_anonymous_customers_count_but_are_not_identified() -> None:
    assert ask("is_identified") is False
    assert ask("everyone") is True
    assert ask("is_identified", on("3d", kind="identify")) is True


def test_a_given_trait_is_the_last_one_carried() -> None:
    records = (
        on("9d", traits={"country": "GB", "plan": "free"}),
        on("8d", traits={"country": "DE"}),
        on("7d", "Product Viewed", traits={"points": 5}),
        on("6d", traits={}),
    )
    assert ask("customer.country", *records) == "DE"
    assert ask("customer.plan", *records) == "free"
    assert ask("customer.points", *records) == 5
    assert ask("customer.country", *records, on("5d", traits={"country": None})) is None
    assert (
        ask(
            "customer.country",
            *records,
            on("5d", traits={"country": None}),
            on("4d", traits={"country": "FR"}),
        )
        == "FR"
    )
    assert ask("customer.country is not known", *records, on("5d", traits={"country": None})) is True


def test_nested_given_traits_are_carried_one_by_one() -> None:
    records = (
        on("9d", traits={"address": {"city": "Bath", "zip": "1"}}),
        on("8d", traits={"address": {"zip": "2"}}),
    )
    assert ask("customer.address.city", *records) == "Bath"
    assert ask("customer.address.zip", *records) == "2"
    assert ask("customer.address", *records) is None
    assert ask("customer.address.city", *records, on("7d", traits={"address": {"city": None}})) is None
    assert ask("customer.address.city", *records, on("7d", traits={"address": None})) is None
    assert ask("customer.address.zip", *records, on("7d", traits={"address": {"city": None}})) == "2"


def test_a_list_as_a_given_trait() -> None:
    given = on("9d", traits={"tags": ["red", "blue"]})
    assert ask('customer.tags == "blue"', given) is True
    assert ask('customer.tags contains "lu"', given) is True
    assert ask('customer.tags != "blue"', given) is False
    assert ask("customer.tags is known", given) is True
    assert ask("customer.tags", given) is None


def test_a_list_of_maps_as_a_given_trait() -> None:
    given = on("9d", traits={"children": [{"age": 3}, {"age": 7}, {}]})
    assert ask("customer.children.age > 6", given) is True
    assert ask("customer.children.age > 6", given, on("8d", traits={"children": [{"name": "x"}]})) is True
    assert ask("customer.children.age > 6", given, on("8d", traits={"children": None})) is False


def test_any_is_what_customers_do() -> None:
    events = (
        on("5d", "Product Viewed"),
        on("5d", "Home", kind="page"),
        on("5d", "Main", kind="screen"),
        on("5d", "Email Delivered"),
        on("5d", kind="identify"),
        on("5d", kind="group"),
        on("5d", kind="alias"),
    )
    assert ask("count(any)", *events) == 3
    assert ask("count(mail_sent)", *events) == 1
    assert ask('count("Home")', *events) == 1


def test_a_union_of_events() -> None:
    assert ask("count(contact)", on("3d", "Ticket Opened"), on("2d", "Chat Started"), on("1d", "Other")) == 2


# --- behaviors ------------------------------------------------------------------------------------------------------


def test_where_narrows_a_behavior() -> None:
    assert (
        ask("count(purchase)", on("3d", "Order Completed", total=0), on("2d", "Order Completed", total=5))
        == 1
    )
    assert (
        ask("count(order)", on("3d", "Order Completed", total=0), on("2d", "Order Completed", total=5)) == 2
    )


def test_unless_leaves_out_what_was_undone_by_now() -> None:
    one, two = (on("9d", "Order Completed", total=5, order_id=name) for name in ("o1", "o2"))
    bare = on("9d", "Order Completed", total=5)
    undone = on("2d", "Order Cancelled", order_id="o1")
    assert ask("count(purchase)", one, two, bare, undone) == 2
    assert ask("count(purchase)", one, two, bare, undone, at=undone.time) == 2
    assert ask("count(purchase)", one, two, bare, undone, at=undone.time - 1) == 3
    assert ask("count(purchase)", one, on("12d", "Order Cancelled", order_id="o1")) == 0
    assert (
        ask(
            "count(purchase)",
            on("9d", "Order Completed", total=5, order_id=1),
            on("2d", "Order Cancelled", order_id="1"),
        )
        == 1
    )
    assert ask("count(purchase)", bare, on("2d", "Order Cancelled")) == 1


BASKET = on(
    "3d",
    "Order Completed",
    id="m",
    total=30,
    category="gift",
    products=[
        {"category": "Shoes", "price": 20},
        {"price": 5},
        {"category": "Socks", "price": 5, "total": 7},
    ],
)


def test_each_makes_an_item_of_every_element() -> None:
    assert ask("count(bought)", BASKET) == 3
    assert ask("count_distinct(bought.category)", BASKET) == 3  # the second falls back to the event's
    assert ask("sum(bought.total)", BASKET) == 67
    assert ask('count(bought[category == "Shoes"])', BASKET) == 1
    assert ask("count(bought)", on("3d", "Order Completed", total=3)) == 0
    assert ask("count(bought)", on("3d", "Order Completed", products="Shoes")) == 0
    assert ask("count(bought)", on("3d", "Order Completed", products=[])) == 0


def test_an_item_falls_back_to_its_event_path_by_path() -> None:
    order = on(
        "3d",
        "Order Completed",
        coupon="spring",
        size={"eu": 40, "uk": 6},
        products=[{"coupon": None, "size": {"eu": 41}}, {"coupon": "autumn"}],
    )
    assert ask('count(bought[coupon == "spring"])', order) == 1
    assert ask("count(bought[size.eu == 41 and size.uk == 6])", order) == 1
    assert ask("sum(bought.size.eu)", order) == 81


def test_each_of_plain_values() -> None:
    viewed = on("3d", "Product Viewed", tags=["red", "blue", 3])
    assert ask("count(tagged)", viewed) == 3
    assert ask('count(tagged[value == "red"])', viewed) == 1
    assert ask("sum(tagged.value)", viewed) == 3


def test_a_path_through_a_list_means_its_elements() -> None:
    assert ask('did(order[products.category == "Socks"])', BASKET) is True
    assert ask('did(order[products.category != "Socks"])', BASKET) is False
    assert ask("sum(order.products.price)", BASKET) == 30
    assert ask("first(order.products.category)", BASKET) == "Shoes"
    assert ask("last(order.products.category)", BASKET) == "Socks"
    assert ask("did(order[products.price between 6 and 19])", BASKET) is False
    assert ask("did(order[products.size is known])", BASKET) is False


def test_elem_ties_conditions_to_one_element() -> None:
    assert ask('did(order[products.category == "Socks" and products.price > 10])', BASKET) is True
    assert ask('did(order[elem(products, category == "Socks" and price > 10)])', BASKET) is False
    assert ask('did(order[elem(products, category == "Shoes" and price > 10)])', BASKET) is True
    assert (
        ask('did(order[elem(products, category == "gift")])', BASKET) is False
    )  # the element's own properties only
    assert ask("did(order[elem(products, category is not known)])", BASKET) is True
    assert ask('did("A"[elem(tags, value == "x")])', on("1d", "A", tags=["y", "x"])) is True


def test_me_compares_with_the_customers_own() -> None:
    definitions = "traits:\n  usual: avg(order.total)\n"
    orders = [on("3d", "Order Completed", total=total) for total in (10, 20, 60)]
    assert ask("count(order[total > me.usual])", *orders, definitions=definitions) == 1
    assert ask("count(order[total > me.usual])", definitions=definitions) == 0


# --- rule 4 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", ["==", "<", "<=", ">", ">="])
def test_a_comparison_with_something_missing_is_false(operator: str) -> None:
    assert ask(f"avg(order.total) {operator} 5") is False
    assert ask(f"not (avg(order.total) {operator} 5)") is True


def test_not_equal_is_the_complement_of_equal() -> None:
    assert ask("avg(order.total) != 5") is True
    assert ask('customer.country not in ["GB"]') is True
    assert ask('customer.country in ["GB"]') is False
    assert ask("customer.country == customer.country") is False


@pytest.mark.parametrize(
    ("value", "condition", "expected"),
    [
        ("10", "total == 10", False),
        ("10", 'total == "10"', True),
        (10, 'total == "10"', False),
        (Decimal("10.0"), "total == 10", True),
        (Decimal("-0.0"), "total == 0", True),
        (0, "total is known", True),
        ("", "total is known", True),
        (None, "total is known", False),
        (False, "total is known", True),
        (True, "total == 1", False),
        (True, "total == true", True),
        (True, "total", True),
        ("true", "total", False),
        (1, "total", False),
        ("", 'total == ""', True),
        ("b", 'total > "a"', True),
        ("B", 'total > "a"', False),
        ("é", 'total > "z"', True),
        ("Red", 'total == "red"', False),
        ("Red", 'lower(total) == "red"', True),
        ("a red one", 'total contains "red"', True),
        ("a Red one", 'total contains "red"', False),
        ("'; DROP TABLE events; --", 'total contains "DROP"', True),
        (5, 'total contains "5"', False),
        (5, "total between 5 and 6", True),
        ("5", "total between 5 and 6", False),
        (5, "total in [4, 5]", True),
        (5, 'total in ["5", 4]', False),
        (-3, "total < -2", True),
        ("2026-01-10", 'total >= date("2026-01-10")', True),
        ("2026-01-10T00:00:00-01:00", 'total > date("2026-01-10")', True),
        ("soon", 'total > date("2026-01-10")', False),
        (20260110, 'total > date("2026-01-10")', False),
        (5, "total * 2 == 10", True),
        ("5", "total * 2 == 10", False),
        ("x", 'coalesce(total, "y") == "x"', True),
        (None, 'coalesce(total, "y") == "y"', True),
        (5, "if(total > 3, 1, 2) == 1", True),
        (None, "if(total > 3, 1, 2) == 2", True),
        ([1, 5], "total > 4", True),
        ([1, 5], "total < 2", True),
        ([1, 5], "total != 5", False),
        ([], "total is known", False),
        ([None], "total is known", False),
        ({"a": 1}, "total is known", False),
        ({"a": 1}, "total.a == 1", True),
        ([1, 5], "total + 1 == 6", True),
    ],
)
def test_a_value_of_another_type_is_missing(value: object, condition: str, expected: bool) -> None:
    assert ask(f'did("A"[{condition}])', on("1d", "A", total=value)) is expected


def test_two_lists_hold_in_any_combination() -> None:
    event = on("1d", "A", one=[1, 2], other=[5, 2])
    assert ask('did("A"[one == other])', event) is True
    assert ask('did("A"[one > other])', event) is False


def test_a_segment_and_its_negation_divide_the_universe() -> None:
    definitions = "segments:\n  p: avg(order.total) > 5\n  q: not p\n"
    shop = people({"anna": (), "ben": (on("3d", "Order Completed", total=9),)}, definitions=definitions)
    assert members(shop, "p", HERE) == {"ben"}
    assert members(shop, "q", HERE) == {"anna"}


def test_a_segmentation_takes_the_first_group_that_holds() -> None:
    definitions = """
segmentations:
  level:
    groups:
      high: count(order) >= 3
      low: did(order)
      none: otherwise
"""
    orders = [on("3d", "Order Completed", total=9) for _ in range(3)]
    assert ask("level", *orders, definitions=definitions) == "high"
    assert ask("level", *orders[:1], definitions=definitions) == "low"
    assert ask("level", definitions=definitions) == "none"
    assert ask("level.none", definitions=definitions) is True
    assert ask('level in ["high", "low"]', *orders, definitions=definitions) is True
    shop = people({"anna": (), "ben": tuple(orders)}, definitions=definitions)
    assert members(shop, "level.high", HERE) == {"ben"}


# --- rule 5 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        *(
            f"{function}(order.total)"
            for function in ("avg", "min", "max", "median", "first", "last", "most_frequent")
        ),
        *(
            "first(order)",
            "last(order)",
            "nth(order.total, 1)",
            "share(order[total > 1])",
            'gap(order, "median")',
        ),
        *(
            "trend(order, last=7d)",
            "avg(order.total) + 1",
            "1 / 0",
            "1 / count(order)",
            "days_since(last(order))",
        ),
        *(
            "days_until(customer.due)",
            "age(customer.birthday)",
            "-avg(order.total)",
            "lower(customer.country)",
        ),
    ],
)
def test_nothing_is_missing(expression: str) -> None:
    assert ask(expression) is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(order.total)", 0),
        ("count(order)", 0),
        ("count(order) < 3", True),
        ("count_distinct(order.total)", 0),
        ("max_count_by(order.total)", 0),
        ("max_sum_by(order.total, by=of)", 0),
        ("active_days(order)", 0),
        ("active_periods(order, week)", 0),
        ("streak(order, week)", 0),
        ("values(order.total)", frozenset()),
        ("bin(count(order), 0, 5)", 1),
        ("coalesce(avg(order.total), 7)", 7),
    ],
)
def test_nothing_is_something(expression: str, expected: object) -> None:
    assert ask(expression) == expected


# --- rule 6 ---------------------------------------------------------------------------------------------------------


def _totals(*totals: object) -> tuple[Event, ...]:
    return tuple(on("3d", "Order Completed", total=total) for total in totals)


@pytest.mark.parametrize(
    ("expression", "totals", "expected"),
    [
        ("sum(order.total)", ("0.1", "0.2"), "0.3"),
        ("avg(order.total)", ("1", "1", "0"), "0.666667"),
        ("avg(order.total)", ("0.000001", "0"), "0"),  # half-even
        ("avg(order.total)", ("0.000003", "0"), "0.000002"),
        ("avg(order.total)", ("-0.000001", "0"), "0"),
        ("median(order.total)", ("1", "9", "2"), "2"),
        ("median(order.total)", ("1", "9", "2", "3"), "2.5"),
        ("median(order.total)", ("0.000001", "0.000002"), "0.000002"),
        ("min(order.total)", ("3", "-1"), "-1"),
        ("max(order.total)", ("3", "-1"), "3"),
        ("1 / 3", (), "0.333333"),
        ("2 / 3", (), "0.666667"),
        ("0.000001 * 0.5", (), "0"),
        ("0.000003 * 0.5", (), "0.000002"),
        ("10% * 50", (), "5"),
        ("-(2 - 5)", (), "3"),
        ("share(order[total > 1])", ("1", "2", "3"), "0.666667"),
    ],
)
def test_numbers_are_exact_to_six_places(expression: str, totals: tuple[str, ...], expected: str) -> None:
    assert ask(expression, *_totals(*(Decimal(total) for total in totals))) == Decimal(expected)


def test_other_types_take_no_part_in_sums() -> None:
    assert ask("sum(order.total)", *_totals(5, "7", True, None)) == 5
    assert ask("avg(order.total)", *_totals(5, "7", True, None)) == 5
    assert ask("count_distinct(order.total)", *_totals(1, "1", True, Decimal("1.0"), None)) == 3


def test_overflow_is_an_error() -> None:
    largest = Decimal("9223372036854.775807")
    assert ask("sum(order.total)", *_totals(largest)) == largest
    with pytest.raises(EthogramError) as caught:
        ask("sum(order.total)", *_totals(largest, Decimal("0.000001")))
    assert caught.value.code == "E_NUMBER_OVERFLOW"
    assert ask("sum(order.total)", *_totals(largest, Decimal("0.000001"), Decimal("-0.000001"))) == largest


def test_values_are_a_set_with_types() -> None:
    found = ask("values(order.total)", *_totals(1, "1", True, Decimal("1.0")))
    assert found == frozenset({("number", Decimal(1)), ("text", "1"), ("flag", True)})
    assert ask("values(order.total) contains 1", *_totals("1")) is False
    assert ask('values(order.total) contains "1"', *_totals("1")) is True


def test_the_most_frequent_value() -> None:
    def seen(*pairs: tuple[str, object]) -> object:
        return ask(
            "most_frequent(order.total)", *(on(when, "Order Completed", total=total) for when, total in pairs)
        )

    assert seen(("5d", "a"), ("4d", "a"), ("3d", "b")) == "a"
    assert seen(("5d", "a"), ("4d", "b")) == "b"
    assert seen(("4d", "b"), ("4d", "a")) == "a"
    assert seen(("4d", 10), ("4d", 9)) == 10
    assert seen(("4d", ["b", "a", "c"])) == "a"
    assert seen(("5d", ["c", "a", "c"]), ("4d", "a")) == "a"


def test_nth_counts_known_values_from_one() -> None:
    orders = [
        on(f"{9 - index}d", "Order Completed", total=total)
        for index, total in enumerate([None, 5, [6, 7], 8])
    ]
    assert [ask(f"nth(order.total, {place})", *orders) for place in (1, 2, 3, 4, 5)] == [5, 6, 7, 8, None]
    moments = [ask(f"nth(order, {place})", *orders) for place in (1, 2, 3, 4, 5)]
    assert moments == [*(order.time for order in orders), None]


def test_the_largest_count_of_one_value() -> None:
    assert ask("max_count_by(order.total)", *_totals(1, "1", 1, 2)) == 2


def test_the_largest_sum_of_one_value() -> None:
    def largest(*rows: tuple[object, object]) -> object:
        orders = [
            on(f"{place + 1}d", "Order Completed", total=n, of=of) for place, (n, of) in enumerate(rows)
        ]
        return ask("max_sum_by(order.total, by=of)", *orders)

    assert largest((3, "a"), (4, "b"), (2, "a"), (100, None)) == 5
    assert largest((3, 1), (4, "1"), (2, True), ("free", 1)) == 4
    assert largest((-3, "a"), (-1, "b")) == -1
    assert largest((-3, "a"), (None, "b")) == 0
    assert largest(([1, 2], ["a", "b", "a"]), (2, "b")) == 5
    assert largest((7, None)) == largest() == 0
    basket = "max_sum_by(bought.price, by=category)"
    items = [
        {"category": "hats", "price": 5},
        {"category": "shoes", "price": 4},
        {"category": "shoes", "price": 2},
    ]
    assert ask(basket, on("2d", "Order Completed", products=items)) == 6


def test_the_bucket_is_stable() -> None:
    assert ask('bucket("spring")') == Decimal("0.718050")  # SHA-256 of "spring", 0, "anna"
    assert ask('bucket("autumn")') != ask('bucket("spring")')


def test_lists_name_people_by_hand() -> None:
    definitions = "lists:\n  staff: [anna, ben]\n"
    assert ask('in_list("staff")', definitions=definitions) is True
    shop = world(definitions=definitions)
    other = replace(shop, lists={"staff": frozenset({"cleo"})})
    assert value(other, parse_expression('in_list("staff")'), "anna", HERE) is False


@pytest.mark.parametrize(
    "expression", ['consented("marketing")', 'reachable("email")', "account.plan", "any_member(did(view))"]
)
def test_what_is_not_there_yet_is_refused_by_name(expression: str) -> None:
    with pytest.raises(Unsupported) as caught:
        ask(expression, definitions=SHOP)
    assert caught.value.code == "E_UNSUPPORTED"
