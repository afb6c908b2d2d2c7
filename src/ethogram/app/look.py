"""Verbs of Look: segments, count, describe, compare, members, explain, history, flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ethogram.app import render
from ethogram.app.comparison import show_comparison
from ethogram.app.options import HERE, AsJson, AsOf, Drawn, Here
from ethogram.app.pictures import charts, offer
from ethogram.app.tables import (
    flow_rows,
    show_answers,
    show_explained,
    show_flow,
    show_history,
    show_rows,
    write_table,
)
from ethogram.app.workbench import Workbench

if TYPE_CHECKING:
    from ethogram.membership.reading import SegmentListing

_PANEL = "Look"
_Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A segment, or a group such as usage_level.heavy.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    for verb in (segments, count, describe, compare, members, explain, history, flow, report):
        app.command(rich_help_panel=_PANEL)(verb)


def segments(project: Here = HERE, as_of: AsOf = "", json: AsJson = False) -> None:
    """Sizes of all segments and groups, shares of customers and revenue, change against a month before."""
    with render.progress() as report, Workbench(project, report) as bench:
        listing = bench.segments(as_of)
        edited = () if as_of else bench.edited()
        titles = bench.titles()
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        moment = render.at(listing.as_of, "UTC")
        render.as_json(
            [
                {**line.as_json(), "title": titles.get(line.full_name, ""), "as_of": moment}
                for line in listing.lines
            ]
        )
        return
    render.say(
        f"As of {render.as_of(listing.as_of, zone, newest)}: {render.counted(listing.customers, 'customer')}.\n"
    )
    show_segments(listing, zone)
    if edited:
        render.say(f"\nEdited since: {', '.join(edited)}. See what would change: ethogram plan")


def show_segments(listing: SegmentListing, zone: str) -> None:
    """Segments first, then each segmentation with its groups, and what revenue and change are of."""
    since = (
        f"since {render.day(listing.compared_with, zone)[:-5]}"
        if listing.compared_with is not None
        else "change"
    )
    has_revenue = any(line.revenue_share is not None for line in listing.lines)
    columns = [
        render.Column("segment", wraps=True),
        render.Column("customers", "right"),
        render.Column("share", "right"),
        render.Column(""),
    ]
    columns += [render.Column("of revenue", "right")] if has_revenue else []
    columns += [render.Column(since, "right")]
    rows, heading = [], ""
    for line in listing.lines:
        if line.segmentation != heading:
            heading = line.segmentation
            rows += [("",) * len(columns), (heading, *("",) * (len(columns) - 1))]
        name = f"  {line.name}" if line.segmentation else line.name
        change = "" if line.change is None else render.signed(line.change)
        revenue = (render.percent(line.revenue_share),) if has_revenue else ()
        rows.append(
            (
                name,
                render.number(line.size),
                render.percent(line.share),
                render.bar(line.share),
                *revenue,
                change,
            )
        )
    render.table(columns, rows)


def count(
    expression: Annotated[
        str,
        typer.Argument(
            metavar="EXPRESSION", help="In quotes, e.g. 'count(purchase) >= 3'.", show_default=False
        ),
    ],
    project: Here = HERE,
    as_of: AsOf = "",
    json: AsJson = False,
) -> None:
    """How many customers an expression holds for, now, without editing a file; and the sentence it means."""
    with render.progress() as report, Workbench(project, report) as bench:
        found = bench.count(expression, as_of)
        zone, newest = bench.settings.timezone, bench.newest()
    if json:
        render.as_json({**found.as_json(), "as_of": render.at(found.as_of, "UTC")})
        return
    whole = f"{render.number(found.size)} of {render.counted(found.customers, 'customer')}"
    render.say(f"{whole} ({render.percent(found.share)}) as of {render.as_of(found.as_of, zone, newest)}")
    render.say(found.sentence)


def describe(name: _Name, project: Here = HERE, chart: Drawn = "", json: AsJson = False) -> None:
    """A definition in plain English, and who its people are against everyone."""
    from ethogram.app.description import describe as described
    from ethogram.app.description import show_description

    with render.progress() as report, Workbench(project, report) as bench:
        found = described(bench, name)
        titles = bench.titles()
        zone = bench.settings.timezone
        newest = bench.newest() if found.as_of is not None else None
    if json:
        render.as_json(found.as_json())
    elif found.portrait is None or not offer(chart, lambda: charts().portrait(found.portrait, titles)):
        show_description(found, zone, newest)


def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME NAME…", help="Segments, or groups such as usage_level.heavy.", show_default=False
        ),
    ],
    project: Here = HERE,
    as_of: AsOf = "",
    chart: Drawn = "",
    json: AsJson = False,
) -> None:
    """How segments overlap, and what separates two of them."""
    with render.progress() as report, Workbench(project, report) as bench:
        found = bench.compare(names, as_of)
        titles = bench.titles()
    if json:
        render.as_json(found.as_json())
    elif not offer(chart, lambda: charts().overlap(found, titles)):
        show_comparison(found)


def members(
    name: _Name,
    project: Here = HERE,
    as_of: AsOf = "",
    columns: Annotated[
        str, typer.Option("--columns", metavar="TRAIT,…", help="Traits to show beside each customer.")
    ] = "",
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write all of them: .csv, .parquet, .jsonl, or - for csv on stdout.",
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many the listing shows.")] = 20,
    json: AsJson = False,
) -> None:
    """Who is in a segment or group, and since when."""
    wanted = [column.strip() for column in columns.split(",") if column.strip()]
    with render.progress() as report, Workbench(project, report) as bench:
        table = bench.members(name, as_of, wanted)
        moment = bench.now(as_of)
        zone, newest = bench.settings.timezone, bench.newest()
    if output:
        write_table(table, output)
        if output != "-":
            typer.echo(f"{render.counted(table.num_rows, 'customer')} written to {output}", err=True)
    elif json:
        render.as_json(table.to_pylist())
    else:
        render.say(
            f"{name} as of {render.as_of(moment, zone, newest)}: {render.counted(table.num_rows, 'customer')}.\n"
        )
        show_rows(table, limit, zone)
        if table["since"].slice(0, limit).null_count:
            render.say("\nNo date: since before the first refresh. Exactly: ethogram explain CUSTOMER.")
        if table.num_rows > limit:
            rest = render.number(table.num_rows - limit)
            render.say(f"\n… and {rest} more; -o {name}.csv writes all of them.")


def explain(
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="The customer's id.", show_default=False)
    ],
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A segment, segmentation, group or trait.", show_default=False),
    ] = "",
    project: Here = HERE,
    as_of: AsOf = "",
    json: AsJson = False,
) -> None:
    """Why a customer is in, or not; what would change it, and when time alone will."""
    with render.progress() as report, Workbench(project, report) as bench:
        explanations = bench.explain(customer, [name] if name else [], as_of)
        settings, newest = bench.settings, bench.newest()
    if json:
        told = [one.as_json() for one in explanations]
        render.as_json(told[0] if name else told)
    elif name:
        show_explained(explanations[0], settings, newest)
    else:
        show_answers(explanations, settings, newest)


def history(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A segment, group or segmentation.", show_default=False)
    ],
    project: Here = HERE,
    days: Annotated[int, typer.Option("--days", min=1, help="How far back.")] = 90,
    chart: Drawn = "",
    json: AsJson = False,
) -> None:
    """The size of a segment over time."""
    with render.progress() as report, Workbench(project, report) as bench:
        found = bench.history(name, days)
        title = bench.titles().get(name, name)
        zone = bench.settings.timezone
    if json:
        render.as_json(
            [
                {
                    "name": f"{name}.{group}" if group and "." not in name else name,
                    "at": render.at(moment, "UTC"),
                    "size": size,
                }
                for group, sizes in found.sizes.items()
                for moment, size in zip(found.moments, sizes, strict=True)
            ]
        )
    elif not offer(chart, lambda: charts().history(found, zone, title)):
        show_history(found, zone)


def flow(
    segmentation: Annotated[
        str, typer.Argument(metavar="SEGMENTATION", help="Such as usage_level.", show_default=False)
    ],
    project: Here = HERE,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="From when.", show_default="a month before")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Until when.", show_default="now")
    ] = "",
    chart: Drawn = "",
    json: AsJson = False,
) -> None:
    """Who moved from which group to which."""
    with render.progress() as report, Workbench(project, report) as bench:
        found = bench.flow(segmentation, since, until)
        titles = bench.titles()
        zone, newest = bench.settings.timezone, bench.newest()
    span = f"{render.day(found.start, zone)} to {render.day(found.end, zone)}"
    if json:
        render.as_json(flow_rows(found))
    elif not offer(chart, lambda: charts().flow(found, titles, f"{segmentation}, {span}")):
        show_flow(found, zone, newest)


def report(
    project: Here = HERE,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="Where to write it.")
    ] = Path("report.html"),
    json: AsJson = False,
) -> None:
    """One page with pictures of all this, which opens without a network."""
    from ethogram.app.report import write_report

    with render.progress() as progress, Workbench(project, progress) as bench:
        write_report(bench, output)
    if json:
        render.as_json({"file": str(output), "bytes": output.stat().st_size})
    else:
        render.say(f"Written to {output}: open it in a browser.")
