"""Who plays which part: what is taken, what is asked about, what is missing; and the text that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from ethogram.catalog.entry import Entry, Parameter
from ethogram.catalog.fitting import Fitted, Project, fit, sample_of
from ethogram.catalog.loading import load_parts, require_entry
from ethogram.catalog.rendering import computed, render_behaviors, render_definitions, scaled, set_values
from ethogram.language.catalog import DataCatalog, catalog_from_rows
from ethogram.language.files import definitions_from_text
from ethogram.language.tree import Definitions
from ethogram.model.errors import DefinitionError

Row = tuple[str, str, str, bool, int]


def data(
    *rows: Row, events: tuple[str, ...] = (), traits: tuple[tuple[str, str, bool, int], ...] = ()
) -> DataCatalog:
    return catalog_from_rows(rows, traits, events=events)


def fitted(
    needs: list[str],
    seen: DataCatalog | None,
    *,
    own: str = "",
    given: Mapping[str, str] | None = None,
    optional: tuple[str, ...] = (),
    counts: Mapping[str, int] | None = None,
) -> Fitted:
    definitions = definitions_from_text(own) if own else Definitions()
    return fit(needs, optional, load_parts(), Project(definitions, seen, counts or {}), given or {})


@pytest.mark.parametrize("event", ["Order Completed", "order_completed", "ORDER COMPLETED", "orderCompleted"])
def test_an_exact_name_is_taken_however_it_is_written(event: str) -> None:
    found = fitted(["purchase", "purchase.amount"], data((event, "total", "n", False, 9)))
    assert found.chosen == {"purchase": event, "purchase.amount": "total"}
    assert found.questions == () and found.missing == ()


def test_a_similar_name_is_asked_about_the_most_frequent_first() -> None:
    seen = data(events=("Web Order Saved", "Phone Order", "Order Cancelled", "Page"))
    found = fitted(["purchase"], seen, counts={"Phone Order": 3, "Web Order Saved": 9})
    (question,) = found.questions
    assert question.proposal == "Web Order Saved"
    assert [choice.name for choice in question.choices] == ["Web Order Saved", "Phone Order"]


def test_nothing_similar_is_missing() -> None:
    found = fitted(["purchase", "purchase.amount"], data(events=("Page",)))
    assert found.missing == ("purchase",) and found.questions == ()


def test_a_behavior_of_the_project_goes_first() -> None:
    seen = data(("Order Completed", "total", "n", False, 9))
    found = fitted(
        ["purchase"], seen, own="behaviors:\n  sale: { event: Order Completed, where: total > 0 }\n"
    )
    assert found.cast.events["purchase"].behavior == "sale"
    assert found.cast.events["purchase"].events == ()
    assert found.cast.events["purchase"].sample == {"total": "1"}


def test_a_name_that_is_taken_gets_another() -> None:
    seen = data(events=("Order Completed",))
    found = fitted(["purchase"], seen, own="traits:\n  purchase: count(any)\n")
    assert render_behaviors(found.cast) == {"purchase_event": "  purchase_event: Order Completed"}


def test_several_events_play_one_part_together() -> None:
    found = fitted(["session"], data(events=("App Opened", "Page Viewed", "Order Completed")))
    assert render_behaviors(found.cast) == {"session": "  session: { event: [App Opened, Page Viewed] }"}


def test_items_of_a_list() -> None:
    seen = data(
        ("Order Completed", "items.sku", "t", True, 9), ("Order Completed", "items.price", "n", True, 9)
    )
    found = fitted(["bought", "bought.product"], seen)
    assert render_behaviors(found.cast)["bought"] == "  bought: { event: Order Completed, each: items }"
    assert found.chosen["bought.product"] == "sku"
    assert fitted(["bought"], data(("Order Completed", "total", "n", False, 9))).missing == ("bought",)


def test_a_number_is_asked_for_where_no_name_fits() -> None:
    seen = data(("Order Completed", "worth", "n", False, 9), ("Order Completed", "note", "t", False, 9))
    (question,) = fitted(["purchase", "purchase.amount"], seen).questions
    assert question.proposal == "" and [choice.name for choice in question.choices] == ["worth"]
    assert fitted(["purchase.amount"], data(("Order Completed", "total", "t", False, 9))).missing == (
        "purchase.amount",
    )


def test_what_customers_never_stated_is_missing_whatever_else_they_did() -> None:
    seen = data(traits=(("price_attitude", "n", False, 9),))
    found = fitted(["customer.employees"], seen)
    assert found.missing == ("customer.employees",) and found.questions == ()
    given = fitted(["customer.employees"], seen, given={"customer.employees": "price_attitude"})
    assert given.chosen == {"customer.employees": "price_attitude"}


def test_what_is_given_is_checked() -> None:
    seen = data(("Order Completed", "total", "n", False, 9))
    for given, said in (
        ({"purchase": "Nothing"}, "no event 'Nothing'"),
        ({"purchase.amount": "nothing"}, "no such property"),
        ({"purchse": "Order Completed"}, "no entry needs 'purchse'"),
    ):
        with pytest.raises(DefinitionError, match=said):
            fitted(["purchase", "purchase.amount"], seen, given=given)


def test_an_optional_part_can_be_declined() -> None:
    seen = data(events=("Order Completed", "Product Added", "Product Removed"))
    entry = require_entry("cart_abandoners")
    text = rendered(entry, fitted(list(entry.needs), seen, optional=entry.optional))
    assert "cart_remove" in text
    declined = fitted(list(entry.needs), seen, optional=entry.optional, given={"cart_remove": ""})
    assert "cart_remove" not in rendered(entry, declined)


def rendered(entry: Entry, found: Fitted) -> str:
    return render_definitions(entry, found.cast, set_values(entry, {}))


def test_unusual_names_are_quoted() -> None:
    seen = data(("Order Completed", "order total", "n", False, 9), ("Order Completed", "no", "n", False, 9))
    entry = require_entry("spend_trend")
    text = rendered(entry, fitted(list(entry.needs), seen, given={"purchase.amount": "order total"}))
    assert "trend(purchase.`order total`, last=90d)" in text and "do: purchase, order total: 100 }" in text
    definitions_from_text("behaviors:\n  purchase: Order Completed\n" + text)
    text = rendered(entry, fitted(list(entry.needs), seen, given={"purchase.amount": "no"}))
    assert 'do: purchase, "no": 100 }' in text


def test_a_property_inside_another_one() -> None:
    entry = require_entry("spend_trend")
    seen = data(("Order Completed", "payment.total", "n", False, 9))
    text = rendered(entry, fitted(list(entry.needs), seen, given={"purchase.amount": "payment.total"}))
    assert "purchase.payment.total" in text and "payment: { total: 100 }" in text


@pytest.mark.parametrize(
    ("letter", "condition", "example"),
    [("n", "discount > 0", "discount: 5"), ("t", "discount is known", 'discount: "yes"'), ("f", "discount == true", "discount: true")],
)  # fmt: skip
def test_a_sign_is_read_by_its_type(letter: str, condition: str, example: str) -> None:
    entry = require_entry("discount_seekers")
    text = rendered(entry, fitted(list(entry.needs), data(("Order Completed", "discount", letter, False, 9))))
    assert f"purchase[{condition}]" in text and example in text


def test_values_of_the_data_become_groups() -> None:
    entry = require_entry("country")
    found = fitted(list(entry.needs), data(traits=(("country", "t", False, 9),)))
    values = set_values(entry, {"values": 'Côte d\'Ivoire|UK|Unknown|U.K.|"quoted"'})
    text = render_definitions(entry, found.cast, values)
    definitions = definitions_from_text(text)
    names = [group.name for group in definitions.segmentations["country"].groups]
    assert names[-2:] == ["other", "unknown"] and len(set(names)) == 7


@pytest.mark.parametrize(("letter", "condition"), [("n", "== 3"), ("t", '== "3"')])
def test_groups_of_numbers_compare_with_numbers(letter: str, condition: str) -> None:
    entry = require_entry("household_size")
    found = fitted(list(entry.needs), data(traits=(("household_size", letter, False, 9),)))
    assert not found.missing
    text = render_definitions(entry, found.cast, set_values(entry, {"values": "1|3"}))
    assert f"customer.household_size {condition}" in text
    assert len(definitions_from_text(text).segmentations["household"].groups) == 4


def test_filters_of_a_behavior_tell_what_passes_them() -> None:
    where = 'total > 3 and kind == "paid" and ok == true and code in ["a", "b"] and ref is known and not test == true'
    own = definitions_from_text(f"behaviors:\n  sale: {{ event: Order, where: '{where}' }}\n")
    assert sample_of(own.behaviors["sale"]) == {
        "total": "4", "kind": '"paid"', "ok": "true", "code": '"a"', "ref": "1"
    }  # fmt: skip


def test_arithmetic_of_parameters() -> None:
    assert computed("a + b", {"a": "365d", "b": "30d"}) == "395d"
    assert computed("a * 0.8", {"a": "50d"}) == "40d"
    assert computed("a * b", {"a": "668", "b": "0.85"}) == "567.8"
    assert [scaled(value, Decimal("1.2")) for value in ("10d", "90%", "1.5", "668")] == [
        "12d",
        "100%",
        "1.8",
        "802",
    ]


def test_parameters_keep_their_form() -> None:
    entry = require_entry("one_and_done")
    assert set_values(entry, {"after": "9w"})["after"] == "9w"
    with pytest.raises(DefinitionError, match="a duration"):
        set_values(entry, {"after": "9"})
    assert isinstance(entry.parameters["after"], Parameter)
