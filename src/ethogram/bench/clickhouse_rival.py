"""ClickHouse as a rival, in this process through chdb (`pip install ethogram[benchmark]`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from ethogram.bench.questions import Funnel, Segment
from ethogram.bench.sql import CLICKHOUSE, funnel_query_clickhouse, segment_query
from ethogram.bench.world import CATEGORIES, CHANNELS, EVENTS, World

BY_DAY, BY_EVENT = "by_day", "by_event"
ORDERS = {BY_DAY: "day, event, customer", BY_EVENT: "event, time"}

THREADS = 2


class _Reply(Protocol):
    def bytes(self) -> bytes: ...


class _Session(Protocol):
    def query(self, sql: str, fmt: str = "CSV") -> _Reply: ...
    def close(self) -> None: ...


def is_installed() -> bool:
    return find_spec("chdb") is not None


def fill(folder: Path, parquet: Path) -> None:
    """Two tables from the Parquet file that `duckdb_rival.export` wrote."""
    session = _open(folder)
    session.query("CREATE DATABASE bench")
    for table, order in ORDERS.items():
        session.query(
            f"CREATE TABLE bench.{table} (customer UInt32, event {_enum(EVENTS)}, category {_enum(CATEGORIES)},"
            f" channel {_enum(CHANNELS)}, revenue Decimal64(6), time DateTime64(6, 'UTC'), day UInt16)"
            f" ENGINE = MergeTree ORDER BY ({order})"
        )
        session.query(
            f"INSERT INTO bench.{table} SELECT customer, event, category, channel, revenue, time, day"
            f" FROM file('{parquet}', Parquet) SETTINGS max_threads = {THREADS}"
        )
        session.query(f"OPTIMIZE TABLE bench.{table} FINAL")
    session.close()


def answer(
    folder: Path, table: str, questions: Sequence[Segment | Funnel], world: World, known: int
) -> tuple[dict[str, int], float]:
    """The number of customers for each question, one query each, and the CPU seconds of all of them."""
    from ethogram.bench.measure import spending

    session = _open(folder)
    session.query(f"SELECT count() FROM bench.{table} WHERE revenue > 1000000")
    with spending() as spent:
        sizes = {one.name: _number(session, query(one, world, table, known)) for one in questions}
    session.close()
    return sizes, spent.cpu


def query(question: Segment | Funnel, world: World, table: str, known: int) -> str:
    match question:
        case Segment():
            text = segment_query(question, world, CLICKHOUSE, f"bench.{table}", known)
        case Funnel():
            text = funnel_query_clickhouse(question, f"bench.{table}")
    return f"{text}\nSETTINGS max_threads = {THREADS}"


def _open(folder: Path) -> _Session:
    from chdb import session

    opened: _Session = session.Session(str(folder))  # type: ignore[no-untyped-call]
    return opened


def _number(session: _Session, text: str) -> int:
    return int(session.query(text, "CSV").bytes())


def _enum(names: Sequence[str]) -> str:
    pairs = ", ".join(f"'{name}' = {code}" for code, name in enumerate(names))
    return f"Enum8({pairs})"
