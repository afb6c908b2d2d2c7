"""Text and local times to moments: microseconds since 1970 in UTC, a naive time being the project's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_Ints = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]

EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 - 14 * 3_600_000_000
"""The start of 1990, where it came first."""
DAY = 86_400_000_000
_SLOT = 900_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)

ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?"
)
ISO_PATTERN = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
ISO_ZONED_PATTERN = (
    r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)? ?(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$"
)
_EPOCH_TEXT = re.compile(r"\d{9,10}(\.\d+)?|\d{12,13}")


@dataclass(frozen=True, slots=True)
class Parsed:
    """`micros` of wall clock where `zoned` is false, of UTC where it is true; nothing where `ok` is false."""

    micros: _Ints
    zoned: _Flags
    ok: _Flags


def parse_texts(texts: pa.Array, time_format: str = "") -> Parsed:
    """Times out of text: ISO 8601 (a date is its midnight), epoch seconds (9–10 digits) or milliseconds (12–13), or `time_format`."""
    size = len(texts)
    micros, zoned, ok = np.zeros(size, np.int64), np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    rest = _flags(pc.is_valid(texts))
    if not time_format:
        plain = rest & _flags(pc.fill_null(pc.match_substring_regex(texts, ISO_PATTERN), False))
        try:
            cast = pc.cast(texts.filter(pa.array(plain)), pa.timestamp("ns")).cast(
                pa.timestamp("us"), safe=False
            )
            micros[plain] = cast.cast(pa.int64()).to_numpy(zero_copy_only=False)
            ok |= plain
            rest &= ~plain
        except pa.ArrowInvalid:
            pass
    for index in np.flatnonzero(rest):
        found = parse_text(texts[int(index)].as_py(), time_format)
        if found is not None:
            micros[index], zoned[index] = found
            ok[index] = True
    return Parsed(micros, zoned, ok)


@lru_cache(maxsize=1 << 16)
def parse_text(text: str, time_format: str = "") -> tuple[int, bool] | None:
    """(microseconds, whether they are UTC) or None.

    >>> parse_text("2024-02-30")
    >>> parse_text("1970-01-01T00:00:01+01:00")
    (-3599000000, True)
    """
    text = text.strip()
    try:
        if time_format:
            moment = datetime.strptime(text, time_format)
            return (_since(moment), moment.tzinfo is not None)
        if found := ISO.fullmatch(text):
            return _iso(found)
        if _EPOCH_TEXT.fullmatch(text):
            number = float(text) if "." in text else int(text)
            return (int(number) * 1000 if number >= 10**11 else round(number * 1_000_000), True)
    except (ValueError, OverflowError):
        pass
    return None


def _iso(found: re.Match[str]) -> tuple[int, bool]:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    leap = second == "60"
    moment = datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), 59 if leap else int(second or 0)
    )
    micros = _since(moment) + leap * 1_000_000 + int(((fraction or "") + "000000")[:6])
    if zone is None:
        return micros, False
    digits = zone.replace(":", "")
    if digits[0] in "Zz" or digits == "UTC":
        return micros, True
    hours, minutes = int(digits[1:3]), int(digits[3:5] or 0)
    if hours > 18 or minutes > 59:
        raise ValueError("no such offset")
    offset = (hours * 60 + minutes) * 60_000_000
    return micros - (offset if digits[0] == "+" else -offset), True


def _since(moment: datetime) -> int:
    start = _NAIVE_EPOCH if moment.tzinfo is None else _EPOCH
    return (moment - start) // timedelta(microseconds=1)


def to_utc(wall: _Ints, timezone: str) -> _Ints:
    """Local wall clock to UTC: a time that does not exist moves forward by the gap, one that is twice is the first."""
    if not len(wall) or timezone == "UTC":
        return wall
    slots = wall // _SLOT
    first = int(slots.min())
    span = int(slots.max()) - first + 1
    if span > 10_000_000:
        distinct, inverse = np.unique(slots, return_inverse=True)
        return wall - _offsets(distinct, timezone)[inverse]
    present = np.zeros(span, np.bool_)
    present[slots - first] = True
    table = np.zeros(span, np.int64)
    table[present] = _offsets(np.flatnonzero(present) + first, timezone)
    return wall - table[slots - first]


def _offsets(slots: _Ints, timezone: str) -> _Ints:
    zone = ZoneInfo(timezone)
    micro = timedelta(microseconds=1)
    result = np.zeros(len(slots), np.int64)
    for index, slot in enumerate(slots.tolist()):
        try:
            local = _NAIVE_EPOCH + timedelta(microseconds=slot * _SLOT)
            result[index] = (local.replace(tzinfo=zone).utcoffset() or timedelta()) // micro
        except OverflowError:
            continue
    return result


def _flags(array: pa.Array) -> _Flags:
    result: _Flags = array.to_numpy(zero_copy_only=False).astype(np.bool_)
    return result
