"""Small shops with known truth, for the views that judge segments."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.command_line import run

SETTINGS = """\
name = "shop"
timezone = "UTC"
{revenue}
"""
SOURCE = """
[sources.{name}]
files = "{name}.csv"
customer = "customer"
time = "at"
message_id = "id"
event = "event"
properties = {{ {properties} }}
traits = {{ {traits} }}
"""


def told(*arguments: object) -> dict[str, object]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def make_shop(
    folder: Path,
    definitions: str,
    sources: dict[str, Iterable[Sequence[object]]],
    *,
    properties: Sequence[str] = ("total",),
    traits: Sequence[str] = (),
    revenue: str = "purchase.total",
    refresh: bool = True,
) -> Path:
    """Rows are customer, time, event, then the properties, then the traits; ids are made."""
    (folder / "definitions").mkdir(parents=True)
    text = SETTINGS.format(revenue=f'revenue = "{revenue}"' if revenue else "")
    for name, rows in sources.items():
        text += SOURCE.format(
            name=name,
            properties=", ".join(f'{one} = "{one}"' for one in properties),
            traits=", ".join(f'{one} = "{one}"' for one in traits),
        )
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "customer", "at", "event", *properties, *traits])
            writer.writerows([f"{name}{number}", *row] for number, row in enumerate(rows))
    (folder / "ethogram.toml").write_text(text, encoding="utf-8")
    (folder / "definitions" / "all.yml").write_text(definitions, encoding="utf-8")
    loaded = run("load", "--project", folder)
    assert loaded.exit_code == 0, loaded.stderr
    if refresh:
        done = run("refresh", "--project", folder)
        assert done.exit_code == 0, done.stderr
    return folder
