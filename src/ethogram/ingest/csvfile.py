"""CSV, strictly: every record has as many fields as the header, and one that has not is one unreadable line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from ethogram.ingest.config import Source
from ethogram.ingest.paths import Snapshot
from ethogram.ingest.rejects import Reject
from ethogram.ingest.textfile import MAX_LINE, text_blocks
from ethogram.model.errors import DataError

MAX_RECORD_LINES = 500
_Ints = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.uint8]


@dataclass(slots=True)
class TextTable:
    """Rows as text, `lines` aligned; `read` counts records, unreadable ones included, blank lines and the header not."""

    file: str
    table: pa.Table
    lines: _Ints
    read: int
    rejects: list[Reject] = field(default_factory=list)


def read_csv(snapshot: Snapshot, source: Source) -> TextTable:
    """Raises DataError for a file that is no CSV at all; the caller decides what a rejected line means."""
    return _CsvReader(snapshot.file.label, source).read(text_blocks(snapshot, source.encoding))


class _CsvReader:
    def __init__(self, file: str, source: Source) -> None:
        self.file = file
        self.delimiter = source.delimiter
        self.names: tuple[str, ...] = source.columns
        self.header = source.header
        self.rejects: list[Reject] = []
        self.tables: list[pa.Table] = []
        self.lines: list[_Ints] = []
        self.read_count = 0

    def read(self, blocks: Iterator[bytes]) -> TextTable:
        held, line = b"", 1
        for block, final in _with_last(blocks):
            data = held + block
            if not final and len(data) - data.rfind(b"\n") > MAX_LINE:
                raise DataError(
                    "E_CSV", f"a line is longer than {MAX_LINE:,} bytes", file=self.file, line=line
                )
            if not self.names or self.header:
                skipped = self.take_header(data, final=final)
                if skipped == 0:
                    held = data
                    continue
                line += data[:skipped].count(b"\n")
                data, self.header = data[skipped:], False
            used = self.take(data, line, final=final)
            line += data[:used].count(b"\n")
            held = data[used:]
        if not self.names:
            raise DataError("E_CSV", "there is no header line", file=self.file, line=1)
        schema = pa.schema([(name, pa.string()) for name in self.names])
        table = pa.concat_tables(self.tables) if self.tables else schema.empty_table()
        lines = np.concatenate(self.lines) if self.lines else np.zeros(0, np.int64)
        return TextTable(self.file, table, lines, self.read_count, self.rejects)

    def take_header(self, data: bytes, *, final: bool) -> int:
        """Bytes of the header, 0 while more is needed."""
        if not data.strip() and not final:
            return 0
        start = len(data) - len(data.lstrip(b"\r\n"))
        end = data.find(b"\n", start)
        if end < 0 and not final:
            return 0
        end = len(data) if end < 0 else end + 1
        try:
            text = data[start:end].decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise DataError(
                "E_FILE_ENCODING",
                f"byte {error.start} of the header is not UTF-8",
                file=self.file,
                line=1,
                column=error.start + 1,
                hint='say encoding = "cp1252", or what it is, in its source',
            ) from None
        if "\0" in text:
            raise DataError("E_FILE_UNREADABLE", "this is no text file", file=self.file, line=1)
        self.delimiter = self.delimiter or _sniff(text)
        if not self.header:
            return start
        try:
            names = tuple(name.strip() for name in self.fields([text]))
        except csv.Error as error:
            raise DataError("E_CSV", f"the header cannot be read: {error}", file=self.file, line=1) from None
        names = tuple(name or f"column_{index + 1}" for index, name in enumerate(names))
        for index, name in enumerate(names):
            if name in names[:index]:
                raise DataError(
                    "E_CSV",
                    f"two columns are called {name}",
                    file=self.file,
                    line=1,
                    column=index + 1,
                    field=name,
                    hint="rename one of them in the file's header",
                )
        self.names = self.names or names
        if len(names) != len(self.names):
            raise DataError(
                "E_CSV", f"{len(self.names)} columns are named, the header has {len(names)}", file=self.file
            )
        return end

    def fields(self, lines: Sequence[str] | Iterator[str]) -> list[str]:
        if self.delimiter == "whitespace":
            return next(iter(lines)).split()
        return next(csv.reader(lines, delimiter=self.delimiter, strict=True))

    def take(self, data: bytes, first: int, *, final: bool) -> int:
        """Reads the whole records of `data`; returns the bytes used, whole lines."""
        marks = _Lines.of(data, final=final)
        used = int(marks.used)
        if not len(marks.starts):
            return used
        slow_lines = marks.having(34)
        if self.delimiter == "whitespace":
            slow_lines = np.arange(len(marks.starts))
        records, taken, cut = self.slow(marks, slow_lines, first, final=final)
        if cut is not None:
            used = int(marks.starts[cut])
        keep = ~taken & (marks.lengths > 0)
        if cut is not None:
            keep[cut:] = False
        self.read_count += int(keep.sum())
        keep &= self.plain(marks, keep, first)
        self.gather(marks, keep, records, first)
        return used

    def plain(self, marks: _Lines, keep: npt.NDArray[np.bool_], first: int) -> npt.NDArray[np.bool_]:
        """Which lines without quotes are well formed; the others are rejected here."""
        width = len(self.names)
        counts = marks.counts(ord(self.delimiter)) + 1 if self.delimiter != "whitespace" else marks.lengths
        good = keep & (counts == width)
        for index in np.flatnonzero(keep & ~good):
            self.reject_width(first + int(index), int(counts[index]))
        for byte, code, reason in (
            (0, "E_TEXT_NUL", "a NUL character"),
            (13, "E_CSV", "a bare carriage return"),
        ):
            for index in marks.having(byte):
                if good[index]:
                    good[index] = False
                    column = marks.line(int(index)).split(bytes([byte]))[0].count(self.delimiter.encode()) + 1
                    self.reject(first + int(index), column, code, reason)
        return self.decodable(marks, good, first)

    def decodable(self, marks: _Lines, good: npt.NDArray[np.bool_], first: int) -> npt.NDArray[np.bool_]:
        try:
            marks.data.decode("utf-8")
            return good
        except UnicodeDecodeError:
            pass
        for index in np.flatnonzero(good):
            line = marks.line(int(index))
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                good[index] = False
                column = line[: error.start].count(self.delimiter.encode()) + 1
                self.reject_byte(first + int(index), column, line[error.start])
        return good

    def slow(
        self, marks: _Lines, lines: _Ints, first: int, *, final: bool
    ) -> tuple[list[tuple[int, list[str]]], npt.NDArray[np.bool_], int | None]:
        """Records with quotes, one by one: (line index, fields), the lines they took, where an unfinished one begins."""
        taken = np.zeros(len(marks.starts), np.bool_)
        records: list[tuple[int, list[str]]] = []
        for index in lines.tolist():
            if taken[index] or not marks.lengths[index]:
                continue
            feed = _Feed(marks, index)
            try:
                fields = self.fields(feed)
            except UnicodeDecodeError as error:
                taken[index] = True
                self.read_count += 1
                line = marks.line(index)
                if feed.count > 1:
                    self.reject_quote(line, first + index, "")
                    continue
                self.reject_byte(
                    first + index, _ordinal(line, self.delimiter, error.start), line[error.start]
                )
                continue
            except (csv.Error, StopIteration) as error:
                if feed.ended and not feed.full and not final:
                    return records, taken, index
                taken[index] = True
                self.read_count += 1
                self.reject_quote(marks.line(index), first + index, str(error))
                continue
            taken[index : index + feed.count] = True
            if not fields:
                continue
            self.read_count += 1
            if len(fields) != len(self.names):
                self.reject_width(first + index, len(fields))
            elif any("\0" in text for text in fields):
                column = next(place for place, text in enumerate(fields) if "\0" in text)
                self.reject(first + index, column + 1, "E_TEXT_NUL", "a NUL character")
            else:
                records.append((index, fields))
        return records, taken, None

    def gather(
        self, marks: _Lines, keep: npt.NDArray[np.bool_], records: list[tuple[int, list[str]]], first: int
    ) -> None:
        places = np.flatnonzero(keep)
        parts = [self.parse_plain(marks, keep)] if len(places) else []
        if records:
            columns = list(zip(*(fields for _, fields in records), strict=True))
            arrays = [pa.array(column, pa.string()) for column in columns]
            parts.append(pa.table(arrays, names=list(self.names)))
            places = np.concatenate([places, np.array([index for index, _ in records], np.int64)])
        if not parts:
            return
        table = pa.concat_tables(parts)
        if len(parts) == 2:
            order = np.argsort(places, kind="stable")
            table, places = table.take(pa.array(order)), places[order]
        self.tables.append(table)
        self.lines.append(places.astype(np.int64) + first)

    def parse_plain(self, marks: _Lines, keep: npt.NDArray[np.bool_]) -> pa.Table:
        inner = [f"{index}" for index in range(len(self.names))]
        table = arrow_csv.read_csv(
            pa.BufferReader(marks.only(keep)),
            arrow_csv.ReadOptions(column_names=inner, block_size=1 << 24),
            arrow_csv.ParseOptions(delimiter=self.delimiter, quote_char=False, newlines_in_values=False),
            arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in inner}, strings_can_be_null=False, null_values=[]
            ),
        )
        if table.num_rows != int(keep.sum()):
            raise DataError("E_CSV", "the line ends of the file are mixed", file=self.file)
        return table.rename_columns(list(self.names))

    def reject_width(self, line: int, count: int) -> None:
        width = len(self.names)
        what = "are missing" if count < width else "are too many"
        self.reject(
            line, min(count, width) + 1, "E_CSV", f"{count} fields where the header has {width}: some {what}"
        )

    def reject_byte(self, line: int, column: int, byte: int) -> None:
        self.reject(line, column, "E_CSV", f"byte 0x{byte:02x} is not UTF-8")

    def reject_quote(self, raw: bytes, line: int, said: str) -> None:
        reason = "a quote that never ends" if "end of data" in said or not said else f"a wrong quote: {said}"
        self.reject(line, _ordinal(raw, self.delimiter, len(raw)), "E_CSV", reason)

    def reject(self, line: int, column: int, code: str, reason: str) -> None:
        name = self.names[column - 1] if 0 < column <= len(self.names) else ""
        self.rejects.append(Reject(self.file, line, column, name, code, reason, unreadable=True))


class _Feed:
    """The lines from `index` on as text, at most one record's worth."""

    def __init__(self, marks: _Lines, index: int) -> None:
        self.marks, self.index, self.count, self.size = marks, index, 0, 0
        self.ended = self.full = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        at = self.index + self.count
        self.ended = at >= len(self.marks.starts)
        self.full = self.count >= MAX_RECORD_LINES or self.size > MAX_LINE
        if self.ended or self.full:
            raise StopIteration
        self.count += 1
        raw: bytes = self.marks.whole(at)
        self.size += len(raw)
        return raw.decode("utf-8")


