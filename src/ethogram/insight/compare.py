"""How segments overlap, and what separates two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ethogram.insight.everybody import Everybody, everybody
from ethogram.insight.people import Numbers, Truth, median

if TYPE_CHECKING:
    from ethogram.engines.engine import Engine
    from ethogram.model.event import Moment


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of two segments. `jaccard` is both / either; `lift` is both against what chance alone would put in both. None where
    there is nobody to divide by."""

    first: str
    second: str
    both: int
    of_first: float | None
    of_second: float | None
    jaccard: float | None
    lift: float | None


@dataclass(frozen=True, slots=True)
class Combination:
    """Customers who are in exactly these of the segments."""

    names: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class TraitContrast:
    """A numeric trait among those who are in one of two segments alone: medians, and the probability that somebody of the
    first has more than somebody of the second, half for ties (common language effect size, McGraw and Wong 1992)."""

    name: str
    first: float
    second: float
    more_in_first: float


@dataclass(frozen=True, slots=True)
class ShareContrast:
    """Shares of those in one of two segments alone who are in a third, too."""

    name: str
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """`combinations` largest first, without those who are in none; contrasts are there for two segments with somebody in each
    alone, the clearest first."""

    customers: int
    sizes: Mapping[str, int]
    overlaps: tuple[Overlap, ...]
    combinations: tuple[Combination, ...]
    traits: tuple[TraitContrast, ...]
    shares: tuple[ShareContrast, ...]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def compare(engine: Engine, names: Sequence[str], as_of: Moment) -> Comparison:
    """Of two or more segments or groups (`segmentation.group`) of the engine's definitions."""
    found = everybody(engine, as_of, engine.traits)
    sets = np.stack([found.members(name) for name in names])
    traits: tuple[TraitContrast, ...] = ()
    shares: tuple[ShareContrast, ...] = ()
    if len(names) == 2:
        first, second = sets[0] & ~sets[1], sets[1] & ~sets[0]
        if first.any() and second.any():
            traits = tuple(_trait_contrasts(found, first, second))
            third = [name for name in engine.segments if name not in names]
            shares = tuple(_share_contrasts(found, third, first, second))
    pairs = combinations(range(len(names)), 2)
    return Comparison(
        found.size,
        dict(zip(names, sets.sum(axis=1).tolist(), strict=True)),
        tuple(_overlap(names, sets, found.size, one, other) for one, other in pairs),
        _combinations(names, sets),
        traits,
        shares,
    )


def _overlap(names: Sequence[str], sets: Truth, customers: int, one: int, other: int) -> Overlap:
    both = int((sets[one] & sets[other]).sum())
    first, second = int(sets[one].sum()), int(sets[other].sum())
    return Overlap(
        names[one],
        names[other],
        both,
        _ratio(both, first),
        _ratio(both, second),
        _ratio(both, first + second - both),
        _ratio(both * customers, first * second),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _combinations(names: Sequence[str], sets: Truth) -> tuple[Combination, ...]:
    patterns, counts = np.unique(sets, axis=1, return_counts=True)
    found = [
        Combination(tuple(name for name, holds in zip(names, pattern, strict=True) if holds), int(count))
        for pattern, count in zip(patterns.T.tolist(), counts.tolist(), strict=True)
        if any(pattern)
    ]
    return tuple(sorted(found, key=lambda one: (-one.size, one.names)))


def _trait_contrasts(found: Everybody, first: Truth, second: Truth) -> Iterable[TraitContrast]:
    contrasts = []
    for name in found.numeric:
        every = found.numbers(name)
        one, other = every[first], every[second]
        one, other = one[~np.isnan(one)], other[~np.isnan(other)]
        if len(one) and len(other):
            contrasts.append(TraitContrast(name, median(one), median(other), _more_in_first(one, other)))
    return sorted(contrasts, key=lambda contrast: -abs(contrast.more_in_first - 0.5))


def _more_in_first(first: Numbers, second: Numbers) -> float:
    ordered = np.sort(second)
    below, not_above = np.searchsorted(ordered, first), np.searchsorted(ordered, first, side="right")
    return float((below + not_above).sum() / (2 * len(first) * len(second)))


def _share_contrasts(
    found: Everybody, names: Sequence[str], first: Truth, second: Truth
) -> Iterable[ShareContrast]:
    rows = [(name, found.members(name)) for name in names]
    contrasts = [
        ShareContrast(name, float(row[first].mean()), float(row[second].mean())) for name, row in rows
    ]
    return sorted(contrasts, key=lambda contrast: -abs(contrast.first - contrast.second))
