"""The demo on a real shop: what it prints, and that its segments are those that plain SQL finds."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import demo_sql
import pytest
from typer.testing import CliRunner, Result

import ethogram
from ethogram.app.cli import app
from ethogram.catalog.entry import KIND_TITLES

Demo = tuple[Path, Result]


def run(demo: Demo, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--project", str(demo[0])])


def test_it_shows_the_whole_job(demo: Demo) -> None:
    result = demo[1]
    assert result.exit_code == 0, result.stderr
    said = result.stdout
    for part in (
        "541,909",
        "18,532",
        "1,428",
        "9 Dec 2011, 12:50, the newest event",
        "4,371 customers",
        "of revenue",
    ):
        assert part in said
    for part in ("since 9 Nov", "life_stage", "slipping", "Time alone", "What to type next"):
        assert part in said
    assert max(map(len, said.splitlines())) <= 80


def test_it_opens_with_every_kind(demo: Demo) -> None:
    said, _, real = demo[1].stdout.partition("A real shop")
    assert real
    for title in [
        *list(KIND_TITLES.values())[:8],
        "Demographic",
        "Geographic",
        "Psychographic",
        "Firmographic",
    ]:
        assert title in said
    for part in ("Left a full cart the day before yesterday.", "all as recorded.", "in lapsing since"):
        assert part in said


def test_the_simulated_shop_is_a_project_of_its_own(demo: Demo) -> None:
    result = CliRunner().invoke(app, ["segments", "--project", str(demo[0] / "simulated"), "--json"])
    assert result.exit_code == 0, result.stderr
    assert {"cart_abandoners", "advocacy", "promoter"} <= {line["name"] for line in json.loads(result.stdout)}


def test_it_can_be_run_again(demo: Demo) -> None:
    again = CliRunner().invoke(app, ["demo", str(demo[0])])
    assert again.exit_code == 0, again.stderr
    assert "Nothing new" in again.stdout


def test_it_does_not_overwrite_what_is_not_the_demo(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    result = CliRunner().invoke(app, ["demo", str(tmp_path)])
    assert result.exit_code == 2 and "E_FOLDER_NOT_EMPTY" in result.stderr
    (tmp_path / "ethogram.toml").write_text('name = "other"\n')
    assert "E_PROJECT_EXISTS" in CliRunner().invoke(app, ["demo", str(tmp_path)]).stderr


def test_known_figures() -> None:
    assert demo_sql.total_of_orders() == (397_884, 18_532, 4_338, Decimal("8911407.904"))


@pytest.mark.parametrize("moment", [demo_sql.NEWEST, demo_sql.MONTH_BEFORE])
def test_segments_are_those_of_plain_sql(demo: Demo, moment: datetime) -> None:
    found = json.loads(run(demo, "segments", "--as-of", f"{moment:%Y-%m-%d %H:%M}", "--json").stdout)
    sizes = {line["name"]: line["size"] for line in found if line["kind"] == "segment"}
    expected = {name: len(people) for name, people in demo_sql.members(moment).items()}
    assert {name: sizes[name] for name in expected} == expected


@pytest.mark.parametrize("name", ["lapsing", "loyal", "tried_then_stocked_up", "vip"])
def test_members_are_those_of_plain_sql(demo: Demo, name: str) -> None:
    with ethogram.open(demo[0]) as shop:
        people = set(shop.members(name)["customer"].to_pylist())
    assert people == demo_sql.members(demo_sql.NEWEST)[name]


def test_groups_divide_everyone(demo: Demo) -> None:
    found = json.loads(run(demo, "segments", "--json").stdout)
    for segmentation in ("life_stage", "usage_level", "value_grid"):
        assert sum(line["size"] for line in found if line.get("segmentation") == segmentation) == 4371


def test_the_most_valuable_fifth_and_the_most_recent_two_are_champions(demo: Demo) -> None:
    found = {
        line["name"]: line
        for line in json.loads(run(demo, "segments", "--json").stdout)
        if line.get("segmentation") == "value_grid"
    }
    assert found["champions"]["revenue_share"] > 0.5


def test_an_independent_computation_agrees(demo: Demo) -> None:
    result = run(demo, "verify", "--sample", "25", "--seed", "7")
    assert result.exit_code == 0, result.stdout
    assert "No difference." in result.stdout


def test_definitions_are_sound_and_their_tests_pass(demo: Demo) -> None:
    assert "0 errors, 0 warnings" in run(demo, "check").stdout
    assert "all passed" in run(demo, "test").stdout
