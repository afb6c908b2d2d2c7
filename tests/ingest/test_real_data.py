"""Known figures of real shops: Online Retail, The Complete Journey, CDNOW, a web shop's sessions."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ethogram.ingest.config import read_config
from ethogram.ingest.load import LoadReport, load, rejected
from ethogram.ingest.propose import Proposal, propose
from ethogram.store.store import Store
from tests.shared_data import DATA

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")

RETAIL = DATA / "online-retail" / "online-retail.csv.gz"
JOURNEY = DATA / "complete-journey"


def proposed(folder: Path, *files: Path) -> tuple[Proposal, dict[str, LoadReport]]:
    """The project that a proposal makes, loaded."""
    proposal = propose(folder, files)
    folder.mkdir(exist_ok=True)
    (folder / "ethogram.toml").write_text(proposal.toml(), encoding="utf-8")
    with Store.open(folder, create=True) as store:
        reports = load(store, read_config(folder))
    return proposal, {report.source: report for report in reports}


def column(folder: Path, event: str, name: str) -> pa.ChunkedArray:
    with Store.open(folder) as store, store.snapshot() as snapshot:
        tables = [store.read(file, ["event", name]) for file in snapshot.files]
    whole = pa.concat_tables(
        [table for table in tables if name in table.column_names], promote_options="permissive"
    )
    return whole.filter(pc.equal(whole["event"], event))[name]


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Proposal, dict[str, LoadReport]]:
    folder = tmp_path_factory.mktemp("retail") / "shop"
    return folder, *proposed(folder, RETAIL)


def test_online_retail_has_its_known_figures(retail: tuple[Path, Proposal, dict[str, LoadReport]]) -> None:
    folder, _, reports = retail
    orders = reports["orders"]
    assert (orders.read, orders.unreadable, orders.rows, orders.accepted, orders.rejected) == (
        541_909,
        0,
        18_532,
        18_532,
        0,
    )
    customers = column(folder, "Order Completed", "customer")
    assert pc.count_distinct(customers).as_py() == 4_338
    assert "17850" in customers.unique().to_pylist()
    total = pc.sum(column(folder, "Order Completed", "p:total:n")).as_py()
    assert total.quantize(Decimal("0.01")) == Decimal("8911407.90")
    lines = column(folder, "Order Completed", "pl:products")
    assert pc.sum(lines).as_py() == 397_884


def test_online_retail_is_understood_without_a_question(
    retail: tuple[Path, Proposal, dict[str, LoadReport]],
) -> None:
    _, proposal, reports = retail
    assert (proposal.timezone, proposal.currency, proposal.country) == ("Europe/London", "GBP", "GB")
    assert proposal.questions == ()
    assert proposal.revenue() == "purchase.total"
    sample = next(sample for sample in proposal.samples if sample.source == "orders")
    assert (sample.rows, len(sample.lines)) == (18_532, 3)
    assert "GBP" in sample.lines[0]
    assert reports["refunds"].accepted == 3_654


def test_online_retail_again_changes_nothing(retail: tuple[Path, Proposal, dict[str, LoadReport]]) -> None:
    folder, _, _ = retail
    with Store.open(folder) as store:
        before = store.sequence
        reports = load(store, read_config(folder))
        assert store.sequence == before
        forced = load(store, read_config(folder), ["orders"], force=True)
    assert all(report.unchanged and report.accepted == 0 for report in reports)
    assert [report.duplicates for report in reports] == [18_532, 3_654]
    assert (forced[0].accepted, forced[0].duplicates, forced[0].rejected) == (0, 18_532, 0)


def test_online_retail_line_by_line(tmp_path: Path) -> None:
    toml = f"""
roots = ["{RETAIL.parent}"]
timezone = "Europe/London"
[sources.lines]
files = "{RETAIL}"
customer = "CustomerID"
time = "InvoiceDate"
event = "Line"
properties = {{ sku = "StockCode", quantity = "Quantity" }}
"""
    (tmp_path / "ethogram.toml").write_text(toml)
    with Store.open(tmp_path, create=True) as store:
        (report,) = load(store, read_config(tmp_path))
        reasons = {row.code for row in rejected(store)}
    assert (report.read, report.rows, report.accepted, report.rejected) == (
        541_909,
        541_909,
        406_829,
        135_080,
    )
    assert reasons == {"E_CUSTOMER_EMPTY"}


def test_complete_journey(tmp_path: Path) -> None:
    folder = tmp_path / "grocer"
    files = ["transactions_sample", "demographics", "coupon_redemptions", "products"]
    proposal, reports = proposed(folder, *(JOURNEY / f"{name}.parquet" for name in files))
    assert {name: report.accepted for name, report in reports.items()} == {
        "orders": 47_243, "demographics": 801, "coupon_redemptions": 2_102
    }  # fmt: skip
    assert all(report.rejected == report.unreadable == 0 for report in reports.values())
    assert [leftover.file.endswith("products.parquet") for leftover in proposal.leftovers] == [True]
    orders = column(folder, "Order Completed", "customer")
    assert pc.count_distinct(orders).as_py() == 2_377
    assert pc.sum(column(folder, "Order Completed", "pl:products")).as_py() == 75_000
    values = pq.read_table(JOURNEY / f"{files[0]}.parquet")["sales_value"].to_pylist()
    exact = sum(round(Decimal(repr(value)), 6) for value in values)
    assert pc.sum(column(folder, "Order Completed", "p:total:n")).as_py() == exact


def test_cdnow_has_no_header_and_blanks_between_columns(tmp_path: Path) -> None:
    folder = tmp_path / "cds"
    _, reports = proposed(folder, DATA / "cdnow-sample" / "CDNOW_sample.txt")
    assert (reports["orders"].read, reports["orders"].accepted) == (6_919, 6_919)
    customers = column(folder, "Order Completed", "customer")
    assert pc.count_distinct(customers).as_py() == 2_357
    assert "00004" in customers.unique().to_pylist()
    assert pc.sum(column(folder, "Order Completed", "p:quantity:n")).as_py() == 16_479
    assert pc.sum(column(folder, "Order Completed", "p:total:n")).as_py() == Decimal("244091.94")


def test_a_log_of_events(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    proposal, reports = proposed(folder, DATA / "retentioneering-ecom" / "ecom.csv.gz")
    assert (reports["ecom"].read, reports["ecom"].accepted) == (31_106, 31_106)
    assert pc.count_distinct(column(folder, "home", "customer")).as_py() <= 600
    assert "product_view: " in proposal.definitions()
