"""Fewer, larger files: the small files of a bucket become one, with the same rows.

A merged file keeps the sequence of its newest events, and files that the last refresh has seen are not merged with those that
it has not: so what is new since the last refresh can be told by the files, before and after.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ethogram.store.lake import in_order
from ethogram.store.records import LakeFile

if TYPE_CHECKING:
    from ethogram.store.store import Store

MIN_FILES = 8
MAX_ROWS = 1 << 22
"""A file is not made larger than this, so that memory stays bounded."""


def compact(store: Store, *, min_files: int = MIN_FILES) -> int:
    """How many files fewer. One transaction for each file made, so that a crash loses at most the work on one."""
    fewer = 0
    with store.writer(), store.snapshot() as snapshot:
        seen = max((refresh.sequence for refresh in store.memory.refreshes()), default=0)
        for group in _groups(snapshot.files, max(min_files, 2), seen):
            merged = in_order([store.read(file) for file in group])
            with store.writing("compaction") as transaction:
                written = store.lake.write(merged, group[0].bucket, point="compaction")
                transaction.add_file(written, max(file.sequence for file in group))
                transaction.retire(group)
            fewer += len(group) - 1
        snapshot.close()
        store.clean()
    return fewer


def _groups(files: tuple[LakeFile, ...], min_files: int, seen: int) -> Iterator[list[LakeFile]]:
    """Small files of one bucket that together make one, all of them by the sequence `seen` or all behind it."""
    for place in sorted({(file.bucket, file.sequence > seen) for file in files}):
        together = [file for file in files if (file.bucket, file.sequence > seen) == place]
        group: list[LakeFile] = []
        for file in sorted(together, key=lambda file: file.rows):
            if sum(each.rows for each in group) + file.rows > MAX_ROWS:
                break
            group.append(file)
        if len(group) >= min_files:
            yield group
