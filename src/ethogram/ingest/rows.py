"""The rows of a source's files before they mean anything: typed columns, each row with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ethogram.ingest.columns import Misfit, Reading, is_amount, type_table
from ethogram.ingest.config import Source
from ethogram.ingest.csvfile import TextTable
from ethogram.ingest.rejects import Reject


@dataclass(slots=True)
class Rows:
    """`table` typed; `raw` the same rows as the files say them (text for CSV); `file` indexes `files`, `line` is 1-based.

    `read` counts the lines of the files, `read == table.num_rows + unreadable lines`.
    """

    files: tuple[str, ...]
    table: pa.Table
    raw: pa.Table
    file: npt.NDArray[np.int32]
    line: npt.NDArray[np.int64]
    read: int
    rejects: list[Reject] = field(default_factory=list)

    def position(self, name: str) -> int:
        """The 1-based position of a column, 0 for one that the files do not have."""
        return self.table.column_names.index(name) + 1 if name in self.table.column_names else 0

    def slices(self, size: int) -> Iterator[Rows]:
        for start in range(0, self.table.num_rows, size):
            part = slice(start, start + size)
            yield Rows(
                self.files,
                self.table.slice(start, size),
                self.raw.slice(start, size),
                self.file[part],
                self.line[part],
                len(self.line[part]),
            )


def typed_rows(texts: Sequence[TextTable], source: Source) -> Rows:
    """The rows of all CSV files of a source; a column's type is decided over all of them together.

    A row whose value does not fit its column's type is an unreadable line.
    """
    raw = pa.concat_tables([text.table for text in texts], promote_options="default")
    file = np.concatenate([np.full(text.table.num_rows, index, np.int32) for index, text in enumerate(texts)])
    line = np.concatenate([text.lines for text in texts])
    table, misfits = type_table(raw, {name: reading_of(name, source) for name in raw.column_names})
    rows = Rows(
        tuple(text.file for text in texts),
        table,
        raw,
        file,
        line,
        sum(text.read for text in texts),
        [reject for text in texts for reject in text.rejects],
    )
    return without_misfits(rows, misfits)


def reading_of(name: str, source: Source) -> Reading:
    """How a column's text is read, by what the source's settings say of it."""
    picked = {pick.text: key for key, pick in source.picks.items() if pick.column is not False}
    kind = source.types.get(name, "")
    time_format = source.time_format if source.select or picked.get(name) == "time" else ""
    if not kind and picked.get(name) == "time":
        kind = "text" if not time_format else ""
    if not kind and (name in source.ids.values() or name.startswith("ids.")):
        kind = "text"
    as_amount = any(column == name and is_amount(key) for key, column in (source.properties or {}).items())
    return Reading(name, kind, source.decimal, source.null, time_format, as_amount)


def without_misfits(rows: Rows, misfits: Sequence[tuple[str, Misfit]]) -> Rows:
    """The rows that fit; of each other one its first misfit is told."""
    if not misfits:
        return rows
    told: dict[int, Reject] = {}
    for name, misfit in misfits:
        for row in misfit.rows.tolist():
            if row not in told:
                told[row] = Reject(
                    rows.files[rows.file[row]],
                    int(rows.line[row]),
                    rows.position(name),
                    name,
                    misfit.code,
                    misfit.reason,
                    unreadable=True,
                )
    keep = np.ones(rows.table.num_rows, np.bool_)
    keep[list(told)] = False
    mask = pa.array(keep)
    return Rows(
        rows.files,
        rows.table.filter(mask),
        rows.raw.filter(mask),
        rows.file[keep],
        rows.line[keep],
        rows.read,
        [*rows.rejects, *told.values()],
    )
