"""Links between ids, and what they add up to, written in one transaction of the store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from typing import Final

import pyarrow as pa

LINK_ROWS: Final = pa.schema(
    [
        ("kind", pa.string()),
        ("customer", pa.string()),
        ("value", pa.string()),
        ("is_known", pa.bool_()),
        ("time", pa.int64()),
        ("source", pa.string()),
        ("message_id", pa.string()),
    ]
)
"""Each (kind, customer, value) at most once."""

CACHE: Final = -131_072
"""In kilobytes, as SQLite says it: indexes of many links are written in no order."""

MANY: Final = 10_000
PART: Final = 8
"""All links are read where more nodes than these, and than one in so many links, hang together: that takes less time."""

_ADD = """
INSERT INTO links (kind, customer, value, is_known, time, source, message_id, added)
SELECT *, ? FROM temp.told WHERE true
ON CONFLICT (customer, kind, value) DO UPDATE SET
    is_known = max(is_known, excluded.is_known), time = min(time, excluded.time),
    source = iif({earlier}, excluded.source, source), message_id = iif({earlier}, excluded.message_id, message_id)
WHERE excluded.is_known > is_known OR {earlier}
RETURNING kind, customer, value""".format(
    earlier="(excluded.time, excluded.message_id, excluded.source) < (time, message_id, source)"
)

_AROUND = """
WITH RECURSIVE near (space, value) AS (
    SELECT space, value FROM temp.seeds
    UNION
    SELECT iif(links.kind IN ('alias', 'anonymous'), '', links.kind), links.value
    FROM near JOIN links ON near.space = '' AND links.customer = near.value WHERE links.cut IS NULL
    UNION
    SELECT '', links.customer FROM near JOIN links ON links.value = near.value
        AND iif(links.kind IN ('alias', 'anonymous'), '', links.kind) = near.space WHERE links.cut IS NULL
    LIMIT ?)
SELECT space, value FROM near"""

_LINKS = "SELECT kind, customer, value, is_known, time FROM links WHERE cut IS NULL"
_LINK_FIELDS = list(LINK_ROWS)[:5]

Key = tuple[str, str, str]
"""Kind, customer, value."""


class Links:
    """Of a transaction; `note` tells its summary what was done."""

    def __init__(
        self, connection: sqlite3.Connection, sequence: int, note: Callable[[str, int], None]
    ) -> None:
        self._connection = connection
        self._sequence = sequence
        self._note = note

    def add(self, rows: pa.Table) -> list[Key]:
        """Adds links (as `LINK_ROWS`) that are new, or were seen earlier than is known; which. One that was taken back stays so."""
        self._connection.execute(f"PRAGMA cache_size = {CACHE}")
        names = ", ".join(LINK_ROWS.names)
        self._connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS told ({names})")
        self._connection.execute("DELETE FROM temp.told")
        columns = (rows[field.name].to_pylist() for field in LINK_ROWS)
        self._connection.executemany(
            "INSERT INTO temp.told VALUES (?, ?, ?, ?, ?, ?, ?)", zip(*columns, strict=True)
        )
        changed: list[Key] = self._connection.execute(_ADD, (self._sequence,)).fetchall()
        self._connection.execute("DELETE FROM temp.told")
        self._note("links", len(changed))
        return changed

    def cut(self, numbers: Iterable[int], *, is_restored: bool = False) -> list[Key]:
        """These links are not used from now on, or again; which are others than before."""
        value, was = ("NULL", "IS NOT NULL") if is_restored else (str(self._sequence), "IS NULL")
        sql = f"UPDATE links SET cut = {value} WHERE cut {was} AND id IN (SELECT value FROM json_each(?)) RETURNING kind, customer, value"
        changed: list[Key] = self._connection.execute(sql, (json.dumps(list(numbers)),)).fetchall()
        self._note("cut", len(changed))
        return changed

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM links").fetchone()[0])

    def around(self, keys: Iterable[Key]) -> tuple[pa.Table, list[str] | None]:
        """All links that hang together with these, and the ids of all of them; all links, and None, where those are many."""
        self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS seeds (space TEXT, value TEXT)")
        self._connection.execute("DELETE FROM temp.seeds")
        seeds = {("", customer) for _, customer, _ in keys}
        seeds |= {("" if kind in ("alias", "anonymous") else kind, value) for kind, _, value in keys}
        self._connection.executemany("INSERT INTO temp.seeds VALUES (?, ?)", seeds)
        most = max(MANY, self.count() // PART)
        near = self._connection.execute(_AROUND, (most,)).fetchall() if len(seeds) < most else []
        if len(near) in (0, most):
            return self.everything(), None
        ids = [value for space, value in near if not space]
        sql = f"{_LINKS} AND customer IN (SELECT value FROM json_each(?))"
        return _table(self._connection.execute(sql, (json.dumps(ids),)).fetchall()), ids

    def everything(self) -> pa.Table:
        """All links."""
        return _table(self._connection.execute(_LINKS).fetchall())

    def settle(self, ids: Iterable[str] | None, owners: pa.Table) -> int:
        """From now on these ids, or all, are owned as `owners` (customer, owner, until) says; how many that changes."""
        sql, parameters = "SELECT id, customer, owner, until FROM owners WHERE removed IS NULL", []
        if ids is not None:
            sql += " AND customer IN (SELECT value FROM json_each(?))"
            parameters = [json.dumps(list(ids))]
        before = {
            (customer, owner, until): number
            for number, customer, owner, until in self._connection.execute(sql, parameters)
        }
        columns = (owners[name].to_pylist() for name in ("customer", "owner", "until"))
        after = dict.fromkeys(zip(*columns, strict=True))
        gone = [(self._sequence, number) for key, number in before.items() if key not in after]
        others = {key[0] for key in before.keys() ^ after.keys()}
        new = [(*key, self._sequence) for key in after if key not in before]
        self._connection.executemany("UPDATE owners SET removed = ? WHERE id = ?", gone)
        self._connection.executemany(
            "INSERT INTO owners (customer, owner, until, added) VALUES (?, ?, ?, ?)", new
        )
        self._note("persons", len(others))
        return len(others)


def _table(rows: list[tuple[object, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_LINK_FIELDS)
    arrays = [
        pa.array(column, pa.int8() if field.name == "is_known" else field.type).cast(field.type)
        for column, field in zip(columns, _LINK_FIELDS, strict=True)
    ]
    return pa.table(arrays, names=[field.name for field in _LINK_FIELDS])
