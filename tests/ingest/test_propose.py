"""Proposals for files that nobody has explained."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ethogram.ingest.config import read_config
from ethogram.ingest.load import load
from ethogram.ingest.propose import Proposal, propose
from ethogram.ingest.roles import quoted
from ethogram.language.checker import check
from ethogram.language.files import definitions_from_text
from ethogram.model.errors import DataError
from ethogram.model.event import Event
from ethogram.model.settings import Settings
from ethogram.store.store import Store

SHOPIFY = """\
Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,\
Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,Shipping Country,Cancelled at,\
Payment Method,Refunded Amount,Vendor,Id,Tags,Source
#1001,Ann@Example.com,paid,2024-01-05 12:33:44 -0500,fulfilled,,yes,USD,30.00,5.00,0.00,35.00,,0.00,Standard,2024-01-05 12:33:40 -0500,2,Mug,10.00,M-1,Ann,US,,card,0.00,Acme,1,,web
#1001,Ann@Example.com,,,,,,,,,,,,,,2024-01-05 12:33:40 -0500,1,Spoon,10.00,S-1,,,,,,Acme,,,
#1002,bob@example.com,refunded,2024-01-06 10:00:00 -0500,fulfilled,,no,USD,10.00,5.00,0.00,15.00,TEN,1.00,Standard,2024-01-06 09:59:00 -0500,1,Mug,10.00,M-1,Bob,US,,card,15.00,Acme,2,,web
#1003,ann@example.com,voided,,,,yes,USD,10.00,5.00,0.00,15.00,,0.00,Standard,2024-01-07 09:59:00 -0500,1,Mug,10.00,M-1,Ann,US,2024-01-08 09:00:00 -0500,card,0.00,Acme,3,,web
#1004,,paid,2024-01-06 10:00:00 -0500,fulfilled,,no,USD,10.00,5.00,0.00,15.00,,0.00,Standard,2024-01-06 09:59:00 -0500,1,Mug,10.00,M-1,,US,,card,0.00,Acme,4,,pos
"""

WOO = """\
Order Number,Order Status,Order Date,First Name (Billing),Email (Billing),Country Code (Billing),Payment Method Title,Order Total Amount,SKU,Item Name,Quantity,Item Cost
501,Completed,2024-02-01 10:00,Ann,ann@example.com,DE,Card,30.00,M-1,Mug,2,10.00
501,Completed,2024-02-01 10:00,Ann,ann@example.com,DE,Card,30.00,S-1,Spoon,1,10.00
502,Refunded,2024-02-02 10:00,Bob,bob@example.com,DE,Card,10.00,M-1,Mug,1,10.00
503,Failed,2024-02-03 10:00,Bob,bob@example.com,DE,Card,10.00,M-1,Mug,1,10.00
504,Cancelled,2024-02-03 11:00,Bob,bob@example.com,DE,Card,10.00,M-1,Mug,1,10.00
"""


def project(
    folder: Path, answers: dict[str, str] | None = None, **files: str
) -> tuple[Proposal, dict[str, tuple[Event, ...]]]:
    """The proposal for files in the folder, and what loading it brings."""
    paths = []
    for name, text in files.items():
        paths.append(folder / f"{name.replace('__', '.')}")
        paths[-1].write_text(text, encoding="utf-8")
    proposal = propose(folder, paths, answers)
    assert check(definitions_from_text(proposal.definitions()), Settings()) == ()
    (folder / "ethogram.toml").write_text(proposal.toml(), encoding="utf-8")
    with Store.open(folder, create=True) as store:
        reports = load(store, read_config(folder))
        assert all(report.rejected == report.unreadable == 0 for report in reports)
        with store.snapshot() as snapshot:
            names = {
                name
                for file in snapshot.files
                for name in store.read(file, ["customer"])["customer"].to_pylist()
            }
            return proposal, store.histories(sorted(names), snapshot)


def seen(history: tuple[Event, ...]) -> list[tuple[str, object]]:
    return [(event.name, event.properties.get("total")) for event in history]


def test_shopify_orders(tmp_path: Path) -> None:
    proposal, found = project(tmp_path, orders_export__csv=SHOPIFY)
    assert proposal.drafts[0].label == "a Shopify orders export"
    assert (proposal.currency, proposal.country) == ("USD", "US")
    assert seen(found["ann@example.com"]) == [
        ("Order Completed", Decimal(35)),
        ("Order Cancelled", Decimal(15)),
    ]
    assert seen(found["bob@example.com"]) == [
        ("Order Completed", Decimal(15)),
        ("Order Refunded", Decimal(15)),
    ]
    order = found["ann@example.com"][0]
    products = order.properties["products"]
    assert isinstance(products, tuple)
    assert [dict(product)["sku"] for product in products if isinstance(product, dict)] == ["M-1", "S-1"]
    assert order.properties["order_id"] == "#1001"
    assert order.time == 1704476020000000
    assert sorted(found) == ["ann@example.com", "bob@example.com"]


def test_woocommerce_orders(tmp_path: Path) -> None:
    proposal, found = project(tmp_path, orders__csv=WOO)
    assert proposal.drafts[0].label == "a WooCommerce orders export"
    assert (proposal.country, proposal.timezone) == ("DE", "Europe/Berlin")
    assert seen(found["ann@example.com"]) == [("Order Completed", Decimal(30))]
    assert seen(found["bob@example.com"]) == [
        ("Order Refunded", Decimal(10)),
        ("Order Cancelled", Decimal(10)),
    ]


def test_segment_calls_need_no_mapping(tmp_path: Path) -> None:
    call = '{"type":"track","userId":"u1","event":"Signed Up","timestamp":"2024-01-01T00:00:00Z"}\n'
    proposal, found = project(tmp_path, calls__jsonl=call)
    assert "signed_up: Signed Up" in proposal.definitions()
    assert seen(found["u1"]) == [("Signed Up", None)]


def test_one_row_an_order_with_odd_dates_and_names(tmp_path: Path) -> None:
    text = "Client;Datum;Order Date;Amount\n007;x;13.02.2024;10\n008;y;14.02.2024;12.5\n007;z;15.02.2024;1\n"
    proposal, found = project(tmp_path, sales__csv=text)
    assert 'time_format = "%d.%m.%Y"' in proposal.toml()
    assert seen(found["007"]) == [("Order Completed", Decimal(10)), ("Order Completed", Decimal(1))]


def test_a_doubt_is_a_question_and_its_answer_counts(tmp_path: Path) -> None:
    text = "customer_id,date,amount\nu1,01/02/2024,10\nu2,03/04/2024,12\n"
    proposal, found = project(tmp_path, sales__csv=text)
    question = next(question for question in proposal.questions if question.key.endswith("time_format"))
    assert question.choices == ("%m/%d/%Y", "%d/%m/%Y")
    assert any("dates" in note for note in proposal.notes)
    again = propose(
        tmp_path,
        [tmp_path / "sales.csv"],
        {question.key: "%d/%m/%Y", "currency": "EUR", "timezone": "Europe/Paris"},
    )
    assert again.questions == ()
    assert 'time_format = "%d/%m/%Y"' in again.toml()
    assert (again.currency, again.timezone) == ("EUR", "Europe/Paris")
    assert found


def test_order_lines_with_an_order_of_two_customers(tmp_path: Path) -> None:
    text = "order_id,customer_id,created at,sku,qty,price\n1,a,2024-01-01,x,1,2.5\n1,a,2024-01-01,y,2,1\n1,b,2024-01-02,x,1,3\n2,b,2024-01-03,x,1,4\n"
    _, found = project(tmp_path, lines__csv=text)
    assert seen(found["a"]) == [("Order Completed", Decimal("4.5"))]
    assert seen(found["b"]) == [("Order Completed", Decimal(3)), ("Order Completed", Decimal(4))]


def test_a_file_without_customers_is_told(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("sku,color\na,red\n")
    with pytest.raises(DataError, match="no column says who the customer is; there are: sku, color"):
        propose(tmp_path, [tmp_path / "products.csv"])


def test_german_headers_and_decimal_commas(tmp_path: Path) -> None:
    sales = "Kundennummer;Bestelldatum;Bestellnummer;Betrag;Währung;Lieferdatum\n"
    sales += "K1;31.01.2025 18:30;1;1.234,56;EUR;01.02.2025\nK2;01.02.2025 09:00;2;7,5;EUR;02.02.2025\nK1;03.02.2025 09:00;3;1.000;EUR;05.02.2025\n"
    proposal, found = project(tmp_path, verkauf__csv=sales)
    assert proposal.currency == "EUR"
    assert seen(found["K1"]) == [
        ("Order Completed", Decimal("1234.56")),
        ("Order Completed", Decimal(1000)),
    ]
    assert seen(found["K2"]) == [("Order Completed", Decimal("7.5"))]
    assert found["K2"][0].properties["Lieferdatum"] == "02.02.2025"


@pytest.mark.parametrize(("encoding", "said"), [("cp1252", True), ("utf-8", False)])
def test_a_spreadsheet_s_encoding_is_recognized(tmp_path: Path, encoding: str, said: bool) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "E-Mail;Datum;Betrag;Währung;Ort\na@example.com;01.02.2025;7,50;EUR;Köln\n", encoding=encoding
    )
    proposal = propose(tmp_path, [path])
    assert ('encoding = "cp1252"' in proposal.toml()) == said
    assert [(sample.rows, sample.rejected) for sample in proposal.samples] == [(1, 0)]
    assert "Köln" in proposal.samples[0].lines[0]


def test_one_broken_byte_is_no_other_encoding(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    rows = "".join(f"c{n},2024-01-{n:02d},{n}.5,Köln\n" for n in range(1, 20)).encode()
    path.write_bytes(b"customer,date,total,city\n" + rows + b"c1,2024-02-01,3.5,K\xf6ln\n")
    proposal = propose(tmp_path, [path])
    assert "encoding" not in proposal.toml()
    assert [(sample.rows, sample.rejected) for sample in proposal.samples] == [(19, 1)]


def test_commas_that_part_thousands_are_no_fractions(tmp_path: Path) -> None:
    proposal, _ = project(
        tmp_path, orders__csv='customer,date,points\nann,2024-01-01,"1,234"\nbob,2024-01-02,"2,500"\n'
    )
    assert "decimal" not in proposal.toml()


@pytest.mark.parametrize(
    ("write", "form"),
    [("2024-01-{:02d}", ""), ("{:02d}.01.2024", "%d.%m.%Y"), ("01/{:02d}/2024", "%m/%d/%Y")],
)
def test_a_broken_row_does_not_hide_the_times(tmp_path: Path, write: str, form: str) -> None:
    days = ["unknown", *(write.format(day) for day in range(1, 29))]
    rows = "".join(f"c{index % 5},{day},{index},{index}.5\n" for index, day in enumerate(days))
    (tmp_path / "orders.csv").write_text("customer_id,order_date,order_id,total\n" + rows)
    proposal = propose(tmp_path, [tmp_path / "orders.csv"])
    assert [(sample.rows, sample.rejected) for sample in proposal.samples] == [(28, 1)]
    assert (f'time_format = "{form}"' in proposal.toml()) == bool(form)


def test_visits_without_customers_are_of_devices(tmp_path: Path) -> None:
    _, found = project(tmp_path, visits__csv="device id,date,page\nd1,2024-01-01,home\nd1,2024-01-02,cart\n")
    assert [event.name for history in found.values() for event in history] == ["Visits", "Visits"]


def test_names_in_sql() -> None:
    assert [quoted(name) for name in ("Quantity", "Created at", 'a"b', "order", "ü")] == [
        "Quantity",
        '"Created at"',
        '"a""b"',
        '"order"',
        '"ü"',
    ]
