"""Whom the data tells of: who answered surveys, whose traits are missing, which sources know which customers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.catalog.fitting import plain
from ethogram.catalog.loading import load_parts
from ethogram.insight.inference import Estimate, adjusted, rate_ratio, wilson
from ethogram.insight.people import Truth
from ethogram.language.instants import DAY
from ethogram.language.names import dependencies
from ethogram.language.tree import Definitions, Events
from ethogram.language.visits import expressions_of
from ethogram.language.walk import walk

if TYPE_CHECKING:
    from ethogram.model.event import Moment
    from ethogram.store import Store

LEAST = 30
"""Fewer people of a group, or fewer answers, are not compared."""
_ANSWERS = ("nps_answer", "csat_answer", "ces_answer", "review")
_ASKED = frozenset(("sent", "asked", "requested", "request", "shown", "invited", "delivered", "offered"))
_TOPICS = frozenset(("survey", "nps", "csat", "ces", "review", "feedback", "satisfaction", "rating"))


# --- surveys --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Survey:
    """Events that are answers, and events by which the same was asked, if the data has any."""

    answers: tuple[str, ...]
    asked: tuple[str, ...]

    @property
    def name(self) -> str:
        return ", ".join(self.answers)


def surveys(events: Iterable[str]) -> list[Survey]:
    """
    >>> surveys(["NPS Sent", "NPS Answered", "Order Completed"])
    [Survey(answers=('NPS Answered',), asked=('NPS Sent',))]
    """
    events = list(events)
    asked = [event for event in events if _words(event) & _ASKED and _words(event) & _TOPICS]
    parts = load_parts().events
    found = []
    for part in _ANSWERS:
        names = {plain(name) for name in parts[part].names}
        answers = [event for event in events if plain(event) in names and event not in asked]
        for answer in answers:
            topic = _words(answer) & _TOPICS
            of_it = [event for event in asked if _words(event) & (topic or {"survey"})]
            found.append(Survey((answer,), tuple(of_it)))
    return found


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


@dataclass(frozen=True, slots=True)
class Response:
    """How often those of one part of the customers answered, against all others."""

    by: str
    part: str
    people: int
    answered: int
    ratio: Estimate


def responses(
    answered: Truth, reached: Truth, divisions: Mapping[str, tuple[NDArray[np.int64], Sequence[str]]]
) -> list[Response]:
    """Of every part of every division that is large enough; p-values adjusted for all of them."""
    found = []
    everyone, answers = int(reached.sum()), int((answered & reached).sum())
    for by, (place, names) in divisions.items():
        people = np.bincount(place[reached & (place >= 0)], minlength=len(names))
        own = np.bincount(place[answered & reached & (place >= 0)], minlength=len(names))
        for part, count, did in zip(names, people.tolist(), own.tolist(), strict=True):
            if min(count, everyone - count) >= LEAST:
                ratio = rate_ratio(did, count, answers - did, everyone - count)
                found.append(Response(by, part, count, did, ratio))
    limits = adjusted([one.ratio.p for one in found])
    return [replace(one, ratio=replace(one.ratio, p=p)) for one, p in zip(found, limits, strict=True)]


def looks_at(definitions: Definitions, name: str, events: Sequence[str]) -> bool:
    """Whether a definition depends on any of these events, however deep."""
    todo, done = [name], set[str]()
    while todo:
        one = todo.pop()
        if one in done:
            continue
        done.add(one)
        definition = definitions.find(one)
        if definition is None:
            continue
        if one in definitions.behaviors and set(definitions.behaviors[one].events) & set(events):
            return True
        nodes = (node for root in expressions_of(definition) for node in walk(root))
        if any(isinstance(node, Events) and node.raw and node.source in events for node in nodes):
            return True
        todo += dependencies(definitions, one)
    return False


# --- sources --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceLife:
    """`days` on which the source told something, ascending, counted from 1970; `customers` are those it told of."""

    source: str
    customers: int
    days: NDArray[np.int64]
    newest: Moment

    @property
    def gaps(self) -> NDArray[np.int64]:
        """Days from one day with events to the next one."""
        return np.diff(self.days)


def source_lives(store: Store) -> list[SourceLife]:
    """Reads who and when of every event, a file at a time."""
    customers: dict[str, int] = {}
    days: dict[str, list[NDArray[np.int64]]] = {}
    newest: dict[str, int] = {}
    with store.snapshot() as snapshot:
        by_bucket: dict[int, list[pa.Table]] = {}
        are_merged = store.persons.any()  # then one person's events are in several buckets
        for file in snapshot.files:
            events = store.read(file, ["customer", "source", "time"])
            seen = _seen(store.persons.named(events, snapshot.sequence))
            by_bucket.setdefault(0 if are_merged else file.bucket, []).append(seen)
        for tables in by_bucket.values():
            whole = pa.concat_tables(tables)
            for source, count in _pairs(whole.group_by(["source", "customer"]).aggregate([])):
                customers[source] = customers.get(source, 0) + count
            for source in whole["source"].unique().to_pylist():
                own = whole.filter(pc.equal(whole["source"], source))
                times = own["day"].unique().to_numpy()
                days.setdefault(source, []).append(times)
                newest[source] = max(newest.get(source, -(2**63)), pc.max(own["last"]).as_py())
    return [
        SourceLife(source, customers[source], np.unique(np.concatenate(days[source])), newest[source])
        for source in sorted(days)
    ]


def _seen(table: pa.Table) -> pa.Table:
    """A row for each customer, source and day."""
    times = table["time"].cast(pa.int64())
    day = pa.array(np.floor_divide(times.to_numpy(), DAY))
    table = pa.table(
        {
            "customer": table["customer"],
            "source": table["source"].cast(pa.string()),
            "day": day,
            "last": times,
        }
    )
    return (
        table.group_by(["customer", "source", "day"])
        .aggregate([("last", "max")])
        .rename_columns(["customer", "source", "day", "last"])
    )


def _pairs(table: pa.Table) -> Iterator[tuple[str, int]]:
    counted = table.group_by("source").aggregate([("customer", "count")])
    yield from zip(counted["source"].to_pylist(), counted["customer_count"].to_pylist(), strict=True)


def coverage(one: SourceLife, everyone: int) -> Estimate:
    return wilson(min(one.customers, everyone), everyone)
