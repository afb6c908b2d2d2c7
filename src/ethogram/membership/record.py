"""The record of refreshes in the ledger: what is read before one, and the transaction that makes it take effect."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from ethogram.language.tree import Definitions
from ethogram.language.writer import print_definition
from ethogram.membership.late import Version
from ethogram.membership.layers import Layer, Recorded
from ethogram.membership.outcome import Outcome
from ethogram.membership.versions import Edits, Identity
from ethogram.model.event import Moment
from ethogram.store import DefinitionVersion, RefreshRecord, Store, Writing

ANSWERS: Final = "answers"
"""The folder of the layers, beside the lake."""
REMOVED: Final = "removed"
"""The kind of the version that says that a definition ended."""


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
    rows = store.ledger.rows(
        "SELECT name, version, kind, hash, since_refresh FROM definition_versions ORDER BY name, version"
    )
    for name, version, kind, digest, since in rows:
        before = identities.pop(name, None)
        numbers[name] = version
        if kind != REMOVED:
            identities[name] = (kind, digest)
            is_first = before is None or before[0] != kind
            versions[name] = Version(version, int(moments[since] or 0), is_first)
        else:
            versions.pop(name, None)
    return Book(identities, versions, numbers)


def read_stays(store: Store, customers: pa.StringArray) -> pa.Table:
    """All stays that are kept of these customers."""
    return store.memory.stays(customers=customers)


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
    with store.writing("refresh") as writing:
        number = writing.record_refresh(_refresh(entry, outcome))
        numbers = _record_versions(writing, entry, book, definitions, number)
        writing.append_stays(outcome.stay_log(sorted(entry.edits.removed)))
        writing.append_feed(number, outcome.feed(numbers))
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


def sweep(store: Store) -> None:
    """Removes layers that neither of the last two refreshes names: nobody who began to read can need them."""
    folder = store.folder / ANSWERS
    named = {path.name for refresh in store.memory.refreshes(limit=2) for path in layer_paths(store, refresh)}
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name not in named:
                store.disk.unlink(path)
