"""Verbs of Define: check, test, plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from ethogram.app import render
from ethogram.app.boundary import FAILURES_FOUND
from ethogram.app.options import HERE, AsJson, Here
from ethogram.app.workbench import Workbench

if TYPE_CHECKING:
    from ethogram.membership.plan import PlanLine

_PANEL = "Define"
DEAREST = 3


def register(app: typer.Typer) -> None:
    for verb in (check, test, plan):
        app.command(rich_help_panel=_PANEL)(verb)


def check(project: Here = HERE, json: AsJson = False) -> None:
    """Find mistakes in the definitions, and what looks wrong."""
    with Workbench(project) as bench:
        findings = bench.check()
        definitions = bench.definitions
        wrong = [finding for finding in findings if finding.is_error]
        unknown: dict[str, tuple[int, int]] = {}
        read: Mapping[str, int] = {}
        if not wrong and bench.catalog is not None and bench.has_refreshed():
            unknown, read = bench.only_unknown(), bench.engine().events_read()
    if json:
        notes: list[dict[str, object]] = [
            {
                "severity": "note",
                "code": "N_UNKNOWN",
                "definition": name,
                "members": members,
                "only_unknown": only,
            }
            for name, (members, only) in unknown.items()
        ]
        notes += [
            {"severity": "note", "code": "N_EVENTS", "definition": name, "events": count}
            for name, count in read.items()
        ]
        render.as_json([*(finding.as_json() for finding in findings), *notes])
    else:
        for finding in findings:
            render.raw(f"{finding}\n")
        counts = ", ".join(
            render.counted(len(group), noun)
            for group, noun in (
                (definitions.behaviors, "behavior"),
                (definitions.traits, "trait"),
                (definitions.segments, "segment"),
                (definitions.segmentations, "segmentation"),
                (definitions.lists, "list"),
            )
            if group
        )
        warnings = render.counted(len(findings) - len(wrong), "warning")
        render.say(f"{counts or 'No definitions'}: {render.counted(len(wrong), 'error')}, {warnings}.")
        for name, (members, only) in unknown.items():
            if only:
                render.say(
                    f"{name}: {only:,} of {render.counted(members, 'customer')} are in only because a value is unknown."
                )
        dearest = sorted(read, key=lambda name: -read[name])[:DEAREST]
        if dearest:
            render.say("Most events are looked at for:")
            shown = [(name, f"{read[name]:,}") for name in dearest]
            render.table((render.Column(""), render.Column("", "right")), shown, header=False)
    if wrong:
        raise typer.Exit(2)


def test(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Only the tests of these definitions.")
    ] = None,
    project: Here = HERE,
    json: AsJson = False,
) -> None:
    """Run the tests written beside the definitions."""
    with Workbench(project) as bench:
        results = bench.test(names or ())
    failed = [result for result in results if not result.passed]
    if json:
        render.as_json(
            [
                {
                    "definition": result.definition,
                    "test": result.test,
                    "passed": result.passed,
                    "expected": result.expected,
                    "found": result.found,
                    "why": result.why,
                    "file": result.span.file if result.span else None,
                    "line": result.span.line if result.span else None,
                }
                for result in results
            ]
        )
    else:
        for result in failed:
            render.raw(f"{result}\n")
        tested = len({result.definition for result in results})
        said = f"{render.counted(len(results), 'test')} of {render.counted(tested, 'definition')}"
        render.say(
            f"{said}: {f'{len(failed)} failed' if failed else 'all passed'}."
            if results
            else "There are no tests."
        )
    if failed:
        raise typer.Exit(FAILURES_FOUND)


def plan(project: Here = HERE, json: AsJson = False) -> None:
    """Who would enter and leave if the definitions on disk took effect. Nothing is recorded."""
    with render.progress() as report, Workbench(project, report) as bench:
        found = bench.plan()
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        render.as_json([line.as_json() for line in found.lines])
        return
    if not found.lines:
        render.say("Nothing was edited since the last refresh.")
        return
    render.say(
        f"As of {render.as_of(found.as_of, zone, newest)}, of {render.counted(found.customers, 'customer')}:\n"
    )
    titles = ("definition", "", "before", "after", "enter", "leave", "move")
    columns = [
        render.Column(title, "right" if index > 1 else "left", wraps=not index)
        for index, title in enumerate(titles)
    ]
    render.table(columns, [_plan_row(line) for line in found.lines])
    render.say("\nethogram refresh makes it so.")


def _plan_row(line: PlanLine) -> list[str]:
    """A new definition has no before, a removed one no after."""
    before = "" if line.edit == "new" else render.number(line.before)
    after = "" if line.edit == "removed" else render.number(line.after)
    changes = [render.number(count) if count else "" for count in (line.enter, line.leave, line.move)]
    return [line.name, line.edit, before, after, *changes]
