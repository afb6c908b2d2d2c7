"""Verbs of Judge: health, gaps, voice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ethogram.app import render
from ethogram.app.options import HERE, AsJson, AsOf, Here
from ethogram.app.workbench import Workbench

_PANEL = "Judge"


def register(app: typer.Typer) -> None:
    for verb in (health, gaps, voice):
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


def gaps(
    trait: Annotated[
        str,
        typer.Argument(
            metavar="TRAIT",
            help="A segmentation, a text trait, or a given trait such as customer.region.",
            show_default=False,
        ),
    ],
    reference: Annotated[
        Path,
        typer.Argument(
            metavar="REFERENCE.csv",
            help="A table of values and their share or count; a second value column is a second trait.",
            show_default=False,
        ),
    ],
    project: Here = HERE,
    engaged: Annotated[
        str,
        typer.Option(
            "--engaged",
            metavar="NAME",
            help="The segment or group of those who are engaged.",
            show_default="engaged or active, where there is one",
        ),
    ] = "",
    as_of: AsOf = "",
    json: AsJson = False,
) -> None:
    """Where customers differ from a population: who is missing, who is there more often, who is hard to engage."""
    from ethogram.app.population_gaps import compare_with, show_gaps

    with render.progress() as report, Workbench(project, report) as bench:
        found = compare_with(bench, trait, reference, engaged, as_of)
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        render.as_json({"as_of": render.at(found.as_of, "UTC"), **found.as_json()})
    else:
        show_gaps(found, zone, newest)


def voice(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A segment, or a group such as usage_level.heavy; all customers without one.",
            show_default=False,
        ),
    ] = "",
    project: Here = HERE,
    text: Annotated[
        list[str] | None,
        typer.Option(
            "--text",
            metavar="PROPERTY",
            help="Which property holds what people write, such as review.text; may be given several times.",
            show_default="what looks so",
        ),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, max=3650, help="Compare so many days with as many before them.")
    ] = 90,
    as_of: AsOf = "",
    json: AsJson = False,
) -> None:
    """What customers say: themes of reviews, answers, tickets and comments, with examples."""
    from ethogram.app.customer_voice import listen, show_voice

    with render.progress() as report, Workbench(project, report) as bench:
        found = listen(bench, name, text or (), days, as_of)
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        render.as_json({"as_of": render.at(found.as_of, "UTC"), **found.as_json()})
    else:
        show_voice(found, zone, newest)
