"""Every way of answering the benchmark's questions gives the same counts on a small world."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from ethogram.bench import clickhouse_rival, duckdb_rival, engine_jobs, lake
from ethogram.bench.definitions import behavior_of, write_definitions
from ethogram.bench.places import Places, questions_of
from ethogram.bench.world import BLOCK, EVENTS, World, blocks
from ethogram.language.files import load_definitions
from ethogram.language.meaning import World as Histories
from ethogram.language.meaning import members
from ethogram.model.settings import Settings
from ethogram.store.store import Store

SEGMENTS, FUNNELS = "segments-40", "funnels-5"
SETS = (SEGMENTS, FUNNELS)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    made = Places(tmp_path_factory.mktemp("bench"), World(20_000))
    duckdb_rival.fill(made.duckdb, made.world)
    lake.fill(made.project, made.world)
    lake.fill(made.warm_up.project, World(1_000))
    for name in SETS:
        write_definitions(made.definitions(name), questions_of(name, made.world.seed))
    yield made


@pytest.fixture(scope="module")
def known(places: Places) -> int:
    return duckdb_rival.universe(places.duckdb)


def _duckdb(places: Places, questions: str, table: str, known: int) -> dict[str, int]:
    asked = questions_of(questions, places.world.seed)
    return duckdb_rival.answer(places.duckdb, table, asked, places.world, known)[0]


@pytest.fixture(scope="module")
def expected(places: Places, known: int) -> dict[str, dict[str, int]]:
    return {name: _duckdb(places, name, duckdb_rival.BY_EVENT, known) for name in SETS}


def test_the_questions_divide_the_customers(expected: dict[str, dict[str, int]], known: int) -> None:
    sizes = expected[SEGMENTS].values()
    assert sum(0 < size < known for size in sizes) > 20


@pytest.mark.parametrize("questions", SETS)
def test_duckdb_agrees_with_itself_on_every_clustering(
    places: Places, known: int, expected: dict[str, dict[str, int]], questions: str
) -> None:
    for table in (duckdb_rival.BY_TIME, duckdb_rival.BY_CUSTOMER):
        assert _duckdb(places, questions, table, known) == expected[questions]


@pytest.mark.parametrize("questions", SETS)
def test_the_meaning_of_the_definitions_is_what_duckdb_counts(
    places: Places, expected: dict[str, dict[str, int]], questions: str
) -> None:
    definitions = load_definitions(places.definitions(questions))
    customers = [lake.customer_of(number) for number in range(places.world.customers)]
    with Store.open(places.project) as store, store.snapshot() as snapshot:
        world = Histories(Settings(), definitions, store.histories(customers, snapshot))
    sizes = {name: len(members(world, name, places.world.as_of)) for name in definitions.segments}
    assert sizes == expected[questions]


@pytest.mark.skipif(not clickhouse_rival.is_installed(), reason="chdb is not installed")
@pytest.mark.parametrize("questions", SETS)
def test_clickhouse_counts_the_same(
    places: Places, known: int, expected: dict[str, dict[str, int]], questions: str
) -> None:
    if not places.parquet.exists():
        duckdb_rival.export(places.duckdb, places.parquet)
        clickhouse_rival.fill(places.clickhouse, places.parquet)
    asked = questions_of(questions, places.world.seed)
    for table in clickhouse_rival.ORDERS:
        assert (
            clickhouse_rival.answer(places.clickhouse, table, asked, places.world, known)[0]
            == expected[questions]
        )


@pytest.mark.skipif(find_spec("ethogram.engines.engine") is None, reason="there is no engine")
@pytest.mark.parametrize("questions", SETS)
def test_the_engine_counts_the_same(
    places: Places, expected: dict[str, dict[str, int]], questions: str
) -> None:
    assert engine_jobs.refresh(places, questions)["sizes"] == expected[questions]
    assert engine_jobs.history(places, questions)["sizes"] == expected[questions]


def test_a_table_out_of_order_is_noticed(places: Places) -> None:
    import duckdb

    from ethogram.model.errors import EnvironmentFault

    with duckdb.connect(str(places.duckdb), read_only=True) as connection:
        with pytest.raises(EnvironmentFault, match="out of order"):
            duckdb_rival.check_order(connection, duckdb_rival.BY_TIME, "customer, time")
        duckdb_rival.check_order(connection, duckdb_rival.BY_TIME, "time")


def test_the_lake_has_the_events_of_the_generator(places: Places) -> None:
    with Store.open(places.project) as store, store.snapshot() as snapshot:
        assert sum(file.rows for file in snapshot.files) == places.world.events
        events = store.histories([lake.customer_of(7)], snapshot)[lake.customer_of(7)]
    block = next(blocks(places.world))
    assert places.world.customers <= BLOCK
    rows = block.customer == 7
    assert [event.time for event in events] == block.time[rows].tolist()
    assert [behavior_of(event.name) for event in events] == [
        behavior_of(EVENTS[code]) for code in block.event[rows]
    ]
    cents = [int(event.properties["revenue"] * 100) for event in events]  # type: ignore[operator, arg-type]
    assert cents == block.revenue[rows].tolist()
