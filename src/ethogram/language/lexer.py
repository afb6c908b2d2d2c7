"""Expression text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ethogram.language.source import Source
from ethogram.model.errors import DefinitionError

TokenKind: TypeAlias = Literal[
    "name", "quoted name", "text", "number", "percent", "duration", "symbol", "end"
]


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is the token's meaning: a name, the decoded text, the digits; `unit` is set for durations."""

    kind: TokenKind
    text: str
    start: int
    end: int
    unit: str = ""


KEYWORDS = frozenset({"and", "or", "not", "in", "is", "between", "contains", "true", "false"})
"""Words that are operators or literals wherever they stand."""

UNITS = ("s", "min", "h", "d", "w", "mo", "y")

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<number>[0-9]+(?:\.[0-9]+)?) (?P<suffix>%|[^\W\d]\w*|_\w*)?
    | (?P<name>[^\W\d]\w*)
    | "(?P<text>(?:[^"\\\n]|\\.)*)"
    | `(?P<quoted>(?:[^`\\\n]|\\.)*)`
    | (?P<symbol>==|!=|<=|>=|<>|&&|\|\||[-+*/<>=()\[\],.!])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)")
_ESCAPED = {'"': '"', "`": "`", "\\": "\\", "n": "\n", "t": "\t", "r": "\r"}

_HINTS = {
    "'": 'Text is written in double quotes: "text".',
    "“": 'Text is written in straight double quotes: "text".',
    "”": 'Text is written in straight double quotes: "text".',
    "„": 'Text is written in straight double quotes: "text".',
    "‘": 'Text is written in straight double quotes: "text".',
    "’": 'Text is written in straight double quotes: "text".',
    "≥": "Write >=.",
    "≤": "Write <=.",
    "≠": "Write !=.",
    "#": "Inside an expression # starts no comment; a comment stands on a line of its own outside it.",
    "&": "Write: and",
    "|": "Write: or",
    "{": "Lists are written [1, 2].",
}


def tokens(source: Source) -> list[Token]:
    """All tokens, the last of kind "end".

    Raises DefinitionError for a character, text, number or unit that the language does not know.
    """
    found: list[Token] = []
    at = 0
    while at < len(source.text):
        match = _TOKEN.match(source.text, at)
        if match is None:
            raise _stray(source, at)
        if match.lastgroup != "space":
            found.append(_token(source, match))
        at = match.end()
    found.append(Token("end", "", at, at))
    return found


def _token(source: Source, match: re.Match[str]) -> Token:
    start, end = match.span()
    match match.lastgroup:
        case "number" | "suffix":
            return _number(source, match)
        case "name":
            return Token("name", match["name"], start, end)
        case "text":
            return Token("text", _unescape(source, match["text"], start + 1), start, end)
        case "quoted":
            if not match["quoted"]:
                raise _error(source, start, end, "E_SYNTAX", "a name in backquotes is empty")
            return Token("quoted name", _unescape(source, match["quoted"], start + 1), start, end)
        case _:
            return Token("symbol", match["symbol"], start, end)


def _number(source: Source, match: re.Match[str]) -> Token:
    start, end = match.span()
    digits, suffix = match["number"], match["suffix"] or ""
    if not suffix:
        return Token("number", digits, start, end)
    if suffix == "%":
        return Token("percent", digits, start, end)
    if suffix in UNITS and "." not in digits:
        return Token("duration", digits, start, end, suffix)
    raise _bad_suffix(source, match, digits, suffix)


def _bad_suffix(source: Source, match: re.Match[str], digits: str, suffix: str) -> DefinitionError:
    start, end = match.span()
    written = match[0]
    if suffix == "m":
        hint = f"Write {digits}min or {digits}mo."
        return _error(source, start, end, "E_UNIT", f"'{written}': minutes (min) or months (mo)?", hint)
    if suffix in UNITS:
        hint = "Use a smaller unit: 90min for an hour and a half, 36h for a day and a half."
        return _error(source, start, end, "E_UNIT", f"'{written}': a duration is a whole number", hint)
    if suffix.startswith("_"):
        return _error(
            source, start, end, "E_NUMBER", f"'{written}' is not a number", "Write the digits alone: 1000."
        )
    if re.fullmatch(r"[eE]\d*", suffix):
        return _error(
            source,
            start,
            end,
            "E_NUMBER",
            f"'{written}': numbers have no exponent",
            "Write the digits: 1000.",
        )
    message = f"'{suffix}' is not a unit of time"
    return _error(
        source, start, end, "E_UNIT", message, f"There are {', '.join(UNITS)}: {digits}d, {digits}mo."
    )


def _unescape(source: Source, written: str, offset: int) -> str:
    if "\\" not in written:
        return written
    parts: list[str] = []
    at = 0
    for match in _ESCAPE.finditer(written):
        parts.append(written[at : match.start()])
        parts.append(_escaped(source, match, offset))
        at = match.end()
    return "".join(parts) + written[at:]


def _escaped(source: Source, match: re.Match[str], offset: int) -> str:
    code = match[1]
    if code in _ESCAPED:
        return _ESCAPED[code]
    start, end = offset + match.start(), offset + match.end()
    if len(code) == 1:
        hint = r"There are \" \\ \n \t \r and \u0041; a backslash itself is written \\."
        raise _error(source, start, end, "E_SYNTAX", f"'{match[0]}' is not an escape", hint)
    character = chr(int(code[1:], 16))
    if "\ud800" <= character <= "\udfff":
        raise _error(
            source, start, end, "E_SYNTAX", f"'{match[0]}' is half a character", "Write the character itself."
        )
    return character


def _stray(source: Source, at: int) -> DefinitionError:
    character = source.text[at]
    if character in '"`':
        what = "text" if character == '"' else "name"
        end = source.text.find("\n", at)
        end = len(source.text) if end < 0 else end
        hint = f"Close it with {character} on the same line."
        return _error(source, at, end, "E_SYNTAX", f"this {what} is not closed", hint)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return _error(
        source, at, at + 1, "E_SYNTAX", f"unexpected character '{shown}'", _HINTS.get(character, "")
    )


def _error(source: Source, start: int, end: int, code: str, message: str, hint: str = "") -> DefinitionError:
    return DefinitionError(code, message, hint=hint, span=source.span(start, end))
