"""What there is: event names, property paths and given traits, with counts, kept up to date by every load."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.store.ledger import Ledger
from ethogram.store.paths import leaf_of, split_path
from ethogram.store.records import EventName, GivenTrait, Property

_ADD_EVENT = """
INSERT INTO events VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET count = count + excluded.count, first = min(first, excluded.first), last = max(last, excluded.last)"""
_ADD_PROPERTY = """
INSERT INTO properties VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"""
_ADD_TRAIT = "INSERT INTO traits VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"

_Name = tuple[str, str]


@dataclass(slots=True)
class Tally:
    """What a transaction's events add to the catalog."""

    events: dict[_Name, tuple[int, int, int]] = field(default_factory=dict)
    properties: dict[tuple[str, str, str, str, int], int] = field(default_factory=dict)
    traits: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def add(self, table: pa.Table) -> None:
        names, codes = _names_of(table)
        self._add_events(table, names, codes)
        for column in table.column_names:
            leaf = leaf_of(column)
            if leaf is None:
                continue
            kind, path = (leaf.type, int(leaf.is_list)), column.partition(":")[2].rpartition(":")[0]
            known = _has_value(table[column])
            if leaf.side == "t":
                self.traits[path, *kind] = self.traits.get((path, *kind), 0) + int(known.sum())
                continue
            counts = np.bincount(codes[known], minlength=len(names))
            for place in np.flatnonzero(counts):
                key = (*names[place], path, *kind)
                self.properties[key] = self.properties.get(key, 0) + int(counts[place])

    def _add_events(self, table: pa.Table, names: list[_Name], codes: npt.NDArray[np.int64]) -> None:
        times = pa.table({"code": codes, "time": table["time"].cast(pa.int64())})
        grouped = times.group_by("code").aggregate([("time", "count"), ("time", "min"), ("time", "max")])
        for row in grouped.to_pylist():
            name, count, first, last = names[row["code"]], row["time_count"], row["time_min"], row["time_max"]
            found = self.events.get(name, (0, first, last))
            self.events[name] = (found[0] + count, min(found[1], first), max(found[2], last))

    def save(self, connection: sqlite3.Connection) -> None:
        connection.executemany(_ADD_EVENT, [(*name, *counts) for name, counts in self.events.items()])
        connection.executemany(_ADD_PROPERTY, [(*key, count) for key, count in self.properties.items()])
        connection.executemany(_ADD_TRAIT, [(*key, count) for key, count in self.traits.items()])


def _names_of(table: pa.Table) -> tuple[list[_Name], npt.NDArray[np.int64]]:
    """The distinct (kind, event) pairs and, for each row, which it has."""
    kinds = table["kind"].combine_chunks().dictionary_encode()
    events = table["event"].combine_chunks().dictionary_encode()
    wide = kinds.indices.to_numpy().astype(np.int64) * len(events.dictionary) + events.indices.to_numpy()
    distinct, codes = np.unique(wide, return_inverse=True)
    texts = kinds.dictionary.to_pylist(), events.dictionary.to_pylist()
    names = [(texts[0][pair // len(texts[1])], texts[1][pair % len(texts[1])]) for pair in distinct.tolist()]
    return names, codes


def _has_value(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Which rows know a value; of a list, in any element."""
    known: npt.NDArray[np.bool_]
    if not pa.types.is_list(column.type):
        known = column.is_valid().to_numpy()
        return known
    array = column.combine_chunks()
    parents = pc.list_parent_indices(array).to_numpy()
    known = np.zeros(len(array), np.bool_)
    known[parents[array.flatten().is_valid().to_numpy(zero_copy_only=False)]] = True
    return known


# --- reading --------------------------------------------------------------------------------------------------------


def event_names(ledger: Ledger) -> tuple[EventName, ...]:
    rows = ledger.rows("SELECT kind, name, count, first, last FROM events ORDER BY count DESC, name, kind")
    return tuple(EventName(*row) for row in rows)


def properties(ledger: Ledger, event: str | None = None) -> tuple[Property, ...]:
    """Of all events, or of those with this name."""
    rows = ledger.rows(
        "SELECT kind, event, path, type, is_list, count FROM properties WHERE ?1 IS NULL OR event = ?1 "
        "ORDER BY event, kind, path, type, is_list",
        (event,),
    )
    return tuple(
        Property(kind, name, split_path(path), type_, bool(is_list), count)
        for kind, name, path, type_, is_list, count in rows
    )


def given_traits(ledger: Ledger) -> tuple[GivenTrait, ...]:
    rows = ledger.rows("SELECT path, type, is_list, count FROM traits ORDER BY path, type, is_list")
    return tuple(
        GivenTrait(split_path(path), type_, bool(is_list), count) for path, type_, is_list, count in rows
    )
