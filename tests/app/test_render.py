"""Numbers, moments and tables as a terminal shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ethogram.app import render

NOON = 1_323_435_000_000_000  # 2011-12-09 12:50 UTC


def test_numbers() -> None:
    assert render.number(397884) == "397,884"
    assert [render.signed(n) for n in (12, 0, -1200)] == ["+12", "0", "-1,200"]
    assert render.percent(Decimal("0.0987")) == "9.9%"
    assert render.percent(None) == ""


def test_money_is_in_the_project_s_currency() -> None:
    amount = Decimal("8911407.904")
    assert [render.money(amount, c) for c in ("GBP", "SEK", "")] == [
        "£8,911,408",
        "SEK 8,911,408",
        "8,911,408",
    ]


def test_moments_are_local() -> None:
    assert render.minute(NOON, "Europe/London") == "9 Dec 2011, 12:50"
    assert render.minute(NOON, "Asia/Tokyo") == "9 Dec 2011, 21:50"
    assert render.day(NOON, "Pacific/Auckland") == "10 Dec 2011"


def test_a_moment_says_how_it_stands_to_the_newest_event() -> None:
    day = 86_400_000_000
    assert render.as_of(NOON, "UTC", NOON) == "9 Dec 2011, 12:50, the newest event"
    assert render.as_of(NOON - day, "UTC", NOON) == "8 Dec 2011, 12:50"
    assert render.as_of(NOON + day, "UTC", NOON) == "10 Dec 2011, 12:50, after the newest event (9 Dec 2011)"


def test_json_keeps_numbers_and_says_utc() -> None:
    moment = datetime(2011, 12, 9, 12, 50, tzinfo=UTC)
    value = {"a": Decimal("10.0"), "b": Decimal("0.1"), "c": moment, "d": (None, True)}
    assert render.plain(value) == {"a": 10, "b": 0.1, "c": "2011-12-09T12:50:00Z", "d": [None, True]}


def test_a_table_fits_eighty_columns_and_takes_brackets_literally(capsys: pytest.CaptureFixture[str]) -> None:
    columns = (
        render.Column("name"),
        render.Column("what it says", wraps=True),
        render.Column("size", "right"),
    )
    render.table(columns, [("vip", "[bold]many words " * 20, "438"), ("[red]", "few", "1,234")])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "[bold]many" in lines[1] and "438" in lines[1]
    assert lines[-1].startswith("[red]") and lines[-1].rstrip().endswith("1,234")


def test_a_bar_of_a_share() -> None:
    assert len(render.bar(1.0)) == 10
    assert render.bar(None) == render.bar(0) == ""
    assert render.bar(0.0001) != ""


def test_a_paragraph_ends_its_lines_without_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    render.say("seven words that go over one line " * 4)
    render.say("")
    render.say("a blank line follows\n")
    lines = capsys.readouterr().out.split("\n")
    assert lines[2:] == ["", "a blank line follows", "", ""]
    assert lines[0] == lines[0].rstrip() and len(lines[0]) > 60


def test_commands_stand_whole(capsys: pytest.CaptureFixture[str]) -> None:
    command = "ethogram members vip --columns spend -o vip.csv"
    render.commands(
        (command, "whom to write to"), ("ethogram catalog", "ready-made definitions, and what fits this data")
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{command}  whom to write to"
    assert max(map(len, lines)) <= 80 and not any("…" in line for line in lines)
    assert (
        " ".join(" ".join(lines[1:]).split())
        == "ethogram catalog ready-made definitions, and what fits this data"
    )
