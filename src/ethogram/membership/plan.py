"""Who would enter and leave if the definitions as they are now took effect, and how many an expression holds for."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.engines.answers import BucketAnswers, Evaluator
from ethogram.language.catalog import DataCatalog
from ethogram.language.checker import check_expression, require_sound
from ethogram.language.parser import parse_expression
from ethogram.language.sentences import sentence
from ethogram.language.tree import Definitions, Expression, Segment
from ethogram.language.types import Types
from ethogram.membership import record
from ethogram.membership.examine import slice_of
from ethogram.membership.layers import Recorded, columns_of
from ethogram.membership.people import EngineFor
from ethogram.membership.reading import newest_moment, require_refresh
from ethogram.membership.stays import OUT
from ethogram.membership.steps import aligned, differences, realigned
from ethogram.membership.versions import edits_between, identities
from ethogram.model.errors import DefinitionError
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Store

SAMPLE: Final = 5


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One definition that is new, edited or removed. Sizes of a segmentation are of all its groups together; `moves`

    counts (from, to) groups; samples are a few of those who would enter and leave.
    """

    name: str
    kind: str
    edit: Literal["new", "edited", "removed"]
    before: int
    after: int
    enter: int
    leave: int
    move: int
    moves: Mapping[tuple[str, str], int]
    entering: tuple[str, ...]
    leaving: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "kind": self.kind,
            "edit": self.edit,
            "before": self.before,
            "after": self.after,
            "enter": self.enter,
            "leave": self.leave,
            "move": self.move,
            "moves": [
                {"from": one, "to": other, "customers": count} for (one, other), count in self.moves.items()
            ],
            "entering": list(self.entering),
            "leaving": list(self.leaving),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """`as_of` is the moment of the last refresh, so that edits alone make the difference; no lines: nothing was edited."""

    as_of: Moment
    customers: int
    lines: tuple[PlanLine, ...]


def plan(
    store: Store,
    engine: Evaluator,
    definitions: Definitions,
    settings: Settings,
    *,
    lists: Mapping[str, frozenset[str]] | None = None,
) -> Plan:
    """`engine` answers the definitions as they are now. Raises DataError E_NOT_REFRESHED before the first refresh."""
    refresh = require_refresh(store)
    book = record.read_book(store)
    today = identities(definitions, settings, lists or {})
    edits = edits_between(book.identities, today)
    counted = {
        name: _Counted(name, today[name][0], "new" if name in edits.new else "edited") for name in today
    }
    counted = {name: one for name, one in counted.items() if name in edits.new | edits.edited}
    recorded = record.recorded_answers(store, refresh)
    customers = 0
    for answers in engine.evaluate(refresh.as_of, traits=()):
        customers += int(np.count_nonzero(answers.known))
        if counted:
            _count(recorded, engine, answers, counted)
    removed = [
        _removed(recorded, name, book.identities[name][0], store.buckets) for name in sorted(edits.removed)
    ]
    return Plan(refresh.as_of, customers, (*(one.line() for one in counted.values()), *removed))


@dataclass(slots=True)
class _Counted:
    name: str
    kind: str
    edit: Literal["new", "edited", "removed"]
    before: int = 0
    after: int = 0
    moves: dict[tuple[str, str], int] = field(default_factory=dict)
    entering: list[str] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    enter: int = 0
    leave: int = 0
    move: int = 0

    def line(self) -> PlanLine:
        chance = random.Random(self.name)
        samples = [
            tuple(sorted(chance.sample(people, min(SAMPLE, len(people)))))
            for people in (self.entering, self.leaving)
        ]
        return PlanLine(
            self.name,
            self.kind,
            self.edit,
            self.before,
            self.after,
            self.enter,
            self.leave,
            self.move,
            dict(sorted(self.moves.items())),
            *samples,
        )


