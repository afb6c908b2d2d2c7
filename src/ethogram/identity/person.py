"""One person for those who ask: the ids whose events are theirs, the links that say so, and those that do not count, with why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ethogram.identity.recording import Recorded, take_back
from ethogram.identity.resolver import STATES, resolve
from ethogram.identity.rules import ID_KINDS, Rules
from ethogram.language.instants import iso
from ethogram.model.errors import DataError
from ethogram.model.event import Moment
from ethogram.store import Link, Part, Snapshot, Store, bucket_of

TAKEN_BACK = "taken back"


@dataclass(frozen=True, slots=True)
class Id:
    """Events of an id that are the person's: those from `since` and before `until`, if any. `first` and `last` are of these."""

    id: str
    is_known: bool
    since: Moment | None
    until: Moment | None
    events: int
    first: Moment | None
    last: Moment | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A link, and what became of it: one of `resolver.STATES`, or `TAKEN_BACK`. `others` are the customers whose link with the same
    value is not taken back."""

    link: Link
    state: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is the id that answers are given under; `asked` the one that was asked for."""

    asked: str
    name: str
    ids: tuple[Id, ...]
    evidence: tuple[Evidence, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "asked": self.asked,
            "customer": self.name,
            "ids": [
                {
                    "id": one.id,
                    "kind": "customer" if one.is_known else "anonymous",
                    "events": one.events,
                    **{key: _iso(getattr(one, key)) for key in ("since", "until", "first", "last")},
                }
                for one in self.ids
            ],
            "links": [
                {
                    "link": one.link.id,
                    "kind": one.link.kind,
                    "customer": one.link.customer,
                    "value": one.link.value,
                    "state": one.state,
                    "others": list(one.others),
                    "first_seen": _iso(one.link.time),
                    "source": one.link.source,
                    "message_id": one.link.message_id,
                }
                for one in self.evidence
            ],
        }


def person_of(store: Store, customer: str, rules: Rules) -> Person:
    """Raises DataError E_UNKNOWN_CUSTOMER for an id that nothing was received from and no link names."""
    with store.snapshot() as snapshot:
        name = store.persons.owner(customer, snapshot.sequence)
        parts = store.persons.parts([name], snapshot.sequence)[name]
        links = store.persons.links([part.customer for part in parts])
        ids = _ids(store, snapshot, parts, links)
    if not links and not any(one.events for one in ids):
        raise unknown_customer()
    states = _states(store, rules, links)
    evidence = (Evidence(link, states.get(link.id, TAKEN_BACK), _others(store, link)) for link in links)
    return Person(customer, name, ids, tuple(evidence))


def unknown_customer() -> DataError:
    return DataError(
        "E_UNKNOWN_CUSTOMER", "nothing was ever received from a customer with this id", field="customer"
    )


def unmerge(
    store: Store, rules: Rules, numbers: Sequence[int], *, is_restored: bool = False
) -> tuple[tuple[Link, ...], Recorded]:
    """Takes links back, or uses them again; the links as they are then. Raises DataError E_LINK_UNKNOWN."""
    for number in numbers:
        if store.persons.link(number) is None:
            raise DataError(
                "E_LINK_UNKNOWN",
                f"there is no link {number}",
                hint="`ethogram identity CUSTOMER` lists a person's links with their numbers.",
                field="link",
            )
    with store.writing("unmerge") as writing:
        recorded = take_back(store, writing, rules, numbers, is_restored=is_restored)
    found = (store.persons.link(number) for number in numbers)
    return tuple(link for link in found if link), recorded


def _states(store: Store, rules: Rules, links: Sequence[Link]) -> Mapping[int, str]:
    """What became of these links, which depends on all that hang together with them; of those alone that count."""
    keys = {(link.kind, link.customer, link.value): link.id for link in links if link.cut is None}
    if not keys:
        return {}
    around = store.persons.around(list(keys))
    states = resolve(around, rules).states.tolist()
    columns = (around[name].to_pylist() for name in ("kind", "customer", "value"))
    return {
        keys[key]: STATES[state]
        for key, state in zip(zip(*columns, strict=True), states, strict=True)
        if key in keys
    }


def _others(store: Store, link: Link) -> tuple[str, ...]:
    found = store.persons.links_with(link.kind, link.value)
    return tuple(one.customer for one in found if one.customer != link.customer and one.cut is None)


def _ids(store: Store, snapshot: Snapshot, parts: Sequence[Part], links: Sequence[Link]) -> tuple[Id, ...]:
    known = {link.customer for link in links if link.is_known}
    cookies = {link.value for link in links if link.kind in ID_KINDS} - known
    found = []
    for part in parts:
        times, identified = _times(store, snapshot, part)
        ends = pc.min_max(times).as_py()
        is_known = part.customer in known or (part.customer not in cookies and identified)
        found.append(
            Id(part.customer, is_known, part.since, part.until, len(times), ends["min"], ends["max"])
        )
    return tuple(sorted(found, key=lambda one: (not one.is_known, one.id)))


def _times(store: Store, snapshot: Snapshot, part: Part) -> tuple[pa.ChunkedArray, bool]:
    """When the events of a part were, and whether any is that of a known customer."""
    home = bucket_of(part.customer, store.buckets)
    tables = [
        table.select(["time", "identified"])
        for file in snapshot.files
        if file.bucket == home
        for table in store.read_customers(file, [part.customer], ["customer", "time", "identified"])
    ]
    if not tables:
        return pa.chunked_array([pa.array([], pa.int64())]), False
    whole = pa.concat_tables(tables)
    times = whole["time"].cast(pa.int64())
    if part.since is not None:
        times = times.filter(pc.greater_equal(times, part.since))
    if part.until is not None:
        times = times.filter(pc.less(times, part.until))
    return times, bool(pc.any(whole["identified"]).as_py())


def _iso(moment: Moment | None) -> str | None:
    return None if moment is None else iso(moment)
