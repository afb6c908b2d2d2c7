"""What is asked of ethogram's own engine. Each function runs in a process of its own (see jobs.py).

Every measured block is preceded by the same work on a small world, so that compiled code is loaded; files of the measured
world are opened and read inside the block.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.bench import lake
from ethogram.bench.definitions import write_definitions
from ethogram.bench.measure import Result, peak_bytes, spending
from ethogram.bench.places import Places, questions_of
from ethogram.bench.world import DAY

WARMING = 100

if TYPE_CHECKING:
    from ethogram.engines.answers import BucketAnswers, Positions
    from ethogram.engines.engine import Engine
    from ethogram.language.tree import Definitions


def fill_project(places: Places) -> Result:
    with spending() as spent:
        lake.fill(places.project, places.world)
    return {"cpu": spent.cpu, "peak": peak_bytes()}


def shape(places: Places, questions: str) -> Result:
    """The first refresh with these definitions: what is derived from the events once and kept is made here."""
    definitions = _definitions(places, questions)
    with _engine(places.warm_up.project, definitions) as engine:
        _sizes(engine.evaluate(places.warm_up.world.as_of), engine)
    with spending() as spent, _engine(places.project, definitions) as engine:
        _sizes(engine.evaluate(places.world.as_of), engine)
    return {"cpu": spent.cpu, "peak": peak_bytes()}


def refresh(places: Places, questions: str) -> Result:
    """Everyone, reading included."""
    with _warm(places, questions) as engine:
        with spending() as spent:
            sizes = _sizes(engine.evaluate(places.world.as_of), engine)
        return {"cpu": spent.cpu, "wall": spent.wall, "peak": peak_bytes(), "sizes": sizes}


def history(places: Places, questions: str) -> Result:
    """The sizes at the end of each of the world's days; `sizes` are those of the last."""
    as_of = places.world.as_of
    moments = [as_of - back * DAY for back in range(places.world.days - 1, -1, -1)]
    with _warm(places, questions) as engine:
        with spending() as spent:
            found = engine.sizes(moments)
        return {"cpu": spent.cpu, "sizes": {name: int(sizes[-1]) for name, sizes in found.items()}}


def program(places: Places, questions: str, runs: int) -> Result:
    """Elapsed seconds, medians: from the files to definitions, and from definitions to a program that can run."""
    from ethogram.language.files import load_definitions

    _definitions(places, questions)
    reading, compiling = [], []
    for _ in range(runs):
        with spending() as read:
            definitions = load_definitions(places.definitions(questions))
        with spending() as compiled, _engine(places.project, definitions):
            pass
        reading.append(read.wall)
        compiling.append(compiled.wall)
    return {"reading": statistics.median(reading), "program": statistics.median(compiling)}


def arrive(places: Places, count: int) -> Result:
    """New events in the store, as a load leaves them; the sequence before them."""
    return {"sequence": lake.append(places.project, places.world, count)}


def catch_up(places: Places, questions: str, sequence: int) -> Result:
    """What the new events cost: taking them in, finding their customers, evaluating those again.

    Opening an engine takes new events in, whatever it is asked; opening it once more shows what opening costs anyway. The sizes among these
    customers must be those of an evaluation of everyone.
    """
    as_of = places.world.as_of
    definitions = _definitions(places, questions)
    lake.append(places.warm_up.project, places.warm_up.world, WARMING)
    with _engine(places.warm_up.project, definitions) as small:
        _sizes(small.evaluate(places.warm_up.world.as_of), small)
    with spending() as opened, _engine(places.project, definitions, ()):
        pass
    with spending() as opened_again, _engine(places.project, definitions, ()):
        pass
    taken_in = max(0.0, opened.cpu - opened_again.cpu)
    with _engine(places.project, definitions) as engine:
        with spending() as spent:
            touched = {bucket: positions for bucket, (positions, _) in engine.touched(sequence).items()}
            sizes = _sizes(engine.evaluate(as_of, touched), engine)
        everyone = _sizes_among(engine.evaluate(as_of), touched, engine)
        customers = sum(len(positions) for positions in touched.values())
    return {
        "cpu": taken_in + spent.cpu, "taken in": taken_in, "evaluated": spent.cpu,
        "sizes": sizes, "everyone": everyone, "touched": customers,
    }  # fmt: skip


def _definitions(places: Places, questions: str) -> Definitions:
    from ethogram.language.files import load_definitions

    folder = places.definitions(questions)
    write_definitions(folder, questions_of(questions, places.world.seed))
    return load_definitions(folder)


@contextmanager
def _warm(places: Places, questions: str) -> Iterator[Engine]:
    """The engine of the measured world, after the same program has run on the small one."""
    definitions = _definitions(places, questions)
    with _engine(places.warm_up.project, definitions) as small:
        _sizes(small.evaluate(places.warm_up.world.as_of), small)
    with _engine(places.project, definitions) as engine:
        yield engine


@contextmanager
def _engine(project: Path, definitions: Definitions, names: Sequence[str] | None = None) -> Iterator[Engine]:
    from ethogram.engines.engine import Engine
    from ethogram.model.settings import Settings
    from ethogram.store.store import Store

    with Store.open(project) as store:
        yield Engine(store, definitions, Settings(name="bench"), {}, names=names)


def _sizes(answers: Iterable[BucketAnswers], engine: Engine) -> dict[str, int]:
    import numpy as np

    total = np.zeros(len(engine.segments), np.int64)
    for one in answers:
        total += np.bitwise_count(one.bits).sum(axis=1, dtype=np.int64)
    return dict(zip(engine.segments, total.tolist(), strict=True))


def _sizes_among(
    answers: Iterable[BucketAnswers], among: Mapping[int, Positions], engine: Engine
) -> dict[str, int]:
    sizes = dict.fromkeys(engine.segments, 0)
    for one in answers:
        if one.bucket in among:
            for row, name in enumerate(engine.segments):
                sizes[name] += int(one.members(row)[among[one.bucket]].sum())
    return sizes
