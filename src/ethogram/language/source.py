"""Texts that know where they stand in a file, so that every node and every error can say its place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ethogram.model.span import Span


@dataclass(frozen=True, slots=True)
class Document:
    """One file's content; `starts` are the offsets at which its lines begin."""

    file: str
    lines: tuple[str, ...]
    starts: tuple[int, ...]
    first_line: int = 1

    def span(self, start: int, end: int) -> Span:
        """The place of content[start:end]; what reaches beyond the first line is cut."""
        row = bisect_right(self.starts, start) - 1
        text = self.lines[row]
        column = start - self.starts[row]
        length = max(1, min(end - start, len(text) - column))
        return Span(self.file, self.first_line + row, column + 1, length, text)


def document(content: str, file: str = "", line: int = 1, column: int = 1) -> Document:
    """A document whose first character stands at `line` and `column`."""
    indent = " " * (column - 1)
    lines = tuple(line.rstrip("\r").replace("\t", " ") for line in (indent + content).split("\n"))
    starts = [-len(indent)]
    for text in content.split("\n")[:-1]:
        starts.append(max(starts[-1], 0) + len(text) + 1)
    return Document(file, lines, tuple(starts), line)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one expression; `offsets[i]` is where its i-th character stands in the document."""

    text: str
    document: Document
    offsets: Sequence[int]

    def span(self, start: int, end: int) -> Span:
        last = self.offsets[end - 1] + 1 if end > start else self.offsets[start]
        return self.document.span(self.offsets[start], last)


def source(text: str, file: str = "", line: int = 1, column: int = 1) -> Source:
    """A text that is its own document."""
    return Source(text, document(text, file, line, column), range(len(text) + 1))
