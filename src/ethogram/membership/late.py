"""Correcting the record of customers whose new events lie before the last refresh.

An answer's record since a definition's version began is a function of the events alone, whatever the order in which they
arrived: the answer at the beginning, and every change since. So what late events touch is walked again, and what was
recorded under an earlier version stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ethogram.engines.answers import NEVER
from ethogram.membership.stays import Steps
from ethogram.model.event import Moment

ALWAYS: Moment = -NEVER
"""Before every event."""


@dataclass(frozen=True, slots=True)
class Version:
    """The version of a definition in force: since when, and whether an earlier one went before it."""

    number: int
    begins: Moment
    is_first: bool


def corrected(
    recorded: Steps, version: Version, unchanged_until: Moment, base: int, moves: Sequence[tuple[Moment, int]]
) -> Steps:
    """The steps of one answer after late events.

    Answers by `unchanged_until` are as recorded; `base` is today's answer at the beginning of the version (asked for only if
    that is later); `moves` are the changes after the later of the two.
    """
    if version.begins <= unchanged_until:
        return recorded.until(unchanged_until).then(moves)
    if version.is_first:
        return Steps(base).then(moves)
    return recorded.until(version.begins - 1).then([(version.begins, base)]).then(moves)
