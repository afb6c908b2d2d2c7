"""The health of a project's segments: whether they are worth having, reach people, are up to date, and rest on sound data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.insight import oversegmentation, reach, thin_data
from ethogram.insight.coverage import SourceLife, Survey, looks_at, source_lives, surveys
from ethogram.insight.drift import drifts
from ethogram.insight.everybody import Everybody, everybody
from ethogram.insight.finding import SEVERITIES, Finding
from ethogram.insight.outcomes import Outcome, outcomes
from ethogram.insight.people import Truth
from ethogram.language.instants import DAY
from ethogram.language.names import all_definitions
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Call, CustomerTrait, Definitions, Events, Trait
from ethogram.language.visits import expressions_of
from ethogram.language.walk import walk

if TYPE_CHECKING:
    from ethogram.engines.engine import Engine
    from ethogram.language.catalog import DataCatalog
    from ethogram.membership.staleness import Staleness
    from ethogram.model.event import Moment
    from ethogram.store import Store

AMOUNT = "_amount"
DAYS_BACK = (90, 180, 365)
"""Moments at which it is looked, too, whether somebody was in any segment."""
MOST_TRAITS = 60
MOST_PARTS = 12
"""Given traits with more values than this are no groups of customers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an examination asks of the engine: the project's definitions, and traits that no file defines. `did` is the word
    for what the amount counts."""

    definitions: Definitions
    own: Definitions
    did: str
    given: Mapping[str, str]
    surveys: Mapping[Survey, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Health:
    """Findings, the most serious first; `outcomes` are all that were tested."""

    as_of: Moment
    since: Moment
    customers: int
    did: str
    findings: tuple[Finding, ...]
    outcomes: tuple[Outcome, ...]

    def as_json(self) -> dict[str, object]:
        counts = {name: sum(one.severity == name for one in self.findings) for name in SEVERITIES}
        return {
            "customers": self.customers,
            "by_severity": counts,
            "findings": [one.as_json() for one in self.findings],
            "outcomes": [one.as_json() for one in self.outcomes],
        }


def asked(definitions: Definitions, catalog: DataCatalog | None, revenue: str, days: int) -> Asked:
    """`revenue` is the measure that counts, such as `purchase.total`; without one it is how much somebody did."""
    measure = f"sum({revenue}, last={days}d)" if revenue else f"count(any, last={days}d)"
    extra = {AMOUNT: parse_expression(measure, file="ethogram.toml" if revenue else "")}
    given: dict[str, str] = {}
    for path, use in list(catalog.traits.items())[:MOST_TRAITS] if catalog else ():
        if not use.in_list and len(use.types) == 1:
            given[f"customer.{'.'.join(path)}"] = name = f"_given_{len(given)}"
            extra[name] = CustomerTrait(path)
    found: dict[Survey, tuple[str, str]] = {}
    for number, survey in enumerate(surveys(catalog.events) if catalog else ()):
        found[survey] = (f"_answered_{number}", f"_asked_{number}" if survey.asked else "")
        for name, events in zip(found[survey], (survey.answers, survey.asked), strict=True):
            for place, event in enumerate(events):
                extra[f"{name}_{place}"] = Call("count", (Events(event, raw=True),))
    traits = {name: Trait(name, value) for name, value in extra.items()}
    whole = replace(definitions, traits={**definitions.traits, **traits})
    return Asked(whole, definitions, "bought" if revenue else "did anything", given, found)


def examine(
    store: Store, engine: Engine, asked: Asked, as_of: Moment, days: int, day: str, staleness: Staleness
) -> Health:
    """`day` is how the day so many days before is called."""
    definitions = asked.own
    numeric = [
        output.name
        for output in engine.runner.plan.outputs
        if output.kind == "trait" and output.type == "number" and not output.restless
    ]
    numeric = [name for name in numeric if name in definitions.traits]
    hidden = [name for name in asked.definitions.traits if name not in definitions.traits]
    now = everybody(engine, as_of, [*numeric, *hidden])
    before = everybody(engine, as_of - days * DAY, numeric)
    amounts = now.counts(AMOUNT)
    groups = {name: tuple(engine.group_names(name)) for name in engine.segmentations}
    otherwise = _otherwise(definitions)
    since = f"in the {days} days since {day}"
    tested = outcomes(before, amounts) if before.size else ()
    lives = source_lives(store)
    found: list[Finding] = []
    if not now.names:
        to_do = "ethogram catalog shows ready-made ones that this data allows."
        found.append(Finding("look", "no segments", "", "there is no segment and no segmentation", to_do))
    found += oversegmentation.too_many(now, groups)
    found += oversegmentation.wrong_sizes(now, otherwise)
    found += oversegmentation.nearly_the_same(now, otherwise)
    if before.size:
        found += oversegmentation.not_different(tested, groups, asked.did, since)
    if now.names and not before.size:
        said = f"nobody was a customer yet on {day}: nothing came after it"
        found.append(
            Finding(
                "note", "too few to tell", "", said, "Look again when there is more, or take fewer --days."
            )
        )
    found += reach.unused(definitions)
    moments = [now, before, *_earlier(engine, as_of, lives)]
    found += reach.unreached(now, reach.reached(moments, otherwise), amounts, since)
    found += reach.stale(staleness, _pace(lives))
    found += reach.quiet(lives, staleness.newest or as_of)
    found += drifts(before, now, groups, numeric, day) if before.size else ()
    found += _thin(asked, now, groups)
    found += thin_data.partial_sources(lives, now.size)
    order = sorted(found, key=lambda one: SEVERITIES.index(one.severity))
    return Health(as_of, before.as_of, now.size, asked.did, tuple(order), tested)


def _otherwise(definitions: Definitions) -> frozenset[str]:
    return frozenset(
        f"{name}.{group.name}"
        for name, one in definitions.segmentations.items()
        for group in one.groups
        if group.when is None
    )


def _earlier(engine: Engine, as_of: Moment, lives: Sequence[SourceLife]) -> Iterator[Everybody]:
    first = min((int(one.days[0]) * DAY for one in lives), default=as_of)
    for back in DAYS_BACK:
        if as_of - back * DAY > first:
            yield everybody(engine, as_of - back * DAY)


def _pace(lives: Sequence[SourceLife]) -> float:
    days = np.unique(np.concatenate([one.days for one in lives])) if lives else np.zeros(0)
    return float(np.median(np.diff(days))) if len(days) > 1 else 1.0


def _thin(asked: Asked, now: Everybody, groups: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for survey, (answered, was_asked) in asked.surveys.items():
        reached = _did(now, was_asked, survey.asked) if was_asked else now.known
        divisions = {
            name: (now.groups[name].astype(np.int64), own)
            for name, own in groups.items()
            if not looks_at(asked.own, name, (*survey.answers, *survey.asked))
        }
        divisions |= dict(_given_divisions(asked, now))
        yield from thin_data.survey_findings(
            survey, _did(now, answered, survey.answers), reached & now.known, divisions
        )
    known = {
        name: int((now.known & np.asarray(now.traits[trait].is_valid())).sum())
        for name, trait in asked.given.items()
    }
    yield from thin_data.missing_traits(known, now.size, _users(asked.own))


def _did(now: Everybody, name: str, events: Sequence[str]) -> Truth:
    counts = [now.counts(f"{name}_{place}") for place in range(len(events))]
    found: Truth = np.sum(counts, axis=0) > 0
    return found


def _given_divisions(
    asked: Asked, now: Everybody
) -> Iterator[tuple[str, tuple[NDArray[np.int64], Sequence[str]]]]:
    for name, trait in asked.given.items():
        place, values = now.texts(trait)
        if 2 <= len(values) <= MOST_PARTS:
            yield name, (place, values)


def _users(definitions: Definitions) -> dict[str, list[str]]:
    """Which definitions ask for which given trait."""
    found: dict[str, list[str]] = {}
    for one in all_definitions(definitions):
        nodes = (node for root in expressions_of(one) for node in walk(root))
        for path in {node.path for node in nodes if isinstance(node, CustomerTrait)}:
            found.setdefault(f"customer.{'.'.join(path)}", []).append(one.name)
    return found
