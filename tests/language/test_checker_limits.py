"""Definitions that are too large, too deep, circular, mistyped or empty (TRUST.md D04)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ethogram.language.catalog import DataCatalog, catalog_from_rows
from ethogram.language.checker import check, check_expression, require_sound
from ethogram.language.files import definitions_from_text, gather
from ethogram.language.findings import Finding
from ethogram.language.tree import (
    And,
    Call,
    Compare,
    Definitions,
    Duration,
    Events,
    Expression,
    Items,
    Negate,
    Not,
    Number,
    Option,
    Or,
    Segment,
    Segmentation,
    Trait,
)
from ethogram.model.errors import DefinitionError, EthogramError, Problems, Unsupported
from ethogram.model.settings import Settings

CATALOG = catalog_from_rows(
    [("Order Completed", "amount", "n", False, 10), ("Order Completed", "coupon", "t", False, 4)]
)


def checked(text: str, catalog: DataCatalog | None = None) -> tuple[Finding, ...]:
    return check(definitions_from_text(text), Settings(), catalog)


def segment_of(when: Expression) -> Definitions:
    return gather([Segment("s", when)])


def only(findings: tuple[Finding, ...]) -> Finding:
    assert len(findings) == 1, "\n".join(map(str, findings))
    return findings[0]


def place(error: EthogramError) -> tuple[str, int | None, int | None, str]:
    return error.file, error.line, error.column, error.field


def test_d04_ten_thousand_conditions() -> None:
    many = " and ".join(f"count(a) > {number}" for number in range(10_000))
    found = only(checked(f"behaviors: {{ a: A }}\nsegments:\n  s:\n    when: {many}\n"))
    assert found.code == "E_TOO_LARGE"
    assert found.message == "10000 conditions in one expression; 200 are possible"
    assert place(found.as_error()) == ("definitions.yml", 4, 11, "s")


def test_d04_ten_thousand_values_are_one_condition() -> None:
    values = ", ".join(str(number) for number in range(10_000))
    assert checked(f"segments:\n  s: {{ when: 'customer.age in [{values}]' }}\n") == ()


def test_d04_depth_in_text() -> None:
    deep = "(" * 50 + "did(any)" + ")" * 50
    with pytest.raises(Problems) as caught:
        definitions_from_text(f"segments:\n  s: {{ when: '{deep}' }}\n")
    assert caught.value.errors[0].code == "E_DEPTH"
    assert caught.value.errors[0].line == 2


@pytest.mark.parametrize("depth", [50, 5_000])
def test_d04_depth_in_trees(depth: int) -> None:
    node: Expression = Call("did", (Events("any"),))
    for _ in range(depth):
        node = Not(node)
    assert only(check(segment_of(node), Settings())).code == "E_DEPTH"


def test_d04_a_circle_is_printed() -> None:
    found = only(checked("segments:\n  a: { when: b }\n  b: { when: a }\n"))
    assert (found.code, found.message) == ("E_CIRCLE", "a circle of names: a -> b -> a")
    assert place(found.as_error()) == ("definitions.yml", 2, 14, "a")


def test_d04_every_circle_is_printed_once() -> None:
    found = checked(
        "segments:\n  a: { when: b or a }\n  b: { when: c }\n  c: { when: b or a }\n  d: { when: a }\n"
    )
    assert sorted(finding.message for finding in found) == [
        "'a' needs itself: a -> a",
        "a circle of names: a -> b -> c -> a",
        "a circle of names: b -> c -> b",
    ]


def test_a_circle_through_a_filter_and_a_behavior() -> None:
    text = (
        "behaviors:\n  big: { event: Order Completed, where: amount > me.typical }\n"
        "traits:\n  typical: avg(big.amount)\n"
    )
    assert only(checked(text)).message == "a circle of names: big -> typical -> big"


def test_a_circle_across_strata() -> None:
    text = (
        "traits:\n  place: rank(orders, among=best)\n  orders: count(any)\n"
        "segments:\n  best: { when: place > 90% }\n"
    )
    assert only(checked(text)).message == "a circle of names: place -> best -> place"


def test_a_definition_may_not_ask_for_its_own_past() -> None:
    found = only(checked("segments:\n  a: { when: 'did(any) or entered(a, last=7d)' }\n"))
    assert found.message == "'a' needs itself: a -> a"


def test_a_chain_of_thousands_of_names_is_no_circle() -> None:
    steps = "\n".join(f"  s{index}: {{ when: s{index + 1} }}" for index in range(3_000))
    assert checked(f"segments:\n{steps}\n  s3000: {{ when: did(any) }}\n") == ()


def test_d04_unknown_property() -> None:
    text = "behaviors: { order: Order Completed }\nsegments:\n  s: { when: sum(order.amont) > 3 }\n"
    found = only(checked(text, CATALOG))
    assert str(found) == (
        "definitions.yml:3:24: unknown property 'amont' of \"Order Completed\" (E_UNKNOWN_PROPERTY)\n"
        "   3 |   s: { when: sum(order.amont) > 3 }\n"
        "     |                        ^^^^^\n"
        "   it has: amount, coupon. Did you mean 'amount'?"
    )


@pytest.mark.parametrize(
    "condition", ['did(order[amount > "abc"])', 'count(order) > "abc"', 'sum(order.amount) > "abc"']
)
def test_d04_type_mismatch(condition: str) -> None:
    text = f"behaviors: {{ order: Order Completed }}\nsegments:\n  s:\n    when: {condition}\n"
    found = only(checked(text, CATALOG))
    assert (found.code, found.as_error().line, found.definition) == ("E_TYPE", 4, "s")
    assert '"abc" is text' in found.message


@pytest.mark.parametrize("empty", [And(()), Or(()), Compare("in", Number(Decimal(1)), Items(()))])
def test_d04_empty_is_an_error_not_true(empty: Expression) -> None:
    found = only(check(segment_of(empty), Settings()))
    assert (found.code, found.definition) == ("E_EMPTY", "s")


def test_d04_a_segmentation_without_groups() -> None:
    assert only(check(gather([Segmentation("s", ())]), Settings())).code == "E_EMPTY"


def test_d04_negative_window() -> None:
    with pytest.raises(Problems) as caught:
        definitions_from_text("segments:\n  s: { when: 'did(any, last=-7d)' }\n")
    assert caught.value.errors[0].line == 2


def test_d04_negative_window_in_a_tree() -> None:
    backwards: tuple[Expression, ...] = (Duration(-7, "d"), Negate(Duration(7, "d")), Duration(0, "mo"))
    for window in backwards:
        call = Call("did", (Events("any"),), (Option("last", window),))
        found = [one for one in check(segment_of(call), Settings()) if one.code == "E_WINDOW"]
        assert len(found) == 1


def test_d04_count_at_least_minus_one() -> None:
    found = only(checked("segments:\n  s:\n    when: count(any) >= -1\n"))
    assert (found.severity, found.code) == ("warning", "W_ALWAYS")
    assert place(found.as_error()) == ("definitions.yml", 3, 11, "s")


def test_errors_are_raised_as_what_they_are() -> None:
    refused = checked("segments:\n  s: { when: 'consented(\"mail\")' }\n")
    with pytest.raises(Unsupported):
        require_sound(refused)
    with pytest.raises(DefinitionError):
        require_sound(checked("segments:\n  s: { when: nothing }\n"))
    with pytest.raises(Problems) as caught:
        require_sound(checked("segments:\n  s: { when: nothing or naught }\n"))
    assert len(caught.value.errors) == 2
    require_sound(checked("segments:\n  s: { when: count(any) >= 0 }\n"))


def test_json_carries_place_and_field() -> None:
    found = only(checked("segments:\n  s: { when: nothing }\n")).as_json()
    assert (found["code"], found["file"], found["line"], found["column"]) == (
        "E_UNKNOWN_NAME",
        "definitions.yml",
        2,
        14,
    )
    assert (found["severity"], found["definition"], found["field"]) == ("error", "s", "s")


def test_an_expression_alone() -> None:
    definitions = gather([Trait("orders", Call("count", (Events("any"),)))])
    wrong = Compare(">", Call("conut", (Events("any"),)), Number(Decimal(3)))
    found = only(check_expression(wrong, definitions, Settings()))
    assert (found.code, found.hint.endswith("Did you mean 'count'?")) == ("E_UNKNOWN_FUNCTION", True)
