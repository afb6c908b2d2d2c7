"""How far customers come on a way of several steps, where they stop, and how long each step takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.insight.inference import Estimate, wilson
from ethogram.insight.passages import Passages, Ways, ways
from ethogram.language.instants import DAY

if TYPE_CHECKING:
    from ethogram.model.event import Moment


@dataclass(frozen=True, slots=True)
class Spread:
    """Days: the median, and what a quarter is below and above."""

    lower: float
    median: float
    upper: float


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """`came` got here; `of_first` and `of_previous` are their shares. `took` is the time since the step before, of those who
    took it. `stopped` got no further, and have stood here for `standing`."""

    name: str
    came: int
    of_first: Estimate
    of_previous: Estimate | None
    took: Spread | None
    stopped: int
    standing: Spread | None


@dataclass(frozen=True, slots=True)
class GroupFunnel:
    """How many of a group came to each step, and the share of the last step with its interval."""

    group: str
    came: tuple[int, ...]
    whole_way: Estimate


@dataclass(frozen=True, slots=True)
class Funnel:
    """`since` None is the beginning; `within` days from first to last step, None any time. `groups` are the customers' at
    `until`."""

    since: Moment | None
    until: Moment
    within: float | None
    steps: tuple[FunnelStep, ...]
    groups: tuple[GroupFunnel, ...]

    def as_json(self) -> dict[str, object]:
        steps = [
            {
                **asdict(step),
                "of_first": step.of_first.as_json(),
                "of_previous": step.of_previous.as_json() if step.of_previous else None,
            }
            for step in self.steps
        ]
        groups = [{**asdict(group), "whole_way": group.whole_way.as_json()} for group in self.groups]
        return {"within": self.within, "steps": steps, "groups": groups}

    @property
    def narrowest(self) -> FunnelStep | None:
        """The step that the greatest share of those before it did not take."""
        later = [(step.came / before.came, step) for before, step in pairwise(self.steps) if before.came]
        return min(later, key=lambda pair: pair[0])[1] if later else None


def funnel(
    names: Sequence[str],
    steps: Sequence[Passages],
    customers: int,
    groups: Mapping[str, NDArray[np.bool_]],
    *,
    since: Moment | None,
    until: Moment,
    within: int | None,
) -> Funnel:
    """`groups` say by name who is in them. A way begins with the first step after `since`, and may end by `until`."""
    begun = steps[0] if since is None else steps[0].where(steps[0].time > since)
    found = ways([begun, *steps[1:]], customers, within)
    return Funnel(
        since,
        until,
        None if within is None else within / DAY,
        tuple(_steps(names, found, until)),
        tuple(_group(name, found, inside, len(names)) for name, inside in groups.items()),
    )


def _steps(names: Sequence[str], found: Ways, until: Moment) -> list[FunnelStep]:
    came = [int((found.reached > number).sum()) for number in range(len(names))]
    steps = []
    for number, name in enumerate(names):
        there, here = found.reached > number, found.reached == number + 1
        took = None if not number else _spread(found.at[there, number] - found.at[there, number - 1])
        is_last = number == len(names) - 1
        steps.append(
            FunnelStep(
                name,
                came[number],
                wilson(came[number], came[0]),
                wilson(came[number], came[number - 1]) if number else None,
                took,
                0 if is_last else int(here.sum()),
                None if is_last else _spread(until - found.at[here, number]),
            )
        )
    return steps


def _group(name: str, found: Ways, inside: NDArray[np.bool_], count: int) -> GroupFunnel:
    own = found.reached[inside]
    came = tuple(int((own > number).sum()) for number in range(count))
    return GroupFunnel(name, came, wilson(came[-1], came[0]))


def _spread(micros: NDArray[np.int64]) -> Spread | None:
    if not len(micros):
        return None
    lower, median, upper = np.percentile(micros / DAY, [25, 50, 75])
    return Spread(float(lower), float(median), float(upper))
