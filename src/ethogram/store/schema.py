"""The ledger's tables. A change of format appends to `MIGRATIONS`; nothing that was released is ever edited."""

from __future__ import annotations

APPLICATION = 0x4574686F
"""`Etho`, in the header of the SQLite file."""

_FORMAT_1 = """
CREATE TABLE project (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE log (
    sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, summary TEXT NOT NULL, hash TEXT NOT NULL);

CREATE TABLE files (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bucket INTEGER NOT NULL, rows INTEGER NOT NULL,
    min_time INTEGER NOT NULL, max_time INTEGER NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
    added INTEGER NOT NULL, removed INTEGER);
CREATE INDEX files_removed ON files (removed);
CREATE TABLE file_sources (
    file INTEGER NOT NULL, source TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (file, source)) WITHOUT ROWID;

CREATE TABLE events (
    kind TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE TABLE properties (
    kind TEXT NOT NULL, event TEXT NOT NULL, path TEXT NOT NULL, type TEXT NOT NULL, is_list INTEGER NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (kind, event, path, type, is_list)) WITHOUT ROWID;
CREATE TABLE traits (
    path TEXT NOT NULL, type TEXT NOT NULL, is_list INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (path, type, is_list)) WITHOUT ROWID;

CREATE TABLE loads (
    id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, source TEXT NOT NULL, file TEXT NOT NULL,
    content_hash TEXT NOT NULL, mapping_hash TEXT NOT NULL, started INTEGER NOT NULL, finished INTEGER NOT NULL,
    read INTEGER NOT NULL, unreadable INTEGER NOT NULL, rows INTEGER NOT NULL, accepted INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, rejected INTEGER NOT NULL);
CREATE INDEX loads_source ON loads (source, content_hash);
CREATE TABLE rejected (
    id INTEGER PRIMARY KEY AUTOINCREMENT, load INTEGER NOT NULL, source TEXT NOT NULL, file TEXT NOT NULL, line INTEGER,
    "column" INTEGER, field TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, row TEXT NOT NULL, replayed INTEGER);
CREATE INDEX rejected_source ON rejected (source, code);

CREATE TABLE refreshes (
    id INTEGER PRIMARY KEY, as_of INTEGER NOT NULL, sequence INTEGER NOT NULL, mode TEXT NOT NULL,
    started INTEGER NOT NULL, finished INTEGER NOT NULL, counts TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE definition_versions (
    name TEXT NOT NULL, version INTEGER NOT NULL, kind TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL,
    since_refresh INTEGER NOT NULL, PRIMARY KEY (name, version)) WITHOUT ROWID;
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT NOT NULL, definition TEXT NOT NULL, change TEXT NOT NULL,
    from_group TEXT NOT NULL, to_group TEXT NOT NULL, at INTEGER, refresh INTEGER NOT NULL, version INTEGER NOT NULL);
CREATE INDEX changes_refresh ON changes (refresh);
CREATE INDEX changes_customer ON changes (customer);
CREATE TABLE intervals (
    id INTEGER PRIMARY KEY, definition TEXT NOT NULL, "group" TEXT NOT NULL, customer TEXT NOT NULL,
    entered_at INTEGER, left_at INTEGER);
CREATE INDEX intervals_definition ON intervals (definition, "group", customer);
CREATE INDEX intervals_customer ON intervals (customer);
CREATE UNIQUE INDEX intervals_open ON intervals (definition, "group", customer) WHERE left_at IS NULL;

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_FORMAT_2 = """
DROP TABLE changes;
DROP TABLE intervals;
DELETE FROM refreshes;
DELETE FROM definition_versions;

CREATE TABLE change_pages (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, refresh INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE stay_pages (id INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER NOT NULL, data BLOB NOT NULL);
"""
"""The feed and the stays as pages: Arrow streams of many rows (see `pages` and `staylog`). Lines of a page of the feed are

numbered from `first` to `last`. What was recorded in format 1 begins anew with the next refresh; events are untouched."""

_FORMAT_3 = """
CREATE TABLE links (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, customer TEXT NOT NULL, value TEXT NOT NULL, is_known INTEGER NOT NULL,
    time INTEGER NOT NULL, source TEXT NOT NULL, message_id TEXT NOT NULL, added INTEGER NOT NULL, cut INTEGER);
CREATE UNIQUE INDEX links_once ON links (customer, kind, value);
CREATE INDEX links_value ON links (value);
CREATE TABLE owners (
    id INTEGER PRIMARY KEY, customer TEXT NOT NULL, owner TEXT NOT NULL, until INTEGER, added INTEGER NOT NULL, removed INTEGER);
CREATE INDEX owners_customer ON owners (customer);
CREATE INDEX owners_owner ON owners (owner);
CREATE INDEX owners_added ON owners (added);
CREATE INDEX owners_removed ON owners (removed) WHERE removed IS NOT NULL;
INSERT INTO settings SELECT 'links', 'to be read from the lake' WHERE EXISTS (SELECT 1 FROM files WHERE removed IS NULL);
"""
"""Which ids are one person (room `identity`): the evidence, and whose the events of an id are from one sequence to another."""

MIGRATIONS: tuple[str, ...] = (_FORMAT_1, _FORMAT_2, _FORMAT_3)
"""Script i leads from format i to format i + 1."""

FORMAT = len(MIGRATIONS)
