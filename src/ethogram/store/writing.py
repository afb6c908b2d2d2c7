"""One transaction of the store: files and records that appear together or not at all."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa

from ethogram.model.errors import EnvironmentFault
from ethogram.model.event import Moment
from ethogram.store import pages
from ethogram.store.catalog import Tally
from ethogram.store.head import Head, chained, write_head
from ethogram.store.lake import Written, by_bucket, event_table
from ethogram.store.ledger import insert
from ethogram.store.links import Links
from ethogram.store.records import (
    Change,
    DefinitionVersion,
    Interval,
    LakeFile,
    LoadRecord,
    RefreshRecord,
    RejectedRow,
)
from ethogram.store.sieve import Sifted, sift
from ethogram.store.staylog import END, ENDED, RENEWED, STAY, mergeable, settled, stay_table

if TYPE_CHECKING:
    from ethogram.store.store import Store

BATCH_ROWS = 1 << 20
BATCH_BYTES = 1 << 29
"""Events wait in memory until they are this many, so that a load makes few files."""

_log = logging.getLogger("ethogram.store")

_LOAD = ("id", "sequence", "source", "file", "content_hash", "mapping_hash", "started", "finished", "read",
         "unreadable", "rows", "accepted", "duplicates", "rejected")  # fmt: skip
_REJECTED = ("load", "source", "file", "line", "column", "field", "code", "reason", "row")
_REFRESH = ("id", "as_of", "sequence", "mode", "started", "finished", "counts", "state")
_VERSION = ("name", "version", "kind", "hash", "text", "since_refresh")


class Writing:
    """Made by `Store.writing`. Reads of the store see nothing of it before it is committed."""

    def __init__(self, store: Store, connection: sqlite3.Connection, kind: str) -> None:
        self._store = store
        self._connection = connection
        self._kind = kind
        self._previous = store.ledger.newest()
        self.sequence = self._previous.sequence + 1
        self._pending: list[pa.Table] = []
        self._written: list[Written] = []
        self._arrived: dict[str, int] = {}
        self._tally = Tally()
        self._summary: dict[str, int] = {}
        self._is_ready = False

    # --- events ---

    def sift(self, batch: pa.Table) -> Sifted:
        """Which events of the batch are new, given everything stored and appended so far."""
        batch = event_table(batch)
        files = self._store.files_of_sources(batch["source"].unique().to_pylist())
        for file in files:
            self._store.check_file(file)
        lake = self._store.lake.folder
        staged = [lake / written.name for written in self._written]
        return sift(batch, [file.path for file in files] + staged, self._pending)

    def append(self, events: pa.Table) -> None:
        """Adds new events (see `sift`). Memory stays bounded however often this is called."""
        if events.num_rows == 0:
            return
        events = event_table(events)
        self._tally.add(events)
        self._pending.append(events)
        self._note("events", events.num_rows)
        if (
            sum(t.num_rows for t in self._pending) >= BATCH_ROWS
            or sum(t.nbytes for t in self._pending) >= BATCH_BYTES
        ):
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            whole = pa.concat_tables(self._pending, promote_options="default")
            self._pending = []
            for bucket, table in by_bucket(whole, self._store.buckets):
                self.add_file(self._store.lake.write(table, bucket))

    def add_file(self, written: Written, sequence: int | None = None) -> None:
        """A file that lies in the lake already; it is removed again if the transaction fails. `sequence` is that of its

        newest events, if they are not new."""
        self._written.append(written)
        if sequence is not None:
            self._arrived[written.name] = sequence

    def retire(self, files: Iterable[LakeFile]) -> None:
        """These files are no longer part of the store; they go once nobody reads them."""
        ids = [(self.sequence, file.id) for file in files]
        self._connection.executemany("UPDATE files SET removed = ? WHERE id = ?", ids)
        self._note("retired", len(ids))

    # --- loads ---

    def record_load(self, load: LoadRecord) -> int:
        """The load's id."""
        number = self._next("loads")
        values = {name: getattr(load, name) for name in _LOAD} | {"id": number, "sequence": self.sequence}
        self._connection.execute(insert("loads", _LOAD), [values[name] for name in _LOAD])
        self._note("loads", 1)
        return number

    def reject(self, load: int, rows: Iterable[RejectedRow]) -> None:
        values = ((load, *(getattr(row, name) for name in _REJECTED[1:])) for row in rows)
        self._note("rejected", self._connection.executemany(insert("rejected", _REJECTED), values).rowcount)

    def mark_replayed(self, ids: Iterable[int]) -> None:
        """These rejected rows were brought in after all; they are listed no more."""
        rows = ((self.sequence, number) for number in ids)
        sql = "UPDATE rejected SET replayed = ? WHERE id = ?"
        self._note("replayed", self._connection.executemany(sql, rows).rowcount)

    # --- identity ---

    @property
    def links(self) -> Links:
        """What is known of ids that are one person."""
        return Links(self._connection, self.sequence, self._note)

    # --- membership ---

    def record_refresh(self, refresh: RefreshRecord) -> int:
        """The refresh's id, one more than the last one's."""
        number = self._next("refreshes")
        counts = json.dumps(dict(refresh.counts), sort_keys=True)
        values = {name: getattr(refresh, name) for name in _REFRESH} | {"id": number, "counts": counts}
        self._connection.execute(insert("refreshes", _REFRESH), [values[name] for name in _REFRESH])
        self._note("refreshes", 1)
        return number

    def record_definition(self, version: DefinitionVersion) -> None:
        """Adds a version, or sets `since_refresh` of one that is there."""
        sql = insert("definition_versions", _VERSION) + (
            " ON CONFLICT DO UPDATE SET since_refresh = excluded.since_refresh"
        )
        self._connection.execute(sql, [getattr(version, name) for name in _VERSION])
        self._note("definitions", 1)

    def append_changes(self, changes: Iterable[Change]) -> int:
        """Adds to the feed, in this order; how many."""
        return sum(
            self.append_feed(refresh, pages.change_table(some))
            for refresh, some in groupby(changes, key=lambda change: change.refresh)
        )

    def append_feed(self, refresh: int, changes: pa.Table) -> int:
        """Adds lines of one refresh (see `pages.CHANGES`), in this order; how many."""
        first = self._next("change_pages", "last")
        for start in range(0, changes.num_rows, pages.PAGE_ROWS):
            page = changes.slice(start, pages.PAGE_ROWS)
            row = (first + start, first + start + page.num_rows - 1, refresh, pages.written(page))
            self._connection.execute("INSERT INTO change_pages VALUES (?, ?, ?, ?)", row)
        self._note("changes", changes.num_rows)
        return int(changes.num_rows)

    def append_stays(self, stays: pa.Table) -> None:
        """Adds to the log of stays (see `staylog.STAYS`), in this order."""
        if not stays.num_rows:
            return
        self._connection.execute(
            "INSERT INTO stay_pages (rows, data) VALUES (?, ?)", (stays.num_rows, pages.written(stays))
        )
        self._note("stays", stays.num_rows)
        self._merge_stays()

    def _merge_stays(self) -> None:
        """Many small pages become one."""
        found = self._connection.execute("SELECT id, rows FROM stay_pages ORDER BY id DESC").fetchall()
        count = mergeable([rows for _, rows in found])
        if not count:
            return
        oldest = found[count - 1][0]
        select = "SELECT data FROM stay_pages WHERE id >= ? ORDER BY id"
        several = [pages.read(data) for (data,) in self._connection.execute(select, (oldest,))]
        merged = settled(several, is_whole=count == len(found))
        self._connection.execute("DELETE FROM stay_pages WHERE id >= ?", (oldest,))
        self._connection.execute(
            "INSERT INTO stay_pages (rows, data) VALUES (?, ?)", (merged.num_rows, pages.written(merged))
        )

    def add_intervals(self, intervals: Iterable[Interval]) -> None:
        """Stays of customers who are not in them yet. Raises ValueError where two of one answer go on."""
        rows = list(intervals)
        open_ = [(row.definition, row.group, row.customer) for row in rows if row.left_at is None]
        if len(open_) != len(set(open_)):
            raise ValueError("a customer is in a segment, or in a group, once at a time")
        self.append_stays(stay_table(STAY, rows))

    def end_intervals(self, ends: Iterable[tuple[str, str, str, Moment]]) -> None:
        """The stay of each (definition, group, customer) ends at the moment: the one that goes on or, if none is kept,

        one that began at an unknown time."""
        self.append_stays(stay_table(END, (Interval(*end[:3], None, end[3]) for end in ends)))

    def replace_intervals(
        self, definition: str, intervals: Iterable[Interval], customers: Iterable[str] | None = None
    ) -> None:
        """Forgets the definition's intervals (of these customers only) and adds others in their place."""
        forgotten = [""] if customers is None else customers
        what = ENDED if customers is None else RENEWED
        forget = stay_table(what, (Interval(definition, "", customer, None, None) for customer in forgotten))
        self.append_stays(pa.concat_tables([forget, stay_table(STAY, intervals)]).unify_dictionaries())

    # --- settings ---

    def put(self, key: str, value: str | None) -> None:
        """None forgets the key."""
        if value is None:
            self._connection.execute("DELETE FROM settings WHERE key = ?", (key,))
        else:
            sql = "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
            self._connection.execute(sql, (key, value))
        self._note("settings", 1)

    # --- the end ---

    def prepare(self) -> None:
        """Everything but the commit: files synced, rows and the log entry written."""
        self._flush()
        if self._written:
            self._store.lake.sync()
            self._store.disk.reached("lake.synced")
        self._insert_files()
        self._tally.save(self._connection)
        if not self.is_empty:
            at = time.time_ns() // 1000
            summary = json.dumps(self._summary | {"files": [w.sha256 for w in self._written]}, sort_keys=True)
            self.head = Head(
                self.sequence, chained(self._previous.hash, self.sequence, self._kind, at, summary)
            )
            row = (self.sequence, self._kind, at, summary, self.head.hash)
            self._connection.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?)", row)
        self._store.disk.reached("ledger.before-commit")
        self._is_ready = True

    def confirm(self) -> None:
        """After the commit. A head that cannot be written is behind, not wrong; the next transaction brings it up."""
        self._store.disk.reached("ledger.after-commit")
        if self.is_empty:
            return
        try:
            write_head(self._store.head_path, self.head, self._store.disk)
        except EnvironmentFault as fault:
            _log.warning("recorded, but the head beside the ledger could not be written: %s", fault.message)
        self._store.disk.reached("head.synced")

    def undo(self) -> None:
        """After a failure: the files go; whatever cannot be removed now is an orphan for the next writer.

        A commit that failed may still be found in the database later, so its files stay until the next writer knows.
        """
        if self._is_ready:
            return
        for written in self._written:
            try:
                self._store.lake.remove([written.name])
            except EnvironmentFault as fault:
                _log.warning("left behind: %s", fault.message)

    @property
    def is_empty(self) -> bool:
        return not self._summary

    def _insert_files(self) -> None:
        number = self._next("files")
        for file in self._written:
            values = (
                number,
                file.name,
                file.bucket,
                file.rows,
                file.min_time,
                file.max_time,
                file.sha256,
                file.bytes,
            )
            self._connection.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (*values, self._arrived.get(file.name, self.sequence)),
            )
            sources = [(number, source, rows) for source, rows in file.sources.items()]
            self._connection.executemany("INSERT INTO file_sources VALUES (?, ?, ?)", sources)
            number += 1

    def _next(self, table: str, column: str = "id") -> int:
        found = self._connection.execute(f"SELECT coalesce(max({column}), 0) + 1 FROM {table}").fetchone()
        return int(found[0])

    def _note(self, what: str, count: int) -> None:
        if count > 0:
            self._summary[what] = self._summary.get(what, 0) + count