@dataclass(slots=True)
class _Lines:
    """Where the lines of a block start and end; `used` bytes are whole lines."""

    data: bytes
    codes: _Bytes
    starts: _Ints
    ends: _Ints
    lengths: _Ints
    used: int

    @classmethod
    def of(cls, data: bytes, *, final: bool) -> _Lines:
        if final and data and not data.endswith(b"\n"):
            data += b"\n"
        used = data.rfind(b"\n") + 1
        data = data[:used]
        array = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(array == 10).astype(np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1]) if len(ends) else ends
        carriage = (
            (ends > starts) & (array[np.maximum(ends - 1, 0)] == 13) if len(ends) else np.zeros(0, np.bool_)
        )
        return cls(data, array, starts, ends, ends - carriage - starts, used)

    def positions(self, byte: int) -> _Ints:
        return np.flatnonzero(self.codes == byte).astype(np.int64)

    def having(self, byte: int) -> _Ints:
        """Indices of the lines that contain `byte`, the carriage return of a line's end not counted."""
        places = self.positions(byte)
        lines = np.searchsorted(self.ends, places, "left")
        inside = places < self.starts[lines] + self.lengths[lines]
        return np.unique(lines[inside])

    def counts(self, byte: int) -> _Ints:
        lines = np.searchsorted(self.ends, self.positions(byte), "left")
        return np.bincount(lines, minlength=len(self.starts)).astype(np.int64)

    def line(self, index: int) -> bytes:
        start = int(self.starts[index])
        return self.data[start : start + int(self.lengths[index])]

    def whole(self, index: int) -> bytes:
        return self.data[int(self.starts[index]) : int(self.ends[index]) + 1]

    def only(self, keep: npt.NDArray[np.bool_]) -> bytes:
        if keep.all():
            return self.data
        return self.codes[np.repeat(keep, self.ends + 1 - self.starts)].tobytes()


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Every block; then an empty last one, so that what was held back is read as final."""
    for block in blocks:
        yield block, False
    yield b"", True


def _ordinal(raw: bytes, delimiter: str, end: int) -> int:
    """Which field the byte at `end` is in, quotes respected as far as they go."""
    count, quoted, mark = 1, False, delimiter.encode()
    for index in range(min(end, len(raw))):
        byte = raw[index : index + 1]
        if byte == b'"':
            quoted = not quoted
        elif byte == mark and not quoted:
            count += 1
    return count


def _sniff(header: str) -> str:
    """The likeliest delimiter of a header line; a comma where nothing tells."""
    return max((",", "\t", ";", "|"), key=lambda mark: (header.count(mark), mark == ","))
