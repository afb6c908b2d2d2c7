"""One run: data is made where it is missing, the floor, the rivals and the engine are measured, their counts compared."""

from __future__ import annotations

import contextlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ethogram.bench import clickhouse_rival, duckdb_rival
from ethogram.bench.figures import ARRIVALS, FUNNELS, Figures, Options, number, outcome, sizes_in
from ethogram.bench.jobs import Task
from ethogram.bench.measure import command_seconds, run_job
from ethogram.bench.places import Places, questions_of, sampled
from ethogram.bench.scores import NUMBERS, Outcome
from ethogram.bench.world import World
from ethogram.model.errors import DataError

Say = Callable[[str], None]


def run(options: Options, say: Say) -> Outcome:
    """Raises DataError E_BENCH_FOLDER for a folder with other things in it, EnvironmentFault E_BENCH_JOB."""
    unknown = options.only - frozenset(NUMBERS)
    if unknown:
        raise DataError(
            "E_BENCH_ONLY", f"unknown: {', '.join(sorted(unknown))}", hint=f"There are: {', '.join(NUMBERS)}."
        )
    with _places(options) as places:
        figures = Figures()
        known = _prepare(places, options, say)
        _floor(places, figures, say)
        _rivals(places, options, known, figures, say)
        _engine(places, options, figures, say)
        _floor(places, figures, say)
        _commands(options, figures, say)
        return outcome(places.world, options, figures)


# --- stages ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _places(options: Options) -> Iterator[Places]:
    world = World(options.events, options.seed)
    if options.folder is None:
        with tempfile.TemporaryDirectory(prefix="ethogram-bench-") as folder:
            places = Places(Path(folder), world)
            places.claim()
            yield places
        return
    places = Places(options.folder.resolve(), world)
    if not places.claim():
        raise DataError(
            "E_BENCH_FOLDER",
            f"{options.folder} holds another world or other things",
            hint="Name an empty or new folder, or ask for the same events and seed as before.",
            file=str(options.folder),
        )
    yield places


def _prepare(places: Places, options: Options, say: Say) -> int:
    """The number of known customers."""
    world = places.world
    if not places.is_done("duckdb"):
        say(f"making {world.events:,} events of {world.customers:,} customers in DuckDB")
        places.duckdb.unlink(missing_ok=True)
        run_job("fill_duckdb", Task(places).arguments())
        places.mark_done("duckdb")
    if clickhouse_rival.is_installed() and options.wants("P2", "P6") and not places.is_done("clickhouse"):
        say("the same in ClickHouse")
        shutil.rmtree(places.clickhouse, ignore_errors=True)
        run_job("fill_clickhouse", Task(places).arguments())
        places.mark_done("clickhouse")
    if options.wants("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P10"):
        _project(places, say)
    return int(number(run_job("universe", Task(places).arguments()), "known"))


def _project(places: Places, say: Say) -> None:
    for each in (places, places.warm_up):
        if not each.is_done("project"):
            each.folder.mkdir(parents=True, exist_ok=True)
            say(f"{each.world.events:,} events in a project")
            shutil.rmtree(each.project, ignore_errors=True)
            run_job("fill_project", Task(each).arguments())
            each.mark_done("project")


def _floor(places: Places, figures: Figures, say: Say) -> None:
    say("the floor: DuckDB, one GROUP BY")
    found = run_job("floor", Task(places).arguments())["cpu"]
    assert isinstance(found, list)
    figures.floors += found
    figures.values["floor"] = statistics.median(figures.floors)


def _rivals(places: Places, options: Options, known: int, figures: Figures, say: Say) -> None:
    """All tables at the usual number of segments; elsewhere the strongest rival alone, whose counts are compared."""
    duckdb, clickhouse = "duckdb", "clickhouse"
    tables = [(duckdb, duckdb_rival.BY_EVENT), (duckdb, duckdb_rival.BY_TIME)]
    if clickhouse_rival.is_installed():
        tables += [(clickhouse, clickhouse_rival.BY_DAY), (clickhouse, clickhouse_rival.BY_EVENT)]
    elif options.wants("P2", "P6"):
        figures.notes.append("chdb is not installed: no ClickHouse. pip install 'ethogram[benchmark]'")
    plan: list[tuple[str, str, str]] = []
    for count in options.segments if options.wants("P1", "P2", "P3") else ():
        every = count == options.usual and options.wants("P2")
        plan += [(f"segments-{count}", *table) for table in (tables if every else tables[:1])]
    if options.wants("P6"):
        wanted = [(duckdb, duckdb_rival.BY_EVENT), (clickhouse, clickhouse_rival.BY_EVENT)]
        plan += [(f"funnels-{FUNNELS}", *table) for table in wanted if table in tables]
    for questions, rival, table in plan:
        say(f"{rival}, {table.replace('_', ' ')}: {questions}")
        task = Task(places, questions=questions, rival=rival, table=table, known=known, sample=options.sample)
        result = run_job("rival", task.arguments())
        figures.keep(questions, f"{rival} {table}", result)
        if number(result, "asked") < len(questions_of(questions, options.seed)):
            asked = int(number(result, "asked"))
            figures.notes.append(f"{rival} {table}, {questions}: EXTRAPOLATED from {asked} questions")


