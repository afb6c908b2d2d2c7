"""Verbs of the catalog: list, show, add."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from ethogram.app import render
from ethogram.app.options import HERE, AsJson, Here
from ethogram.app.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ethogram.app.ready_made import AddedReport, Listed, Shown
    from ethogram.catalog.fitting import Question

_PANEL = "Define"


class _EntriesAreShown(typer.core.TyperGroup):
    """`catalog rfm` is `catalog show rfm`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(cls=_EntriesAreShown)
    verbs.command()(show)
    verbs.command()(add)
    verbs.callback(invoke_without_command=True)(catalog)
    app.add_typer(verbs, name="catalog", rich_help_panel=_PANEL)


def catalog(
    context: typer.Context,
    project: Here = HERE,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="Only those of one kind, such as loyalty.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Ready-made definitions: list them with what each needs, look at one, add it.

    Without a word behind it, it lists all of them, and says for which of them this project has the data.
    """
    if context.invoked_subcommand is not None:
        if project != HERE or kind or json:
            word = context.invoked_subcommand
            raise typer.BadParameter(
                f"options stand behind the word: ethogram catalog {word} … --project DIR"
            )
        return
    from ethogram.app.ready_made import listed, listed_anywhere

    if (project / "ethogram.toml").exists():
        with Workbench(project) as bench:
            found = listed(bench, kind)
    else:
        found = listed_anywhere(kind)
    if json:
        render.as_json([one.as_json() for one in found])
    else:
        _show_listed(found)


def _show_listed(found: Sequence[Listed]) -> None:
    from ethogram.catalog.entry import KIND_TITLES

    kinds = list(dict.fromkeys(one.entry.kind for one in found))
    for kind in kinds:
        render.heading(f"{KIND_TITLES[kind]} ({kind})")
        rows = [(one.entry.name, _in_the_list(one)) for one in found if one.entry.kind == kind]
        width = max(len(one.entry.name) for one in found)
        columns = [render.Column(""), render.Column("", wraps=True)]
        render.table(columns, [(name.ljust(width), status) for name, status in rows], indent=2, header=False)
    known = any(one.is_known or one.added for one in found)
    ready = f", {sum(one.is_ready for one in found)} ready for this project's data" if known else ""
    if not known:
        render.say("\nNo data is loaded here yet, so nothing is known of what is ready.")
    render.say(
        f"\n{render.counted(len(found), 'entry', 'entries')}{ready}. "
        "Look at one: ethogram catalog show NAME. Add it: ethogram catalog add NAME."
    )


def _in_the_list(one: Listed) -> str:
    """Its status where something is known of the data, otherwise what it is."""
    return f"{one.entry.title}: {one.status}" if one.is_known or one.added else one.entry.sentence


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An entry, such as rfm.", show_default=False)],
    project: Here = HERE,
    json: AsJson = False,
) -> None:
    """One entry: what it means, needs and asks for, what to do with it, and its definitions."""
    from ethogram.app.ready_made import shown

    found = shown(project, name)
    if json:
        render.as_json(found.as_json())
    else:
        _show_entry(found)


def _show_entry(found: Shown) -> None:
    from ethogram.catalog.entry import KIND_TITLES

    entry = found.entry
    render.say(f"{entry.name}: {entry.title}")
    render.say(entry.sentence, indent=2)
    render.say(f"{KIND_TITLES[entry.kind]}. {found.status.capitalize()}.", indent=2)
    if entry.published:
        render.say(f"Published form: {entry.published}", indent=2)
    if found.needs:
        render.heading("Needs")
        columns = [render.Column("need"), render.Column("what it is", wraps=True), render.Column("here")]
        rows = [(need.name, need.title, need.here) for need in found.needs]
        render.table(columns, rows, indent=2)
    if entry.uses:
        render.say(f"\nUses {', '.join(entry.uses)}, added along.", indent=2)
    settable = [one for one in entry.parameters.values() if not one.computed]
    if settable:
        render.heading("Parameters")
        for one in settable:
            render.say(f"{one.name} = {one.default or '(must be said)'}", indent=2)
            several = " Several values stand with | between them." if "|" in one.default else ""
            render.say(one.means + several, indent=4)
            if one.data:
                render.say(f"add takes it from the data: {one.data.means}.", indent=4)
    render.heading("What to do with them")
    purpose = f" Needs consent to {entry.play.purpose}." if entry.play.purpose else ""
    render.say(entry.play.what + purpose, indent=2)
    for note in entry.notes:
        render.say(note, indent=2)
    render.heading("Definitions")
    render.raw(found.definitions)
    render.say(f"\nAdd it: ethogram catalog add {entry.name}")


def add(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME…", help="Entries, such as rfm cart_abandoners.", show_default=False),
    ],
    project: Here = HERE,
    parts: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="NEED=NAME", help="What plays a part: purchase='Order Paid'; may be repeated."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PARAMETER=VALUE", help="A parameter, such as within=3d; may be repeated."
        ),
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="TEXT", help="How the names of the new definitions begin.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take every proposal, ask nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Write entries into the project, with its own names for events; thresholds come from its data."""
    from ethogram.app.ready_made import Adding

    with render.progress() as report, Workbench(project, report) as bench:
        adding = Adding(bench, names, _pairs(parts or [], "--map"), _pairs(settings or [], "--set"), prefix)
        while not yes and adding.questions:
            if not sys.stdin.isatty():
                raise adding.unanswered()
            adding.answer(_ask(adding.questions[0]))
        done = adding.finish()
    if json:
        render.as_json(done.as_json())
    else:
        _show_added(done)


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Raises DataError E_OPTION."""
    from ethogram.model.errors import DataError

    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise DataError("E_OPTION", f"{option} {text}: NAME=VALUE is expected")
        found[name.strip()] = value.strip()
    return found


def _ask(question: Question) -> Mapping[str, str]:
    """One answer may change what is asked next: another event has other properties."""
    typer.echo(f"\n{question.need}: {question.title}", err=True)
    for choice in question.choices:
        seen = f" ({choice.count:,})" if choice.count else ""
        typer.echo(f"  {choice.name}{seen}", err=True)
    answer = typer.prompt("Which is it?", default=question.proposal or None, err=True)
    return {question.need: answer.strip()}


def _show_added(done: AddedReport) -> None:
    for name, file in done.already.items():
        render.say(f"{name} is in the project already: {file}. Edit it there.")
    if not done.ready:
        return
    if done.chosen:
        render.heading("What plays which part")
        render.table(
            [render.Column(""), render.Column("", wraps=True)],
            list(done.chosen.items()),
            indent=2,
            header=False,
        )
    for one in done.ready:
        explained = [(name, value) for name, value in one.values.items() if name in one.reasons]
        if explained:
            render.heading(f"Thresholds of {one.entry.name}")
            for name, value in explained:
                render.say(
                    f"{name} = {value.replace('|', ', ')}: {one.entry.parameters[name].means}", indent=2
                )
                render.say(one.reasons[name], indent=4)
        if one.cuts:
            render.heading(f"Cuts of {one.entry.name}")
            for cut in one.cuts:
                render.say(cut, indent=2)
        if one.left_out:
            render.say(
                "\nTests left out, for this project's thresholds or filters are others: "
                f"{'; '.join(one.left_out)}"
            )
    _show_sizes(done)
    render.heading("Written")
    for path in done.written:
        render.raw(f"  {path}")
    render.say("\nNext: ethogram plan, then ethogram refresh")


def _show_sizes(done: AddedReport) -> None:
    if not done.sizes:
        return
    render.heading(f"Sizes now, of {render.counted(done.customers, 'customer')}")
    columns = [
        render.Column("", wraps=True),
        render.Column("customers", "right"),
        render.Column("share", "right"),
    ]
    rows = []
    for name, size in done.sizes.items():
        share = render.percent(size / done.customers) if done.customers else ""
        rows.append((name, render.number(size), share))
    render.table(columns, rows, indent=2)
    for line in done.sensitivities:
        lower, higher = line.lower, line.higher
        render.heading(f"If {line.parameter} were a fifth less ({lower}) or more ({higher})")
        columns = [
            render.Column("", wraps=True),
            render.Column(lower, "right"),
            render.Column("as it is", "right"),
            render.Column(higher, "right"),
        ]
        rows4 = [
            (name, *map(render.number, three)) for name, three in line.sizes.items() if len(set(three)) > 1
        ]
        if rows4:
            render.table(columns, rows4, indent=2)
        else:
            render.say("No size changes.", indent=2)
