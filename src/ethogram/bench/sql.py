"""The same questions in SQL: one query a segment, as an analyst would tune it, for DuckDB and for ClickHouse.

Both rivals get integer customers, enumerated names, a stored day, exact decimals and the cheapest formulation found: one
selection a condition, the further ones as semi-joins, "did not" as an anti-join. Literals are written into the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ethogram.bench.questions import Atom, Condition, Funnel, Segment
from ethogram.bench.world import DAY, World

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs. `moment` wraps a UTC timestamp text; `decimal` a number.

    `by_day`: the table's key may begin with the day, so queries say from which day on, as an analyst would.
    """

    name: str
    moment: str
    decimal: str
    by_day: bool = False


DUCKDB = Dialect("DuckDB", "TIMESTAMP '{}'", "{}")
CLICKHOUSE = Dialect("ClickHouse", "toDateTime64('{}', 6, 'UTC')", "toDecimal64({}, 6)", by_day=True)


def floor_query(table: str) -> str:
    """The least that any evaluation must do: six aggregates over six columns, grouped by customer, all of them consumed."""
    return (
        "SELECT count(*), sum(events), max(event), max(category), max(channel), sum(revenue), max(latest) FROM (\n"
        "  SELECT customer, count(*) AS events, max(event) AS event, max(category) AS category,\n"
        "         max(channel) AS channel, sum(revenue) AS revenue, max(time) AS latest\n"
        f"  FROM {table} GROUP BY customer)"
    )


def segment_query(segment: Segment, world: World, dialect: Dialect, table: str, universe: int) -> str:
    """One number: the customers in the segment. `universe` is the number of known customers."""
    positive = [condition for condition in segment.conditions if condition.at_least is not None]
    negative = [condition for condition in segment.conditions if condition.at_least is None]
    if not positive:
        wheres = " OR ".join(f"({_where(condition.atom, world, dialect)})" for condition in negative)
        return f"SELECT {universe} - count(DISTINCT customer) FROM {table} WHERE {wheres}"
    first, *others = (_selection(condition, world, dialect, table) for condition in positive)
    joins = "".join(
        f"\n  LEFT SEMI JOIN ({other}) AS q{i} USING (customer)" for i, other in enumerate(others, 1)
    )
    for i, condition in enumerate(negative):
        without = f"SELECT customer FROM {table} WHERE {_where(condition.atom, world, dialect)}"
        joins += f"\n  LEFT ANTI JOIN ({without}) AS n{i} USING (customer)"
    if dialect is DUCKDB:
        joins = joins.replace("LEFT SEMI", "SEMI").replace("LEFT ANTI", "ANTI")
    return f"SELECT count(*) FROM ({first}) AS q0{joins}"


def funnel_query_duckdb(funnel: Funnel, table: str) -> str:
    """For each row the latest first step so far, then for each row the best start of a first-and-second so far.

    RANGE frames include rows of the same moment: a tie counts as after.
    """
    first, second, third = funnel.steps
    so_far = "OVER (PARTITION BY customer ORDER BY time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    return (
        "SELECT count(DISTINCT customer) FROM (\n"
        f"  SELECT customer, event, time, max(CASE WHEN event = '{second}' THEN started END) {so_far} AS started FROM (\n"
        f"    SELECT customer, event, time, max(CASE WHEN event = '{first}' THEN time END) {so_far} AS started\n"
        f"    FROM {table} WHERE event IN ('{first}', '{second}', '{third}')))\n"
        f"WHERE event = '{third}' AND time - started <= INTERVAL {funnel.hours} HOUR"
    )


def funnel_query_clickhouse(funnel: Funnel, table: str) -> str:
    """`windowFunnel` as documented, over microseconds as an unsigned number, on the rows of the three events alone."""
    names = ", ".join(f"'{step}'" for step in funnel.steps)
    steps = ", ".join(f"event = '{step}'" for step in funnel.steps)
    micros = "toUInt64(toUnixTimestamp64Micro(time))"
    return (
        f"SELECT countIf(level = 3) FROM (\n"
        f"  SELECT customer, windowFunnel({funnel.hours * 3_600_000_000})({micros}, {steps}) AS level\n"
        f"  FROM {table} WHERE event IN ({names}) GROUP BY customer)"
    )


def _selection(condition: Condition, world: World, dialect: Dialect, table: str) -> str:
    where = _where(condition.atom, world, dialect)
    return f"SELECT customer FROM {table} WHERE {where} GROUP BY customer HAVING {_having(condition, world, dialect)}"


def _where(atom: Atom, world: World, dialect: Dialect) -> str:
    """The event, the window (as_of - w, as_of], the filter."""
    parts = [
        f"event = '{atom.event}'",
        f"time > {_moment(world.as_of - atom.days * DAY, dialect)}",
        f"time <= {_moment(world.as_of, dialect)}",
    ]
    if dialect.by_day:
        parts.append(f"day >= {(world.as_of - atom.days * DAY) // DAY}")
    if atom.categories:
        names = ", ".join(f"'{name}'" for name in atom.categories)
        parts.append(f"category IN ({names})")
    if atom.channel:
        parts.append(f"channel = '{atom.channel}'")
    if atom.above is not None:
        parts.append(f"revenue > {dialect.decimal.format(atom.above)}")
    return " AND ".join(parts)


def _having(condition: Condition, world: World, dialect: Dialect) -> str:
    bound = condition.at_least or 0
    match condition.atom.measure:
        case "count":
            return f"count(*) >= {bound}"
        case "sum":
            return f"sum(revenue) >= {dialect.decimal.format(bound)}"
        case "max":
            return f"max(revenue) >= {dialect.decimal.format(bound)}"
        case "last":
            return f"max(time) >= {_moment(world.as_of - bound * DAY, dialect)}"
        case "count_distinct":
            return f"count(DISTINCT category) >= {bound}"
        case "active_days":
            return f"count(DISTINCT day) >= {bound}"


def _moment(micros: int, dialect: Dialect) -> str:
    return dialect.moment.format((EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%S.%f"))
