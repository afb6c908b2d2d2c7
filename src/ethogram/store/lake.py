"""The lake: immutable Parquet files, one bucket each, written once and never touched again."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ethogram.model.errors import DataError, EnvironmentFault
from ethogram.store.buckets import buckets_of
from ethogram.store.content import with_content
from ethogram.store.disk import TEMPORARY, Disk
from ethogram.store.leaves import BASE_SCHEMA, column_type
from ethogram.store.records import LakeFile

ROW_GROUP = 1 << 17
ORDER = ("customer", "time", "message_id", "source")
"""How every file is sorted: texts by code point."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file that lies in the lake but is not yet in the ledger."""

    name: str
    bucket: int
    rows: int
    min_time: int
    max_time: int
    sha256: str
    bytes: int
    sources: Mapping[str, int]


def event_table(table: pa.Table) -> pa.Table:
    """With the base columns first and typed, and content hashes. Raises DataError E_EVENT_TABLE for a missing column."""
    for column in BASE_SCHEMA:
        if column.name not in table.column_names:
            raise DataError(
                "E_EVENT_TABLE", f"the event table lacks the column {column.name!r}", field=column.name
            )
        if not column.nullable and table[column.name].null_count:
            raise DataError(
                "E_EVENT_TABLE", f"the column {column.name!r} has empty values", field=column.name
            )
    events = table.select(BASE_SCHEMA.names).cast(BASE_SCHEMA)
    for name in table.column_names:
        if name not in BASE_SCHEMA.names:
            events = events.append_column(name, table[name].cast(column_type(name)))
    return with_content(events)


def by_bucket(table: pa.Table, buckets: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each bucket that has any, in `ORDER`."""
    encoded = table["customer"].combine_chunks().dictionary_encode()
    homes = buckets_of(encoded.dictionary, buckets)
    home = homes[encoded.indices.to_numpy()]
    keys = table.select(ORDER).append_column("bucket", pa.array(home))
    order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in ("bucket", *ORDER)])
    ordered = table.take(order)
    counts = np.bincount(home, minlength=buckets)
    ends = np.cumsum(counts)
    for bucket in np.flatnonzero(counts):
        yield int(bucket), ordered.slice(int(ends[bucket] - counts[bucket]), int(counts[bucket]))


def in_order(tables: Sequence[pa.Table]) -> pa.Table:
    """Several tables of one bucket as one, in `ORDER`."""
    whole = pa.concat_tables(tables, promote_options="default")
    return whole.take(pc.sort_indices(whole.select(ORDER), sort_keys=[(name, "ascending") for name in ORDER]))


class Lake:
    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder = folder
        self._disk = disk
        self._checked: dict[str, tuple[int, ...]] = {}

    # --- writing ---

    def write(self, table: pa.Table, bucket: int, *, point: str = "file") -> Written:
        """One file under its final name, synced; call `sync` before the ledger names it."""
        sink = pa.BufferOutputStream()
        pq.write_table(
            table,
            sink,
            row_group_size=ROW_GROUP,
            compression="zstd",
            store_decimal_as_integer=True,
        )
        data = memoryview(sink.getvalue())
        name = f"b{bucket:03d}-{secrets.token_hex(8)}.parquet"
        self._disk.write_file(self.folder / name, data, point=point)
        times = pc.min_max(table["time"].cast(pa.int64())).as_py()
        sources = {pair["values"]: pair["counts"] for pair in table["source"].value_counts().to_pylist()}
        digest = hashlib.sha256(data).hexdigest()
        return Written(name, bucket, table.num_rows, times["min"], times["max"], digest, len(data), sources)

    def sync(self) -> None:
        self._disk.sync_folder(self.folder)

    def remove(self, names: Sequence[str]) -> None:
        for name in names:
            self._disk.unlink(self.folder / name)

    def orphans(self, known: set[str]) -> list[str]:
        """Files that the ledger does not name: left by a writer that did not finish."""
        found = (name for name in self._disk.names(self.folder) if name.endswith((".parquet", TEMPORARY)))
        return [name for name in found if name not in known]

    # --- reading ---

    def check(self, file: LakeFile) -> None:
        """The hash of a file's bytes, once for each process and again when the file was touched since. Raises
        EnvironmentFault E_FILE_DAMAGED naming the file."""
        with readable(file.path):
            found = file.path.stat()
        state = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if self._checked.get(file.path.name) != state:
            self.check_now(file)
            self._checked[file.path.name] = state

    def check_now(self, file: LakeFile) -> None:
        with readable(file.path), file.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != file.sha256:
            raise damaged(file.path, "its content is not what was written")

    def read(self, file: LakeFile, columns: Sequence[str] | None = None) -> pa.Table:
        """The columns that the file has of those asked for, in its order; checked first."""
        self.check(file)
        present = None
        with readable(file.path), pq.ParquetFile(file.path) as parquet:
            if columns is not None:
                names = set(parquet.schema_arrow.names)
                present = [name for name in columns if name in names]
            table = parquet.read(columns=present, use_threads=False)
        return table if present is None else table.select(present)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Failures to read the file, as faults that name it."""
    try:
        yield
    except FileNotFoundError as error:
        raise damaged(path, "it is missing") from error
    except (OSError, pa.ArrowException) as error:
        raise damaged(path, str(error)) from error


def damaged(path: Path, what: str) -> EnvironmentFault:
    return EnvironmentFault(
        "E_FILE_DAMAGED",
        f"{path} is damaged: {what}",
        hint="Restore this file from a backup. No answer is given from damaged data.",
    )
