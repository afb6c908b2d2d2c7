"""Where the customers differ from a reference population: who is missing, who is there more than elsewhere, who is hard to engage.

The reference is taken as exact, as a census is; customers are counted among those whose value is in the reference. Of fewer
than five people nothing is told but that they are fewer than five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ethogram.insight.inference import Estimate, adjusted, rate_ratio, share_against, wilson
from ethogram.insight.outcomes import ALIKE, CHANCE
from ethogram.insight.people import Truth
from ethogram.insight.reference import Reference, folded

if TYPE_CHECKING:
    from ethogram.model.event import Moment

FEWEST = 5
"""Of fewer people nothing is shown."""

Verdict = Literal["under-served", "over-represented", "as expected", "not to be told", "fewer than 5"]
Ease = Literal["hard to engage", "easy to engage", "as others", "not to be told", ""]


@dataclass(frozen=True, slots=True)
class Row:
    """`count` None: fewer than five, or hidden so that they cannot be worked out. `ratio` is the share of customers over that of
    the reference, `lacking` how many customers more would make it that share."""

    values: tuple[str, ...]
    reference: float
    count: int | None
    share: Estimate | None
    ratio: Estimate | None
    lacking: int | None
    verdict: Verdict
    engaged: Estimate | None = None
    engaged_ratio: Estimate | None = None
    ease: Ease = ""

    def as_json(self) -> dict[str, object]:
        return {
            "values": list(self.values),
            "reference_share": self.reference,
            "customers": self.count,
            "share": _json(self.share),
            "ratio": _json(self.ratio),
            "lacking": self.lacking,
            "verdict": self.verdict,
            "engaged": _json(self.engaged),
            "engaged_ratio": _json(self.engaged_ratio),
            "ease": self.ease or None,
        }


def _json(one: Estimate | None) -> dict[str, float | None] | None:
    return None if one is None else one.as_json()


@dataclass(frozen=True, slots=True)
class Gaps:
    """`compared` are customers whose value is in the reference; `elsewhere` those with another value, by value; `unknown` those
    without one. None: few. `engaged_by` names what says who is engaged."""

    columns: tuple[str, ...]
    as_of: Moment
    customers: int
    compared: int
    elsewhere: tuple[tuple[tuple[str, ...], int | None], ...]
    unknown: int | None
    rows: tuple[Row, ...]
    engaged_by: str

    def as_json(self) -> dict[str, object]:
        return {
            "columns": list(self.columns),
            "customers": self.customers,
            "compared": self.compared,
            "unknown": self.unknown,
            "rows": [one.as_json() for one in self.rows],
            "not_in_reference": [
                {"values": list(values), "customers": count} for values, count in self.elsewhere
            ],
            "engaged_by": self.engaged_by or None,
        }


@dataclass(frozen=True, slots=True)
class Values:
    """Which of the values each customer has, -1 for none."""

    place: NDArray[np.int64]
    names: Sequence[str]


def gaps(
    reference: Reference,
    columns: Sequence[str],
    values: Sequence[Values],
    known: Truth,
    engaged: Truth | None,
    *,
    engaged_by: str,
    as_of: Moment,
) -> Gaps:
    """`values` has one for each column, or two where the reference has a second trait."""
    there = known & np.all([one.place >= 0 for one in values], axis=0)
    keys, people, active = _counted(values, there, engaged)
    places = {tuple(map(folded, part.values)): place for place, part in enumerate(reference.parts)}
    counts, answers = [0] * len(reference.parts), [0] * len(reference.parts)
    others: list[tuple[tuple[str, ...], int]] = []
    for key, count, did in zip(keys, people, active, strict=True):
        place = places.get(tuple(map(folded, key)))
        if place is None:
            others.append((key, count))
        else:
            counts[place] += count
            answers[place] += did
    compared = sum(counts)
    shown = _shown(counts)
    rows = [
        _row(part.values, part.share, count, compared, is_shown)
        for part, count, is_shown in zip(reference.parts, counts, shown, strict=True)
    ]
    rows = _judged(rows)
    if engaged is not None and sum(answers) >= FEWEST:
        rows = _with_engaged(rows, counts, answers)
    others.sort(key=lambda one: (-one[1], one[0]))
    unknown = int((known & ~there).sum())
    *elsewhere, has_unknown = _shown([*(count for _, count in others), unknown])
    return Gaps(
        tuple(columns),
        as_of,
        int(known.sum()),
        compared,
        tuple((key, count if safe else None) for (key, count), safe in zip(others, elsewhere, strict=True)),
        unknown if has_unknown else None,
        tuple(rows),
        engaged_by,
    )


def _counted(
    values: Sequence[Values], there: Truth, engaged: Truth | None
) -> tuple[list[tuple[str, ...]], list[int], list[int]]:
    """Every combination of values that customers have, how many have it, and how many of these are engaged."""
    code = np.zeros(len(there), np.int64)
    for one in values:
        code = code * max(len(one.names), 1) + np.maximum(one.place, 0)
    found, where = np.unique(code[there], return_inverse=True)
    people = np.bincount(where, minlength=len(found))
    active = np.bincount(where[engaged[there]], minlength=len(found)) if engaged is not None else people * 0
    keys = []
    for number in found.tolist():
        key: list[str] = []
        for one in reversed(values):
            number, place = divmod(number, max(len(one.names), 1))
            key.insert(0, one.names[place])
        keys.append(tuple(key))
    return keys, people.tolist(), active.tolist()


def _shown(counts: Sequence[int]) -> list[bool]:
    """Not fewer than five; and where all that is hidden would be fewer than five together, the next smallest is hidden too,
    because the total would tell them."""
    shown = [count == 0 or count >= FEWEST for count in counts]
    while True:
        hidden = sum(count for count, is_shown in zip(counts, shown, strict=True) if not is_shown)
        rest = [place for place, count in enumerate(counts) if shown[place] and count]
        if not hidden or hidden >= FEWEST or not rest:
            return shown
        shown[min(rest, key=lambda place: counts[place])] = False


def _row(values: tuple[str, ...], expected: float, count: int, compared: int, is_shown: bool) -> Row:
    if not is_shown:
        return Row(
            values, expected, None, None, None, None, "fewer than 5" if count < FEWEST else "not to be told"
        )
    share = wilson(count, compared)
    if not compared or not expected:
        return Row(values, expected, count, share, None, None, "not to be told")
    ratio = share_against(count, compared, expected)
    return Row(
        values, expected, count, share, ratio, max(0, round(expected * compared) - count), "not to be told"
    )


def _judged(rows: Sequence[Row]) -> list[Row]:
    limits = adjusted([float("nan") if one.ratio is None else one.ratio.p for one in rows])
    found = []
    for one, p in zip(rows, limits, strict=True):
        if one.ratio is None:
            found.append(one)
            continue
        ratio = replace(one.ratio, p=p)
        verdict: Verdict = "not to be told"
        if _is_alike(ratio):
            verdict = "as expected"
        elif p < CHANCE:
            verdict = "under-served" if ratio.value < 1 else "over-represented"
        found.append(replace(one, ratio=ratio, verdict=verdict))
    return found


def _is_alike(one: Estimate) -> bool:
    return ALIKE[0] <= one.low and one.high <= ALIKE[1]


def _with_engaged(rows: Sequence[Row], counts: Sequence[int], answers: Sequence[int]) -> list[Row]:
    compared, active = sum(counts), sum(answers)
    ratios = [
        rate_ratio(did, count, active - did, compared - count)
        if one.count and count < compared
        else Estimate(float("nan"), 0.0, float("inf"))
        for one, count, did in zip(rows, counts, answers, strict=True)
    ]
    limits = adjusted([one.p for one in ratios])
    found = []
    for one, ratio, p, count, did in zip(rows, ratios, limits, counts, answers, strict=True):
        if not one.count:
            found.append(one)
            continue
        ease: Ease = "not to be told"
        if _is_alike(ratio):
            ease = "as others"
        elif p < CHANCE:
            ease = "hard to engage" if ratio.value < 1 else "easy to engage"
        found.append(replace(one, engaged=wilson(did, count), engaged_ratio=replace(ratio, p=p), ease=ease))
    return found
