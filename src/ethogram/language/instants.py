"""Moments from text, and as text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ethogram.model.event import Moment

SECOND = 1_000_000
DAY = 86_400 * SECOND
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
_OFFSET = r"(?P<utc>Z)|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?"
_MOMENT = re.compile(f"{_DAY}(?:[T ]{_CLOCK}(?:{_OFFSET})?)?", re.ASCII)


def moment_of_text(text: str, zone: ZoneInfo) -> Moment | None:
    """The moment an ISO 8601 text names: `YYYY-MM-DD[(T| )HH:MM[:SS[.f]][Z|±HH[[:]MM]]]`; None where it names none.

    Without an offset it is local time in `zone`: moved forward where it does not exist, the first where it occurs twice.
    Digits beyond the microsecond are dropped.

    >>> moment_of_text("1970-01-02", ZoneInfo("UTC"))
    86400000000
    """
    if len(text) < 10 or text[4] != "-" or (found := _MOMENT.fullmatch(text)) is None:
        return None
    parts = {name: int(found[name] or 0) for name in ("hour", "minute", "second", "hours", "minutes")}
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
        clock = time(parts["hour"], parts["minute"], parts["second"])
    except ValueError:
        return None
    fraction = int((found["fraction"] or "")[:6].ljust(6, "0"))
    seconds = parts["hour"] * 3600 + parts["minute"] * 60 + parts["second"]
    local = (day.toordinal() - _EPOCH_DAY) * DAY + seconds * SECOND + fraction
    if found["utc"]:
        return local
    if not found["sign"]:
        return local - _offset_before_any_change(zone, day, clock)
    if parts["hours"] > 23 or parts["minutes"] > 59:
        return None
    offset = (parts["hours"] * 60 + parts["minutes"]) * 60 * SECOND
    return local + offset if found["sign"] == "-" else local - offset


def _offset_before_any_change(zone: ZoneInfo, day: date, clock: time) -> int:
    """In microseconds; where the clock was set, the offset that held before."""
    offset = datetime.combine(day, clock, zone).utcoffset()
    return 0 if offset is None else offset.days * DAY + offset.seconds * SECOND + offset.microseconds


def iso(moment: Moment) -> str:
    """
    >>> iso(86_400_000_000)
    '1970-01-02T00:00:00Z'
    """
    return (_EPOCH + timedelta(microseconds=moment)).isoformat().replace("+00:00", "Z")
