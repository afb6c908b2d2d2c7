"""Facts about the store, for the command that looks after it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ethogram.store.lease import is_locked, read_holder
from ethogram.store.readers import count_readers
from ethogram.store.records import StoreFacts
from ethogram.store.schema import FORMAT

if TYPE_CHECKING:
    from ethogram.store.store import Store


def facts(store: Store) -> StoreFacts:
    rows = store.ledger.rows("SELECT name, rows, bytes, removed FROM files")
    kept = [(count, size) for _, count, size, removed in rows if removed is None]
    lock = store.folder / "writer.lock"
    holder = read_holder(lock)
    is_held = is_locked(lock)
    space = os.statvfs(store.folder)
    ledger_files = store.folder.glob("ledger.db*")
    return StoreFacts(
        format=FORMAT,
        sequence=store.sequence,
        buckets=store.buckets,
        ledger_bytes=sum(path.stat().st_size for path in ledger_files),
        lake_files=len(kept),
        lake_bytes=sum(size for _, size in kept),
        events=sum(count for count, _ in kept),
        retired_files=len(rows) - len(kept),
        orphans=() if is_held else tuple(store.lake.orphans({name for name, *_ in rows})),
        readers=count_readers(store.readers_folder),
        writer=str(holder) if holder and is_held else "",
        stale_writer=str(holder) if holder and not is_held else "",
        damaged=tuple(fault.message for fault in store.verify_files()),
        free_bytes=space.f_bavail * space.f_frsize,
    )
