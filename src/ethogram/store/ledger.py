"""The ledger: one SQLite file for what must not be lost or doubled."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ethogram.model.errors import EnvironmentFault
from ethogram.store.disk import Disk, disk_full, read_only
from ethogram.store.head import START, Head, log_gap
from ethogram.store.schema import APPLICATION, FORMAT, MIGRATIONS

Cell = int | str | None
"""What a ledger column holds."""

_TIMEOUT = 30.0
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REFUSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


def fault_of_sqlite(error: sqlite3.Error, path: Path) -> EnvironmentFault:
    code = getattr(error, "sqlite_errorcode", 0)
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _is_full(path)):
        return disk_full(path)
    if primary in _REFUSED:
        return read_only(path)
    if primary in _DAMAGED:
        return EnvironmentFault(
            "E_FILE_DAMAGED",
            f"{path} is damaged: {error}",
            hint="Restore the folder from a backup. Nothing was changed.",
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return EnvironmentFault("E_LOCKED", f"{path} stayed in use for {_TIMEOUT:.0f} s by another process")
    code_name = "E_DISK" if primary == sqlite3.SQLITE_IOERR else "E_LEDGER"
    return EnvironmentFault(code_name, f"could not use {path}: {error}")


def _is_full(path: Path) -> bool:
    space = os.statvfs(path.parent)
    return space.f_bavail * space.f_frsize < 1 << 16


class Ledger:
    """A connection to read with and one to write with; a reader never waits for the writer."""

    def __init__(self, path: Path, disk: Disk, *, create: bool, head: Head | None) -> None:
        """Raises EnvironmentFault E_LOG_GAP if the database does not know the head's transaction."""
        self.path = path
        self._disk = disk
        self._lock = threading.RLock()
        if head and not path.exists():
            raise log_gap(path, head, 0)
        if create and not path.exists():
            os.close(disk.open(path, os.O_RDWR | os.O_CREAT))
            disk.sync_folder(path.parent)
        self._reading = self._connect()
        try:
            self._writing = self._connect()
            self._bring_up_to_date(head)
            if head and self.hash_at(head.sequence) != head.hash:
                raise log_gap(path, head, self.newest().sequence)
        except BaseException:
            self.close()
            raise

    # --- opening ---

    def _connect(self) -> sqlite3.Connection:
        with self.faults():
            connection = sqlite3.connect(
                f"{self.path.resolve().as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                timeout=_TIMEOUT,
                check_same_thread=False,
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            return connection

    def _bring_up_to_date(self, head: Head | None) -> None:
        found = self._format()
        if head and not found:
            raise log_gap(self.path, head, 0)
        if found > FORMAT:
            raise EnvironmentFault(
                "E_FORMAT_NEWER",
                f"{self.path} has storage format {found}, written by a newer ethogram; this one knows up to format {FORMAT}",
                hint="Upgrade ethogram. Nothing was changed.",
            )
        if found == FORMAT:
            return
        with self.transaction() as connection:
            for number in range(self._format(), FORMAT):
                for statement in MIGRATIONS[number].split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number + 1}")
                self._disk.reached("migration.before-commit")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")

    def _format(self) -> int:
        with self.faults():
            return int(self._writing.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        with self._lock:
            for name in ("_reading", "_writing"):
                connection = getattr(self, name, None)
                if connection is not None:
                    connection.close()

    # --- using ---

    @contextmanager
    def faults(self) -> Iterator[None]:
        """SQLite's errors as faults that name the file."""
        try:
            yield
        except sqlite3.Error as error:
            if (getattr(error, "sqlite_errorcode", 0)) in (
                sqlite3.SQLITE_IOERR_FSYNC,
                sqlite3.SQLITE_IOERR_DIR_FSYNC,
            ):
                self._disk.broke(self.path)
            raise fault_of_sqlite(error, self.path) from error

    def rows(self, sql: str, parameters: Sequence[Cell] = ()) -> list[tuple[Any, ...]]:
        """Of the last committed state."""
        with self._lock, self.faults():
            return self._reading.execute(sql, parameters).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Several queries of one state."""
        with self._lock, self.faults():
            self._reading.execute("BEGIN")
            try:
                yield self._reading
            finally:
                self._reading.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, synced at the end."""
        with self.faults():
            self._writing.execute("BEGIN IMMEDIATE")
            try:
                yield self._writing
                self._writing.execute("COMMIT")
            except BaseException:
                if self._writing.in_transaction:
                    self._writing.execute("ROLLBACK")
                raise

    def newest(self) -> Head:
        found = self.rows("SELECT sequence, hash FROM log ORDER BY sequence DESC LIMIT 1")
        return Head(*found[0]) if found else Head(0, START)

    def hash_at(self, sequence: int) -> str | None:
        found = self.rows("SELECT hash FROM log WHERE sequence = ?", (sequence,))
        return str(found[0][0]) if found else None


def insert(table: str, columns: Iterable[str]) -> str:
    names = [f'"{column}"' for column in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
