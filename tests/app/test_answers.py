"""refresh, segments, count, describe, members, explain, history, flow, plan, verify and doctor on a small shop."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet
import pytest

import ethogram
from tests.command_line import run

ORDERS = """\
order_id,customer,time,total
1,ann,2026-01-03 10:00,100
2,ann,2026-02-03 10:00,50.5
3,bob,2026-01-20 10:00,20
4,cay,2026-02-27 12:00,700
5,"d, e",2026-02-28 12:00,5
"""
SETTINGS = """\
timezone = "UTC"
currency = "EUR"
revenue = "purchase.total"
[sources.orders]
files = "orders.csv"
customer = "customer"
time = "time"
message_id = "order_id"
event = { constant = "Order Completed" }
properties = { total = "total" }
"""
DEFINITIONS = """\
behaviors:
  purchase: Order Completed
traits:
  spend: sum(purchase.total)
segments:
  recent:
    title: Bought within 30 days
    when: did(purchase, last=30d)
  big:
    when: spend >= 100
segmentations:
  pace:
    groups:
      twice: count(purchase) >= 2
      once: otherwise
"""


def told(*arguments: str | Path) -> object:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("answers") / "shop"
    (folder / "definitions").mkdir(parents=True)
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "ethogram.toml").write_text(SETTINGS)
    (folder / "definitions" / "all.yml").write_text(DEFINITIONS)
    assert run("load", "--project", folder).exit_code == 0
    assert run("refresh", "--as-of", "2026-02-01", "--project", folder).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def refreshed(shop: Path) -> dict[str, object]:
    found = told("refresh", "--project", shop)
    assert isinstance(found, dict)
    return found


def test_refresh_says_who_moved(refreshed: dict[str, object]) -> None:
    assert {"evaluated", "entered", "left", "moved", "seconds"} <= set(refreshed)
    assert refreshed["as_of"] == "2026-02-28T12:00:00Z"
    assert (refreshed["left"], refreshed["moved"]) == (1, 1)


def test_segments(shop: Path, refreshed: object) -> None:
    lines = told("segments", "--project", shop)
    assert isinstance(lines, list)
    by_name = {(line.get("segmentation"), line["name"]): line for line in lines}
    recent = by_name[None, "recent"]
    assert (recent["kind"], recent["size"], recent["share"], recent["title"]) == (
        "segment",
        3,
        0.75,
        "Bought within 30 days",
    )
    assert recent["revenue_share"] == pytest.approx(855.5 / 875.5)
    assert by_name["pace", "twice"]["kind"] == "group" and by_name["pace", "twice"]["size"] == 1
    shown = run("segments", "--project", shop).stdout
    assert "As of 28 Feb 2026, 12:00, the newest event: 4 customers." in shown


def test_count_says_how_many_and_what_it_means(shop: Path, refreshed: object) -> None:
    found = told("count", "count(purchase) >= 2", "--project", shop)
    assert isinstance(found, dict)
    assert (found["size"], found["customers"], found["share"]) == (1, 4, 0.25)
    assert found["sentence"].startswith("Customers who")
    assert "1 of 4 customers (25.0%)" in run("count", "count(purchase) >= 2", "--project", shop).stdout


def test_count_of_a_mistake_says_where(shop: Path, refreshed: object) -> None:
    result = run("count", "sum(purchase.totl) > 5", "--project", shop)
    assert result.exit_code == 2
    assert "totl" in result.stderr and "Did you mean 'total'?" in result.stderr and "^^^^" in result.stderr


def test_members_as_csv_on_stdout(shop: Path, refreshed: object) -> None:
    text = run("members", "recent", "--columns", "spend", "-o", "-", "--project", shop).stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert next(csv.reader(io.StringIO(text)))[0] == "customer"
    assert {row["customer"]: row["spend"] for row in rows} == {"ann": "150.5", "cay": "700", "d, e": "5"}


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_members_into_a_file(shop: Path, refreshed: object, ending: str, tmp_path: Path) -> None:
    target = tmp_path / f"out.{ending}"
    result = run("members", "pace.once", "-o", target, "--project", shop)
    assert (result.exit_code, result.stdout) == (0, "")
    if ending == "parquet":
        assert pyarrow.parquet.read_table(target).num_rows == 3
    else:
        assert len(target.read_text().splitlines()) == (4 if ending == "csv" else 3)


def test_members_into_a_format_that_is_none(shop: Path, refreshed: object, tmp_path: Path) -> None:
    result = run("members", "recent", "-o", tmp_path / "out.xls", "--project", shop)
    assert result.exit_code == 2 and "E_FORMAT" in result.stderr


def test_members_of_an_unknown_name(shop: Path, refreshed: object) -> None:
    result = run("members", "recnt", "--project", shop)
    assert result.exit_code == 2 and "recent" in result.stderr


@pytest.mark.parametrize("verb", ["members", "history"])
def test_an_expression_where_a_name_stands(verb: str, shop: Path, refreshed: object) -> None:
    result = run(verb, "recent and not big", "--project", shop)
    assert result.exit_code == 2 and "E_NOT_A_NAME" in result.stderr and "ethogram count" in result.stderr


def test_compare_names_what_can_be_compared(shop: Path, refreshed: object) -> None:
    result = run("compare", "recent", "bigg", "--project", shop)
    assert result.exit_code == 2 and "There are: recent, big, pace. Did you mean 'big'?" in result.stderr


def test_flow_of_what_is_no_segmentation(shop: Path, refreshed: object) -> None:
    for name, said in (
        ("recent", "is a segment"),
        ("pace.once", "is a group"),
        ("pacce", "Did you mean 'pace'"),
    ):
        result = run("flow", name, "--project", shop)
        assert result.exit_code == 2 and said in result.stderr and "pace" in result.stderr


def test_a_missing_date_is_explained(shop: Path, refreshed: object) -> None:
    assert "No date: since before the first refresh" in run("members", "pace", "--project", shop).stdout
    assert "No date" not in run("members", "pace", "--limit", "0", "--project", shop).stdout
    assert "No date" not in run("explain", "cay", "--project", shop).stdout


def test_explain(shop: Path, refreshed: object) -> None:
    found = told("explain", "cay", "recent", "--project", shop)
    assert isinstance(found, dict)
    assert (found["answer"], found["time_changes_at"], found["time_changes_to"]) == (
        "in",
        "2026-03-29T12:00:00Z",
        "out",
    )
    text = run("explain", "cay", "recent", "--project", shop).stdout
    assert "cay is in recent" in text and "29 Mar 2026" in text
    everything = told("explain", "cay", "--project", shop)
    assert isinstance(everything, list) and {one["name"] for one in everything} == {"recent", "big", "pace"}
    assert run("explain", "nobody", "--project", shop).exit_code == 2


def test_history_and_flow(shop: Path, refreshed: object) -> None:
    sizes = told("history", "recent", "--days", "10", "--project", shop)
    assert isinstance(sizes, list)
    assert (sizes[-1]["size"], sizes[-1]["at"]) == (3, "2026-02-28T12:00:00Z")
    moves = told("flow", "pace", "--since", "2026-02-01", "--project", shop)
    assert isinstance(moves, list)
    assert {"from_group": "once", "to_group": "twice", "customers": 1} in moves
    assert {"from_group": None, "to_group": "once", "customers": 2} in moves
    assert "became customers" in run("flow", "pace", "--project", shop).stdout
    assert len(run("history", "pace", "--days", "5", "--project", shop).stdout.splitlines()) == 7


def test_describe(shop: Path, refreshed: object) -> None:
    found = told("describe", "big", "--project", shop)
    assert isinstance(found, dict)
    assert (found["kind"], found["size"], found["uses"]) == ("segment", 2, ["spend"])
    shown = run("describe", "recent", "--project", shop).stdout
    assert "Bought within 30 days" in shown and "Too few" in shown
    assert run("describe", "spend", "--project", shop).exit_code == 0
    assert run("describe", "pace.thrice", "--project", shop).exit_code == 2


def test_plan_shows_what_an_edit_would_do(shop: Path, refreshed: object) -> None:
    path = shop / "definitions" / "all.yml"
    before = path.read_text()
    assert told("plan", "--project", shop) == []
    try:
        path.write_text(before.replace("spend >= 100", "spend >= 500"))
        (line,) = json.loads(run("plan", "--project", shop, "--json").stdout)
        assert (line["name"], line["edit"], line["before"], line["after"], line["leave"]) == (
            "big",
            "edited",
            2,
            1,
            1,
        )
        assert "Edited since: big" in run("segments", "--project", shop).stdout
    finally:
        path.write_text(before)


def test_verify_and_doctor(shop: Path, refreshed: object) -> None:
    found = told("verify", "ann", "--sample", "2", "--seed", "3", "--project", shop)
    assert isinstance(found, dict)
    assert found["equal"] is True and found["differences"] == []
    health = told("doctor", "--project", shop)
    assert isinstance(health, list) and {one["what"] for one in health} >= {
        "environment",
        "project",
        "storage",
        "answers",
    }


def test_moments_that_are_none(shop: Path, refreshed: object) -> None:
    result = run("segments", "--as-of", "yesterday", "--project", shop)
    assert result.exit_code == 2 and "E_DATE" in result.stderr
    assert run("refresh", "--as-of", "2020-01-01", "--project", shop).exit_code == 2
    assert run("refresh", "--every", "soon", "--project", shop).exit_code == 2


def test_the_same_in_python(shop: Path, refreshed: object) -> None:
    with ethogram.open(shop) as project:
        assert project.segments().to_pandas().set_index("name").loc["recent", "size"] == 3
        assert project.members("recent", columns=["spend"]).column_names == ["customer", "since", "spend"]
        assert project.count("did(purchase)").size == 4
        assert project.flow("pace").schema.names == ["from_group", "to_group", "customers"]
        assert project.changes().num_rows > 0
        assert project.check().num_rows == 0 and project.check().schema.names[0] == "severity"


def test_before_the_first_load_and_refresh(tmp_path: Path) -> None:
    assert run("init", tmp_path / "new").exit_code == 0
    for verb in (["segments"], ["count", "everyone"], ["refresh"], ["verify"]):
        result = run(*verb, "--project", tmp_path / "new")
        assert result.exit_code == 2, verb
        assert "ethogram load" in result.stderr
    assert run("doctor", "--project", tmp_path / "new").exit_code == 0
