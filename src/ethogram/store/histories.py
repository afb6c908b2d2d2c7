"""Whole histories of a few customers, as events, for the interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ethogram.model.event import Event
from ethogram.store.buckets import bucket_of
from ethogram.store.lake import Lake, readable
from ethogram.store.leaves import BASE_SCHEMA, unshred
from ethogram.store.persons import Part
from ethogram.store.readers import Snapshot
from ethogram.store.records import LakeFile


def histories(
    lake: Lake, buckets: int, parts: Mapping[str, Sequence[Part]], snapshot: Snapshot
) -> dict[str, tuple[Event, ...]]:
    """By person."""
    holders: dict[str, list[tuple[str, Part]]] = {}
    for person, own in parts.items():
        for part in own:
            holders.setdefault(part.customer, []).append((person, part))
    by_home: dict[int, list[str]] = {}
    for customer in sorted(holders):
        by_home.setdefault(bucket_of(customer, buckets), []).append(customer)
    found: dict[str, list[Event]] = {}
    for file in snapshot.files:
        wanted = by_home.get(file.bucket)
        for table in rows_of(lake, file, wanted) if wanted else ():
            for record in unshred(table):
                for person, part in holders[record.customer]:
                    if part.holds(record.event.time):
                        found.setdefault(person, []).append(record.event)
    return {
        person: tuple(sorted(found[person], key=lambda event: (event.time, event.message_id, event.source)))
        for person in parts
        if person in found
    }


def rows_of(
    lake: Lake, file: LakeFile, wanted: Sequence[str], columns: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """The rows of these customers; row groups without them are not read."""
    lake.check(file)
    values = pa.array(wanted, pa.string())
    with readable(file.path), pq.ParquetFile(file.path) as parquet:
        names = set(parquet.schema_arrow.names)
        present = None if columns is None else [name for name in columns if name in names]
        for number in range(parquet.num_row_groups):
            if _may_hold(parquet.metadata.row_group(number), wanted):
                table = parquet.read_row_group(number, columns=present, use_threads=False)
                kept = table.filter(pc.is_in(table["customer"], value_set=values))
                if kept.num_rows:
                    yield kept


def _may_hold(group: pq.RowGroupMetaData, wanted: Sequence[str]) -> bool:
    known = group.column(BASE_SCHEMA.names.index("customer")).statistics
    if not known or not known.has_min_max:
        return True
    return any(known.min <= customer <= known.max for customer in wanted)
