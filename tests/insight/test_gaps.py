"""`gaps`: figures are those of another computation, nobody is shown alone, and every mistake in a table has its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from made_shops import make_shop, run, told
from typer.testing import Result

import ethogram
from ethogram.insight.gaps import _shown
from ethogram.insight.reference import read_reference

DEFINITIONS = """\
behaviors:
  purchase: Order Completed
traits:
  spend: sum(purchase.total)
  home: customer.region
  big: sum(purchase.total) >= 50
segments:
  active: count(purchase) >= 2
  nobody: count(purchase) >= 99
  one: sum(purchase.total) >= 999
segmentations:
  size:
    groups:
      large: sum(purchase.total) >= 50
      small: otherwise
"""
REGIONS = {"North": 400, "South": 100, "East": 60, "West": 3, "Moon": 20, "": 17}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every second one in the North ordered twice, every tenth elsewhere."""
    rows: list[tuple[object, ...]] = []
    number = 0
    for region, count in REGIONS.items():
        for place in range(count):
            number += 1
            age = "young" if place % 4 else "old"
            total = 1000 if number == 1 else number % 100
            rows.append((f"c{number}", "2026-06-01 10:00:00", "Order Completed", total, region, age))
            if place % (2 if region == "North" else 10) == 0:
                rows.append((f"c{number}", "2026-06-02 10:00:00", "Order Completed", 0, region, age))
    return make_shop(
        tmp_path_factory.mktemp("gaps") / "shop", DEFINITIONS, {"orders": rows}, traits=("region", "age")
    )


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "reference.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return table(tmp_path, "region,share\nNorth,0.5\nsouth ,0.2\nEast,0.1\nWest,0.1\nSea,0.1\n")


def rows(found: dict[str, object]) -> dict[str, dict[str, object]]:
    some = found["rows"]
    assert isinstance(some, list)
    return {" / ".join(one["values"]): one for one in some}


def test_ratios_are_those_of_scipy(shop: Path, reference: Path) -> None:
    found = told("gaps", "customer.region", reference, "--project", shop)
    assert (found["customers"], found["compared"], found["unknown"]) == (600, 563, 17)
    chances = []
    for name, share in (("North", 0.5), ("south", 0.2), ("Sea", 0.1)):
        row, count = rows(found)[name], REGIONS.get(name.capitalize(), 0)
        expected = scipy.stats.binomtest(count, 563).proportion_ci(method="wilson")
        assert row["customers"] == count
        assert row["ratio"]["value"] == pytest.approx(count / 563 / share)
        assert row["ratio"]["low"] == pytest.approx(expected.low / share)
        assert row["ratio"]["high"] == pytest.approx(expected.high / share)
        chances.append(scipy.stats.chisquare([count, 563 - count], [563 * share, 563 * (1 - share)]).pvalue)
    assert rows(found)["North"]["verdict"] == "over-represented"
    sea = rows(found)["Sea"]
    assert (sea["customers"], sea["verdict"], sea["lacking"]) == (0, "under-served", 56)
    adjusted = scipy.stats.false_discovery_control(chances)
    told_chances = [rows(found)[name]["ratio"]["p"] for name in ("North", "south", "Sea")]
    assert told_chances == pytest.approx(adjusted.tolist())


def test_fewer_than_five_are_not_told_nor_worked_out(shop: Path, reference: Path) -> None:
    """Three live in the West: the total and all others would tell it, so that the next smallest is hidden, too."""
    found = told("gaps", "customer.region", reference, "--project", shop)
    west, east = rows(found)["West"], rows(found)["East"]
    assert (west["customers"], west["ratio"], west["verdict"]) == (None, None, "fewer than 5")
    assert (east["customers"], east["share"], east["verdict"]) == (None, None, "not to be told")
    shown = run("gaps", "customer.region", reference, "--project", shop).stdout
    assert "fewer than 5" in shown and " 3 " not in shown and " 60 " not in shown


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([9, 8, 7], [True, True, True]),
        ([9, 3, 7], [True, False, False]),
        ([9, 3, 3], [True, False, False]),
        ([9, 0, 7], [True, True, True]),
        ([4], [False]),
        ([], []),
    ],
)
def test_what_is_hidden_cannot_be_subtracted(counts: list[int], shown: list[bool]) -> None:
    assert _shown(counts) == shown


