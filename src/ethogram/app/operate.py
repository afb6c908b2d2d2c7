"""Verbs of Operate: events rejected, verify, doctor, bench."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from ethogram.app import render
from ethogram.app.boundary import FAILURES_FOUND
from ethogram.app.options import HERE, AsJson, Here
from ethogram.app.start import show_loaded
from ethogram.app.workbench import Workbench
from ethogram.bench.command import bench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ethogram.membership.verify import Verification
    from ethogram.model.event import Moment
    from ethogram.store.records import RejectedRow

_PANEL = "Operate"
SHOWN = 20
"""So many differences are listed; --json has more."""


def register(app: typer.Typer) -> None:
    events = typer.Typer(no_args_is_help=True, help="The events themselves: those that were rejected.")
    events.command()(rejected)
    events.callback()(_events)
    app.add_typer(events, name="events", rich_help_panel=_PANEL)
    for verb in (verify, doctor, bench):
        app.command(rich_help_panel=_PANEL)(verb)


def _events() -> None:
    """The events themselves: those that were rejected."""


def rejected(
    project: Here = HERE,
    replay: Annotated[
        bool, typer.Option("--replay", help="Try them again, after the settings or files were mended.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many the listing shows.")] = 20,
    json: AsJson = False,
) -> None:
    """Rows that could not be used, with file, line, column and reason."""
    with render.progress() as report, Workbench(project, report) as bench:
        replayed = bench.replay() if replay else None
        rows = bench.rejected()
    if json:
        names = ("source", "file", "line", "column", "field", "code", "reason")
        render.as_json([{name: getattr(row, name) for name in names} for row in rows])
        return
    if replayed is not None:
        show_loaded(replayed) if replayed else render.say("There was nothing to try again.")
    _show_rejected(rows, limit)


def _show_rejected(rows: Sequence[RejectedRow], limit: int) -> None:
    if not rows:
        render.say("No row is rejected.")
        return
    reasons = Counter((row.source, row.code, row.reason) for row in rows)
    columns = (
        render.Column("rows", "right"),
        render.Column("source"),
        render.Column("code"),
        render.Column("reason", wraps=True),
    )
    render.table(columns, [(render.number(n), *reason) for reason, n in reasons.most_common(limit)])
    render.heading(
        f"The first {min(limit, len(rows))} of {render.number(len(rows))}"
        if len(rows) > limit
        else "All of them"
    )
    places = (render.Column("place", wraps=True), render.Column("field"), render.Column("code"))
    render.table(places, [(_place(row), row.field, row.code) for row in rows[:limit]])
    render.say("\nMend the file or the settings, then: ethogram events rejected --replay")


def _place(row: RejectedRow) -> str:
    return ":".join(str(part) for part in (row.file, row.line, row.column) if part is not None)


def verify(
    customers: Annotated[
        list[str] | None, typer.Argument(metavar="CUSTOMER", help="These too, beside the sample.")
    ] = None,
    project: Here = HERE,
    sample: Annotated[
        int, typer.Option("--sample", min=0, help="How many customers, drawn at random.")
    ] = 200,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Draw the same sample again.", show_default="another each time"),
    ] = None,
    json: AsJson = False,
) -> None:
    """Compute a sample of customers a second, independent way and compare."""
    chosen = random.randrange(1_000_000) if seed is None else seed
    with render.progress() as report, Workbench(project, report) as bench:
        found = bench.verify(customers or (), sample=sample, seed=chosen)
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        render.as_json({**found.as_json(), "as_of": render.at(found.as_of, "UTC"), "seed": chosen})
    else:
        _show_verified(found, chosen, zone, newest)
    if not found.is_equal:
        raise typer.Exit(FAILURES_FOUND)


def _show_verified(found: Verification, seed: int, zone: str, newest: Moment) -> None:
    render.say(
        f"As of {render.as_of(found.as_of, zone, newest)}: {render.counted(found.sampled, 'customer')} of "
        f"{render.number(found.customers)} computed a second way (seed {seed}), {render.number(found.compared)} answers compared."
    )
    if found.stale:
        render.say(f"Edited since the last refresh, so compared as they are now: {', '.join(found.stale)}.")
    if not found.is_current:
        render.say("Events came since the last refresh: what was recorded then was not compared.")
    if found.is_equal:
        render.say("No difference.")
        return
    render.heading(render.counted(found.differing, "difference"))
    columns = (
        render.Column("customer"),
        render.Column("definition"),
        render.Column("one way", wraps=True),
        render.Column("the other", wraps=True),
    )
    rows = [
        (one.customer, one.name, f"{one.of[0]}: {one.first}", f"{one.of[1]}: {one.second}")
        for one in found.differences[:SHOWN]
    ]
    render.table(columns, rows)
    render.say("\nPlease report this, with the definition: a difference is a fault of ethogram.")


def doctor(project: Here = HERE, json: AsJson = False) -> None:
    """Look at environment, storage and the age of the answers; say what to do."""
    from ethogram.app.health import examine, show_health

    with render.progress() as report, Workbench(project, report) as bench:
        health = examine(bench)
    if json:
        render.as_json(health.as_json())
    else:
        show_health(health)
    if health.is_ill:
        raise typer.Exit(3)
