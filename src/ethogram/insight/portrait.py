"""Who the people of a segment are, against everyone: medians of their traits, and what else they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ethogram.insight.people import in_segments, is_in, median, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ethogram.engines.engine import Engine
    from ethogram.model.event import Moment


@dataclass(frozen=True, slots=True)
class TraitMedian:
    """None where nobody has a value."""

    name: str
    members: float | None
    everyone: float | None


@dataclass(frozen=True, slots=True)
class Overlap:
    """Shares of the members, and of everyone, who are in another segment too."""

    name: str
    members: float
    everyone: float


@dataclass(frozen=True, slots=True)
class Portrait:
    size: int
    customers: int
    traits: tuple[TraitMedian, ...]
    overlaps: tuple[Overlap, ...]


def portrait(engine: Engine, name: str, as_of: Moment) -> Portrait:
    """Of a segment or of `segmentation.group`; overlaps with all other segments, most telling first."""
    inside, known, others = [], [], []
    values: dict[str, list[NDArray[np.float64]]] = {}
    for answers in engine.evaluate(as_of):
        inside.append(is_in(engine, answers, name))
        known.append(answers.known)
        others.append(in_segments(engine, answers))
        for trait, column in numbers(answers):
            values.setdefault(trait, []).append(column)
    members, everyone = np.concatenate(inside), np.concatenate(known)
    members &= everyone
    medians = [_median_of(trait, np.concatenate(parts), members, everyone) for trait, parts in values.items()]
    flags = np.concatenate(others, axis=1)
    return Portrait(
        int(members.sum()),
        int(everyone.sum()),
        tuple(medians),
        _overlaps(engine.segments, name, flags, members, everyone),
    )


def _median_of(
    trait: str, values: NDArray[np.float64], members: NDArray[np.bool_], everyone: NDArray[np.bool_]
) -> TraitMedian:
    return TraitMedian(trait, _median(values[members]), _median(values[everyone]))


def _median(values: NDArray[np.float64]) -> float | None:
    found = values[~np.isnan(values)]
    return median(found) if len(found) else None


def _overlaps(
    names: Sequence[str],
    name: str,
    flags: NDArray[np.bool_],
    members: NDArray[np.bool_],
    everyone: NDArray[np.bool_],
) -> tuple[Overlap, ...]:
    found = []
    for row, other in enumerate(names):
        share = float(flags[row][members].mean()) if members.any() else 0.0
        usual = float(flags[row][everyone].mean()) if everyone.any() else 0.0
        if other != name:
            found.append(Overlap(other, share, usual))
    return tuple(sorted(found, key=lambda one: abs(one.members - one.everyone), reverse=True))
