"""Stays: how long a customer was in a segment or in a group, as steps and as intervals.

The value of an answer is the index of a group, `OUT` for none; a segment has one group, without a name. The *steps* of an
answer are its value at the start of the record and its changes since; *stays* are what the ledger keeps of them. A stay whose
start lies before the record has no `entered_at`; while it lasts, it is not kept: that would be a row for every member.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ethogram.model.event import Moment

OUT: Final = -1


@dataclass(frozen=True, slots=True)
class Stay:
    value: int
    entered_at: Moment | None
    left_at: Moment | None


@dataclass(frozen=True, slots=True)
class Steps:
    """`changes` ascending in time, each to another value than the one before."""

    start: int
    changes: tuple[tuple[Moment, int], ...] = ()

    def at(self, moment: Moment) -> int:
        """The value at a moment, a change at that moment included.

        >>> Steps(OUT, ((5, 0), (9, OUT))).at(5)
        0
        """
        value = self.start
        for at, after in self.changes:
            if at > moment:
                break
            value = after
        return value

    @property
    def end(self) -> int:
        return self.changes[-1][1] if self.changes else self.start

    @property
    def since(self) -> Moment | None:
        """When the value of the end became true, None if that was before the record."""
        return self.changes[-1][0] if self.changes else None

    def until(self, moment: Moment) -> Steps:
        """What happened by a moment, a change at that moment included."""
        return Steps(self.start, tuple(change for change in self.changes if change[0] <= moment))

    def then(self, changes: Iterable[tuple[Moment, int]]) -> Steps:
        """These changes appended; what changes nothing is left out."""
        merged, value = list(self.changes), self.end
        for at, after in changes:
            if after != value:
                merged.append((at, after))
                value = after
        return Steps(self.start, tuple(merged))


def stays_of(steps: Steps) -> tuple[Stay, ...]:
    """The stays worth keeping.

    >>> stays_of(Steps(0, ((5, OUT), (9, 0))))
    (Stay(value=0, entered_at=None, left_at=5), Stay(value=0, entered_at=9, left_at=None))
    """
    stays: list[Stay] = []
    value, entered = steps.start, None
    for at, after in steps.changes:
        if value != OUT:
            stays.append(Stay(value, entered, at))
        value, entered = after, at
    if value != OUT and entered is not None:
        stays.append(Stay(value, entered, None))
    return tuple(stays)


def steps_of(stays: Sequence[Stay], now: int) -> Steps:
    """The steps that left these stays (in order of time), if the recorded value is `now`."""
    if not stays:
        return Steps(now)
    start = stays[0].value if stays[0].entered_at is None else OUT
    steps = Steps(start)
    for stay in stays:
        if stay.entered_at is not None:
            if steps.changes and steps.changes[-1] == (stay.entered_at, OUT):
                steps = Steps(start, steps.changes[:-1])
            steps = steps.then([(stay.entered_at, stay.value)])
        if stay.left_at is not None:
            steps = steps.then([(stay.left_at, OUT)])
    return steps
