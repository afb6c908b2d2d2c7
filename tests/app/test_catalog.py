"""The catalog at work: what its verbs say, what they write, and that the sizes are those of plain SQL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import demo_sql
import pytest
from catalog_sql import (
    CELLS,
    FIFTHS,
    LAPSING,
    REPURCHASE,
    RETURNS,
    RHYTHM,
    ROUTINE,
    TIERS,
    TWO_MONTHS,
    VIP,
    Shop,
)
from typer.testing import CliRunner, Result

import ethogram
from ethogram.app.cli import app
from ethogram.catalog.entry import KINDS

ROOT = Path(__file__).parents[2]
GOLDENS = ROOT / "tests" / "goldens" / "catalog"
PREFIX = "c_"
ADDED = (
    "rfm", "rfm_27", "rfm_braze", "vip", "lapsing", "one_and_done", "repurchase_stage", "usage_rhythm", "loyalty_tiers",
    "frequent_returns", "routine_buyers",
)  # fmt: skip


def run(folder: Path, *arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, [*arguments, "--project", str(folder)], input=answers or None)


@pytest.fixture(scope="module")
def copied(demo: tuple[Path, Result], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's project, to be changed."""
    folder = tmp_path_factory.mktemp("catalog") / "shop"
    shutil.copytree(demo[0], folder)
    return folder


