"""Who is who: identity (Look), unmerge (Operate)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ethogram.app import render
from ethogram.app.options import HERE, AsJson, Here
from ethogram.app.workbench import Workbench

if TYPE_CHECKING:
    from ethogram.identity.person import Evidence, Id, Person
    from ethogram.store.records import Link

SHOWN = 3
"""So many other customers of a value are named."""


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Look")(identity)
    app.command(rich_help_panel="Operate")(unmerge)


def identity(
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="Any id of theirs.", show_default=False)
    ],
    project: Here = HERE,
    json: AsJson = False,
) -> None:
    """Which ids are one person, and why: the links that join them, and those that do not."""
    with render.progress() as report, Workbench(project, report) as bench:
        found = bench.identity(customer)
        zone = bench.settings.timezone
    if json:
        render.as_json(found.as_json())
    else:
        _show_person(found, zone)


def _show_person(found: Person, zone: str) -> None:
    if found.asked != found.name:
        render.say(f"{found.asked} is {found.name}.")
    ids = render.counted(len(found.ids), "id")
    render.say(f"{found.name} has {ids}; answers are given under {found.name}.\n")
    columns = (
        render.Column("id", wraps=True),
        render.Column("kind"),
        render.Column("events", "right"),
        render.Column("first"),
        render.Column("last"),
    )
    render.table(columns, [_id_row(one, zone) for one in found.ids])
    for one in found.ids:
        if one.until is not None:
            render.say(
                f"\n{one.id}: what came before {render.minute(one.until, zone)} is {found.name}'s. Another customer was seen with it then; what came "
                "since belongs to nobody known."
            )
        if one.since is not None:
            render.say(
                f"\n{one.id} is shared: what came before {render.minute(one.since, zone)} is the first customer's."
            )
    if not found.evidence:
        return
    render.heading("Links")
    head = (
        render.Column("", "right"),
        render.Column("between", wraps=True),
        render.Column("first seen"),
        render.Column("in", wraps=True),
        render.Column("used", wraps=True),
    )
    render.table(head, [_link_row(one, zone) for one in found.evidence])
    render.say("\nA wrong one: ethogram unmerge NUMBER")


def _id_row(one: Id, zone: str) -> tuple[str, ...]:
    days = ("" if moment is None else render.day(moment, zone) for moment in (one.first, one.last))
    return one.id, "customer" if one.is_known else "anonymous", render.number(one.events), *days


def _link_row(one: Evidence, zone: str) -> tuple[str, ...]:
    link = one.link
    return (
        str(link.id),
        said(link),
        render.day(link.time, zone),
        f"{link.source}, {link.message_id}",
        _used(one),
    )


def _used(one: Evidence) -> str:
    others = ", ".join(one.others[:SHOWN]) + (
        f" and {len(one.others) - SHOWN:,} more" if len(one.others) > SHOWN else ""
    )
    match one.state:
        case "used":
            return "yes"
        case "shared":
            return f"no, shared with {others}" if others else "no, it is another customer's id"
        case "two customers":
            return "no, two customers would be one"
        case "limit":
            return "no, one too many: [identity.limits]"
        case _:
            return "no, taken back"


def said(link: Link) -> str:
    """`u17 and anonymous cookie-1`."""
    return f"{link.customer} and {link.kind} {link.value}"


def unmerge(
    links: Annotated[
        list[int],
        typer.Argument(metavar="LINK…", help="Numbers that `ethogram identity` shows.", show_default=False),
    ],
    project: Here = HERE,
    restore: Annotated[bool, typer.Option("--restore", help="Use them again.")] = False,
    json: AsJson = False,
) -> None:
    """Take links back that made two people one."""
    with render.progress() as report, Workbench(project, report) as bench:
        found, recorded = bench.unmerge(links, is_restored=restore)
    if json:
        render.as_json(
            {"links": [link.id for link in found], "restored": restore, "changed": recorded.persons}
        )
        return
    for link in found:
        render.say(f"{link.id}: {said(link)}: {'used again' if restore else 'taken back'}.")
    if recorded.persons:
        render.say(
            f"{render.counted(recorded.persons, 'id')} changed hands. Next: ethogram refresh counts them as they are now."
        )
    else:
        render.say("Nobody's ids are others by that: other links say the same, or this one did not count.")
