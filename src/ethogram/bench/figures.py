"""What is asked of a run, what it measured, and the scores that follow."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

from ethogram.bench.measure import Result
from ethogram.bench.scores import NUMBERS, TARGETS, Mismatch, Outcome, Score, compare
from ethogram.bench.world import World

USUAL = 500
"""The number of segments for everything that is measured at one size alone."""

FUNNELS = 50
ARRIVALS = (1_000, 10_000)
"""One new event in so many."""


@dataclass(frozen=True, slots=True)
class Options:
    """`folder` None: a temporary one. `sample`: the rivals answer so many questions, extrapolated and labeled.

    `larger` is a number of events at which memory is measured again.
    """

    events: int = 20_000_000
    segments: tuple[int, ...] = (100, 500, 1_000)
    seed: int = 1
    only: frozenset[str] = frozenset(NUMBERS)
    folder: Path | None = None
    sample: int | None = None
    larger: int | None = None
    repeats: int = 3

    def wants(self, *numbers: str) -> bool:
        return not self.only.isdisjoint(numbers)

    @property
    def usual(self) -> int:
        """500, or the nearest number of segments that is asked for."""
        return min(self.segments, key=lambda count: abs(count - USUAL))


@dataclass(slots=True)
class Figures:
    """What was measured so far: CPU seconds (unless the name says otherwise), sizes by set of questions and way, notes."""

    values: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    floors: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mismatches: list[Mismatch] = field(default_factory=list)

    def keep(self, questions: str, way: str, result: Result) -> None:
        self.values[f"{way}, {questions}"] = number(result, "cpu")
        self.sizes.setdefault(questions, {})[way] = sizes_in(result, "sizes")

    def of(self, way: str, questions: str) -> float | None:
        return self.values.get(f"{way}, {questions}")


def number(result: Result, key: str) -> float:
    value = result[key]
    assert isinstance(value, int | float)
    return value


def sizes_in(result: Result, key: str) -> dict[str, int]:
    value = result[key]
    assert isinstance(value, dict)
    return value


def outcome(world: World, options: Options, figures: Figures) -> Outcome:
    compared = 0
    for questions, ways in figures.sizes.items():
        some, differing = compare(ways, questions)
        compared += some
        figures.mismatches += differing
    found = measured(options, figures)
    notes = {f"refresh_{count}": f"{options.events:,} events" for count in options.segments}
    scores = tuple(
        Score(
            target,
            found.get(target.key),
            notes.get(target.key, "") if options.events != 20_000_000 else "",
        )
        for target in TARGETS
        if target.number in options.only and (target.key != "flatness" or options.larger)
    )
    described: Result = {
        "events": world.events, "customers": world.customers, "days": world.days, "seed": world.seed,
        "segments": list(options.segments),
    }  # fmt: skip
    return Outcome(
        described,
        _machine(),
        scores,
        dict(figures.values),
        compared,
        tuple(figures.mismatches),
        tuple(figures.notes),
    )


def measured(options: Options, figures: Figures) -> dict[str, float]:
    """The figures of the targets, as far as what they need was measured."""
    usual, values = f"segments-{options.usual}", figures.values
    floor, full = values["floor"], figures.of("ethogram", usual)
    found: dict[str, float | None] = {}

    def ratio(above: float | None, below: float | None, factor: float = 1.0) -> float | None:
        return factor * above / below if above is not None and below else None

    for count in options.segments:
        found[f"refresh_{count}"] = ratio(figures.of("ethogram", f"segments-{count}"), floor)
    for rival, table in (("clickhouse", "by_day"), ("duckdb", "by_time"), ("duckdb", "by_event")):
        found[f"{rival}_{table}"] = ratio(figures.of(f"{rival} {table}", usual), full)
    low, high = min(options.segments), max(options.segments)
    least, most = (figures.of("ethogram", f"segments-{count}") for count in (low, high))
    if least is not None and most is not None and high > low:
        found["one_more"] = ratio((most - least) / (high - low), floor, 100)
    for share in ARRIVALS:
        found[f"arrivals_{share}"] = ratio(values.get(f"arrivals 1 in {share}"), full, 100)
    found["history"] = ratio(values.get("history"), full)
    funnels = f"funnels-{FUNNELS}"
    found["funnels"] = ratio(figures.of("clickhouse by_event", funnels), figures.of("ethogram", funnels))
    found["program"] = ratio(values.get("seconds, definitions to program"), 0.001)
    found["edited"] = ratio(figures.of("ethogram", f"edited-{options.usual}"), full, 100)
    peaks = [value for name, value in values.items() if name.startswith("peak bytes, segments")]
    found["memory"] = max(peaks) / 1e9 if peaks else None
    found["flatness"] = ratio(values.get("peak bytes, larger"), values.get(f"peak bytes, {usual}"))
    found |= {name: values.get(name) for name in ("help", "demo")}
    return {name: value for name, value in found.items() if value is not None}


def _machine() -> Result:
    from importlib.metadata import PackageNotFoundError, version

    def installed(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "not installed"

    return {
        "system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version(),
        **{package: installed(package) for package in ("ethogram", "duckdb", "chdb", "numba", "numpy", "pyarrow")},
    }  # fmt: skip
