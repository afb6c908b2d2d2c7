"""Which ids are one person, as of a sequence: whose the events of an id are, where they are not its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.model.event import Moment
from ethogram.store.ledger import Ledger
from ethogram.store.links import Key, Links
from ethogram.store.records import Link

OWNED: Final = pa.schema([("customer", pa.string()), ("owner", pa.string()), ("until", pa.int64())])
NEVER: Final = 2**63 - 1
_HOLDS = "added <= ?1 AND (removed IS NULL OR removed > ?1)"
_LINK = "id, kind, customer, value, is_known, time, source, message_id, cut"


@dataclass(frozen=True, slots=True)
class Part:
    """Events of an id that are somebody's: from `since`, before `until`."""

    customer: str
    since: Moment | None = None
    until: Moment | None = None

    def holds(self, time: Moment) -> bool:
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


@dataclass(frozen=True, slots=True)
class Persons:
    ledger: Ledger

    def any(self) -> bool:
        """Whether any id was ever another person's."""
        return bool(self.ledger.rows("SELECT 1 FROM owners LIMIT 1"))

    def owner(self, customer: str, sequence: int) -> str:
        """Who has the events of an id; an id that is shared stands for itself."""
        sql = f"SELECT owner FROM owners WHERE customer = ?2 AND until IS NULL AND {_HOLDS}"
        found = self.ledger.rows(sql, (sequence, customer))
        return str(found[0][0]) if found else customer

    def owned(self, sequence: int, customers: Sequence[str] | None = None) -> pa.Table:
        """(customer, owner, until) of these ids as far as they have another owner, or of all."""
        return self._table(sequence, "customer", customers)

    def owned_by(self, sequence: int, owners: Sequence[str]) -> pa.Table:
        """(customer, owner, until) of all ids that these persons have beside their own."""
        return self._table(sequence, "owner", owners)

    def _table(self, sequence: int, column: str, among: Sequence[str] | None) -> pa.Table:
        sql, parameters = f"SELECT customer, owner, until FROM owners WHERE {_HOLDS}", [sequence]
        if among is not None:
            sql += f" AND {column} IN (SELECT value FROM json_each(?2))"
            parameters.append(json.dumps(list(among)))  # type: ignore[arg-type]
        rows = self.ledger.rows(sql, parameters)
        columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
        return pa.table([pa.array(column, field.type) for column, field in zip(columns, OWNED, strict=True)], schema=OWNED)  # fmt: skip

    def parts(self, persons: Sequence[str], sequence: int) -> dict[str, tuple[Part, ...]]:
        """The ids whose events are these persons', each with from when and until when."""
        wanted = list(dict.fromkeys(persons))
        if not self.any():
            return {person: (Part(person),) for person in wanted}
        given = {row["customer"]: row["until"] for row in self.owned(sequence, wanted).to_pylist()}
        found: dict[str, list[Part]] = {
            person: [Part(person, since=given.get(person))]
            for person in wanted
            if given.get(person, 0) is not None
        }
        for row in self.owned_by(sequence, wanted).to_pylist():
            found[row["owner"]].append(Part(row["customer"], until=row["until"]))
        return {person: tuple(found.get(person, ())) for person in wanted}

    def named(self, events: pa.Table, sequence: int, owned: pa.Table | None = None) -> pa.Table:
        """Events with whose they are as `customer`, in place of the id that they came under; `owned` where it is known already."""
        if not self.any() or not events.num_rows:
            return events
        codes = events["customer"].combine_chunks().dictionary_encode()
        names = codes.dictionary
        owned = self.owned(sequence, names.to_pylist()) if owned is None else owned
        place = pc.index_in(names, value_set=owned["customer"]).fill_null(-1).to_numpy()
        if not len(place) or place.max() < 0:
            return events
        until = owned["until"].fill_null(NEVER).to_numpy()
        row = place[codes.indices.to_numpy()]
        is_owned = (row >= 0) & (events["time"].cast(pa.int64()).to_numpy() < until[row])
        which = np.where(is_owned, len(names) + row, codes.indices.to_numpy())
        every = pa.concat_arrays([names.cast(pa.string()), *owned["owner"].chunks])
        column = events.column_names.index("customer")
        return events.set_column(column, events.schema.field(column), every.take(pa.array(which)))

    def listed(self, lists: Mapping[str, frozenset[str]], sequence: int) -> Mapping[str, frozenset[str]]:
        """People named by any of their ids, under the names that they have."""
        if not self.any():
            return lists
        found = {}
        for name, people in lists.items():
            owned = self.owned(sequence, sorted(people)).to_pylist()
            merged = {row["customer"]: row["owner"] for row in owned if row["until"] is None}
            found[name] = frozenset(merged.get(one, one) for one in people)
        return found

    def moved(self, after: int, upto: int) -> list[str]:
        """Everybody whose ids became others behind one sequence and by another."""
        sql = (
            "SELECT customer, owner FROM owners WHERE added > ?1 AND added <= ?2 "
            "UNION SELECT customer, owner FROM owners WHERE removed IS NOT NULL AND removed > ?1 AND removed <= ?2"
        )
        return sorted({name for row in self.ledger.rows(sql, (after, upto)) for name in row})

    def links(self, customers: Sequence[str]) -> tuple[Link, ...]:
        """All links of these ids, on either side, those that were taken back too; by number."""
        sql = (
            f"SELECT {_LINK} FROM links WHERE customer IN (SELECT value FROM json_each(?1)) "
            "OR (kind IN ('alias', 'anonymous') AND value IN (SELECT value FROM json_each(?1))) ORDER BY id"
        )
        return self._links(sql, json.dumps(list(customers)))

    def links_with(self, kind: str, value: str) -> tuple[Link, ...]:
        """All links of a kind to a value, by time."""
        sql = f"SELECT {_LINK} FROM links WHERE kind = ?1 AND value = ?2 ORDER BY time, id"
        return self._links(sql, kind, value)

    def around(self, keys: Sequence[Key]) -> pa.Table:
        """All links that hang together with these (kind, customer, value), as rooms above resolve them."""
        with self.ledger.reading() as connection:
            return Links(connection, 0, lambda what, count: None).around(keys)[0]

    def link(self, number: int) -> Link | None:
        found = self._links(f"SELECT {_LINK} FROM links WHERE id = ?1", number)
        return found[0] if found else None

    def _links(self, sql: str, *parameters: str | int) -> tuple[Link, ...]:
        return tuple(
            Link(number, kind, customer, value, bool(known), *rest)
            for number, kind, customer, value, known, *rest in self.ledger.rows(sql, parameters)
        )