def _count(
    recorded: Recorded, engine: Evaluator, answers: BucketAnswers, counted: Mapping[str, _Counted]
) -> None:
    columns = columns_of(engine)
    alignment = aligned(recorded.columns, columns)
    names = [*columns.segments, *(name for name, _ in columns.segmentations)]
    people = engine.roster(answers.bucket).take(pa.array(answers.positions))
    places = pc.index_in(people, value_set=recorded.customers(answers.bucket))
    order = places.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    old = np.argsort(order, kind="stable")
    unknown = int(np.count_nonzero(order < 0))
    found = realigned(recorded.at(answers.bucket, order[old][unknown:]), alignment)
    now = slice_of(answers)
    before = replace(
        now,
        known=np.zeros_like(now.known),
        flags=np.zeros_like(now.flags),
        groups=np.full_like(now.groups, OUT),
    )
    before.known[old[unknown:]] = found.known
    before.flags[:, old[unknown:]] = found.flags
    before.groups[:, old[unknown:]] = found.groups
    for row, name in enumerate(names):
        if name in counted:
            one = counted[name]
            segment = row < len(columns.segments)
            was, is_ = (
                side.flags[row] if segment else side.groups[row - len(columns.segments)] != OUT
                for side in (before, now)
            )
            one.before += int(np.count_nonzero(was))
            one.after += int(np.count_nonzero(is_))
    pairs = differences(before, now)
    rows = zip(
        pairs.place.tolist(),
        pairs.definition.tolist(),
        pairs.before.tolist(),
        pairs.after.tolist(),
        strict=True,
    )
    for place, definition, left, entered in rows:
        one_ = counted.get(names[definition])
        if one_ is None or (one_.edit == "new" and entered == OUT):
            continue
        groups = alignment.names[definition]
        if left == OUT:
            one_.enter += 1
            _keep(one_.entering, people[place].as_py())
        elif entered == OUT:
            one_.leave += 1
            _keep(one_.leaving, people[place].as_py())
        else:
            one_.move += 1
            key = (groups[left], groups[entered])
            one_.moves[key] = one_.moves.get(key, 0) + 1


_KEPT: Final = 1_000


def _keep(people: list[str], customer: str) -> None:
    if len(people) < _KEPT:
        people.append(customer)


def _removed(recorded: Recorded, name: str, kind: str, buckets: int) -> PlanLine:
    size = 0
    for bucket in range(buckets):
        if name in recorded.columns.segments:
            size += int(np.count_nonzero(recorded.flag_of(bucket, recorded.columns.segments.index(name))))
        else:
            row = [one for one, _ in recorded.columns.segmentations].index(name)
            size += int(np.count_nonzero(recorded.group_of(bucket, row) != OUT))
    return PlanLine(name, kind, "removed", size, 0, 0, size, 0, {}, (), ())


# --- count ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    expression: str
    sentence: str
    as_of: Moment
    size: int
    customers: int

    @property
    def share(self) -> float:
        return self.size / self.customers if self.customers else 0.0

    def as_json(self) -> dict[str, object]:
        return {
            "expression": self.expression,
            "sentence": self.sentence,
            "as_of": self.as_of,
            "size": self.size,
            "customers": self.customers,
            "share": self.share,
        }


COUNTED: Final = "_counted"


def count(
    store: Store,
    engine_for: EngineFor,
    definitions: Definitions,
    settings: Settings,
    text: str,
    *,
    as_of: Moment | None = None,
    catalog: DataCatalog | None = None,
) -> Count:
    """How many a condition holds for at a moment (the newest event's, unless told), and the sentence it means.

    Raises DefinitionError or Problems for an expression that does not parse, make sense, or say yes or no.
    """
    expression = condition(text, definitions, settings, catalog)
    moment = newest_moment(store) if as_of is None else as_of
    alone = replace(definitions, segments={**definitions.segments, COUNTED: Segment(COUNTED, expression)})
    engine = engine_for(alone)
    row = list(engine.segments).index(COUNTED)
    size = customers = 0
    for answers in engine.evaluate(moment, traits=()):
        size += int(np.count_nonzero(answers.members(row)))
        customers += int(np.count_nonzero(answers.known))
    return Count(text, sentence(expression, definitions, settings), moment, size, customers)


def condition(
    text: str, definitions: Definitions, settings: Settings, catalog: DataCatalog | None
) -> Expression:
    """A sound expression that says yes or no."""
    expression = parse_expression(text)
    require_sound(check_expression(expression, definitions, settings, catalog))
    kind = Types(definitions, catalog).of(expression)
    if kind not in ("flag", "any"):
        raise DefinitionError(
            "E_NOT_A_CONDITION",
            f"this is a {kind}, and says neither yes nor no",
            hint="Compare it with something: count(purchase) >= 3.",
            span=expression.span,
        )
    return expression
