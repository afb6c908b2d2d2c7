"""The targets, and how a measured run stands against them. P8 and P9 belong to the live service and are not measured here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ethogram.bench.measure import Result

Unit: TypeAlias = Literal["×", "%", "ms", "s", "GB"]
Verdict: TypeAlias = Literal["pass", "fail", "not measured"]


@dataclass(frozen=True, slots=True)
class Target:
    """`number` is the line of docs/benchmark.md (P1…); `key` names the figure of a run; `at_least` turns the comparison."""

    number: str
    key: str
    what: str
    bound: float
    unit: Unit
    at_least: bool = False


TARGETS: tuple[Target, ...] = (
    Target("P1", "refresh_100", "full refresh, 100 segments, against the floor", 2.0, "×"),
    Target("P1", "refresh_500", "full refresh, 500 segments, against the floor", 3.0, "×"),
    Target("P1", "refresh_1000", "full refresh, 1,000 segments, against the floor", 5.0, "×"),
    Target("P2", "clickhouse_by_day", "faster than ClickHouse, key (day, event, customer)", 12.0, "×", True),
    Target("P2", "duckdb_by_time", "faster than DuckDB, clustered by time", 15.0, "×", True),
    Target("P2", "duckdb_by_event", "faster than DuckDB, clustered by event", 5.0, "×", True),
    Target("P3", "one_more", "one more segment, against the floor", 0.5, "%"),
    Target("P4", "arrivals_1000", "0.1% new events, against a full refresh", 3.0, "%"),
    Target("P4", "arrivals_10000", "0.01% new events, against a full refresh", 1.0, "%"),
    Target("P5", "history", "all days of the history, against one answer", 2.5, "×"),
    Target("P6", "funnels", "50 funnels, faster than 50 windowFunnel queries", 10.0, "×", True),
    Target("P7", "program", "definitions to program, 500 segments", 150.0, "ms"),
    Target("P7", "edited", "one segment added and answered, against a full refresh", 30.0, "%"),
    Target("P10", "memory", "peak memory of a full refresh", 1.0, "GB"),
    Target("P10", "flatness", "peak memory at the larger world, against this one", 1.1, "×"),
    Target("P11", "help", "ethogram --help", 0.5, "s"),
    Target("P11", "demo", "refresh of the demo shop, warm", 3.0, "s"),
)

NUMBERS: tuple[str, ...] = tuple(dict.fromkeys(target.number for target in TARGETS))


@dataclass(frozen=True, slots=True)
class Score:
    target: Target
    measured: float | None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.measured is None:
            return "not measured"
        reached = (
            self.measured >= self.target.bound if self.target.at_least else self.measured <= self.target.bound
        )
        return "pass" if reached else "fail"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Two ways that disagree on one question."""

    question: str
    one: str
    one_size: int
    other: str
    other_size: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seconds` are the CPU seconds (and other raw figures) behind the scores, by key."""

    world: Result
    machine: Result
    scores: tuple[Score, ...]
    seconds: dict[str, float]
    compared: int
    mismatches: tuple[Mismatch, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> Result:
        return {
            "world": self.world,
            "machine": self.machine,
            "scores": [
                {
                    "number": score.target.number,
                    "key": score.target.key,
                    "what": score.target.what,
                    "measured": score.measured,
                    "bound": score.target.bound,
                    "direction": "at least" if score.target.at_least else "at most",
                    "unit": score.target.unit,
                    "verdict": score.verdict,
                    "note": score.note,
                }
                for score in self.scores
            ],
            "seconds": self.seconds,
            "compared": self.compared,
            "mismatches": [
                {"question": one.question, one.one: one.one_size, one.other: one.other_size}
                for one in self.mismatches
            ],
            "notes": list(self.notes),
        }


def compare(sizes: dict[str, dict[str, int]], questions: str) -> tuple[int, list[Mismatch]]:
    """Every way's sizes against the first way's; how many comparisons, and which failed."""
    ways = list(sizes.items())
    if not ways:
        return 0, []
    first, expected = ways[0]
    compared, found = 0, []
    for way, answers in ways[1:]:
        for name in answers.keys() & expected.keys():
            compared += 1
            if answers[name] != expected[name]:
                found.append(Mismatch(f"{questions}: {name}", first, expected[name], way, answers[name]))
    return compared, sorted(found, key=lambda one: one.question)
