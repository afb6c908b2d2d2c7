"""Verbs that count over time: funnel, metrics, retention."""

from __future__ import annotations

from typing import Annotated

import typer

from ethogram.app import render
from ethogram.app.options import HERE, AsJson, AsOf, Drawn, Here
from ethogram.app.pictures import charts, offer
from ethogram.app.workbench import Workbench

_PANEL = "Look"
_By = Annotated[
    str,
    typer.Option(
        "--by", metavar="NAME", help="For each group of a segmentation, or in and out of a segment."
    ),
]


def register(app: typer.Typer) -> None:
    for verb in (funnel, metrics, retention):
        app.command(rich_help_panel=_PANEL)(verb)


def funnel(
    steps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STEP STEP…]",
            help="Behaviors with filters or not, segments; or one segmentation, from its last group to its first.",
            show_default="view, cart, checkout, purchase",
        ),
    ] = None,
    project: Here = HERE,
    within: Annotated[
        str, typer.Option("--within", metavar="7d", help="At most so long from first to last step.")
    ] = "",
    last: Annotated[
        str, typer.Option("--last", metavar="90d", help="Ways that began in this time.", show_default="all")
    ] = "",
    by: _By = "",
    as_of: AsOf = "",
    chart: Drawn = "",
    json: AsJson = False,
) -> None:
    """How far customers come on the way, where they stop, and how long each step takes."""
    from ethogram.app.over_time import asked_funnel, show_funnel

    with render.progress() as report, Workbench(project, report) as bench:
        found = asked_funnel(bench, steps or (), within=within, last=last, by=by, as_of=as_of)
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        since = None if found.since is None else render.at(found.since, "UTC")
        moments = {"since": since, "until": render.at(found.until, "UTC")}
        render.as_json({**moments, **found.as_json()})
    elif not offer(chart, lambda: charts().funnel(found)):
        show_funnel(found, zone, newest)


def metrics(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[METRIC…]", help="Such as revenue or repeat_rate.", show_default="all"),
    ] = None,
    project: Here = HERE,
    period: Annotated[
        str, typer.Option("--period", metavar="30d", help="The period, compared with the one before.")
    ] = "30d",
    by: _By = "",
    as_of: AsOf = "",
    json: AsJson = False,
) -> None:
    """What the shop did in a period, against the one before, with how sure that is."""
    from ethogram.app.over_time import asked_metrics, show_metrics

    with render.progress() as report, Workbench(project, report) as bench:
        found = asked_metrics(bench, names or (), period=period, by=by, as_of=as_of)
        settings, newest = bench.settings, bench.newest()
    if json:
        moments = {"since": render.at(found.since, "UTC"), "until": render.at(found.until, "UTC")}
        render.as_json([{**moments, **line} for line in found.as_json()])
    else:
        show_metrics(found, settings, newest)


def retention(
    event: Annotated[
        str,
        typer.Argument(
            metavar="[BEHAVIOR]", help="What coming back is, with a filter or not.", show_default="purchase"
        ),
    ] = "",
    project: Here = HERE,
    every: Annotated[
        str, typer.Option("--every", metavar="month", help="day, week, month, quarter or year.")
    ] = "month",
    by: _By = "",
    as_of: AsOf = "",
    chart: Drawn = "",
    json: AsJson = False,
) -> None:
    """Who comes back: cohorts by their first time, and how many of them did it again in each later period."""
    from ethogram.app.over_time import asked_retention, show_retention

    with render.progress() as report, Workbench(project, report) as bench:
        found = asked_retention(bench, event, every=every, by=by, as_of=as_of)
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        render.as_json({"until": render.at(found.until, "UTC"), **found.as_json()})
    elif not offer(chart, lambda: charts().retention(found, f"{found.event}: who came back")):
        show_retention(found, zone, newest)
