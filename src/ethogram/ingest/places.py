"""Where a key of a TOML text stands, so that every complaint about settings names line and column."""

from __future__ import annotations

import re

from ethogram.model.span import Span

_HEADER = re.compile(r"^\s*\[\[?\s*(.+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="""
)
_PART = re.compile(r""""[^"]*"|'[^']*'|[A-Za-z0-9_-]+""")


def place_of(text: str, file: str, path: tuple[str, ...], value: str = "") -> Span:
    """The span of the key at `path`, or of `value` on or after its line; the nearest enclosing table else."""
    lines = text.splitlines() or [""]
    best, depth = (0, 0), 0
    for number, key_path, column in _keys(lines):
        common = _shared(key_path, path)
        if common == len(key_path) and common > depth:
            best, depth = (number, column), common
    number, column = best
    length = len(path[depth - 1]) if depth else 1
    if depth < len(path) and (found := _search(lines[number], path[-1], column)) is not None:
        column, length = found, len(path[-1])
    if value:
        number, column, length = _value_place(lines, (number, column, length), value)
    return Span(file, number + 1, column + 1, max(1, length), lines[number])


def _keys(lines: list[str]) -> list[tuple[int, tuple[str, ...], int]]:
    found: list[tuple[int, tuple[str, ...], int]] = []
    table: tuple[str, ...] = ()
    fence = ""
    for number, line in enumerate(lines):
        if fence:
            fence = "" if fence in line else fence
            continue
        if header := _HEADER.match(line):
            table = _parts(header[1])
            found.append((number, table, line.index("[")))
        elif key := _KEY.match(line):
            found.append((number, (*table, *_parts(key[1])), key.start(1)))
            fence = _opens(line[key.end() :])
    return found


def _opens(rest: str) -> str:
    for fence in ('"""', "'''"):
        if rest.count(fence) % 2:
            return fence
    return ""


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _shared(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        count += 1
    return count


def _search(line: str, word: str, start: int) -> int | None:
    found = re.compile(rf"""["']?{re.escape(word)}["']?\s*=""").search(line, start)
    return found.start() if found else None


def _value_place(lines: list[str], at: tuple[int, int, int], value: str) -> tuple[int, int, int]:
    number, column, _ = at
    for index in range(number, min(number + 50, len(lines))):
        start = lines[index].find(value, column if index == number else 0)
        if start >= 0:
            return index, start, len(value)
    return at
