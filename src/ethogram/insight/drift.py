"""How far a definition's size and its people are from what they were, under the definition as it is today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ethogram.insight.everybody import Everybody
from ethogram.insight.finding import Finding, Severity
from ethogram.insight.inference import Estimate, size_ratio, stability
from ethogram.insight.people import Numbers, Truth

SLIGHT, STRONG = 0.1, 0.25
"""Below 0.1 the population is stable, from 0.25 on it is another one (Siddiqi, Credit Risk Scorecards, 2006)."""
BINS = 5
LEAST_SIZE, LEAST_PEOPLE = 30, 100
"""Of fewer neither size nor make-up is judged."""
SURE = 0.25
"""A change of size is told where it is surely more than a quarter."""


@dataclass(frozen=True, slots=True)
class SizeChange:
    """`ratio` is the size now over that before."""

    name: str
    before: int
    after: int
    entered: int
    left: int
    ratio: Estimate


@dataclass(frozen=True, slots=True)
class MakeUp:
    """How the people of `name` ("": all customers) divide by `by`, before and now; the index is beyond chance only where it is
    above `by_chance`. `moved` names the parts that changed most, with their shares before and now."""

    name: str
    by: str
    index: float
    by_chance: float
    moved: tuple[tuple[str, float, float], ...]

    @property
    def is_drift(self) -> bool:
        return self.index >= SLIGHT and self.index > self.by_chance


def size_changes(before: Everybody, now: Everybody) -> Iterator[SizeChange]:
    for row, name in enumerate(now.names):
        was, is_in = before.sets[row], now.sets[row]
        entered, left = int((is_in & ~was).sum()), int((was & ~is_in).sum())
        size = int(was.sum())
        yield SizeChange(name, size, int(is_in.sum()), entered, left, size_ratio(size, entered, left))


def divisions(
    before: Everybody, now: Everybody, groups: Mapping[str, Sequence[str]], traits: Sequence[str]
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64], list[str]]]:
    """What people may be divided by: for each its part of everyone before and now (-1: none), and the names of the parts.

    Numeric traits are cut where they divided the customers of before into five equal parts.
    """
    found: dict[str, tuple[NDArray[np.int64], NDArray[np.int64], list[str]]] = {}
    for name, own in groups.items():
        first, second = (side.groups[name].astype(np.int64) for side in (before, now))
        found[name] = first, second, list(own)
    for name in traits:
        first_values, second_values = before.numbers(name), now.numbers(name)
        there = first_values[before.known & ~np.isnan(first_values)]
        if len(there) < BINS:
            continue
        cuts = np.unique(np.quantile(there, np.arange(1, BINS) / BINS, method="inverted_cdf"))
        inner = (f"over {low:,.6g} to {high:,.6g}" for low, high in pairwise(cuts.tolist()))
        names = [f"to {cuts[0]:,.6g}", *inner, f"over {cuts[-1]:,.6g}"]
        found[name] = _binned(first_values, cuts), _binned(second_values, cuts), names
    return found


def _binned(values: Numbers, cuts: Numbers) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.where(np.isnan(values), -1, np.searchsorted(cuts, values, side="left"))
    return found


def make_up(
    name: str,
    members: tuple[Truth, Truth],
    by: str,
    division: tuple[NDArray[np.int64], NDArray[np.int64], list[str]],
) -> MakeUp:
    first, second, names = division
    before, after = (
        np.bincount(side[inside & (side >= 0)], minlength=len(names))
        for side, inside in zip((first, second), members, strict=True)
    )
    shift = stability(before, after)
    return MakeUp(name, by, shift.index, shift.by_chance, _moved(names, before, after))


def _moved(
    names: Sequence[str], before: NDArray[np.int64], after: NDArray[np.int64]
) -> tuple[tuple[str, float, float], ...]:
    first, second = before / max(before.sum(), 1), after / max(after.sum(), 1)
    order = np.argsort(-np.abs(second - first), kind="stable")[:2]
    return tuple((names[place], float(first[place]), float(second[place])) for place in order)


# --- findings -------------------------------------------------------------------------------------------------------


def drifts(
    before: Everybody, now: Everybody, groups: Mapping[str, Sequence[str]], traits: Sequence[str], since: str
) -> Iterator[Finding]:
    """`since` names the earlier moment, such as "9 Nov 2011"."""
    parts = divisions(before, now, groups, traits)
    for by in groups:
        whole = make_up("", (before.known, now.known), by, parts[by])
        if whole.is_drift:
            severity: Severity = "serious" if whole.index >= STRONG else "look"
            yield _moved_finding(whole, by, severity, f"customers divide otherwise than on {since}")
    for change in size_changes(before, now):
        if change.before >= LEAST_SIZE and (
            change.ratio.low > 1 + SURE or change.ratio.high < 1 / (1 + SURE)
        ):
            yield _size_finding(change, since)
    large = (np.minimum(before.sets.sum(axis=1), now.sets.sum(axis=1)) >= LEAST_PEOPLE).tolist()
    for name in (name for name, is_large in zip(now.names, large, strict=True) if is_large):
        members = before.members(name), now.members(name)
        found = [
            make_up(name, members, by, division)
            for by, division in parts.items()
            if by != name.partition(".")[0]
        ]
        strongest = max((one for one in found if one.is_drift), key=lambda one: one.index, default=None)
        if strongest is not None:
            severity = "look" if strongest.index >= STRONG else "note"
            yield _moved_finding(
                strongest, name, severity, f"other people than on {since}, by {strongest.by}"
            )


def _moved_finding(one: MakeUp, name: str, severity: Severity, said: str) -> Finding:
    moved = "; ".join(f"{part} from {first:.0%} to {second:.0%}" for part, first, second in one.moved)
    figures = {"by": one.by, "index": one.index, "by_chance": one.by_chance}
    found = f"{said}: {moved} (stability index {one.index:.2f})"
    to_do = (
        f"From {SLIGHT} it is a shift, from {STRONG} another population. If nothing outside explains it, see whether "
        "thresholds still fit: ethogram describe NAME"
    )
    return Finding(severity, "make-up drifted", name, found, to_do, figures)


def _size_finding(one: SizeChange, since: str) -> Finding:
    ratio = one.ratio
    said = (
        f"{one.before:,} customers on {since}, {one.after:,} now: {ratio.value:.2f} times "
        f"({ratio.low:.2f} to {ratio.high:.2f}); {one.entered:,} entered, {one.left:,} left"
    )
    figures = {
        "before": one.before,
        "after": one.after,
        "entered": one.entered,
        "left": one.left,
        "ratio": ratio.as_json(),
    }
    to_do = "See whether a season or a campaign explains it: ethogram history NAME"
    return Finding("look", "size drifted", one.name, said, to_do, figures)
