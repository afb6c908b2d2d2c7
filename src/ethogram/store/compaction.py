"""Fewer, larger files: the small files of a bucket become one, with the same rows."""

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
        for group in _groups(snapshot.files, max(min_files, 2)):
            merged = in_order([store.read(file) for file in group])
            with store.writing("compaction") as transaction:
                transaction.add_file(store.lake.write(merged, group[0].bucket, point="compaction"))
                transaction.retire(group)
            fewer += len(group) - 1
        snapshot.close()
        store.clean()
    return fewer


def _groups(files: tuple[LakeFile, ...], min_files: int) -> Iterator[list[LakeFile]]:
    """Small files of one bucket that together make one."""
    for bucket in sorted({file.bucket for file in files}):
        group: list[LakeFile] = []
        for file in sorted((file for file in files if file.bucket == bucket), key=lambda file: file.rows):
            if sum(each.rows for each in group) + file.rows > MAX_ROWS:
                break
            group.append(file)
        if len(group) >= min_files:
            yield group
