"""Persons whose ids became others: off their tapes, and on again with all rows that are theirs now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from ethogram.engines.homes import Homes
from ethogram.engines.merging import ranges
from ethogram.engines.rosters import positions_of
from ethogram.engines.taking import AT_ONCE, Arriving, lake_columns, write_part, write_spans
from ethogram.engines.tapeset import TapeSet
from ethogram.kernel.layout import NEVER

MANY_MOVED = 8
"""A bucket is made anew where more than one customer in so many moved."""


def clear(tapes: TapeSet, persons: Mapping[int, Sequence[str]]) -> None:
    """These people, by bucket, have no events and were never born. They keep their places on the rosters."""
    for bucket, names in persons.items():
        places = positions_of(pa.array(names, pa.string()), tapes.roster(bucket), tapes.keys(bucket))
        places = places[places >= 0]
        arrays = tapes.arrays(bucket)
        spans = arrays["spans"][places]
        codes = arrays["code"][ranges(spans[:, 0], spans[:, 1] - spans[:, 0])]
        tapes.counts -= np.bincount(codes, minlength=len(tapes.counts))
        empty, births = arrays["spans"].copy(), arrays["births"].copy()
        given = arrays["given_spans"].copy()
        empty[places], births[places], given[places] = 0, NEVER, 0
        write_spans(tapes, bucket, empty)
        write_part(tapes, bucket, "people", births=births, given_spans=given)
        tapes.map(bucket, ["spans", "people"])


def moving(homes: Homes, tapes: TapeSet, persons: Sequence[str]) -> Iterator[Arriving]:
    """All rows of these people."""
    if not persons:
        return
    columns = lake_columns(tapes)
    rows = sum(kept.rows for kept in tapes.buckets.values())
    customers = sum(kept.customers for kept in tapes.buckets.values())
    size = max(1, AT_ONCE * customers // max(1, rows))
    for start in range(0, len(persons), size):
        tables = homes.histories(persons[start : start + size], columns)
        if tables:
            table = pa.concat_tables(tables, promote_options="permissive")
            yield Arriving(table, np.full(table.num_rows, homes.sequence), {}, True)
