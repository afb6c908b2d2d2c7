"""The jobs that run in processes of their own: `python -m ethogram.bench.jobs NAME ARGUMENTS ANSWER`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ethogram.bench.measure import Result
from ethogram.bench.places import Places, questions_of, sampled
from ethogram.bench.world import World


@dataclass(frozen=True, slots=True)
class Task:
    """The arguments of a job; which of the optional ones it needs is written at each job."""

    places: Places
    questions: str = ""
    rival: str = ""
    table: str = ""
    known: int = 0
    sample: int | None = None
    runs: int = 5
    count: int = 0
    sequence: int = 0

    def arguments(self) -> dict[str, object]:
        world = self.places.world
        return {
            "folder": str(self.places.folder), "events": world.events, "seed": world.seed, "days": world.days,
            "questions": self.questions, "rival": self.rival, "table": self.table, "known": self.known,
            "sample": self.sample, "runs": self.runs, "count": self.count, "sequence": self.sequence,
        }  # fmt: skip

    @staticmethod
    def of(text: str) -> Task:
        given = json.loads(text)
        world = World(given.pop("events"), given.pop("seed"), given.pop("days"))
        return Task(Places(Path(given.pop("folder")), world), **given)


def _fill_duckdb(task: Task) -> Result:
    from ethogram.bench import duckdb_rival

    duckdb_rival.fill(task.places.duckdb, task.places.world)
    duckdb_rival.export(task.places.duckdb, task.places.parquet)
    return {"known": duckdb_rival.universe(task.places.duckdb)}


def _fill_clickhouse(task: Task) -> Result:
    from ethogram.bench import clickhouse_rival

    clickhouse_rival.fill(task.places.clickhouse, task.places.parquet)
    return {}


def _floor(task: Task) -> Result:
    from ethogram.bench import duckdb_rival

    return {"cpu": duckdb_rival.floor(task.places.duckdb, task.runs)}


def _universe(task: Task) -> Result:
    from ethogram.bench import duckdb_rival

    return {"known": duckdb_rival.universe(task.places.duckdb)}


def _rival(task: Task) -> Result:
    """Needs rival, table, questions, known; sample."""
    from ethogram.bench import clickhouse_rival, duckdb_rival

    places = task.places
    questions = questions_of(task.questions, places.world.seed)
    asked = sampled(questions, task.sample)
    if task.rival == "duckdb":
        sizes, cpu = duckdb_rival.answer(places.duckdb, task.table, asked, places.world, task.known)
    else:
        sizes, cpu = clickhouse_rival.answer(places.clickhouse, task.table, asked, places.world, task.known)
    return {"sizes": sizes, "cpu": cpu * len(questions) / len(asked), "asked": len(asked)}


def _fill_project(task: Task) -> Result:
    from ethogram.bench import engine_jobs

    return engine_jobs.fill_project(task.places)


def _shape(task: Task) -> Result:
    """Needs questions."""
    from ethogram.bench import engine_jobs

    return engine_jobs.shape(task.places, task.questions)


def _refresh(task: Task) -> Result:
    """Needs questions."""
    from ethogram.bench import engine_jobs

    return engine_jobs.refresh(task.places, task.questions)


def _history(task: Task) -> Result:
    """Needs questions."""
    from ethogram.bench import engine_jobs

    return engine_jobs.history(task.places, task.questions)


def _program(task: Task) -> Result:
    """Needs questions, runs."""
    from ethogram.bench import engine_jobs

    return engine_jobs.program(task.places, task.questions, task.runs)


def _arrive(task: Task) -> Result:
    """Needs count."""
    from ethogram.bench import engine_jobs

    return engine_jobs.arrive(task.places, task.count)


def _catch_up(task: Task) -> Result:
    """Needs questions, sequence."""
    from ethogram.bench import engine_jobs

    return engine_jobs.catch_up(task.places, task.questions, task.sequence)


JOBS: Mapping[str, Callable[[Task], Result]] = {
    "fill_duckdb": _fill_duckdb,
    "fill_clickhouse": _fill_clickhouse,
    "fill_project": _fill_project,
    "floor": _floor,
    "universe": _universe,
    "rival": _rival,
    "shape": _shape,
    "refresh": _refresh,
    "history": _history,
    "program": _program,
    "arrive": _arrive,
    "catch_up": _catch_up,
}


def main(name: str, arguments: str, answer: str) -> None:
    result = JOBS[name](Task.of(arguments))
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
