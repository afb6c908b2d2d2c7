"""From a source's files to mapped rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from ethogram.ingest.config import Config, Source
from ethogram.ingest.csvfile import read_csv
from ethogram.ingest.jsonfile import looks_segment, read_jsonl
from ethogram.ingest.jsonrows import JsonRows, mapped_flat, mapped_segment
from ethogram.ingest.mapped import Mapped, derived_ids, mapped, plan_of
from ethogram.ingest.parquetfile import read_parquet
from ethogram.ingest.paths import Snapshot, SourceFile
from ethogram.ingest.rejects import Reject
from ethogram.ingest.rows import Rows, typed_rows
from ethogram.ingest.select import run_select
from ethogram.model.errors import DataError

BATCH = 1 << 20

_FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip


def format_by_name(name: str) -> str:
    """csv, jsonl, parquet, or empty: by the ending, `.gz` aside."""
    lower = name.lower().removesuffix(".gz")
    return next((kind for ending, kind in _FORMATS.items() if lower.endswith(ending)), "")


class Reader:
    """Reads one source; `tell` is called with the stage and the share of the whole load that is done."""

    def __init__(self, config: Config, source: Source, tell: Callable[[str, float], None]) -> None:
        self.config = config
        self.source = source
        self.tell = tell

    def read(self, snapshots: Sequence[Snapshot]) -> tuple[list[Mapped], int, list[Reject]]:
        """The mapped rows in parts, the lines read, the unreadable ones."""
        formats = {self.format_of(snapshot.file) for snapshot in snapshots}
        if len(formats) > 1:
            raise DataError(
                "E_FORMAT",
                f"source {self.source.name} mixes {' and '.join(sorted(formats))}",
                span=self.config.place("sources", self.source.name, "files"),
                hint="make a source of each",
            )
        if formats == {"jsonl"}:
            return self.read_json(snapshots)
        if formats == {"parquet"}:
            rows = _joined([read_parquet(snapshot) for snapshot in snapshots])
        else:
            texts = []
            for index, snapshot in enumerate(snapshots):
                texts.append(read_csv(snapshot, self.source))
                self.tell("reading", 0.02 + 0.3 * (index + 1) / len(snapshots))
            rows = typed_rows(texts, self.source)
        return self.map_rows(rows)

    def read_json(self, snapshots: Sequence[Snapshot]) -> tuple[list[Mapped], int, list[Reject]]:
        rows = JsonRows([read_jsonl(snapshot, self.source) for snapshot in snapshots])
        self.tell("reading", 0.4)
        if self.source.select:
            return self.map_rows(rows.as_rows())
        if not rows.objects:
            return [], rows.read, rows.rejects
        segment = not self.source.picks and looks_segment(rows.objects)
        part = mapped_segment(rows, self.source) if segment else mapped_flat(rows, self.config, self.source)
        return [part], rows.read, rows.rejects

    def map_rows(self, rows: Rows) -> tuple[list[Mapped], int, list[Reject]]:
        read, unreadable = rows.read, rows.rejects
        if self.source.select:
            self.tell("selecting", 0.4)
            rows = self.selected(rows)
        plan = plan_of(self.config, self.source, rows.table.column_names)
        ids = None if "message_id" in {*plan.columns, *plan.constants} else derived_ids(rows, self.source)
        parts = []
        for start, part in zip(range(0, rows.table.num_rows, BATCH), rows.slices(BATCH), strict=True):
            parts.append(mapped(part, plan, None if ids is None else ids.slice(start, BATCH)))
        return parts, read, unreadable

    def selected(self, rows: Rows) -> Rows:
        table = run_select(self.config, self.source, rows.table)
        size = table.num_rows
        label = rows.files[0] if len(rows.files) == 1 else f"{self.source.name} ({len(rows.files)} files)"
        line = np.arange(1, size + 1, dtype=np.int64)
        return Rows((f"{label} (select)",), table, table, np.zeros(size, np.int32), line, size)

    def format_of(self, file: SourceFile) -> str:
        if self.source.format:
            return self.source.format
        found = format_by_name(file.path.name)
        if not found:
            raise DataError(
                "E_FORMAT",
                f"{file.label}: what kind of file is this?",
                span=self.config.place("sources", self.source.name, "files"),
                hint='say format = "csv", "jsonl" or "parquet"',
            )
        return found


def _joined(parts: Sequence[Rows]) -> Rows:
    """The rows of several Parquet files; a column that some lack is null there."""
    if len(parts) == 1:
        return parts[0]
    try:
        table = pa.concat_tables([part.table for part in parts], promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(
            "E_COLUMN_TYPE",
            f"the files of one source do not fit together: {str(error).splitlines()[0]}",
            file=parts[-1].files[0],
        ) from None
    file = np.concatenate([np.full(len(part.line), index, np.int32) for index, part in enumerate(parts)])
    line = np.concatenate([part.line for part in parts])
    return Rows(
        tuple(part.files[0] for part in parts), table, table, file, line, sum(part.read for part in parts)
    )
