"""The record of refreshes in the ledger: what is read before one, and the transaction that makes it take effect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from ethogram.language.tree import Definitions
from ethogram.language.writer import print_definition
from ethogram.membership.late import Version
from ethogram.membership.layers import Layer, Recorded
from ethogram.membership.outcome import Closing, Opening, Outcome
from ethogram.membership.publish import OpenStays, open_stays
from ethogram.membership.versions import Edits, Identity
from ethogram.model.event import Moment
from ethogram.store import DefinitionVersion, Interval, RefreshRecord, Store, Writing

ANSWERS: Final = "answers"
"""The folder of the layers, beside the lake."""
REMOVED: Final = "removed"
"""The kind of the version that says that a definition ended."""
_PORTION: Final = 10_000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Book:
    """The versions in force, by name: what they are, and since when."""

    identities: Mapping[str, Identity]
    versions: Mapping[str, Version]
    numbers: Mapping[str, int]
    """The newest version's number, of definitions that ended too."""


def last_refresh(store: Store) -> RefreshRecord | None:
    return next(iter(store.memory.refreshes()), None)


def layer_paths(store: Store, refresh: RefreshRecord) -> list[Path]:
    return [store.folder / ANSWERS / name for name in json.loads(refresh.state or "[]")]


def recorded_answers(store: Store, refresh: RefreshRecord) -> Recorded:
    """Raises `EnvironmentFault` E_STATE_DAMAGED where a layer is missing or damaged."""
    return Recorded([Layer(path) for path in layer_paths(store, refresh)])


def read_book(store: Store) -> Book:
    moments = dict(
        store.ledger.rows(
            "SELECT id, as_of FROM refreshes WHERE id IN (SELECT since_refresh FROM definition_versions)"
        )
    )
    identities: dict[str, Identity] = {}
    versions: dict[str, Version] = {}
    numbers: dict[str, int] = {}
    for row in store.memory.definition_versions():
        before = identities.pop(row.name, None)
        numbers[row.name] = row.version
        if row.kind != REMOVED:
            identities[row.name] = (row.kind, row.hash)
            is_first = before is None or before[0] != row.kind
            versions[row.name] = Version(row.version, int(moments[row.since_refresh] or 0), is_first)
        else:
            versions.pop(row.name, None)
    return Book(identities, versions, numbers)


def read_stays(store: Store, customers: Sequence[str]) -> list[Interval]:
    """All stays that are kept of these customers."""
    found: list[Interval] = []
    if not store.ledger.rows("SELECT 1 FROM intervals LIMIT 1"):
        return found
    for some in _portions(customers):
        rows = store.ledger.rows(
            'SELECT definition, "group", customer, entered_at, left_at FROM intervals '
            f"WHERE customer IN ({', '.join('?' * len(some))})",
            some,
        )
        found += [Interval(*row) for row in rows]
    return found


def read_open_stays(store: Store) -> OpenStays:
    """All stays that go on now and whose beginning is known."""
    rows = store.ledger.rows(
        'SELECT definition, "group", customer, entered_at FROM intervals '
        "WHERE left_at IS NULL AND entered_at IS NOT NULL ORDER BY 1, 2"
    )
    return open_stays(rows)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger is told of a refresh, apart from its outcome."""

    as_of: Moment
    sequence: int
    mode: str
    started: Moment
    finished: Moment
    layers: Sequence[Path]
    customers: int
    edits: Edits
    identities: Mapping[str, Identity]


def commit(store: Store, entry: Entry, book: Book, definitions: Definitions, outcome: Outcome) -> int:
    """The refresh takes effect, all of it or nothing; its number."""
    ongoing, unknown = _split(store, outcome.closings)
    with store.writing("refresh") as writing:
        number = writing.record_refresh(_refresh(entry, outcome))
        numbers = _record_versions(writing, entry, book, definitions, number)
        for name in sorted(entry.edits.removed):
            writing.replace_intervals(name, ())
        for name, rows in sorted(outcome.rewritten.items()):
            stays = [Interval(*row) for customer in sorted(rows) for row in rows[customer]]
            writing.replace_intervals(name, stays, sorted(rows))
        writing.close_intervals(ongoing)
        writing.add_intervals(Interval(*row) for row in unknown)
        writing.add_intervals(Interval(*row) for row in outcome.openings)
        writing.append_changes(outcome.changes(number, numbers))
        store.disk.reached("refresh.before-commit")
    store.disk.reached("refresh.after-commit")
    return number


def _refresh(entry: Entry, outcome: Outcome) -> RefreshRecord:
    counts = outcome.counts()
    return RefreshRecord(
        as_of=entry.as_of,
        sequence=entry.sequence,
        mode="full" if entry.mode == "full" else "incremental",
        started=entry.started,
        finished=entry.finished,
        counts=counts | {"evaluated": outcome.evaluated, "customers": entry.customers},
        state=json.dumps([path.name for path in entry.layers]),
    )


def _record_versions(
    writing: Writing, entry: Entry, book: Book, definitions: Definitions, refresh: int
) -> dict[str, int]:
    """The numbers of the versions in force, by name."""
    numbers = {name: version.number for name, version in book.versions.items()}
    for name in sorted(entry.edits.removed):
        version = book.numbers[name] + 1
        numbers[name] = version
        writing.record_definition(DefinitionVersion(name, REMOVED, version, "", "", refresh))
    for name in sorted(entry.edits.new | entry.edits.edited):
        version = max(book.numbers.get(name, 0), numbers.get(name, 0)) + 1
        numbers[name] = version
        kind, digest = entry.identities[name]
        definition = definitions.find(name)
        text = print_definition(definition) if definition else ""
        writing.record_definition(DefinitionVersion(name, kind, version, digest, text, refresh))
    return numbers


def _split(store: Store, closings: Sequence[Closing]) -> tuple[list[Closing], list[Opening]]:
    """Stays that the ledger keeps as going on, and those that began before the record, as whole stays."""
    if not closings or not store.ledger.rows("SELECT 1 FROM intervals WHERE left_at IS NULL LIMIT 1"):
        return [], [(definition, group, customer, None, at) for definition, group, customer, at in closings]
    going_on: set[tuple[str, str, str]] = set()
    for some in _portions(sorted({customer for _, _, customer, _ in closings})):
        going_on.update(
            store.ledger.rows(
                'SELECT definition, "group", customer FROM intervals '
                f"WHERE left_at IS NULL AND customer IN ({', '.join('?' * len(some))})",
                some,
            )
        )
    ongoing = [closing for closing in closings if closing[:3] in going_on]
    unknown: list[Opening] = [
        (definition, group, customer, None, at)
        for definition, group, customer, at in closings
        if (definition, group, customer) not in going_on
    ]
    return ongoing, unknown


def sweep(store: Store) -> None:
    """Removes layers that neither of the last two refreshes names: nobody who began to read can need them."""
    folder = store.folder / ANSWERS
    named = {path.name for refresh in store.memory.refreshes(limit=2) for path in layer_paths(store, refresh)}
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name not in named:
                store.disk.unlink(path)


def _portions(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _PORTION):
        yield items[start : start + _PORTION]
