"""Pages: many rows of one kind as one value of the ledger, an Arrow stream that any tool with Arrow can read.

A row of its own for each change would cost an insert and the upkeep of its indexes; a page of thousands costs about as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.ipc

from ethogram.store.records import Change

_NAME: Final = pa.dictionary(pa.int32(), pa.string())

CHANGES: Final = pa.schema(
    [
        pa.field("customer", pa.string(), nullable=False),
        pa.field("definition", _NAME, nullable=False),
        pa.field("change", _NAME, nullable=False),
        pa.field("from_group", _NAME, nullable=False),
        pa.field("to_group", _NAME, nullable=False),
        pa.field("at", pa.int64()),
        pa.field("version", pa.int64(), nullable=False),
    ]
)
"""Lines of the feed of one refresh, in order; `at` in microseconds, null if unknown."""

PAGE_ROWS: Final = 1 << 16
"""A page holds at most so many lines, so that reading a few of them does not cost much."""

_OPTIONS: Final = pyarrow.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=True, use_threads=False)

_READING: Final = pyarrow.ipc.IpcReadOptions(use_threads=False)


def written(table: pa.Table) -> memoryview:
    sink = pa.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema, options=_OPTIONS) as stream:
        stream.write_table(table.combine_chunks())
    return memoryview(sink.getvalue())


def read(data: bytes) -> pa.Table:
    with pyarrow.ipc.open_stream(data, options=_READING) as stream:
        return stream.read_all()


def name_codes(texts: Sequence[str]) -> pa.Array:
    return pa.array(texts, pa.string()).dictionary_encode()


def change_table(changes: Iterable[Change]) -> pa.Table:
    """Single changes as a table; their `refresh` and `seq` are not in it."""
    rows = list(changes)
    columns = {name: [getattr(row, name) for row in rows] for name in CHANGES.names}
    arrays = [
        name_codes(columns[field.name]) if field.type == _NAME else pa.array(columns[field.name], field.type)
        for field in CHANGES
    ]
    return pa.table(arrays, schema=CHANGES)
