"""Verbs of Start: init, demo, simulate, load."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ethogram.app import render
from ethogram.app.options import HERE, AsJson, Here
from ethogram.app.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ethogram.ingest.load import LoadReport
    from ethogram.ingest.propose import Proposal
    from ethogram.simulate.shop import Written

_PANEL = "Start"


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(init)
    app.command(rich_help_panel=_PANEL)(demo)
    app.command(rich_help_panel=_PANEL)(simulate)
    app.command(rich_help_panel=_PANEL)(load)


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the new project.", show_default=False)
    ],
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="A file of events to look at; may be repeated."),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option("--timezone", metavar="ZONE", help="Such as Europe/London.", show_default="proposed"),
    ] = "",
    currency: Annotated[
        str, typer.Option("--currency", metavar="CODE", help="Such as EUR.", show_default="proposed")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take every proposal, ask nothing.")] = False,
) -> None:
    """Make a new project; from files, propose how to read them.

    Looks at the files and proposes customer, time, event, amounts, currency, refunds and the lines of one order; shows what it understood on
    three rows, and asks where it is unsure.
    """
    from ethogram.app import new

    new.require_new(folder)
    if files:
        answers = {key: said for key, said in (("timezone", timezone), ("currency", currency)) if said}
        written = new.write_proposal(
            folder, _proposal(folder, files, answers, ask=not yes and sys.stdin.isatty())
        )
    else:
        written = new.write_empty(folder, timezone=timezone, currency=currency)
    render.heading("Written")
    for path in written:
        render.raw(f"  {path}")
    elsewhere = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    render.say(f"\nNext: {elsewhere}ethogram load && ethogram refresh && ethogram segments")


def _proposal(folder: Path, files: Sequence[Path], answers: dict[str, str], *, ask: bool) -> Proposal:
    """Asks while there is something to ask: an answer may raise another question."""
    from ethogram.ingest.propose import propose

    proposal = propose(folder, files, answers)
    while ask and (open_ := [question for question in proposal.questions if question.key not in answers]):
        for question in open_:
            known = f" ({', '.join(question.choices)})" if question.choices else ""
            answers[question.key] = typer.prompt(
                f"{question.text}{known}", default=question.default, err=True
            )
        proposal = propose(folder, files, answers)
    for draft, sample in zip(proposal.drafts, proposal.samples, strict=False):
        render.heading(f"{draft.label}: source {sample.source}")
        for comment in draft.comments:
            render.say(comment, indent=2)
        for line in sample.lines:
            render.say(line, indent=2)
        rejected = f", {render.counted(sample.rejected, 'row')} cannot be used" if sample.rejected else ""
        render.say(f"{render.counted(sample.rows, 'event')}{rejected}", indent=2)
    for leftover in proposal.leftovers:
        render.heading(f"{leftover.file}: not used")
        render.say(leftover.why, indent=2)
    if not ask and proposal.notes:
        render.heading("Worth a look in ethogram.toml")
        for note in proposal.notes:
            render.say(note, indent=2)
    return proposal


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the demo's project is made.")] = Path(
        "demo-shop"
    ),
) -> None:
    """See the whole job done on a real shop's invoices."""
    from ethogram.app.demo import run_demo

    with render.progress() as report:
        run_demo(folder, report)


def simulate(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the new project.", show_default=False)
    ],
    customers: Annotated[
        int, typer.Option("--customers", metavar="N", min=1, max=10_000_000, help="How many there are.")
    ] = 2_000,
    days: Annotated[
        int, typer.Option("--days", metavar="D", min=1, max=3_650, help="How far their history goes back.")
    ] = 1_096,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", min=0, help="The same number makes the same shop.")
    ] = 1,
    json: AsJson = False,
) -> None:
    """Make a shop that never was, with known truth.

    An ordinary project of visits, orders, messages, opinions and what is known of customers, with the catalog's
    definitions. Among its customers are planted ones: truth.csv says in which segments they belong.
    """
    from ethogram.app import simulated
    from ethogram.simulate.shop import Shop

    with render.progress() as report:
        written = simulated.simulate(folder, Shop(customers, days, seed), report)
    if json:
        render.as_json(written.as_json())
    else:
        show_simulated(written)
        render.say(f"\nNext: cd {folder} && ethogram load && ethogram refresh && ethogram segments")


def show_simulated(written: Written) -> None:
    rows = (
        ("customers", render.number(written.customers)),
        ("events", render.number(written.events)),
        ("personas planted among them", render.number(len(written.personas))),
        ("facts about these, in truth.csv", render.number(written.facts)),
        ("entries of the catalog", render.number(len(written.entries))),
    )
    render.table((render.Column("what"), render.Column("how many", "right")), rows, header=False)
    if written.lacking:
        render.say(f"\nToo few customers for: {', '.join(written.lacking)}.")


def load(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="Names from ethogram.toml; all of them if none is given."),
    ] = None,
    project: Here = HERE,
    json: AsJson = False,
) -> None:
    """Bring events in from the project's sources; what is already there is not added twice."""
    with render.progress() as report, Workbench(project, report) as bench:
        reports = bench.load(sources or None)
    if json:
        render.as_json([one.as_json() for one in reports])
    else:
        show_loaded(reports)


def show_loaded(reports: Sequence[LoadReport]) -> None:
    """A line for each source: lines read, rows made of them, and what became of those."""
    titles = ("source", "read", "unreadable", "rows", "accepted", "duplicates", "rejected")
    columns = [
        render.Column(title, "right" if index else "left", wraps=not index)
        for index, title in enumerate(titles)
    ]
    rows = [
        (
            one.source,
            *map(
                render.number,
                (one.read, one.unreadable, one.rows, one.accepted, one.duplicates, one.rejected),
            ),
        )
        for one in reports
    ]
    if not reports:
        render.say(
            "ethogram.toml names no sources yet: add [sources.NAME] with files, customer, time and event."
        )
        return
    render.table(columns, rows)
    for one in reports:
        for note in one.notes:
            render.say(note)
    if all(one.unchanged for one in reports):
        render.say("Nothing new: these files were loaded before.")
    if any(one.rejected or one.unreadable for one in reports):
        render.say("Rejected rows, with reasons: ethogram events rejected")