def _engine(places: Places, options: Options, figures: Figures, say: Say) -> None:
    usual = f"segments-{options.usual}"
    sets = [f"segments-{count}" for count in options.segments] if options.wants("P1", "P2", "P3") else []
    if usual not in sets and options.wants("P4", "P5", "P7", "P10"):
        sets.append(usual)
    for questions in [*sets, *([f"funnels-{FUNNELS}"] if options.wants("P6") else [])]:
        _refresh(places, questions, options.repeats, figures, say)
    if options.wants("P5"):
        say("the history of all days")
        result = run_job("history", Task(places, questions=usual).arguments())
        figures.values["history"] = number(result, "cpu")
        figures.sizes.setdefault(usual, {})["ethogram history"] = sizes_in(result, "sizes")
    if options.wants("P7"):
        say("definitions to program")
        result = run_job("program", Task(places, questions=usual).arguments())
        figures.values["seconds, files to definitions"] = number(result, "reading")
        figures.values["seconds, definitions to program"] = number(result, "program")
        _refresh(places, f"edited-{options.usual}", options.repeats, figures, say)
    if options.wants("P4"):
        for share in ARRIVALS:
            _arrivals(places, options, usual, share, figures, say)
    if options.larger is not None and options.wants("P10"):
        _larger(places, options.larger, usual, figures, say)


def _refresh(places: Places, questions: str, repeats: int, figures: Figures, say: Say) -> None:
    """The first refresh makes what is kept; then the median of fresh processes."""
    say(f"ethogram: {questions}")
    first = run_job("shape", Task(places, questions=questions).arguments())
    figures.values[f"ethogram first, {questions}"] = number(first, "cpu")
    results = [run_job("refresh", Task(places, questions=questions).arguments()) for _ in range(repeats)]
    result = sorted(results, key=lambda one: number(one, "cpu"))[len(results) // 2]
    figures.keep(questions, "ethogram", result)
    figures.values[f"peak bytes, {questions}"] = max(number(one, "peak") for one in (first, *results))


def _arrivals(
    places: Places, options: Options, questions: str, share: int, figures: Figures, say: Say
) -> None:
    """On a copy of the project, which new events change for good."""
    count = max(1, options.events // share)
    say(f"ethogram: {count:,} new events")
    with tempfile.TemporaryDirectory(prefix="arrivals-", dir=places.folder) as folder:
        copy = Places(Path(folder), places.world)
        shutil.copytree(places.project, copy.project)
        copy.warm_up.folder.mkdir(parents=True)
        shutil.copytree(places.warm_up.project, copy.warm_up.project)
        run_job("shape", Task(copy, questions=questions).arguments())
        sequence = int(number(run_job("arrive", Task(copy, count=count).arguments()), "sequence"))
        result = run_job("catch_up", Task(copy, questions=questions, sequence=sequence).arguments())
    figures.values[f"arrivals 1 in {share}"] = number(result, "cpu")
    for part in ("taken in", "evaluated"):
        figures.values[f"arrivals 1 in {share}: {part}"] = number(result, part)
    figures.values[f"customers touched, 1 in {share}"] = number(result, "touched")
    pair = {"ethogram incremental": sizes_in(result, "sizes"), "ethogram full": sizes_in(result, "everyone")}
    figures.sizes[f"arrivals 1 in {share}"] = pair


def _larger(places: Places, events: int, questions: str, figures: Figures, say: Say) -> None:
    with tempfile.TemporaryDirectory(prefix="larger-", dir=places.folder) as folder:
        larger = Places(Path(folder), World(events, places.world.seed))
        _project(larger, say)
        say(f"ethogram: {questions} at {events:,} events")
        first = run_job("shape", Task(larger, questions=questions).arguments())
        result = run_job("refresh", Task(larger, questions=questions).arguments())
    figures.values["peak bytes, larger"] = max(number(first, "peak"), number(result, "peak"))


def _commands(options: Options, figures: Figures, say: Say) -> None:
    """Elapsed seconds of commands, as a person waits for them: the best of three."""
    if not options.wants("P11"):
        return
    say("ethogram --help, and the demo")
    ethogram = [sys.executable, "-m", "ethogram"]
    with tempfile.TemporaryDirectory(prefix="ethogram-demo-") as folder:
        demo = str(Path(folder) / "shop")
        refresh = [*ethogram, "refresh", "--project", demo]
        timed = {"help": [*ethogram, "--help"], "demo": refresh, "demo, in full": [*refresh, "--full"]}
        if command_seconds([*ethogram, "demo", demo]) is None:
            figures.notes.append("ethogram demo failed: P11 is not measured in full")
            del timed["demo"], timed["demo, in full"]
        for name, command in timed.items():
            seconds = [one for _ in range(options.repeats) if (one := command_seconds(command)) is not None]
            if seconds:
                figures.values[name] = min(seconds)


def rival_queries(options: Options, count: int) -> Iterator[str]:
    """The floor's query and the rivals' for the first questions, as they are sent. 12345 stands for the known customers."""
    from ethogram.bench.sql import floor_query

    world, known = World(options.events, options.seed), 12345
    yield f"-- DuckDB, {duckdb_rival.BY_CUSTOMER}: the floor\n{floor_query(duckdb_rival.BY_CUSTOMER)};"
    for name in (f"segments-{options.usual}", f"funnels-{FUNNELS}"):
        for question in sampled(questions_of(name, options.seed), None)[:count]:
            duckdb = duckdb_rival.query(question, world, duckdb_rival.BY_EVENT, known)
            clickhouse = clickhouse_rival.query(question, world, clickhouse_rival.BY_DAY, known)
            yield f"-- {name}, {question.name}, DuckDB\n{duckdb};\n-- {name}, {question.name}, ClickHouse\n{clickhouse};"
