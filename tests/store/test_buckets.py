from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.store import bucket_of, bucket_sql


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=20), st.integers(1, 500)
)
def test_python_and_sql_name_the_same_bucket(
    duck: duckdb.DuckDBPyConnection, customers: list[str], buckets: int
) -> None:
    query = f"SELECT {bucket_sql('customer', buckets)} FROM (SELECT unnest(?::VARCHAR[]) AS customer)"
    rows = duck.execute(query, [customers]).fetchall()
    assert [row[0] for row in rows] == [bucket_of(customer, buckets) for customer in customers]


def test_the_buckets_of_known_ids_never_change() -> None:
    assert [bucket_of(customer, 16) for customer in ("", "u1", "12345", "ü", "a\0b")] == [9, 1, 12, 2, 15]
