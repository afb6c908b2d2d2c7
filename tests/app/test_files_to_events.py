"""init, load, check, test and events rejected, as a user types them, on files in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import run

ORDERS = """\
order_id,customer_id,created_at,total,currency
A1,ann,2026-01-03 10:00:00,120.50,EUR
A2,bob,2026-01-04 11:30:00,80.00,EUR
A3,ann,2026-01-09 09:15:00,40.25,EUR
A4,,2026-01-09 09:20:00,15.00,EUR
"""
SETTINGS = """\
name = "shop"
timezone = "Europe/Berlin"
revenue = "purchase.total"

[sources.orders]
files = "orders.csv"
customer = "customer_id"
time = "created_at"
message_id = "order_id"
event = { constant = "Order Completed" }
properties = { total = "total" }
"""
DEFINITIONS = """\
behaviors:
  purchase: Order Completed
segments:
  twice:
    when: count(purchase) >= 2
    tests:
      - { name: once, events: [{ ago: 1d, do: purchase, total: 9 }], expect: out }
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "definitions").mkdir(parents=True)
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "ethogram.toml").write_text(SETTINGS)
    (folder / "definitions" / "all.yml").write_text(DEFINITIONS)
    return folder


def test_load_says_for_each_source_what_became_of_its_rows(shop: Path) -> None:
    result = run("load", "--project", shop, "--json")
    assert result.exit_code == 0, result.output
    (orders,) = json.loads(result.stdout)
    names = ("source", "read", "unreadable", "rows", "accepted", "duplicates", "rejected")
    assert tuple(orders[name] for name in names) == ("orders", 4, 0, 4, 3, 0, 1)
    (again,) = json.loads(run("load", "--project", shop, "--json").stdout)
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (0, 3, 1)


def test_load_as_a_table(shop: Path) -> None:
    lines = run("load", "orders", "--project", shop).stdout.splitlines()
    assert lines[0].split() == ["source", "read", "unreadable", "rows", "accepted", "duplicates", "rejected"]
    assert lines[1].split() == ["orders", "4", "0", "4", "3", "0", "1"]
    assert max(map(len, lines)) <= 80


def test_an_unknown_source_is_named(shop: Path) -> None:
    result = run("load", "order", "--project", shop)
    assert result.exit_code == 2
    assert "E_SOURCE_UNKNOWN" in result.stderr and result.stdout == ""


def test_rejected_rows_have_a_place_and_a_reason_and_can_be_tried_again(shop: Path) -> None:
    run("load", "--project", shop)
    (row,) = json.loads(run("events", "rejected", "--project", shop, "--json").stdout)
    assert (row["file"], row["line"], row["field"], row["code"]) == (
        "orders.csv",
        5,
        "customer",
        "E_CUSTOMER_EMPTY",
    )
    assert "orders.csv:5" in run("events", "rejected", "--project", shop).stdout
    (shop / "orders.csv").write_text(ORDERS.replace("A4,,", "A4,cay,"))
    assert run("events", "rejected", "--replay", "--project", shop).exit_code == 0
    assert json.loads(run("events", "rejected", "--project", shop, "--json").stdout) == []


def test_check_finds_nothing_wrong(shop: Path) -> None:
    result = run("check", "--project", shop)
    assert result.exit_code == 0
    assert "1 behavior, 1 segment: 0 errors" in result.stdout


def test_check_knows_the_loaded_properties(shop: Path) -> None:
    run("load", "--project", shop)
    path = shop / "definitions" / "all.yml"
    path.write_text(path.read_text().replace("count(purchase) >= 2", "sum(purchase.totl) > 500"))
    result = run("check", "--project", shop)
    assert result.exit_code == 2
    assert "definitions/all.yml:5:" in result.stdout and "Did you mean 'total'?" in result.stdout
    (finding,) = json.loads(run("check", "--project", shop, "--json").stdout)
    assert (finding["severity"], finding["line"], finding["definition"]) == ("error", 5, "twice")


def test_a_definition_file_that_cannot_be_read_is_exit_2(shop: Path) -> None:
    (shop / "definitions" / "all.yml").write_text("segments:\n  a:\n    when: did(purchase\n")
    result = run("check", "--project", shop)
    assert result.exit_code == 2
    assert "definitions/all.yml:3:" in result.stderr


def test_tests_of_definitions(shop: Path) -> None:
    assert run("test", "--project", shop).stdout == "1 test of 1 definition: all passed.\n"
    path = shop / "definitions" / "all.yml"
    path.write_text(path.read_text().replace("expect: out", "expect: in"))
    failed = run("test", "--project", shop)
    assert failed.exit_code == 1
    assert "twice: once: expected in, found out" in failed.stdout
    (told,) = json.loads(run("test", "--project", shop, "--json").stdout)
    assert (told["definition"], told["test"], told["passed"], told["line"]) == ("twice", "once", False, 7)
    assert run("test", "thrice", "--project", shop).exit_code == 2


def test_a_folder_that_is_no_project_says_what_to_do(tmp_path: Path) -> None:
    result = run("check", "--project", tmp_path)
    assert result.exit_code in (2, 3)
    assert "E_NO_PROJECT" in result.stderr and "ethogram init" in result.stderr


def test_init_from_files_makes_a_project_that_loads(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS)
    folder = tmp_path / "new"
    result = run("init", folder, "--from", tmp_path / "orders.csv", "--timezone", "Europe/Berlin", "--yes")
    assert result.exit_code == 0, result.stderr
    assert "customer ann" in result.stdout
    assert 'timezone = "Europe/Berlin"' in (folder / "ethogram.toml").read_text()
    assert run("check", "--project", folder).exit_code == 0
    (orders,) = json.loads(run("load", "--project", folder, "--json").stdout)
    assert orders["accepted"] == 3
    assert run("init", folder).exit_code == 2


def test_init_without_files_makes_a_project_to_fill(tmp_path: Path) -> None:
    folder = tmp_path / 'a "new" one'
    assert run("init", folder, "--currency", "EUR").exit_code == 0
    assert run("check", "--project", folder).exit_code == 0
    assert ".ethogram/" in (folder / ".gitignore").read_text()
