"""`check` on loaded data: who is in only because a value is unknown, and what definitions cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ethogram.language.certainty import only_unknown
from ethogram.language.files import definitions_from_text
from tests.command_line import ORDERS, run

DEFINITIONS = """
behaviors:
  purchase: Order Completed
traits:
  biggest: max(purchase.total)
segments:
  modest: not biggest > 100
  small: not did(purchase[total > 100])
  abroad: customer.country != "GB"
  modest_too: modest and count(purchase) < 5
"""


def test_only_conditions_that_the_unknown_can_decide_are_doubtful() -> None:
    definitions = definitions_from_text(DEFINITIONS)
    doubtful = {
        name for name, one in definitions.segments.items() if only_unknown(one.when, definitions) is not None
    }
    assert doubtful == {"modest", "abroad", "modest_too"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "ethogram.toml").write_text(ORDERS)
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "all.yml").write_text(DEFINITIONS)
    rows = ["ann,2026-03-01T10:00:00Z,1,50", "bob,2026-03-02T10:00:00Z,2,500", "cay,2026-03-03T10:00:00Z,3,"]
    (tmp_path / "orders.csv").write_text("\n".join(["customer,at,id,total", *rows]) + "\n")
    return tmp_path


def test_check_counts_those_who_are_in_only_because_a_value_is_unknown(shop: Path) -> None:
    assert run("load", "--project", shop).exit_code == 0
    assert "unknown" not in run("check", "--project", shop).stdout
    assert run("refresh", "--project", shop).exit_code == 0
    said = run("check", "--project", shop).stdout
    assert "modest: 1 of 2 customers are in only because a value is unknown." in said
    assert "abroad: 3 of 3 customers are in only because a value is unknown." in said
    notes = json.loads(run("check", "--project", shop, "--json").stdout)
    found = {note["definition"]: note["only_unknown"] for note in notes if note["code"] == "N_UNKNOWN"}
    assert found == {"modest": 1, "abroad": 3, "modest_too": 1}
    assert {note["definition"]: note["events"] for note in notes if note["code"] == "N_EVENTS"}[
        "biggest"
    ] == 3
