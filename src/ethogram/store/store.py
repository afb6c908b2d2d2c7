"""The store of one project: what was received and what was answered, in `.ethogram/`."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ethogram.model.errors import DataError, EnvironmentFault
from ethogram.model.event import Event
from ethogram.store import catalog, compaction, doctor, histories
from ethogram.store.buckets import BUCKETS
from ethogram.store.disk import Disk
from ethogram.store.head import read_head
from ethogram.store.lake import Lake
from ethogram.store.lease import Lease
from ethogram.store.ledger import Ledger
from ethogram.store.memory import Memory
from ethogram.store.network import refuse_network
from ethogram.store.persons import Persons
from ethogram.store.readers import Pin, Snapshot, oldest_sequence
from ethogram.store.records import EventName, GivenTrait, LakeFile, Property, StoreFacts
from ethogram.store.writing import Writing

FOLDER = ".ethogram"

_log = logging.getLogger("ethogram.store")

_FILES = """
SELECT id, name, bucket, rows, min_time, max_time, sha256, bytes, added,
    (SELECT iif(count(*) = 1, max(source), '') FROM file_sources WHERE file = id)
FROM files WHERE removed IS NULL ORDER BY bucket, id"""


class Store:
    """Open it with `Store.open`. Any number of processes may read; one writes (see `writer`)."""

    def __init__(self, project: Path, disk: Disk, *, create: bool, buckets: int) -> None:
        self.project = project
        self.folder = project / FOLDER
        self.disk = disk
        self.head_path = self.folder / "head"
        self.lake = Lake(self.folder / "lake", disk)
        self.readers_folder = self.folder / "readers"
        refuse_network(project)
        for folder in (self.folder, self.lake.folder, self.readers_folder):
            disk.make_folder(folder)
        head = read_head(self.head_path)
        self.ledger = Ledger(self.folder / "ledger.db", disk, create=create, head=head)
        try:
            self.memory = Memory(self.ledger)
            self.persons = Persons(self.ledger)
            self.buckets = self._settle_buckets(buckets)
        except BaseException:
            self.ledger.close()
            raise
        self._lease = Lease(self.folder / "writer.lock", disk)
        self._depth = 0
        self._mutex = threading.RLock()

    @classmethod
    def open(
        cls, project: Path, *, create: bool = False, buckets: int = BUCKETS, disk: Disk | None = None
    ) -> Store:
        """With `create`, makes what is missing; `buckets` counts only then. Raises DataError E_NO_STORE otherwise;
        EnvironmentFault E_READ_ONLY, E_DISK_FULL, E_FORMAT_NEWER, E_LOG_GAP, E_FILE_DAMAGED."""
        disk = disk or Disk()
        if not create and not any(disk.exists(project / FOLDER / name) for name in ("ledger.db", "head")):
            raise DataError(
                "E_NO_STORE",
                f"nothing was loaded into {project} yet",
                hint="`ethogram load` brings events in.",
                file=str(project),
            )
        return cls(project, disk, create=create, buckets=buckets)

    def close(self) -> None:
        self.ledger.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _settle_buckets(self, wanted: int) -> int:
        found = self.ledger.rows("SELECT value FROM project WHERE key = 'buckets'")
        if found:
            return int(found[0][0])
        with self.ledger.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO project VALUES ('buckets', ?)", (str(wanted),))
        return int(self.ledger.rows("SELECT value FROM project WHERE key = 'buckets'")[0][0])

    @property
    def sequence(self) -> int:
        """Of the newest committed transaction; 0 in a new project."""
        return self.ledger.newest().sequence

    # --- writing ---

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Holds the right to write; may be nested. Raises EnvironmentFault E_LOCKED naming who has it."""
        with self._mutex:
            if self._depth == 0:
                self.disk.refuse_if_broken()
                self._lease.acquire()
            self._depth += 1
            try:
                if self._depth == 1:
                    self.clean()
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._lease.release()

    @contextmanager
    def writing(self, kind: str = "write") -> Iterator[Writing]:
        """One transaction: at its end all is recorded and synced; after an exception nothing is."""
        with self.writer():
            self.disk.refuse_if_broken()
            transaction = None
            try:
                with self.ledger.transaction() as connection:
                    transaction = Writing(self, connection, kind)
                    yield transaction
                    transaction.prepare()
            except BaseException:
                if transaction:
                    transaction.undo()
                raise
            transaction.confirm()

    def append_events(self, transaction: Writing, events: pa.Table) -> None:
        transaction.append(events)

    def clean(self) -> None:
        """Removes files that no transaction names and retired files that nobody reads. Needs the right to write."""
        known = {name for (name,) in self.ledger.rows("SELECT name FROM files")}
        orphans = self.lake.orphans(known)
        if orphans:
            self.lake.remove(orphans)
            _log.info("removed %d unfinished files: %s", len(orphans), ", ".join(orphans))
        oldest = oldest_sequence(self.readers_folder)
        limit = self.sequence if oldest is None else oldest
        retired = self.ledger.rows("SELECT name FROM files WHERE removed <= ?", (limit,))
        if retired:
            self.lake.remove([name for (name,) in retired])
            with self.ledger.transaction() as connection:
                connection.execute(
                    "DELETE FROM file_sources WHERE file IN (SELECT id FROM files WHERE removed <= ?)",
                    (limit,),
                )
                connection.execute("DELETE FROM files WHERE removed <= ?", (limit,))

    # --- reading ---

    def snapshot(self) -> Snapshot:
        """The newest state; its files stay readable until it is closed."""
        pin = Pin(self.readers_folder, self.disk)
        try:
            with self.ledger.reading() as connection:
                newest = connection.execute("SELECT coalesce(max(sequence), 0) FROM log").fetchone()[0]
                files = tuple(self._file(row) for row in connection.execute(_FILES))
            pin.narrow(newest)
            return Snapshot(newest, files, pin)
        except BaseException:
            pin.release()
            raise

    def _file(self, row: Sequence[int | str]) -> LakeFile:
        number, name, *rest = row
        return LakeFile(number, self.lake.folder / str(name), *rest)  # type: ignore[arg-type]

    def files_of_sources(self, sources: Sequence[str]) -> tuple[LakeFile, ...]:
        """Files that hold events of any of these. Only for the writer: readers take a snapshot."""
        marks = ", ".join("?" * len(sources))
        ids = self.ledger.rows(f"SELECT DISTINCT file FROM file_sources WHERE source IN ({marks})", sources)
        wanted = {number for (number,) in ids}
        return tuple(file for row in self.ledger.rows(_FILES) if (file := self._file(row)).id in wanted)

    def check_file(self, file: LakeFile) -> None:
        """Verifies the file's hash, once for each process. Raises EnvironmentFault E_FILE_DAMAGED naming the file."""
        self.lake.check(file)

    def read(self, file: LakeFile, columns: Sequence[str] | None = None) -> pa.Table:
        """The checked file's columns, as far as it has them."""
        return self.lake.read(file, columns)

    def read_customers(
        self, file: LakeFile, customers: Sequence[str], columns: Sequence[str]
    ) -> Iterator[pa.Table]:
        """The rows of some customers: the columns that the file has of those asked for."""
        return histories.rows_of(self.lake, file, customers, columns)

    def rewritten_since(self, sequence: int) -> bool:
        """Whether files went after a sequence for anything but compaction, which keeps the rows."""
        logged = self.ledger.rows("SELECT kind, summary FROM log WHERE sequence > ?", (sequence,))
        return any(kind != "compaction" and "retired" in json.loads(summary) for kind, summary in logged)

    def verify_files(self) -> tuple[EnvironmentFault, ...]:
        """Reads every file of the newest state again; one fault for each damaged one."""
        faults = []
        with self.snapshot() as snapshot:
            for file in snapshot.files:
                try:
                    self.lake.check_now(file)
                except EnvironmentFault as fault:
                    faults.append(fault)
        return tuple(faults)

    def histories(self, customers: Sequence[str], snapshot: Snapshot) -> dict[str, tuple[Event, ...]]:
        """Every asked person's events, of all their ids, by (time, message id, source); who has none is left out."""
        parts = self.persons.parts(customers, snapshot.sequence)
        return histories.histories(self.lake, self.buckets, parts, snapshot)

    def events(self) -> tuple[EventName, ...]:
        return catalog.event_names(self.ledger)

    def properties(self, event: str | None = None) -> tuple[Property, ...]:
        return catalog.properties(self.ledger, event)

    def traits(self) -> tuple[GivenTrait, ...]:
        return catalog.given_traits(self.ledger)

    # --- care ---

    def compact(self, *, min_files: int = compaction.MIN_FILES) -> int:
        """Merges the small files of every bucket that has at least so many; how many files that took away."""
        return compaction.compact(self, min_files=min_files)

    def doctor(self) -> StoreFacts:
        """What there is and what is wrong with it; changes nothing, reads every file."""
        return doctor.facts(self)