@pytest.fixture(scope="module")
def added(copied: Path) -> dict[str, Any]:
    """What `add` said of several entries at once."""
    result = run(copied, "catalog", "add", *ADDED, "--prefix", PREFIX, "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def made(folder: Path, events: str, definitions: str = "") -> Path:
    """A project with a few events, one csv line each: customer, time, event, amount."""
    folder.mkdir()
    (folder / "definitions").mkdir()
    (folder / "definitions" / "own.yml").write_text(definitions)
    (folder / "events.csv").write_text("who,when,what,worth\n" + events)
    (folder / "ethogram.toml").write_text("""\
name = "small"
timezone = "UTC"
currency = "EUR"
[sources.events]
files = "events.csv"
customer = "who"
time = "when"
event = "what"
properties = { worth = "worth" }
""")
    assert run(folder, "load").exit_code == 0
    return folder


# --- list and show --------------------------------------------------------------------------------------------------


def test_the_list_says_what_is_ready_and_what_is_missing(demo: tuple[Path, Result]) -> None:
    result = run(demo[0], "catalog")
    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    found = {one["name"]: one for one in json.loads(run(demo[0], "catalog", "--json").stdout)}
    assert {one["kind"] for one in found.values()} == set(KINDS)
    assert found["rfm"]["ready"] and found["lapsing"]["ready"] and found["replenishment_due"]["ready"]
    assert not found["cart_abandoners"]["ready"]
    assert found["cart_abandoners"]["missing"] == ["something put into the cart (cart_add)"]


def test_one_kind_alone(demo: tuple[Path, Result]) -> None:
    found = json.loads(run(demo[0], "catalog", "--kind", "loyalty", "--json").stdout)
    assert {one["kind"] for one in found} == {"loyalty"}
    assert "Did you mean 'loyalty'?" in run(demo[0], "catalog", "--kind", "loyal").stderr


def test_show_speaks_the_names_of_the_project(demo: tuple[Path, Result], tmp_path: Path) -> None:
    result = run(demo[0], "catalog", "show", "frequent_returns")
    assert result.exit_code == 0, result.stderr
    for part in ("cancellation", "Needs help choosing", "What to do with them", "never a penalty", "40%"):
        assert part in result.stdout
    outside = run(tmp_path, "catalog", "show", "frequent_returns", "--json")
    assert "sum(refund.total" in json.loads(outside.stdout)["definitions"]


def test_show_may_be_left_out(demo: tuple[Path, Result]) -> None:
    by_name = run(demo[0], "catalog", "frequent_returns")
    assert by_name.stdout == run(demo[0], "catalog", "show", "frequent_returns").stdout
    assert "Did you mean 'rfm'?" in run(demo[0], "catalog", "rmf").stderr


def test_an_unknown_entry_is_answered_with_the_nearest(demo: tuple[Path, Result]) -> None:
    result = run(demo[0], "catalog", "show", "rmf")
    assert result.exit_code == 2 and "Did you mean 'rfm'?" in result.stderr


# --- add ------------------------------------------------------------------------------------------------------------


def test_what_is_added_passes_check_and_tests(copied: Path, added: dict[str, Any]) -> None:
    assert [one["name"] for one in added["added"]][:2] == ["buyers", "rfm"]
    assert "0 errors, 0 warnings" in run(copied, "check").stdout
    assert "all passed" in run(copied, "test").stdout


def test_adding_again_changes_nothing(copied: Path, added: dict[str, Any]) -> None:
    before = {path: path.read_text() for path in (copied / "definitions").iterdir()}
    result = run(copied, "catalog", "add", *ADDED)
    assert result.exit_code == 0, result.stderr
    assert "lapsing is in the project already: definitions/c_lapsing.yml" in " ".join(result.stdout.split())
    assert {path: path.read_text() for path in (copied / "definitions").iterdir()} == before


@pytest.mark.parametrize("name", ["rfm", "lapsing", "loyalty_tiers"])
def test_written_files_are_the_goldens(copied: Path, added: dict[str, Any], name: str) -> None:
    """ETHOGRAM_GOLDENS=write writes them anew."""
    text, golden = (copied / "definitions" / f"{PREFIX}{name}.yml").read_text(), GOLDENS / f"{name}.yml"
    if os.environ.get("ETHOGRAM_GOLDENS") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_a_name_that_is_taken_stays(copied: Path) -> None:
    before = (copied / "definitions" / "value.yml").read_text()
    result = run(copied, "catalog", "add", "usage_level", "--map", "session=Order Completed")
    assert result.exit_code == 2 and "E_DUPLICATE" in result.stderr and "--prefix" in result.stderr
    assert (copied / "definitions" / "value.yml").read_text() == before
    assert not (copied / "definitions" / "usage_level.yml").exists()


def test_missing_data_is_said(copied: Path) -> None:
    result = run(copied, "catalog", "add", "cart_abandoners", "--yes")
    assert result.exit_code == 2 and "E_NEEDS" in result.stderr
    assert "something put into the cart (cart_add)" in result.stderr


def test_parameters_are_set_and_checked(copied: Path) -> None:
    wrong = run(copied, "catalog", "add", "silent_customers", "--set", "aftr=9d")
    assert wrong.exit_code == 2 and "Did you mean 'after'?" in wrong.stderr
    assert "a duration" in run(copied, "catalog", "add", "silent_customers", "--set", "after=9").stderr
    said = run(copied, "catalog", "add", "replenishment_due", "--yes")
    assert said.exit_code == 2 and "--set product=VALUE" in said.stderr
    result = run(copied, "catalog", "add", "silent_customers", "--set", "after=200d")
    assert result.exit_code == 0, result.stderr
    assert "after=200d" in (copied / "definitions" / "silent_customers.yml").read_text()


def test_unclear_parts_are_asked_or_said(tmp_path: Path) -> None:
    folder = made(tmp_path / "small", "a,2026-01-01,Shop Order Booked,5\nb,2026-01-02,Other Thing,1\n")
    result = run(folder, "catalog", "add", "spend_trend")
    assert result.exit_code == 2 and "E_UNCLEAR" in result.stderr
    assert '--map purchase="Shop Order Booked"' in result.stderr and "--map purchase.amount=" in result.stderr
    mapped = ("--map", "purchase=Shop Order Booked", "--map", "purchase.amount=worth")
    result = run(folder, "catalog", "add", "spend_trend", *mapped)
    assert result.exit_code == 0, result.stderr
    assert "purchase: Shop Order Booked" in (folder / "definitions" / "catalog_behaviors.yml").read_text()
    assert "trend(purchase.worth" in (folder / "definitions" / "spend_trend.yml").read_text()
    assert "0 errors, 0 warnings" in run(folder, "check").stdout


def test_too_little_data_keeps_the_default(tmp_path: Path) -> None:
    folder = made(tmp_path / "small", "a,2026-01-01,Order Completed,5\na,2026-02-02,Order Completed,1\n")
    result = run(folder, "catalog", "add", "one_and_done")
    assert result.exit_code == 0, result.stderr
    text = (folder / "definitions" / "one_and_done.yml").read_text()
    assert "after = 60d" in text and "The data says too little (1 cases)" in text


def test_behaviors_are_added_below_those_before(tmp_path: Path) -> None:
    events = "a,2026-01-01,Order Completed,5\na,2026-01-01,Product Added,0\na,2026-01-01,Checkout Started,0\n"
    folder = made(tmp_path / "small", events)
    assert run(folder, "catalog", "add", "cart_abandoners").exit_code == 0
    assert run(folder, "catalog", "add", "checkout_abandoners").exit_code == 0
    text = (folder / "definitions" / "catalog_behaviors.yml").read_text()
    assert text.count("behaviors:") == 1
    assert "  cart_add: Product Added\n" in text and "  checkout: Checkout Started\n" in text
    assert "0 errors, 0 warnings" in run(folder, "check").stdout


def test_tests_pass_the_filters_of_the_project(tmp_path: Path) -> None:
    own = 'behaviors:\n  bought_it: { event: Order Completed, where: worth > 3 and kind == "paid" }\n'
    folder = made(tmp_path / "small", "a,2026-01-01,Order Completed,5\n", own)
    result = run(folder, "catalog", "add", "buyers")
    assert result.exit_code == 2  # the property is not in the data, which the project's own check says
    (folder / "definitions" / "own.yml").write_text(own.replace(' and kind == "paid"', ""))
    assert run(folder, "catalog", "add", "buyers").exit_code == 0
    assert "do: bought_it, worth: 4" in (folder / "definitions" / "buyers.yml").read_text()
    assert "all passed" in run(folder, "test").stdout


def test_before_the_first_load_names_of_the_specification_are_proposed(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert (
        CliRunner().invoke(app, ["init", str(folder), "--timezone", "UTC", "--currency", "EUR"]).exit_code
        == 0
    )
    assert "No data is loaded here yet" in run(folder, "catalog").stdout
    assert "E_UNCLEAR" in run(folder, "catalog", "add", "cart_abandoners").stderr
    result = run(folder, "catalog", "add", "cart_abandoners", "--yes")
    assert result.exit_code == 0, result.stderr
    assert "0 errors" in run(folder, "check").stdout


def test_the_same_from_python(tmp_path: Path) -> None:
    folder = made(tmp_path / "small", "a,2026-01-01,Order Completed,5\na,2026-01-02,Order Completed,6\n")
    with ethogram.open(folder) as small:
        ready = {row["name"] for row in small.catalog().to_pylist() if row["ready"]}
        assert "buyers" in ready and "cart_abandoners" not in ready
        report = small.add_from_catalog("spend_trend", parts={"purchase.amount": "worth"}, prefix="my_")
        assert report.written == ("definitions/catalog_behaviors.yml", "definitions/my_spend_trend.yml")
        small.refresh()
        assert small.members("my_rising_spend").num_rows == 0


# --- figures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(demo_sql.NEWEST)


def parameters(added: dict[str, Any], name: str) -> dict[str, float]:
    found = next(one["parameters"] for one in added["added"] if one["name"] == name)
    return {key: float(value.rstrip("d%")) for key, value in found.items()}


def sizes(added: dict[str, Any], name: str) -> dict[str, int]:
    """Of the groups of a segmentation that anybody is in."""
    start = f"{PREFIX}{name}."
    return {
        key.removeprefix(start): size
        for key, size in added["sizes"].items()
        if key.startswith(start) and size and not key.endswith(".no_order")
    }


def test_rfm_is_that_of_plain_sql(added: dict[str, Any], shop: Shop) -> None:
    assert sizes(added, "rfm") == shop.groups(FIFTHS)
    assert sizes(added, "rfm_27") == shop.groups(CELLS)
    assert sum(sizes(added, "rfm").values()) == 4338


def test_thresholds_are_those_of_plain_sql(added: dict[str, Any], shop: Shop) -> None:
    lapsing = parameters(added, "lapsing")
    assert [lapsing[name] for name in ("at_least", "late_days", "stopped_days")] == [
        shop.gap(0.5), shop.gap(0.75), shop.gap(0.9)
    ]  # fmt: skip
    assert parameters(added, "one_and_done")["after"] == shop.gap(0.8, first_only=True)
    tiers = parameters(added, "loyalty_tiers")
    assert [tiers[name] for name in ("silver", "gold", "platinum")] == [
        shop.spend(0.5), shop.spend(0.8), shop.spend(0.95)
    ]  # fmt: skip


def test_sizes_are_those_of_plain_sql(added: dict[str, Any], shop: Shop) -> None:
    lapsing = {name: value for name, value in parameters(added, "lapsing").items() if "_" in name}
    lapsed, late = shop.rows(LAPSING, **lapsing)[0]
    assert (added["sizes"]["c_lapsed"], added["sizes"]["c_lapsing"]) == (lapsed, late)
    after = parameters(added, "one_and_done")["after"]
    silent = (
        f"select count(*) from life where n = 1 and last <= getvariable('now') - interval {after:.0f} days"
    )
    assert added["sizes"]["c_one_and_done"] == shop.one(silent)
    assert added["sizes"]["c_frequent_returns"] == shop.one(RETURNS)


def test_stages_and_rhythms_are_those_of_plain_sql(added: dict[str, Any], shop: Shop) -> None:
    assert sizes(added, "repurchase_stage") == shop.groups(
        REPURCHASE, **parameters(added, "repurchase_stage")
    )
    assert sizes(added, "usage_rhythm") == shop.groups(RHYTHM, **parameters(added, "usage_rhythm"))
    assert added["sizes"]["c_routine_buyers"] == shop.one(ROUTINE) > 0


def test_the_other_forms_of_value_are_those_of_plain_sql(added: dict[str, Any], shop: Shop) -> None:
    money = {name: parameters(added, "rfm_braze")[name] for name in ("low_money", "high_money")}
    found = shop.groups(TWO_MONTHS, **money)
    assert sizes(added, "rfm_braze") == found
    assert added["sizes"]["c_vip"] == shop.one(VIP)


def test_tiers_are_those_of_plain_sql(added: dict[str, Any], shop: Shop) -> None:
    cuts = {name: parameters(added, "loyalty_tiers")[name] for name in ("silver", "gold", "platinum")}
    rows = shop.rows(TIERS, **cuts)
    assert sizes(added, "loyalty_tier") == {str(tier): count for tier, count, _ in rows}
    assert added["sizes"]["c_tier_at_risk"] == sum(int(str(at_risk)) for _, _, at_risk in rows)


def test_a_fifth_less_and_more_is_what_it_says(added: dict[str, Any], shop: Shop) -> None:
    line = next(line for line in added["sensitivity"] if line["parameter"] == "after")
    for side, place in (("lower", 0), ("higher", 2)):
        days = line[side].rstrip("d")
        silent = (
            f"select count(*) from life where n = 1 and last <= getvariable('now') - interval {days} days"
        )
        assert line["sizes"]["c_one_and_done"][place] == shop.one(silent)


# --- pages ----------------------------------------------------------------------------------------------------------


def test_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/make_catalog_pages.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, f"run scripts/make_catalog_pages.py: {done.stdout}{done.stderr}"
