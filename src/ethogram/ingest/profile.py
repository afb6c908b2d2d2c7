"""What the columns of unknown files look like, as far as a proposal needs it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.ingest.columns import COMMA_NUMBER
from ethogram.ingest.config import Source
from ethogram.ingest.csvfile import read_csv
from ethogram.ingest.jsonfile import looks_segment, read_jsonl
from ethogram.ingest.jsonrows import JsonRows
from ethogram.ingest.parquetfile import read_parquet
from ethogram.ingest.paths import SourceFile, opened
from ethogram.ingest.reading import format_by_name
from ethogram.ingest.rows import Rows, typed_rows
from ethogram.ingest.times import ISO_PATTERN, ISO_ZONED_PATTERN, parse_texts
from ethogram.model.errors import DataError

TIME_FORMATS = (
    "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%y %H:%M", "%d/%m/%y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d-%m-%Y", "%d-%m-%Y %H:%M",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%b %d, %Y", "%B %d, %Y", "%m/%d/%Y %I:%M %p",
)  # fmt: skip
_MOST = 0.9
"""Of a column's values: so many have to be of a kind, for a file may hold broken rows."""
_NUMBERED = re.compile(r"-?\d+([.,]\d+)?")


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """`kind` is text, number, flag, time or nested; `whole` numbers have no fraction; `formats` of text that could be times."""

    name: str
    kind: str
    known: int
    distinct: int
    negatives: int = 0
    whole: bool = False
    formats: tuple[str, ...] = ()
    common: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileProfile:
    """A file as read with `reading`, the settings that it needs to be read at all."""

    file: SourceFile
    format: str
    rows: Rows
    columns: Mapping[str, ColumnProfile]
    reading: Source
    segment: bool = False

    @property
    def count(self) -> int:
        return int(self.rows.table.num_rows)


def profile_file(file: SourceFile) -> FileProfile:
    """Raises DataError as reading does."""
    kind = format_by_name(file.path.name)
    if not kind:
        raise DataError(
            "E_FORMAT",
            "what kind of file is this?",
            file=file.label,
            hint="csv, jsonl and parquet can be read",
        )
    reading = Source("proposed", (file.label,))
    with opened(file) as snapshot:
        if kind == "parquet":
            rows = read_parquet(snapshot)
        elif kind == "jsonl":
            lines = JsonRows([read_jsonl(snapshot, reading)])
            if looks_segment(lines.objects):
                return FileProfile(file, kind, lines.as_rows(), {}, reading, segment=True)
            rows = lines.as_rows()
        else:
            head = _head(file)
            encoding = _encoding(head)
            reading = replace(reading, encoding=encoding)
            reading = _csv_settings(head.decode(encoding, "replace").splitlines()[:20], reading)
            texts = read_csv(snapshot, reading)
            rows = typed_rows([texts], reading)
            if _has_decimal_commas(rows):
                reading = replace(reading, decimal=",")
                rows = typed_rows([texts], reading)
    columns = {
        name: profile_column(name, rows.table[name].combine_chunks()) for name in rows.table.column_names
    }
    return FileProfile(file, kind, rows, columns, reading)


def _head(file: SourceFile) -> bytes:
    with opened(file) as snapshot:
        snapshot.handle.seek(0)
        raw = snapshot.handle.read(1 << 16)
        if raw[:2] == b"\x1f\x8b":
            snapshot.handle.seek(0)
            try:
                raw = gzip.GzipFile(fileobj=snapshot.handle).read(1 << 16)
            except (OSError, EOFError):
                return b""
    return raw


def _encoding(head: bytes) -> str:
    """UTF-8, or what Western spreadsheets write if most that is not ASCII is not UTF-8; single broken bytes decide nothing."""
    text = head.rpartition(b"\n")[0].decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return "cp1252" if broken > sum(char > "\x7f" for char in text) - broken else "utf-8"


