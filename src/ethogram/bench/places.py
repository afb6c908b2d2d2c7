"""Where a benchmark keeps its data, and the sets of questions by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ethogram.bench.questions import Funnel, Segment, funnels, segments
from ethogram.bench.world import World

LAYOUT = 1
"""Changes when the generator or the tables change, so that a kept folder is not taken for a present one."""

WARM_UP = 20_000
"""Events of the small world on which each measured process first runs its code once."""


@dataclass(frozen=True, slots=True)
class Places:
    """The folder of one world. Everything in it can be deleted and is made again."""

    folder: Path
    world: World

    @property
    def duckdb(self) -> Path:
        return self.folder / "rivals.duckdb"

    @property
    def parquet(self) -> Path:
        return self.folder / "events.parquet"

    @property
    def clickhouse(self) -> Path:
        return self.folder / "clickhouse"

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def warm_up(self) -> Places:
        return Places(self.folder / "warm-up", World(WARM_UP, self.world.seed))

    def definitions(self, questions: str) -> Path:
        return self.folder / "questions" / questions

    def is_done(self, step: str) -> bool:
        return (self.folder / f"{step}.done").exists()

    def mark_done(self, step: str) -> None:
        (self.folder / f"{step}.done").touch()

    def claim(self) -> bool:
        """Makes the folder this world's; whether it can be used. One that holds another world cannot."""
        self.folder.mkdir(parents=True, exist_ok=True)
        described = self.folder / "world.json"
        mine = {
            "layout": LAYOUT,
            "events": self.world.events,
            "seed": self.world.seed,
            "days": self.world.days,
        }
        if described.exists():
            return bool(json.loads(described.read_text(encoding="utf-8")) == mine)
        if any(self.folder.iterdir()):
            return False
        described.write_text(json.dumps(mine), encoding="utf-8")
        return True


def questions_of(name: str, seed: int) -> tuple[Segment | Funnel, ...]:
    """`segments-500`, `funnels-50`; `edited-500` is one segment more than `segments-500`, alone."""
    kind, _, count = name.partition("-")
    match kind:
        case "segments":
            return segments(int(count), seed)
        case "funnels":
            return funnels(int(count), seed)
        case "edited":
            return (Segment("added", segments(int(count), seed + 1)[0].conditions),)
        case _:
            raise ValueError(name)


def sampled(questions: tuple[Segment | Funnel, ...], sample: int | None) -> tuple[Segment | Funnel, ...]:
    """All of them, or `sample` spread evenly."""
    if sample is None or sample >= len(questions):
        return questions
    return tuple(questions[number * len(questions) // sample] for number in range(sample))
