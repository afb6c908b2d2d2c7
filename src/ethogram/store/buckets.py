"""Which bucket a customer's events live in: the same answer in Python and in SQL."""

from __future__ import annotations

import hashlib

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