def _csv_settings(head: Sequence[str], reading: Source) -> Source:
    """Columns of a file without a header are named by position; columns parted by blanks are recognized."""
    lines = [line for line in head if line.strip()]
    if len(lines) < 2:
        return reading
    first = lines[0]
    blank_counts = {len(line.split()) for line in lines[:-1] or lines}
    if not any(mark in first for mark in ",;\t|") and len(blank_counts) == 1 and blank_counts != {1}:
        reading = replace(reading, delimiter="whitespace")
    mark = reading.delimiter or max(",\t;|", key=first.count)
    fields = first.split() if mark == "whitespace" else first.split(mark)
    if any(_NUMBERED.fullmatch(field.strip().strip('"')) for field in fields) and len(fields) > 1:
        names = tuple(f"column_{index + 1}" for index in range(len(fields)))
        reading = replace(reading, header=False, columns=names)
    return reading


def _has_decimal_commas(rows: Rows) -> bool:
    """Not where points mark fractions elsewhere, nor where commas could all be parting thousands."""
    kinds = rows.table.schema.types
    if any(pa.types.is_decimal(kind) or pa.types.is_floating(kind) for kind in kinds):
        return False
    for name, kind in zip(rows.table.column_names, kinds, strict=True):
        values = rows.table[name].drop_null() if pa.types.is_string(kind) else ()
        if (
            len(values)
            and pc.mean(pc.match_substring_regex(values, COMMA_NUMBER)).as_py() >= _MOST
            and pc.any(pc.match_substring_regex(values, r",([0-9]{1,2}|[0-9]{4,})$")).as_py()
        ):
            return True
    return False


def profile_column(name: str, values: pa.Array) -> ColumnProfile:
    known = len(values) - values.null_count
    kind = values.type
    if pa.types.is_nested(kind):
        return ColumnProfile(name, "nested", known, known)
    distinct = int(pc.count_distinct(values).as_py()) if known else 0
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return ColumnProfile(name, "time", known, distinct)
    if pa.types.is_boolean(kind):
        return ColumnProfile(name, "flag", known, distinct)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        negatives = int(pc.sum(pc.less(values, pa.scalar(0, pa.int32()))).as_py() or 0)
        whole = pa.types.is_integer(kind)
        formats = _formats(values.cast(pa.string())) if whole else ()
        return ColumnProfile(name, "number", known, distinct, negatives, whole, formats)
    if not pa.types.is_string(kind):
        return ColumnProfile(name, "text", known, distinct)
    iso = pc.match_substring_regex(values.drop_null().slice(0, 50_000), f"{ISO_PATTERN}|{ISO_ZONED_PATTERN}")
    kind = "time" if known and pc.mean(iso).as_py() >= _MOST else "text"
    return ColumnProfile(name, kind, known, distinct, formats=_formats(values), common=_common(values))


def _formats(texts: pa.Array) -> tuple[str, ...]:
    """The forms that fit all of them; where none does, the one that fits most: a file may hold broken rows."""
    sample = texts.drop_null().slice(0, 50_000).unique()
    first = sample.slice(0, 20)
    if not any(char.isdigit() for text in first.to_pylist() for char in text):
        return ()
    plausible = [name for name in TIME_FORMATS if _share(first, name) >= _MOST]
    shares = {name: _share(sample.slice(0, 5000), name) for name in plausible}
    whole = tuple(name for name, share in shares.items() if share == 1.0)
    best = max(shares, key=shares.__getitem__, default="")
    return whole or ((best,) if best and shares[best] >= _MOST else ())


def _share(texts: pa.Array, name: str) -> float:
    """How many of the texts are times within decades of now."""
    parsed = parse_texts(texts, name)
    year = 365 * 86_400_000_000
    return float((parsed.ok & (parsed.micros > 20 * year) & (parsed.micros < 80 * year)).mean())


def _common(texts: pa.Array) -> tuple[str, ...]:
    counts = pc.value_counts(texts.drop_null())
    order = np.argsort(-counts.field("counts").to_numpy(), kind="stable")[:12]
    return tuple(counts.field("values").take(pa.array(order)).to_pylist())
