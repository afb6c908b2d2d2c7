"""DuckDB as the floor and as a rival: three copies of the events in one database file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.bench.questions import Funnel, Segment
from ethogram.bench.sql import DUCKDB, floor_query, funnel_query_duckdb, segment_query
from ethogram.bench.world import CATEGORIES, CHANNELS, DAY, EVENTS, Block, World, blocks
from ethogram.model.errors import EnvironmentFault

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BY_CUSTOMER, BY_TIME, BY_EVENT = "by_customer", "by_time", "by_event"
"""The floor's table; the log as it arrives; the strongest rival's, clustered by event and time."""

ORDERS = {BY_CUSTOMER: "customer, time", BY_TIME: "time", BY_EVENT: "event, time"}

THREADS = 2
MEMORY = "3GB"


def fill(file: Path, world: World) -> None:
    """Makes the database. Raises EnvironmentFault E_BENCH_ORDER if a table is not in the order it should be in."""
    with _connect(file) as connection:
        for name, values in (("event", EVENTS), ("category", CATEGORIES), ("channel", CHANNELS)):
            connection.execute(f"CREATE TYPE {name}_name AS ENUM ({_quoted(values)})")
        connection.execute(
            f"CREATE TABLE {BY_CUSTOMER} (customer UINTEGER NOT NULL, event event_name, category category_name,"
            " channel channel_name, revenue DECIMAL(18, 6), time TIMESTAMP, day USMALLINT)"
        )
        for block in blocks(world):
            connection.register("block", arrow_of(block))
            connection.execute(
                f"INSERT INTO {BY_CUSTOMER} SELECT customer, event::event_name, category::category_name,"
                " channel::channel_name, cents::DECIMAL(18, 6) / 100, time, day FROM block"
            )
        for table in (BY_TIME, BY_EVENT):
            connection.execute(
                f"CREATE TABLE {table} AS SELECT * FROM {BY_CUSTOMER} ORDER BY {ORDERS[table]}"
            )
        for table, order in ORDERS.items():
            check_order(connection, table, order)
        connection.execute("CHECKPOINT")


def export(file: Path, parquet: Path) -> None:
    """All events as one Parquet file, for rivals that load from files."""
    with _connect(file, read_only=True) as connection:
        connection.execute(f"COPY {BY_CUSTOMER} TO '{parquet}' (FORMAT parquet)")


def floor(file: Path, runs: int) -> list[float]:
    """CPU seconds of each run, after one that warms up."""
    from ethogram.bench.measure import spending

    seconds = []
    with _connect(file, read_only=True) as connection:
        for _ in range(runs + 1):
            with spending() as spent:
                connection.execute(floor_query(BY_CUSTOMER)).fetchall()
            seconds.append(spent.cpu)
    return seconds[1:]


def universe(file: Path) -> int:
    with _connect(file, read_only=True) as connection:
        return _number(connection, f"SELECT count(DISTINCT customer) FROM {BY_CUSTOMER}")


def answer(
    file: Path, table: str, questions: Sequence[Segment | Funnel], world: World, known: int
) -> tuple[dict[str, int], float]:
    """The number of customers for each question, one query each, and the CPU seconds of all of them."""
    from ethogram.bench.measure import spending

    with _connect(file, read_only=True) as connection:
        _number(connection, f"SELECT count(*) FROM {table} WHERE revenue > 1000000")
        with spending() as spent:
            sizes = {one.name: _number(connection, query(one, world, table, known)) for one in questions}
    return sizes, spent.cpu


def query(question: Segment | Funnel, world: World, table: str, known: int) -> str:
    match question:
        case Segment():
            return segment_query(question, world, DUCKDB, table, known)
        case Funnel():
            return funnel_query_duckdb(question, table)


def arrow_of(block: Block) -> pa.Table:
    """Names as dictionaries, revenue as `cents`."""
    import numpy as np
    import pyarrow as pa

    names = {
        "event": (block.event, EVENTS),
        "category": (block.category, CATEGORIES),
        "channel": (block.channel, CHANNELS),
    }
    columns = {
        name: pa.DictionaryArray.from_arrays(codes, list(values)) for name, (codes, values) in names.items()
    }
    return pa.table(
        {
            "customer": block.customer,
            **columns,
            "cents": block.revenue,
            "time": pa.array(block.time, pa.timestamp("us")),
            "day": (block.time // DAY).astype(np.uint16),
        }
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _connect(file: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    import duckdb

    settings: dict[str, str | int] = {"threads": THREADS, "memory_limit": MEMORY}
    return duckdb.connect(str(file), read_only=read_only, config=settings)  # type: ignore[arg-type]


def _number(connection: duckdb.DuckDBPyConnection, text: str) -> int:
    row = connection.execute(text).fetchone()
    assert row is not None
    return int(row[0])


def check_order(connection: duckdb.DuckDBPyConnection, table: str, order: str) -> None:
    """A load that loses the order loses the clustering, in silence."""
    key = f"({order})"
    late = _number(
        connection,
        f"SELECT count(*) FROM (SELECT {key} < lag({key}) OVER (ORDER BY rowid) AS late FROM"
        f" (SELECT rowid, {order} FROM {table})) WHERE late",
    )
    if late:
        raise EnvironmentFault(
            "E_BENCH_ORDER", f"{late} rows of the benchmark's table {table} are out of order"
        )
