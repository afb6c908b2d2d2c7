"""Which bucket a customer's events live in: the same answer in Python and in SQL."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.store.duck import connect

BUCKETS = 16
"""For a new project."""


def bucket_of(customer: str, buckets: int) -> int:
    """`md5_number_lower(customer) % buckets` of DuckDB.

    >>> bucket_of("u1", 16)
    1
    """
    return (
        int.from_bytes(hashlib.md5(customer.encode(), usedforsecurity=False).digest()[8:], "little") % buckets
    )


def bucket_sql(column: str, buckets: int) -> str:
    return f"(md5_number_lower({column}) % {buckets})::INTEGER"


def buckets_of(customers: pa.StringArray, buckets: int) -> NDArray[np.int64]:
    """Of each."""
    with connect() as duck:
        duck.register("customers", pa.table({"customer": customers}))
        query = f"SELECT {bucket_sql('customer', buckets)} AS home FROM customers"
        homes: NDArray[np.int64] = duck.sql(query).to_arrow_table()["home"].to_numpy().astype(np.int64)
    return homes
