"""Moments from text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ethogram.model.event import Moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOOKS_LIKE_A_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?$")


def moment_of_text(text: str, zone: ZoneInfo) -> Moment | None:
    """The moment an ISO 8601 text names, None where it names none.

    Without an offset it is local time in `zone`: moved forward where it does not exist, the first where it occurs twice.

    >>> moment_of_text("1970-01-02", ZoneInfo("UTC"))
    86400000000
    """
    if not _LOOKS_LIKE_A_DATE.match(text):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    return (instant.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
