"""Verbs of Run: refresh."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ethogram.app import render
from ethogram.app.options import HERE, AsJson, AsOf, Here
from ethogram.app.workbench import Workbench
from ethogram.model.errors import DataError, EthogramError

if TYPE_CHECKING:
    from ethogram.membership.refresh import RefreshReport
    from ethogram.model.event import Moment

_PANEL = "Run"


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(refresh)


def refresh(
    project: Here = HERE,
    full: Annotated[
        bool, typer.Option("--full", help="Evaluate everyone, not only those for whom something changed.")
    ] = False,
    as_of: AsOf = "",
    every: Annotated[
        str, typer.Option("--every", metavar="1h", help="Load and refresh again and again: 15min, 1h, 1d.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Evaluate the definitions; record who entered, left and moved, and when."""
    if every:
        _again_and_again(project, every, full=full, json=json)
        return
    with render.progress() as report, Workbench(project, report) as bench:
        done = bench.refresh(full=full, as_of=as_of)
        zone, newest = bench.settings.timezone, bench.newest()
    show_refreshed(done, zone, newest, json=json)


def show_refreshed(report: RefreshReport, zone: str, newest: Moment, *, json: bool = False) -> None:
    if json:
        render.as_json({**report.as_json(), "as_of": render.at(report.as_of, "UTC")})
        return
    some = f"{render.number(report.evaluated)} of " if report.evaluated < report.customers else ""
    people = f"{some}{render.counted(report.customers, 'customer')} evaluated"
    render.say(f"As of {render.as_of(report.as_of, zone, newest)}: {people} in {report.seconds:.1f} s.")
    edits = report.edits
    if edits.new and not (report.entered or report.left or report.moved):
        count = render.counted(len(edits.new), "definition")
        render.say(
            f"{count} evaluated for the first time: who was in before is not known, so nobody entered or left."
        )
    else:
        render.say(
            f"{render.number(report.entered)} entered, {render.number(report.left)} left, {render.number(report.moved)} moved."
        )
    for what, names in (("New", edits.new), ("Edited", edits.edited), ("Gone", edits.removed)):
        if names and (what != "New" or report.entered or report.left or report.moved):
            render.say(f"{what}: {', '.join(sorted(names))}")


def _again_and_again(project: Path, every: str, *, full: bool, json: bool) -> None:
    """Loads and refreshes until it is stopped; an error in one round is told, and the next round tries again."""
    import time

    pause = _seconds(every)
    while True:
        started = time.monotonic()
        try:
            with render.progress() as report, Workbench(project, report) as bench:
                if bench.config.sources:
                    bench.load()
                done = bench.refresh(full=full)
                zone, newest = bench.settings.timezone, bench.newest()
            show_refreshed(done, zone, newest, json=json)
        except EthogramError as error:
            typer.echo(str(error), err=True)
        time.sleep(max(0.0, pause - (time.monotonic() - started)))


def _seconds(text: str) -> int:
    """`15min`, `1h`, `1d`. Raises DataError E_DURATION."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})(s|min|h|d)", text)
    if not found:
        raise DataError("E_DURATION", f"'{text}' is no duration", hint="Write 30s, 15min, 1h or 1d.")
    return int(found[1]) * {"s": 1, "min": 60, "h": 3600, "d": 86400}[found[2]]
