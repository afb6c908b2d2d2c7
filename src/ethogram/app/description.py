"""`describe`: a definition in words, what it hangs together with, and who its people are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ethogram.app import render

if TYPE_CHECKING:
    from ethogram.app.workbench import Workbench
    from ethogram.insight.portrait import Portrait
    from ethogram.language.tree import Definition, Definitions
    from ethogram.model.event import Moment

TELLING = 6
"""So many overlaps are shown; --json has all."""


@dataclass(frozen=True, slots=True)
class Description:
    """`sentence` says what the definition means; `text` is as it is written, without tests. No `portrait` before the first load."""

    name: str
    kind: str
    title: str
    description: str
    sentence: str
    text: str
    uses: tuple[str, ...]
    used_by: tuple[str, ...]
    as_of: Moment | None
    portrait: Portrait | None

    def as_json(self) -> dict[str, object]:
        found: dict[str, object] = {
            name: getattr(self, name)
            for name in ("name", "kind", "title", "description", "sentence", "text", "uses", "used_by")
        }
        found["as_of"] = None if self.as_of is None else render.at(self.as_of, "UTC")
        if self.portrait is not None:
            found["size"] = self.portrait.size
            found["share"] = self.portrait.size / self.portrait.customers if self.portrait.customers else 0.0
            found["traits"] = [
                {"name": one.name, "median": one.members, "median_of_everyone": one.everyone}
                for one in self.portrait.traits
            ]
            found["segments"] = [
                {"name": one.name, "share": one.members, "share_of_everyone": one.everyone}
                for one in self.portrait.overlaps
            ]
        return found


def describe(bench: Workbench, name: str) -> Description:
    """Raises DefinitionError for a name that nothing defines."""
    from ethogram.language.names import all_definitions, dependencies, require
    from ethogram.language.sentences import sentence
    from ethogram.language.tree import PeopleList, Segment, Segmentation
    from ethogram.language.writer import print_definition

    definitions = bench.sound_definitions()
    base, _, group = name.partition(".")
    found = require(definitions, base)
    groups = {one.name: one for one in found.groups} if isinstance(found, Segmentation) else {}
    if group:
        require_group(base, group, tuple(groups))
    has_people = bool(group) or isinstance(found, Segment)
    as_of = bench.now() if has_people and bench.catalog is not None else None
    portrait = None
    if as_of is not None:
        from ethogram.insight.portrait import portrait as draw

        portrait = draw(bench.engine(definitions), name, as_of)
    return Description(
        name=name,
        kind="group" if group else "list" if isinstance(found, PeopleList) else type(found).__name__.lower(),
        title=(groups[group].title if group else found.title) or "",
        description="" if group or isinstance(found, PeopleList) else found.description,
        sentence=sentence(found, definitions, bench.settings),
        text=print_definition(_without_tests(found)),
        uses=tuple(dependencies(definitions, base)),
        used_by=tuple(
            one.name for one in all_definitions(definitions) if base in dependencies(definitions, one.name)
        ),
        as_of=as_of,
        portrait=portrait,
    )


def _without_tests(definition: Definition) -> Definition:
    from ethogram.language.tree import Segment, Segmentation, Trait

    return (
        replace(definition, tests=())
        if isinstance(definition, Segment | Segmentation | Trait)
        else definition
    )


def require_members(definitions: Definitions, names: Sequence[str]) -> None:
    """Names of two or more different segments or groups. Raises DefinitionError."""
    from ethogram.model.errors import DefinitionError

    for name in names:
        require_member(definitions, name)
    if len(set(names)) < 2:
        raise DefinitionError(
            "E_TOO_FEW_NAMES", "one name cannot be compared", hint="Name two or more different ones."
        )


def require_member(definitions: Definitions, name: str) -> None:
    """The name of a segment or of a group of a segmentation. Raises DefinitionError."""
    from ethogram.language.names import require
    from ethogram.language.tree import Segment, Segmentation
    from ethogram.model.errors import DefinitionError

    base, _, group = name.partition(".")
    found = require(definitions, base)
    if isinstance(found, Segmentation):
        require_group(base, group, tuple(one.name for one in found.groups))
    elif not isinstance(found, Segment) or group:
        hint = "Name segments, or groups of segmentations such as life_stage.new."
        raise DefinitionError("E_NOT_MEMBERS", f"'{name}' has no members", hint=hint)


def require_group(segmentation: str, group: str, groups: tuple[str, ...]) -> None:
    from ethogram.language.findings import choices
    from ethogram.model.errors import DefinitionError

    if group not in groups:
        raise DefinitionError(
            "E_GROUP_UNKNOWN", f"'{segmentation}' has no group '{group}'", hint=choices(group, groups)
        )


def show_description(found: Description, zone: str, newest: Moment | None) -> None:
    render.say(f"{found.name}: {found.title}" if found.title else found.name)
    for text in (found.description, found.sentence):
        if text:
            render.say(text, indent=2)
    render.heading("As it is written")
    render.raw("\n".join(f"  {line}" for line in found.text.rstrip().splitlines()))
    if found.uses or found.used_by:
        render.say()
    if found.uses:
        render.say(f"Uses {', '.join(found.uses)}.")
    if found.used_by:
        render.say(f"Used by {', '.join(found.used_by)}.")
    if found.portrait is not None and found.as_of is not None and newest is not None:
        _show_portrait(found.portrait, found.as_of, zone, newest)


def _show_portrait(portrait: Portrait, as_of: Moment, zone: str, newest: Moment) -> None:
    share = render.percent(portrait.size / portrait.customers) if portrait.customers else ""
    render.heading(
        f"{render.counted(portrait.size, 'customer')}, {share} of all, as of {render.as_of(as_of, zone, newest)}"
    )
    if not portrait.size:
        return
    columns = (
        render.Column("median of"),
        render.Column("theirs", "right"),
        render.Column("everyone's", "right"),
    )
    traits = [
        (one.name, _number(one.members), _number(one.everyone))
        for one in portrait.traits
        if one.members is not None
    ]
    if traits:
        render.table(columns, traits, indent=2)
    if portrait.overlaps:
        render.say()
        columns = (
            render.Column("also in"),
            render.Column("of them", "right"),
            render.Column("of everyone", "right"),
        )
        rows = [
            (one.name, render.percent(one.members), render.percent(one.everyone))
            for one in portrait.overlaps[:TELLING]
        ]
        render.table(columns, rows, indent=2)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}".removesuffix(".00")
