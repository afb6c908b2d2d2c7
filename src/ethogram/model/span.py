from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a definition file: 1-based line and column, length in characters; `text` is the whole line."""

    file: str
    line: int
    column: int
    length: int = 1
    text: str = ""