def test_who_is_hard_to_engage(shop: Path, reference: Path) -> None:
    found = told("gaps", "home", reference, "--project", shop)
    assert found["engaged_by"] == "active"
    north, south = rows(found)["North"], rows(found)["south"]
    assert (north["ease"], south["ease"]) == ("easy to engage", "hard to engage")
    others = 563 - 100
    risk = scipy.stats.contingency.relative_risk(10, 100, 200 + 6 + 1, others)
    assert south["engaged_ratio"]["value"] == pytest.approx(risk.relative_risk)
    interval = risk.confidence_interval()
    assert (south["engaged_ratio"]["low"], south["engaged_ratio"]["high"]) == pytest.approx(tuple(interval))


def test_counts_and_a_second_trait(shop: Path, tmp_path: Path) -> None:
    text = "region;customer.age;count\nNorth;young;1.500\nNorth;old;500\nSouth;young;500\nSouth;old;500\n"
    found = told("gaps", "customer.region", table(tmp_path, text), "--project", shop)
    assert found["columns"] == ["customer.region", "customer.age"]
    young = rows(found)["North / young"]
    assert (young["customers"], young["reference_share"]) == (300, 0.5)
    assert found["compared"] == 500
    where = {tuple(one["values"]): one["customers"] for one in found["not_in_reference"]}
    assert where["East", "young"] == 45


def test_groups_and_flags_are_values(shop: Path, tmp_path: Path) -> None:
    groups = rows(
        told("gaps", "size", table(tmp_path, "size,share\nlarge,50\nsmall,50\n"), "--project", shop)
    )
    project = ethogram.open(shop)
    assert groups["large"]["customers"] == project.members("size.large").num_rows
    flags = rows(told("gaps", "big", table(tmp_path, "big,share\ntrue,.5\nfalse,.5\n"), "--project", shop))
    assert flags["true"]["customers"] == groups["large"]["customers"]


def test_engaged_of_nobody_one_and_two(shop: Path, reference: Path) -> None:
    for name in ("nobody", "one", "size.large"):
        found = told("gaps", "home", reference, "--engaged", name, "--project", shop)
        north = rows(found)["North"]
        assert found["engaged_by"] == name and (north["engaged"] is None) == (name != "size.large")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "E_REFERENCE", "empty"),
        ("region,share\n", "E_REFERENCE", ":2:1:"),
        ("region,number\nNorth,5\n", "E_COLUMN_MISSING", ":1:1:"),
        ("region,share,count\nNorth,1,5\n", "E_REFERENCE", ":1:1:"),
        ("region,a,b,share\nNorth,1,5,1\n", "E_REFERENCE", ":1:1:"),
        ("share\n1\n", "E_REFERENCE", ":1:1:"),
        ("region,share\nNorth,many\n", "E_REFERENCE", ":2:7:"),
        ("region,share\nNorth,-1\n", "E_REFERENCE", ":2:7:"),
        ("region,share\nNorth,nan\n", "E_REFERENCE", ":2:7:"),
        ("region,share\nNorth\n", "E_REFERENCE", ":2:7:"),
        ("region,share\n,1\n", "E_REFERENCE", ":2:1:"),
        ("region,share\nNorth,.5\n\nNORTH,.5\n", "E_REFERENCE", ":4:1:"),
        ("region,share\nNorth,.5\n", "E_REFERENCE", "add up to 0.5"),
        ("region,count\nNorth,0\n", "E_REFERENCE", "nobody"),
        ('region,share\n"No\nrth",1\nSouth,x\n', "E_REFERENCE", ":4:7:"),
        ('region,share\n"North,1\n', "E_REFERENCE", ":2:1:"),
        ("region,customer.shoes,share\nNorth,9,1\n", "E_UNKNOWN_TRAIT", "shoes"),
        ("region,shoes,share\nNorth,9,1\n", "E_UNKNOWN_NAME", "shoes"),
    ],
)
def test_mistakes_in_the_table_have_a_place(
    shop: Path, tmp_path: Path, text: str, code: str, place: str
) -> None:
    result = run("gaps", "customer.region", table(tmp_path, text), "--project", shop)
    assert result.exit_code == 2 and code in result.stderr and place in result.stderr, result.stderr


def test_a_table_that_cannot_be_read(shop: Path, tmp_path: Path) -> None:
    assert "E_NO_FILES" in run("gaps", "home", tmp_path / "none.csv", "--project", shop).stderr
    assert "E_READ" in run("gaps", "home", tmp_path, "--project", shop).stderr
    path = tmp_path / "reference.csv"
    path.write_bytes(b"region,share\nM\xfcnchen,1\n")
    assert "E_READ" in run("gaps", "home", path, "--project", shop).stderr


