"""`describe`: a definition in words, what it hangs together with, and who its people are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ethogram.app import naming, render

if TYPE_CHECKING:
    import pyarrow as pa

    from ethogram.app.workbench import Workbench
    from ethogram.insight.everybody import Everybody
    from ethogram.insight.inference import Estimate
    from ethogram.insight.portrait import Facet, Portrait
    from ethogram.language.tree import Definition, Definitions, Expression
    from ethogram.model.event import Moment

TELLING = 5
"""So many of a kind are shown; --json has all."""


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
            found |= self.portrait.as_json()
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
        naming.require_group(base, group, tuple(groups))
    has_people = bool(group) or isinstance(found, Segment)
    as_of = bench.now() if has_people and bench.catalog is not None else None
    portrait = None if as_of is None else known(bench, definitions, as_of).portrait(name)
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


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of everybody, to draw portraits from; see `insight.portrait`."""

    everybody: Everybody
    behaviors: Mapping[str, str]
    customers: Sequence[pa.StringArray]

    def portrait(self, name: str) -> Portrait:
        from ethogram.insight.portrait import portrait

        members = self.everybody.members(name)
        return portrait(self.everybody, members, name, self.behaviors, self.customers)


def known(bench: Workbench, definitions: Definitions, as_of: Moment) -> Known:
    """Traits and answers, what was done lately, and the given traits of customers that may divide them into groups."""
    from ethogram.insight.everybody import everybody
    from ethogram.insight.portrait import did_lately
    from ethogram.language.printer import print_path
    from ethogram.language.tree import CustomerTrait

    own = [one for one in definitions.behaviors.values() if not one.each]
    extra: dict[str, Expression] = {f"did {one.name}": did_lately(one.name) for one in own}
    if bench.catalog is not None:
        traits = bench.catalog.traits.items()
        given = [path for path, use in traits if not use.in_list and len(use.types) == 1]
        extra |= {f"customer.{print_path(path)}": CustomerTrait(path) for path in given}
    engine = bench.engine(definitions, None, extra)
    return Known(
        everybody(engine, as_of, [*engine.traits, *extra]),
        {one.title or one.name: f"did {one.name}" for one in own},
        [engine.roster(bucket) for bucket in range(engine.buckets)],
    )


def _without_tests(definition: Definition) -> Definition:
    from ethogram.language.tree import Segment, Segmentation, Trait

    return (
        replace(definition, tests=())
        if isinstance(definition, Segment | Segmentation | Trait)
        else definition
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
    if not portrait.facets:
        render.say("  Too few, or too few others, to say who they are without telling of persons.")
        return
    if not portrait.clear:
        render.say("  Nothing that is known sets them clearly apart from the others.")
        return
    render.say(in_words(portrait), indent=2)
    for kind, title in TITLES.items():
        facets = [facet for facet in portrait.telling(TELLING) if facet.kind == kind]
        if facets:
            columns = (render.Column(title, wraps=True), *_FIGURES)
            render.say()
            render.table(columns, [_facet_row(facet) for facet in facets], indent=2)
    render.say(f"\nSome of them: {', '.join(portrait.sample)}.")


TITLES = {
    "trait": "median of",
    "value": "have",
    "behavior": "did in the last 90 days",
    "segment": "are also in",
}
_FIGURES = tuple(render.Column(title, "right") for title in ("theirs", "others'", "times (95% sure of)"))


def in_words(portrait: Portrait) -> str:
    """The clearest things in a sentence, one of a kind.

    A median is told as such, so that nobody takes it for everyone's.
    """
    chosen: dict[str, Facet] = {}
    for facet in portrait.clear:
        chosen.setdefault(facet.kind, facet)
    told = [_told(facet) for facet in sorted(chosen.values(), key=lambda facet: -facet.times.clarity)]
    return f"Against all other customers, {'; '.join(told)}."


def _told(facet: Facet) -> str:
    times = facet.times.value
    match facet.kind:
        case "trait":
            return f"{facet.name} is typically {_number(facet.members)} instead of {_number(facet.others)}"
        case "value":
            what = f"have {facet.name}"
        case "behavior":
            what = f"did {facet.name} in the last 90 days"
        case "segment":
            what = f"are in {facet.name}"
    who = {0.0: "none of them", 1.0: "all of them"}.get(facet.members, render.percent(facet.members))
    others = {0.0: "nobody", 1.0: "all"}.get(facet.others, render.percent(facet.others))
    often = f", {times:,.1f} times as often" if 1.05 <= times < 100 else ""
    return f"{who} {what} instead of {others}{often}"


def _facet_row(facet: Facet) -> tuple[str, ...]:
    figure = _number if facet.kind == "trait" else render.percent
    return facet.name, figure(facet.members), figure(facet.others), _times(facet.times)


def _times(found: Estimate) -> str:
    if not math.isfinite(found.value):
        return "only they" if found.value > 1 else ""
    if found.low == found.high:
        return _factor(found.value)
    return f"{_factor(found.value)} ({render.span(_factor(found.low), _factor(found.high))})"


def _factor(value: float) -> str:
    """
    >>> _factor(0.043), _factor(1.234), _factor(123.4)
    ('0.04', '1.23', '123')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _number(value: float) -> str:
    return f"{value:,.2f}".removesuffix(".00")
