"""A reference population as a small table: values, and how many or which share of people have each."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethogram.model.errors import DataError

NUMBERS = ("share", "count")
MOST_ROWS = 10_000
ROUNDING = 0.02
"""Shares may add up to so much more or less than 1."""
_GROUPED = re.compile(r"\d{1,3}([,. \u00a0']\d{3})+\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """People with these values (one, or two where there is a second trait); `share` of all in the table."""

    values: tuple[str, ...]
    share: float
    count: float | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """`columns` are the names of the value columns: what is compared, then perhaps a second trait."""

    columns: tuple[str, ...]
    parts: tuple[Part, ...]


def folded(value: str) -> str:
    """Values that differ in capitals, width or blanks only are the same: `North ` and `north`."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def read_reference(path: Path, trait: str) -> Reference:
    """Raises DataError with file, line and column for whatever is wrong."""
    return _Table(path, trait).reference()


class _Table:
    def __init__(self, path: Path, trait: str) -> None:
        self.path, self.trait = path, trait
        self.text = self._text()
        self.delimiter = max(",;\t", key=self.text.partition("\n")[0].count)

    def _text(self) -> str:
        try:
            if self.path.stat().st_size > 1 << 24:
                raise self._wrong("it has more than 16 MB, which is no small table")
            return self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise DataError("E_NO_FILES", f"there is no file {self.path}") from None
        except (OSError, UnicodeDecodeError) as error:
            message = f"{self.path} cannot be read: {type(error).__name__}"
            raise DataError("E_READ", message, hint="It is csv in UTF-8.") from None

    def reference(self) -> Reference:
        rows = self._rows()
        if not rows:
            raise self._wrong("it is empty", hint="Its first line names the columns: value,share")
        number, header = rows[0]
        names = [name.strip() for name in header]
        place = self._number_column(names)
        values = [index for index in range(len(names)) if index != place]
        values.sort(key=lambda index: names[index] != self.trait)
        if not 1 <= len(values) <= 2:
            message = f"it has {len(values)} columns beside {names[place]}: {', '.join(names)}"
            hint = "One column holds the values, a second one those of a second trait, named as the trait."
            raise self._wrong(message, number, 1, hint)
        if len(rows) == 1:
            raise self._wrong(
                "it has no rows below its header", number + 1, 1, "Write a row for each value: North,0.4"
            )
        counts = [self._number(line, cells, place, names) for line, cells in rows[1:]]
        keys = [self._values(line, cells, values, names) for line, cells in rows[1:]]
        self._no_doubles(rows[1:], keys)
        return Reference(
            tuple(names[index] for index in values), self._parts(keys, counts, names[place].lower())
        )

    def _rows(self) -> list[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
        found = []
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    found.append((reader.line_num, cells))
                if len(found) > MOST_ROWS:
                    raise self._wrong(f"it has more than {MOST_ROWS:,} rows", reader.line_num, 1)
        except csv.Error as error:
            raise self._wrong(f"it is no csv: {error}", reader.line_num, 1) from None
        return found

    def _number_column(self, names: Sequence[str]) -> int:
        found = [index for index, name in enumerate(names) if name.lower() in NUMBERS]
        if not found:
            message = f"it has no column 'share' or 'count'; there are: {', '.join(names)}"
            hint = "Name one of them share (0.4 or 40%) or count (people)."
            raise DataError(
                "E_COLUMN_MISSING", message, hint=hint, file=str(self.path), line=1, column=1, field="share"
            )
        if len(found) > 1:
            raise self._wrong("it has more than one column of numbers", 1, 1, "Keep share or count.")
        return found[0]

    def _number(self, line: int, cells: Sequence[str], place: int, names: Sequence[str]) -> float:
        text = cells[place].strip() if place < len(cells) else ""
        plain = text.removesuffix("%").strip()
        if names[place].lower() == "count" and _GROUPED.match(plain):
            plain = re.sub(r"\D", "", plain)
        if self.delimiter != "," and "." not in plain:
            plain = plain.replace(",", ".")
        try:
            value = float(plain)
        except ValueError:
            value = math.nan
        if not 0 <= value < math.inf:
            message = f"{names[place]} is '{text}'" if text else f"{names[place]} is empty"
            raise self._wrong(
                message,
                line,
                self._column(line, cells, place),
                "A number from 0 on is meant: 0.4, 40% or 1200.",
            )
        return value

    def _values(
        self, line: int, cells: Sequence[str], places: Sequence[int], names: Sequence[str]
    ) -> tuple[str, ...]:
        found = tuple(cells[place].strip() if place < len(cells) else "" for place in places)
        for place, value in zip(places, found, strict=True):
            if not value:
                hint = "Leave out people of whom nothing is known."
                raise self._wrong(
                    f"{names[place] or 'the value'} is empty", line, self._column(line, cells, place), hint
                )
        return found

    def _no_doubles(self, rows: Sequence[tuple[int, Sequence[str]]], keys: Sequence[tuple[str, ...]]) -> None:
        seen: dict[tuple[str, ...], int] = {}
        for (line, _), key in zip(rows, keys, strict=True):
            plain = tuple(map(folded, key))
            if plain in seen:
                message = f"{' / '.join(key)} is there twice, also in line {seen[plain]}"
                raise self._wrong(message, line, 1, "Add the two up, and keep one row.")
            seen[plain] = line

    def _parts(self, keys: Sequence[tuple[str, ...]], counts: Sequence[float], kind: str) -> tuple[Part, ...]:
        total = sum(counts)
        if not total:
            raise self._wrong("it counts nobody: all numbers are 0")
        whole = 100.0 if total > 1 + ROUNDING else 1.0
        if kind == "share" and abs(total / whole - 1) > ROUNDING:
            message = f"the shares add up to {total:,.4g}"
            hint = "They add up to 1, or to 100 in percent; name a remainder, or give count instead."
            raise self._wrong(message, hint=hint)
        return tuple(
            Part(key, count / total, count if kind == "count" else None)
            for key, count in zip(keys, counts, strict=True)
        )

    def _column(self, line: int, cells: Sequence[str], place: int) -> int:
        """Where the cell begins in its line, as far as it is a plain one."""
        return sum(len(cell) + 1 for cell in cells[:place]) + 1

    def _wrong(
        self, message: str, line: int | None = None, column: int | None = None, hint: str = ""
    ) -> DataError:
        return DataError("E_REFERENCE", message, hint=hint, file=str(self.path), line=line, column=column)
