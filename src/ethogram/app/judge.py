"""Verbs of Judge: health, gaps, voice."""

from __future__ import annotations

from typing import Annotated

import typer

from ethogram.app import render
from ethogram.app.options import HERE, AsJson, Here
from ethogram.app.workbench import Workbench

_PANEL = "Judge"


def register(app: typer.Typer) -> None:
    for verb in (health,):
        app.command(rich_help_panel=_PANEL)(verb)


def health(
    project: Here = HERE,
    days: Annotated[
        int,
        typer.Option(
            "--days", min=1, max=3650, help="Take segments as of so many days ago, and look what came since."
        ),
    ] = 30,
    json: AsJson = False,
) -> None:
    """Which segments are worth having, whom they miss, what is out of date, and what the data cannot tell."""
    from ethogram.app.segment_health import examine, show_health

    with render.progress() as report, Workbench(project, report) as bench:
        found = examine(bench, days)
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        moments = {"as_of": render.at(found.as_of, "UTC"), "since": render.at(found.since, "UTC")}
        render.as_json({**moments, **found.as_json()})
    else:
        show_health(found, zone, newest)
