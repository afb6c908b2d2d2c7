"""Which events of a batch are new: the key is (source, message id), for as long as the event is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ethogram.store.duck import connect
from ethogram.store.leaves import CONTENT
from ethogram.store.numbers import Mask

if TYPE_CHECKING:
    import duckdb

KEY = ("source", "message_id")

_AGAINST_STORED = """
SELECT batch.row, bool_or(stored.content_hash = batch.content_hash) AS same
FROM batch JOIN ({stored}) AS stored USING (source, message_id) GROUP BY ALL"""
_INSIDE = """
WITH numbered AS (
    SELECT row, row_number() OVER once AS place, content_hash = first(content_hash) OVER once AS same
    FROM batch WINDOW once AS (PARTITION BY source, message_id ORDER BY row))
SELECT row, same FROM numbered WHERE place > 1"""


@dataclass(frozen=True, slots=True)
class Sifted:
    """`table` is the batch with content hashes. Each row is either new, repeated (the same event is there already, or
    stands earlier in the batch), or conflicting (its id is there already with another content: E_DUP_CONFLICT)."""

    table: pa.Table
    repeated: Mask
    conflicting: Mask

    @property
    def fresh(self) -> pa.Table:
        known = self.repeated | self.conflicting
        return self.table.filter(pa.array(~known)) if known.any() else self.table


def sift(batch: pa.Table, files: Sequence[Path], pending: Sequence[pa.Table]) -> Sifted:
    """Against the stored `files` and against tables on their way there."""
    repeated = np.zeros(batch.num_rows, np.bool_)
    conflicting = np.zeros(batch.num_rows, np.bool_)
    keys = batch.select([*KEY, CONTENT]).append_column("row", pa.array(np.arange(batch.num_rows)))
    queries = []
    if files:
        queries.append("SELECT source, message_id, content_hash FROM read_parquet(getvariable('files'))")
    if pending:
        queries.append("SELECT source, message_id, content_hash FROM pending")
    with connect() as duck:
        duck.register("batch", keys)
        duck.execute("SET VARIABLE files = ?", [[str(path) for path in files]])
        if pending:
            duck.register("pending", pa.concat_tables([table.select([*KEY, CONTENT]) for table in pending]))
        found = []
        if queries:
            found.append(
                duck.sql(_AGAINST_STORED.format(stored=" UNION ALL ".join(queries))).to_arrow_table()
            )
        if _may_repeat(duck):
            found.append(duck.sql(_INSIDE).to_arrow_table())
    # what is stored decides before what stands earlier in the batch
    for rows in reversed(found):
        places, same = rows["row"].to_numpy(), rows["same"].to_numpy()
        repeated[places], conflicting[places] = same, ~same
    return Sifted(batch, repeated, conflicting)


def _may_repeat(duck: duckdb.DuckDBPyConnection) -> bool:
    """Hashes are enough to tell that no id stands twice, and that is the rule."""
    hashes = np.sort(
        duck.sql("SELECT hash(message_id) AS hash FROM batch").to_arrow_table()["hash"].to_numpy()
    )
    return bool((hashes[1:] == hashes[:-1]).any())
