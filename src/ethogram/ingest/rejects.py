"""Rows that did not become events, each with its place and its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reject:
    """One unreadable line or refused row.

    `line` is the 1-based line in the (decompressed) file, or the row number in a Parquet file or in what a `select`
    returned; `column` is the 1-based position of the field in the line, 0 for the line as a whole. `reason` quotes no
    personal value: a value is quoted only where it was to be a number or a time. `unreadable` tells a line that never
    became a row from a row that was refused.
    """

    file: str
    line: int
    column: int
    field: str
    code: str
    reason: str
    unreadable: bool = False

    def __str__(self) -> str:
        return f"{self.code} {self.file}:{self.line}:{self.column} {self.field}: {self.reason}"


def shown(value: str, limit: int = 64) -> str:
    """A short, printable form of a value for a reason."""
    text = value if len(value) <= limit else value[: limit - 1] + "…"
    return (
        ascii(text)
        if any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0x2028 <= ord(char) <= 0x202E for char in text)
        else repr(text)
    )
