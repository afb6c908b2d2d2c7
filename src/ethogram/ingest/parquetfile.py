"""Parquet: what a file claims is checked against what it is before a byte of data is decoded."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ethogram.ingest.paths import Snapshot
from ethogram.ingest.rows import Rows
from ethogram.model.errors import DataError
from ethogram.store.numbers import decimals

MAX_ROWS = 1_000_000_000
MAX_BYTES = 32 << 30
"""Decoded bytes of one file."""
MAX_CHUNK_RATIO = 5_000
MAX_COLUMNS = 5_000
_MAX_THRIFT = 64 << 20
_BATCH = 1 << 17


def read_parquet(snapshot: Snapshot) -> Rows:
    """Raises DataError E_FILE_EMPTY, E_FILE_UNREADABLE, E_FILE_RESOURCE, E_FILE_CHANGED, naming the file."""
    label = snapshot.file.label
    if snapshot.size == 0:
        raise DataError("E_FILE_EMPTY", "the file is empty", file=label)
    for _ in snapshot.blocks():
        pass
    try:
        table = _decode(snapshot)
    except (pa.ArrowException, OSError, MemoryError, OverflowError, UnicodeDecodeError) as error:
        raise DataError(
            "E_FILE_UNREADABLE",
            f"the file is not a whole Parquet file: {_first_line(error)}",
            file=label,
            hint="write it again; nothing of it was loaded",
        ) from None
    for _ in snapshot.blocks():
        pass
    size = table.num_rows
    table = pa.table([plain(column.combine_chunks()) for column in table.columns], names=table.column_names)
    return Rows(
        (label,), table, table, np.zeros(size, np.int32), np.arange(1, size + 1, dtype=np.int64), size
    )


def _decode(snapshot: Snapshot) -> pa.Table:
    snapshot.handle.seek(0)
    with pq.ParquetFile(
        snapshot.handle,
        thrift_string_size_limit=_MAX_THRIFT,
        thrift_container_size_limit=1_000_000,
        page_checksum_verification=True,
        coerce_int96_timestamp_unit="us",
    ) as file:
        _credible(file.metadata, snapshot)
        names = file.schema_arrow.names
        for name in names:
            if names.count(name) > 1:
                raise DataError(
                    "E_PARQUET", f"two columns are called {name}", file=snapshot.file.label, field=name
                )
        batches, size = [], 0
        for batch in file.iter_batches(_BATCH, use_threads=True):
            size += batch.get_total_buffer_size()
            if size > MAX_BYTES:
                raise _too_large(snapshot, f"its rows decode to more than {MAX_BYTES >> 30} GB")
            batches.append(batch)
        table = pa.Table.from_batches(batches, file.schema_arrow)
        table.validate()
        return table


def _credible(metadata: pq.FileMetaData, snapshot: Snapshot) -> None:
    """Raises E_FILE_RESOURCE where the footer claims what a file of this size cannot reasonably hold."""
    if metadata.num_columns > MAX_COLUMNS:
        raise _too_large(snapshot, f"it claims {metadata.num_columns:,} columns")
    if not 0 <= metadata.num_rows <= MAX_ROWS:
        raise _too_large(snapshot, f"it claims {metadata.num_rows:,} rows")
    claimed = 0
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        claimed += group.num_rows
        for place in range(group.num_columns):
            chunk = group.column(place)
            packed, unpacked = chunk.total_compressed_size, chunk.total_uncompressed_size
            if packed < 0 or unpacked < 0 or packed > snapshot.size:
                raise _too_large(
                    snapshot,
                    f"column {chunk.path_in_schema} claims {packed:,} bytes of the file's {snapshot.size:,}",
                )
            if unpacked > max(64 << 20, MAX_CHUNK_RATIO * packed) or unpacked > MAX_BYTES:
                raise _too_large(
                    snapshot, f"column {chunk.path_in_schema} claims to unpack to {unpacked:,} bytes"
                )
            if group.num_rows > max(1 << 24, 100_000 * max(1, packed)):
                raise _too_large(
                    snapshot,
                    f"column {chunk.path_in_schema} claims {group.num_rows:,} rows in {packed:,} bytes",
                )
    if claimed != metadata.num_rows:
        raise DataError(
            "E_FILE_UNREADABLE",
            f"the footer claims {metadata.num_rows:,} rows, its row groups {claimed:,}",
            file=snapshot.file.label,
        )


def _too_large(snapshot: Snapshot, why: str) -> DataError:
    return DataError("E_FILE_RESOURCE", f"the file is refused: {why}", file=snapshot.file.label)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def plain(array: pa.Array) -> pa.Array:
    """The same values without dictionaries, large or view layouts, other units of time; exact decimals where a float column holds only such."""
    kind = array.type
    if isinstance(kind, pa.ExtensionType):
        return plain(array.storage)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain(array.dictionary_decode() if pa.types.is_dictionary(kind) else pc.run_end_decode(array))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string())
    if pa.types.is_timestamp(kind) and kind.unit != "us":
        return array.cast(pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_date(kind):
        return array.cast(pa.date32())
    if pa.types.is_float64(kind):
        return _exact(array)
    if pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return plain(array.cast(pa.list_(kind.value_type)))
    if pa.types.is_list(kind):
        values = plain(array.values)
        return pa.ListArray.from_arrays(
            array.offsets, values, mask=array.is_null() if array.null_count else None
        )
    if pa.types.is_struct(kind):
        children = [plain(child) for child in array.flatten()]
        names = [kind.field(index).name for index in range(kind.num_fields)]
        return pa.StructArray.from_arrays(children, names, mask=array.is_null() if array.null_count else None)
    return array


def _exact(array: pa.Array) -> pa.Array:
    """Floats that are all short decimals, but for the noise of computing them, become decimals, so that sums are exact and do not depend on their order."""
    values = array.fill_null(0.0).to_numpy(zero_copy_only=False)
    if not len(values) or not np.isfinite(values).all() or np.abs(values).max() >= 2**33:
        return array
    millionths = np.rint(values * 1_000_000)
    noise = np.abs(millionths / 1_000_000 - values)
    if (noise > 4 * np.spacing(np.abs(values)) + 1e-12).any():
        return array
    return decimals(millionths.astype(np.int64), array.is_valid().to_numpy(zero_copy_only=False))
