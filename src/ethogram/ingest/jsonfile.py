"""JSON Lines, strictly: what two readers could understand differently is an unreadable line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias, Union, cast

from ethogram.ingest.config import Source
from ethogram.ingest.paths import Snapshot
from ethogram.ingest.rejects import Reject, shown
from ethogram.ingest.textfile import MAX_LINE, text_blocks
from ethogram.model.errors import DataError

Json: TypeAlias = Union[Decimal, int, str, bool, None, "list[Json]", "dict[str, Json]"]

MAX_DEPTH = 32
MAX_KEYS = 255
MAX_KEY = 256
MAX_TEXT = 8192
MAX_NUMBER = 40
MAX_INT = 2**63


@dataclass(slots=True)
class JsonLines:
    """The objects of a file with their lines; `read` counts all lines that are not blank."""

    file: str
    lines: list[int] = field(default_factory=list)
    objects: list[dict[str, Json]] = field(default_factory=list)
    read: int = 0
    rejects: list[Reject] = field(default_factory=list)


class _Refused(Exception):
    def __init__(self, code: str, reason: str, path: str = "", column: int = 0) -> None:
        super().__init__(reason)
        self.code, self.reason, self.path, self.column = code, reason, path, column


@dataclass(frozen=True, slots=True)
class _Odd:
    """A number that cannot be kept, until it is known where it stands."""

    code: str
    reason: str


def read_jsonl(snapshot: Snapshot, source: Source) -> JsonLines:
    """Raises DataError for a file that is no text; every bad line is a Reject."""
    result = JsonLines(snapshot.file.label)
    held, number = b"", 0
    for block in text_blocks(snapshot, source.encoding, 1 << 22):
        lines = (held + block).split(b"\n")
        held = lines.pop()
        if len(held) > 4 * MAX_LINE:
            raise DataError(
                "E_JSON", f"a line is longer than {MAX_LINE:,} bytes", file=result.file, line=number + 1
            )
        for line in lines:
            number += 1
            _take(line, number, result)
    if held.strip():
        _take(held, number + 1, result)
    if result.read and not result.objects and len(result.rejects) == result.read and result.read <= 2:
        _check_shape(snapshot, result)
    return result


def _check_shape(snapshot: Snapshot, result: JsonLines) -> None:
    reject = result.rejects[0]
    if reject.code == "E_JSON" and reject.line == 1:
        raise DataError(
            "E_FILE_UNREADABLE",
            f"this is not JSON Lines: {reject.reason}",
            file=snapshot.file.label,
            line=1,
            column=reject.column,
            hint="one JSON object on each line",
        )


def _take(line: bytes, number: int, result: JsonLines) -> None:
    line = line.strip(b" \t\r")
    if not line:
        return
    result.read += 1
    try:
        result.objects.append(parse_line(line))
        result.lines.append(number)
    except _Refused as refused:
        result.rejects.append(
            Reject(
                result.file,
                number,
                refused.column,
                refused.path,
                refused.code,
                refused.reason,
                unreadable=True,
            )
        )


def parse_line(line: bytes) -> dict[str, Json]:
    """One object. Raises _Refused (E_JSON…, E_NUMBER…, E_TEXT…, E_ID_INT_RANGE) with the path of the field."""
    if len(line) > MAX_LINE:
        raise _Refused("E_JSON", f"the line is longer than {MAX_LINE:,} bytes")
    if (deep := _too_deep(line)) is not None:
        raise _Refused("E_JSON_DEPTH", f"nested deeper than limit={MAX_DEPTH}", column=deep + 1)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Refused(
            "E_JSON",
            f"byte 0x{line[error.start]:02x} at {error.start + 1} is not UTF-8",
            column=error.start + 1,
        ) from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _Refused("E_JSON", error.msg, column=error.pos + 1) from None
    except (RecursionError, ValueError) as error:
        raise _Refused("E_JSON", str(error)) from None
    if not isinstance(value, dict):
        raise _Refused("E_JSON", "the line is no JSON object", column=1)
    return cast("dict[str, Json]", _checked(value, ""))


def _too_deep(line: bytes) -> int | None:
    """Where nesting passes the limit, found before a recursive reader sees it."""
    if line.count(b"[") + line.count(b"{") <= MAX_DEPTH:
        return None
    depth, quoted = 0, False
    for found in _BRACKETS.finditer(line):
        mark = found[0]
        if mark == b'"':
            quoted = not quoted
        elif not quoted and mark in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                return found.start()
        elif not quoted and mark in (b"]", b"}"):
            depth -= 1
    return None


_BRACKETS = re.compile(rb'\\.|["\[\]{}]')


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise _Refused("E_JSON_DUPLICATE_KEY", "the key stands twice in one object", path=_printable(twice))
    return result


def _number(text: str) -> Decimal | _Odd:
    if len(text) > MAX_NUMBER:
        return _Odd("E_NUMBER_TOO_LONG", f"a number of more than {MAX_NUMBER} characters")
    value = Decimal(text)
    if value.adjusted() >= 12 and value:
        return _Odd("E_JSON_NONFINITE", f"{shown(text)} is beyond the largest number")
    return value


def _whole(text: str) -> int | _Odd:
    if len(text) > MAX_NUMBER:
        return _Odd("E_NUMBER_TOO_LONG", f"a number of more than {MAX_NUMBER} characters")
    value = int(text)
    if not -MAX_INT <= value < MAX_INT:
        return _Odd("E_ID_INT_RANGE", "a whole number beyond 64 bits; send ids as strings")
    return value


def _constant(text: str) -> _Odd:
    return _Odd("E_JSON_NONFINITE", f"{text} is no finite number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_whole, parse_constant=_constant, strict=True
)


def _checked(value: object, path: str) -> Json:
    match value:
        case str():
            return _text(value, path)
        case dict():
            if len(value) > MAX_KEYS:
                raise _Refused("E_JSON_KEYS", f"more than {MAX_KEYS} keys", path=path)
            return {_key(name, path): _checked(inner, _below(path, name)) for name, inner in value.items()}
        case list():
            return [_checked(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
        case _Odd():
            raise _Refused(value.code, value.reason, path=path)
        case _:
            return cast("Json", value)


def _text(value: str, path: str) -> str:
    if len(value) > MAX_TEXT // 4 and len(value.encode("utf-8", "surrogatepass")) > MAX_TEXT:
        raise _Refused("E_TEXT_TOO_LONG", f"a text of more than {MAX_TEXT} bytes", path=path)
    if "\0" in value:
        raise _Refused("E_TEXT_NUL", "a NUL character", path=path)
    if not value.isascii() and _SURROGATE.search(value):
        raise _Refused("E_TEXT_SURROGATE", "half a character (a lone surrogate)", path=path)
    return value


_SURROGATE = re.compile("[\ud800-\udfff]")


def _key(name: str, path: str) -> str:
    if not name:
        raise _Refused("E_KEY_EMPTY", "an empty key", path=path)
    if len(name.encode("utf-8", "surrogatepass")) > MAX_KEY:
        raise _Refused("E_KEY_TOO_LONG", f"a key of more than {MAX_KEY} bytes", path=path)
    return _text(name, _below(path, name))


def _below(path: str, name: str) -> str:
    return f"{path}.{_printable(name)}" if path else _printable(name)


def _printable(name: str) -> str:
    short = name if len(name) <= 64 else name[:63] + "…"
    return short if short.isprintable() else ascii(short)[1:-1]


def json_readable(value: Json) -> object:
    """As `json.dumps` takes it, numbers as their text."""
    match value:
        case Decimal():
            return str(value)
        case Mapping():
            return {name: json_readable(inner) for name, inner in value.items()}
        case list():
            return [json_readable(inner) for inner in value]
        case _:
            return value


def canonical(value: Json) -> str:
    """The same text for the same content, whatever the order of its keys."""
    return json.dumps(json_readable(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


# --- as columns, for a select ---------------------------------------------------------------------------------------


def looks_segment(objects: Sequence[Mapping[str, Json]]) -> bool:
    """Whether the lines are calls of the Segment protocol: a known `type`, and who it was."""
    sample = objects[:100]
    fitting = sum(
        1
        for item in sample
        if item.get("type") in ("track", "page", "screen", "identify", "group", "alias")
        and (item.get("userId") is not None or item.get("anonymousId") is not None)
    )
    return bool(sample) and fitting * 2 > len(sample)