@pytest.mark.parametrize(
    ("trait", "engaged", "code"),
    [
        ("spend", "", "E_NOT_TEXT"),
        ("purchase", "", "E_NOT_AN_ANSWER"),
        ("active", "", "E_NOT_AN_ANSWER"),
        ("regoin", "", "E_UNKNOWN_NAME"),
        ("customer.regoin", "", "E_UNKNOWN_TRAIT"),
        ("customer.region == 5", "", "E_UNKNOWN_NAME"),
        ("customer.", "", "E_SYNTAX"),
        ("home", "spend", "E_NOT_MEMBERS"),
        ("home", "size", "E_GROUP_UNKNOWN"),
        ("home", "actve", "E_UNKNOWN_NAME"),
    ],
)
def test_names_that_cannot_be_compared(
    shop: Path, reference: Path, trait: str, engaged: str, code: str
) -> None:
    options = ("--engaged", engaged) if engaged else ()
    result = run("gaps", trait, reference, "--project", shop, *options)
    assert result.exit_code == 2 and code in result.stderr, result.stderr


def test_numbers_are_read_as_people_write_them(tmp_path: Path) -> None:
    found = read_reference(table(tmp_path, "Land\tcount\nD\t1,200\nF\t800\n"), "customer.land")
    assert [one.share for one in found.parts] == pytest.approx([0.6, 0.4])
    found = read_reference(table(tmp_path, "Land;share\nD;60,5 %\nF;39,5 %\n"), "customer.land")
    assert [one.share for one in found.parts] == pytest.approx([0.605, 0.395])
    text = "customer.age,customer.land,share\nold,D,.5\nold,F,.5\n"
    found = read_reference(table(tmp_path, text), "customer.land")
    assert found.columns == ("customer.land", "customer.age") and found.parts[1].values == ("F", "old")


@pytest.mark.parametrize("people", [1, 2, 4, 6])
def test_hardly_any_customers(tmp_path: Path, people: int) -> None:
    """A day of one kind of event, no revenue, no segments."""
    events = [(f"c{n}", "2026-06-01 10:00:00", "Order Completed", 1, "North") for n in range(people)]
    folder = make_shop(tmp_path / "shop", "{}\n", {"orders": events}, traits=("region",), revenue="")
    path = table(tmp_path, "region,share\nNorth,.5\nSouth,.5\n")
    shown = run("gaps", "customer.region", path, "--project", folder)
    assert shown.exit_code == 0 and max(map(len, shown.stdout.splitlines())) <= 80
    north = rows(told("gaps", "customer.region", path, "--project", folder))["North"]
    assert north["customers"] == (people if people >= 5 else None)


def test_before_the_first_load(tmp_path: Path, reference: Path) -> None:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "ethogram.toml").write_text('timezone = "UTC"\n')
    result = run("gaps", "customer.region", reference, "--project", tmp_path)
    assert result.exit_code == 2 and "E_NO_STORE" in result.stderr


def test_in_python_it_is_a_table(shop: Path, reference: Path) -> None:
    found = ethogram.open(shop).gaps("customer.region", reference)
    assert found["customers"].to_pylist() == [400, 100, None, None, 0]
    assert found["verdict"][0].as_py() == "over-represented"


def test_the_demo_against_the_invoices(tmp_path: Path, demo: tuple[Path, Result]) -> None:
    folder = demo[0]
    lines = pd.read_parquet(folder / "data" / "online-retail.parquet")
    lines = lines[lines["CustomerID"].notna()].sort_values("InvoiceDate")
    # an invoice of several countries does not exist; the last one counts
    last = lines.groupby("CustomerID")["Country"].last()
    path = table(tmp_path, "country,share\nUnited Kingdom,.8\nGermany,.1\nFrance,.1\n")
    found = rows(told("gaps", "customer.country", path, "--project", folder))
    assert found["Germany"]["customers"] == pytest.approx(int((last == "Germany").sum()), abs=2)
    assert np.isclose(found["Germany"]["ratio"]["value"], found["Germany"]["share"]["value"] / 0.1)
    assert max(map(len, run("gaps", "customer.country", path, "--project", folder).stdout.splitlines())) <= 80
