"""Thresholds from a project's own data, and how much the sizes depend on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, TypeAlias

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.catalog.entry import Entry, FromData, Parameter
from ethogram.catalog.rendering import plain_number, scaled
from ethogram.engines.engine import Engine
from ethogram.language.instants import DAY
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Arithmetic, Definitions, Expression, Segment, Trait
from ethogram.model.event import Moment

EngineFor: TypeAlias = Callable[[Definitions, Sequence[str]], Engine]
Numbers: TypeAlias = NDArray[np.float64]

FEW: Final = 20
"""With fewer observations than this a statistic says nothing, and the default stays."""
LOWER, HIGHER = Decimal("0.8"), Decimal("1.2")


@dataclass(frozen=True, slots=True)
class Found:
    """A parameter's value from the data and what it is ("" for both where the data says too little), and of how many."""

    value: str
    reason: str
    observations: int


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What one parameter a fifth lower and a fifth higher makes of the sizes, by segment or group."""

    parameter: str
    lower: str
    higher: str
    sizes: Mapping[str, tuple[int, int, int]]


# --- values from the data -------------------------------------------------------------------------------------------


def calibrate(
    asked: Mapping[str, tuple[Parameter, str]],
    definitions: Definitions,
    engine_for: EngineFor,
    start: Moment,
    now: Moment,
    day: str,
) -> dict[str, Found]:
    """`asked` has parameters with their statistic's expression, in the project's names; `day` is when, in words."""
    extended, names = definitions, []
    for name, (parameter, text) in asked.items():
        for key, definition in _probes(name, parameter, text):
            names.append(key)
            kind = "segments" if isinstance(definition, Segment) else "traits"
            extended = replace(extended, **{kind: {**getattr(extended, kind), key: definition}})
    for parameter, text in asked.values():
        if parameter.data and parameter.data.statistic == "stays":
            names.append(text.partition(".")[0])
    if not names:
        return {}
    engine = engine_for(extended, tuple(dict.fromkeys(names)))
    moves = _Moves(engine, start, now)
    return {
        name: _found(parameter, _observations(name, parameter, text, engine, moves, now), day)
        for name, (parameter, text) in asked.items()
    }


def _probes(name: str, parameter: Parameter, text: str) -> Iterator[tuple[str, Segment | Trait]]:
    """Definitions that are asked to learn the statistic."""
    match parameter.data:
        case FromData("gaps"):
            # in for a second after each event: the moments of entering are those of the events
            key = _probe(name)
            yield key, Segment(key, parse_expression(f"did({text}, last=1s)"))
        case FromData("values" | "most_frequent" | "cuts"):
            yield _probe(name), Trait(_probe(name), parse_expression(text))
        case FromData("ratio"):
            for side, value in zip(("over", "under"), _sides(parse_expression(text)), strict=True):
                yield _probe(name, side), Trait(_probe(name, side), value)


def _probe(name: str, side: str = "") -> str:
    return f"_probe_{re.sub(r'[^a-z0-9]+', '_', name.lower())}_{side}".rstrip("_")


def _sides(ratio: Expression) -> tuple[Expression, Expression]:
    assert isinstance(ratio, Arithmetic) and ratio.operator == "/"
    return ratio.left, ratio.right


def _observations(
    name: str, parameter: Parameter, text: str, engine: Engine, moves: _Moves, now: Moment
) -> Numbers | list[str]:
    match parameter.data:
        case FromData("gaps"):
            return moves.gaps(_probe(name))
        case FromData("stays"):
            return moves.stays(*_name_and_group(text))
        case FromData("values" | "cuts"):
            return _numbers(engine, now, _probe(name))
        case FromData("most_frequent"):
            return _texts(engine, now, _probe(name))
        case FromData("ratio"):
            over, under = (_numbers(engine, now, _probe(name, side)).sum() for side in ("over", "under"))
            return np.full(int(min(under, FEW)), over / under if under else 0.0)
        case _:
            return np.empty(0)


def _found(parameter: Parameter, observations: Numbers | list[str], day: str) -> Found:
    data = parameter.data
    assert data is not None
    count = len(observations)
    if count < FEW:
        return Found("", f"The data says too little ({count} cases), so the default stays.", count)
    if isinstance(observations, list):
        ordered = sorted(set(observations), key=lambda value: (-observations.count(value), value))
        return Found("|".join(ordered[: data.most]), f"From the data on {day}: {data.means}.", count)
    if data.statistic == "cuts":
        shares = [part / data.most for part in range(1, data.most)]
        return Found(", ".join(map(_plain, np.quantile(observations, shares))), f"on {day}", count)
    value = float(np.quantile(observations, data.at))
    unit = "d" if parameter.default.endswith("d") else ""
    if unit or data.statistic in ("gaps", "stays"):
        text = f"{max(1, round(value))}{unit}"
    elif data.statistic == "ratio":
        text = f"{value:.4f}".rstrip("0").rstrip(".")
    else:
        text = _plain(value)
    seen = "" if data.statistic == "ratio" else f" (of {count:,})"
    return Found(text, f"From the data on {day}: {data.means}{seen}.", count)


def _plain(value: float) -> str:
    return str(round(value)) if value >= 20 else f"{value:.2f}".rstrip("0").rstrip(".")


def _numbers(engine: Engine, now: Moment, name: str) -> Numbers:
    """The known values above 0 of everyone."""
    found = [
        answers.traits[name].cast("double").drop_null().to_numpy(zero_copy_only=False)
        for answers in engine.evaluate(now, traits=[name])
    ]
    values = np.concatenate(found) if found else np.empty(0)
    return np.asarray(values[values > 0], np.float64)


def _texts(engine: Engine, now: Moment, name: str) -> list[str]:
    found: list[str] = []
    for answers in engine.evaluate(now, traits=[name]):
        values = pc.drop_null(answers.traits[name]).to_pylist()
        found += [plain_number(value) if isinstance(value, Decimal) else str(value) for value in values]
    return found


def _name_and_group(text: str) -> tuple[str, str]:
    name, _, group = text.partition(".")
    return name, group


class _Moves:
    """When customers entered and left the probes, everyone's; walked once."""

    def __init__(self, engine: Engine, start: Moment, now: Moment) -> None:
        self.engine, self.start, self.now = engine, start, now
        self._walked: list[tuple[NDArray[np.int64], ...]] | None = None

    def _all(self) -> list[tuple[NDArray[np.int64], ...]]:
        if self._walked is None:
            self._walked = []
            for bucket in range(self.engine.buckets):
                positions = np.arange(len(self.engine.roster(bucket)))
                moves = self.engine.walk(bucket, positions, self.start - 1, self.now)
                self._walked.append(
                    (
                        moves.position,
                        moves.definition.astype(np.int64),
                        moves.at,
                        moves.value.astype(np.int64),
                    )
                )
        return self._walked

    def gaps(self, segment: str) -> Numbers:
        """Days between neighboring entries of each customer."""
        row = list(self.engine.segments).index(segment)
        found: list[NDArray[np.float64]] = []
        for position, definition, at, value in self._all():
            mine = (definition == row) & (value == 1)
            people, times = position[mine], at[mine]
            same = people[1:] == people[:-1]
            found.append((times[1:] - times[:-1])[same] / DAY)
        return np.concatenate(found) if found else np.empty(0)

    def stays(self, name: str, group: str) -> Numbers:
        """Days of the stays that ended; of a group, by moving on to one that stands before it."""
        segments = list(self.engine.segments)
        if group:
            row = len(segments) + list(self.engine.segmentations).index(name)
            wanted = list(self.engine.group_names(name)).index(group)
        else:
            row, wanted = segments.index(name), 1
        found: list[NDArray[np.float64]] = []
        for position, definition, at, value in self._all():
            mine = definition == row
            people, times, values = position[mine], at[mine], value[mine]
            ended = (people[1:] == people[:-1]) & (values[:-1] == wanted)
            ended &= (values[1:] < wanted) if group else (values[1:] == 0)
            found.append((times[1:] - times[:-1])[ended] / DAY)
        return np.concatenate(found) if found else np.empty(0)


# --- how much it matters --------------------------------------------------------------------------------------------


def sizes_of(
    definitions: Definitions, names: Sequence[str], engine_for: EngineFor, now: Moment
) -> tuple[dict[str, int], int]:
    """How many are in each segment and group at a moment, and how many customers there are."""
    engine = engine_for(definitions, tuple(names))
    found: dict[str, int] = {}
    customers = 0
    for answers in engine.evaluate(now, traits=()):
        customers += int(np.count_nonzero(answers.known))
        for row, name in enumerate(engine.segments):
            found[name] = found.get(name, 0) + int(np.count_nonzero(answers.members(row)))
        for row, name in enumerate(engine.segmentations):
            for index, group in enumerate(engine.group_names(name)):
                key = f"{name}.{group}"
                found[key] = found.get(key, 0) + int(np.count_nonzero(answers.groups[row] == index))
    return found, customers


def variants(
    entry: Entry, values: Mapping[str, str], parameters: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Each parameter a fifth lower and a fifth higher: its name, the suffix of the variant, the value."""
    for name in parameters:
        if not entry.parameters[name].is_text and "|" not in values[name]:
            yield name, f"{name}_lower", scaled(values[name], LOWER)
            yield name, f"{name}_higher", scaled(values[name], HIGHER)
