"""Where each character of a YAML scalar's value stands in the file.

YAML folds lines, strips indentation and decodes escapes, but never reorders and never changes what is not white space. So
the value and its source are walked together: white space in the source is skipped, everything else stands one to one.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Style: TypeAlias = Literal["plain", "single", "double", "literal", "folded"]

_SPACES = frozenset(" \t\r\n\x85\u2028\u2029")
_SPACE_ESCAPES = frozenset(" \t\r\ntnrNLP")
_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


def offsets_of(value: str, style: Style, content: str, start: int, end: int) -> list[int]:
    """One offset for each character of the value, which was written in content[start:end], and one for its end."""
    at = _first_character(style, content, start, end)
    offsets: list[int] = []
    for character in value:
        if character in _SPACES:
            offsets.append(at)
            at += at < end and content[at] in _SPACES
            continue
        at = _skip_space(content, at, end, style == "double")
        offsets.append(at)
        at += _width(content, at, style)
    return [*offsets, min(at, end)]


def _first_character(style: Style, content: str, start: int, end: int) -> int:
    match style:
        case "plain":
            return start
        case "single" | "double":
            return start + 1
        case "literal" | "folded":
            header = content.find("\n", start)
            return end if header < 0 else header + 1


def _skip_space(content: str, at: int, end: int, escapes: bool) -> int:
    while at < end:
        if content[at] in _SPACES:
            at += 1
        elif escapes and content[at] == "\\" and _is_space_escape(content, at):
            at += _width(content, at, "double")
        else:
            break
    return at


def _is_space_escape(content: str, at: int) -> bool:
    code = content[at + 1]
    if code in _ESCAPE_LENGTHS:
        digits = content[at + 2 : at + _ESCAPE_LENGTHS[code]]
        return bool(re.fullmatch("[0-9A-Fa-f]+", digits)) and chr(int(digits, 16)) in _SPACES
    return code in _SPACE_ESCAPES


def _width(content: str, at: int, style: Style) -> int:
    if style == "single" and content.startswith("''", at):
        return 2
    if style == "double" and content.startswith("\\", at):
        return _ESCAPE_LENGTHS.get(content[at + 1], 2)
    return 1
