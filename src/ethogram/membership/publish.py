"""Tables for other tools: who is in what now, and everyone's traits, as Parquet files.

They are written beside the old ones and take their place when the refresh has taken effect, bucket by bucket, so that memory
does not grow with the number of customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ethogram.engines.answers import BucketAnswers
from ethogram.membership.layers import Recorded
from ethogram.membership.stays import OUT
from ethogram.model.event import Moment

MEMBERSHIPS: Final = "memberships.parquet"
TRAITS: Final = "traits.parquet"

_MEMBERSHIPS: Final = pa.schema(
    [
        pa.field("customer", pa.string(), nullable=False),
        pa.field("segment", pa.dictionary(pa.int32(), pa.string())),
        pa.field("segmentation", pa.dictionary(pa.int32(), pa.string())),
        pa.field("group", pa.dictionary(pa.int32(), pa.string())),
        pa.field("since", pa.timestamp("us", "UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class OpenStays:
    """Stays that go on now and whose beginning is known: `entered_at` by customer, for each definition and group."""

    rows: Mapping[tuple[str, str], tuple[pa.StringArray, NDArray[np.int64]]]

    def since(self, definition: str, group: str, roster: pa.StringArray) -> pa.Array:
        """When each customer of a roster came in, null where unknown."""
        since = np.zeros(len(roster), dtype=np.int64)
        unknown = np.ones(len(roster), dtype=np.bool_)
        customers, entered = self.rows.get((definition, group), (None, None))
        if customers is not None and entered is not None:
            places = pc.index_in(customers, value_set=roster)
            here = places.is_valid().to_numpy(zero_copy_only=False)
            found = places.drop_null().to_numpy()
            since[found], unknown[found] = entered[here], False
        return pa.array(since, pa.int64(), mask=unknown).cast(pa.timestamp("us", "UTC"))


class TraitsWriter:
    """Everyone's traits, as the answers come by. The file takes its place with `finish`, never if that is not reached."""

    def __init__(self, folder: Path, label: str) -> None:
        self._target = folder / TRAITS
        self._label = label
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        return self

    def add(self, customers: pa.StringArray, answers: BucketAnswers) -> None:
        known = pa.array(answers.known)
        table = pa.table({"customer": customers, **answers.traits}).filter(known)
        if self._writer is None:
            schema = table.schema.with_metadata({"ethogram": self._label})
            self._writer = pq.ParquetWriter(_writing(self._target), schema, compression="zstd")
        self._writer.write_table(table.cast(self._writer.schema))

    def finish(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            _writing(self._target).replace(self._target)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
            _writing(self._target).unlink(missing_ok=True)


def publish_memberships(folder: Path, recorded: Recorded, buckets: int, stays: OpenStays, label: str) -> None:
    """One row for each segment a customer is in, and one for each of their groups."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / MEMBERSHIPS
    schema = _MEMBERSHIPS.with_metadata({"ethogram": label})
    with pq.ParquetWriter(_writing(target), schema, compression="zstd") as writer:
        for bucket in range(buckets):
            for tables in _in_portions(_bucket_rows(recorded, bucket, stays)):
                writer.write_table(pa.concat_tables(tables).unify_dictionaries().cast(schema))
    _writing(target).replace(target)


_PORTION = 1 << 18


def _in_portions(tables: Iterator[pa.Table]) -> Iterator[list[pa.Table]]:
    portion: list[pa.Table] = []
    rows = 0
    for table in tables:
        portion.append(table)
        rows += table.num_rows
        if rows >= _PORTION:
            yield portion
            portion, rows = [], 0
    if portion:
        yield portion


def _bucket_rows(recorded: Recorded, bucket: int, stays: OpenStays) -> Iterator[pa.Table]:
    roster = recorded.customers(bucket)
    for index, segment in enumerate(recorded.columns.segments):
        inside = np.flatnonzero(recorded.flag_of(bucket, index))
        if len(inside):
            yield _rows(roster, inside, stays.since(segment, "", roster), segment=segment)
    for index, (segmentation, names) in enumerate(recorded.columns.segmentations):
        groups = recorded.group_of(bucket, index)
        for group in np.unique(groups[groups != OUT]).tolist():
            inside = np.flatnonzero(groups == group)
            since = stays.since(segmentation, names[group], roster)
            yield _rows(roster, inside, since, segmentation=segmentation, group=names[group])


def _rows(
    roster: pa.StringArray,
    inside: NDArray[np.int64],
    since: pa.Array,
    *,
    segment: str | None = None,
    segmentation: str | None = None,
    group: str | None = None,
) -> pa.Table:
    places = pa.array(inside)
    names = [_repeated(name, len(inside)) for name in (segment, segmentation, group)]
    return pa.table([roster.take(places), *names, since.take(places)], schema=_MEMBERSHIPS)


def _repeated(name: str | None, count: int) -> pa.DictionaryArray:
    if name is None:
        return pa.nulls(count, pa.dictionary(pa.int32(), pa.string()))
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([name]))


def _writing(path: Path) -> Path:
    return path.with_suffix(".writing")


def open_stays(rows: Sequence[tuple[str, str, str, Moment]]) -> OpenStays:
    """From rows of definition, group, customer, entered_at, in order of definition and group."""
    found: dict[tuple[str, str], tuple[list[str], list[Moment]]] = {}
    for definition, group, customer, entered in rows:
        customers, moments = found.setdefault((definition, group), ([], []))
        customers.append(customer)
        moments.append(entered)
    return OpenStays(
        {
            key: (pa.array(customers, pa.string()), np.array(moments, dtype=np.int64))
            for key, (customers, moments) in found.items()
        }
    )
