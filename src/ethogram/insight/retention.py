"""Who comes back: cohorts by the period of their first event, and the share of them who did it again in each later one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ethogram.insight.inference import Estimate, wilson
from ethogram.language.meaning.local_time import day_of, next_period, period_of, start_of

if TYPE_CHECKING:
    from ethogram.insight.passages import Passages
    from ethogram.language.tree import CalendarUnit
    from ethogram.model.event import Moment
    from ethogram.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Cohort:
    """`returned[k]` of `size` customers whose first event was in the period from `start` did it in the k-th period after; the
    first period, in which all did, is number 0. Only periods that are over are there."""

    start: date
    size: int
    returned: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Over all cohorts: the share of those who could have come back in the k-th period, because it is over, and did."""

    group: str
    size: int
    shares: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class Retention:
    """`curves` begin with that of everybody; those of groups are of whom was in the group in the end."""

    event: str
    unit: CalendarUnit
    until: Moment
    cohorts: tuple[Cohort, ...]
    curves: tuple[Curve, ...]

    def period(self, cohort: Cohort) -> str:
        """What the cohort's period is called: `Dec 2010`, `2010` or, of days and weeks, the first day: `6 Dec 2010`."""
        match self.unit:
            case "year":
                return f"{cohort.start:%Y}"
            case "month" | "quarter":
                return f"{cohort.start:%b %Y}"
            case _:
                return f"{cohort.start.day} {cohort.start:%b %Y}"

    def as_json(self) -> dict[str, object]:
        curves = [
            {"group": curve.group, "size": curve.size, "shares": [one.as_json() for one in curve.shares]}
            for curve in self.curves
        ]
        cohorts = [asdict(cohort) for cohort in self.cohorts]
        return {"event": self.event, "unit": self.unit, "cohorts": cohorts, "curves": curves}


def retention(
    event: str,
    events: Passages,
    customers: int,
    groups: Mapping[str, NDArray[np.bool_]],
    unit: CalendarUnit,
    until: Moment,
    settings: Settings,
) -> Retention:
    """`groups` say by name which customers are in them; the first one is of everybody."""
    starts, days = _periods(events, unit, until, settings)
    whole = len(starts) - 1  # the last period is not over
    period = np.searchsorted(starts, events.time, side="right") - 1
    first = np.full(customers, len(starts), np.int64)
    np.minimum.at(first, events.customer, period)
    did = np.unique(events.customer * len(starts) + period)
    customer, period = did // len(starts), did % len(starts)
    later = period - first[customer]
    over = period < whole
    customer, later = customer[over], later[over]
    cohorts = []
    for number in range(whole):
        size = int((first == number).sum())
        if size:
            returned = np.bincount(later[first[customer] == number], minlength=whole - number)
            cohorts.append(Cohort(days[number], size, tuple(returned.tolist())))
    curves = [_curve(name, first[inside], later[inside[customer]], whole) for name, inside in groups.items()]
    return Retention(event, unit, until, tuple(cohorts), tuple(curves))


def _curve(name: str, first: NDArray[np.int64], later: NDArray[np.int64], whole: int) -> Curve:
    """`first` are the cohorts of the group's customers, `later` the distances at which they came."""
    came = np.bincount(later, minlength=whole)
    sizes = np.bincount(first[first < whole], minlength=whole)
    could = [int(sizes[: whole - distance].sum()) for distance in range(whole)]
    return Curve(
        name,
        int(sizes.sum()),
        tuple(wilson(int(came[distance]), could[distance]) for distance in range(whole)),
    )


def _periods(
    events: Passages, unit: CalendarUnit, until: Moment, settings: Settings
) -> tuple[NDArray[np.int64], Sequence[date]]:
    """The starts of local periods, from that of the first event to that of `until`, which is the last."""
    zone = ZoneInfo(settings.timezone)
    begins = int(events.time.min()) if len(events) else until
    day = period_of(day_of(zone, begins), unit, settings.week_starts)
    last = period_of(day_of(zone, until), unit, settings.week_starts)
    days = [day]
    while day < last:
        day = next_period(day, unit)
        days.append(day)
    return np.array([start_of(zone, one) for one in days], np.int64), days
