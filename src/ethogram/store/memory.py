"""Reading back what loads and refreshes recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.model.event import Moment
from ethogram.store.ledger import Ledger
from ethogram.store.pages import read
from ethogram.store.records import Change, DefinitionVersion, Interval, LoadRecord, RefreshRecord, RejectedRow
from ethogram.store.staylog import only, settled

_PAGE = 10_000


def _columns(kind: type[Any]) -> str:
    return ", ".join(f'"{field.name}"' for field in fields(kind))


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the last committed state."""

    ledger: Ledger

    def loads(self, source: str | None = None) -> tuple[LoadRecord, ...]:
        """Oldest first."""
        sql = f"SELECT {_columns(LoadRecord)} FROM loads WHERE ?1 IS NULL OR source = ?1 ORDER BY id"
        return tuple(LoadRecord(*row) for row in self.ledger.rows(sql, (source,)))

    def rejected(self, source: str | None = None) -> Iterator[RejectedRow]:
        """Those not replayed yet, oldest first, a page at a time."""
        sql = (
            f"SELECT {_columns(RejectedRow)} FROM rejected "
            "WHERE replayed IS NULL AND (?1 IS NULL OR source = ?1) AND id > ?2 ORDER BY id LIMIT ?3"
        )
        last = 0
        while rows := [RejectedRow(*row) for row in self.ledger.rows(sql, (source, last, _PAGE))]:
            yield from rows
            last = rows[-1].id

    def rejected_counts(self) -> dict[tuple[str, str], int]:
        """(source, code) -> rows not replayed yet."""
        sql = "SELECT source, code, count(*) FROM rejected WHERE replayed IS NULL GROUP BY 1, 2 ORDER BY 1, 2"
        return {(source, code): count for source, code, count in self.ledger.rows(sql)}

    def refreshes(self, *, limit: int = 1) -> tuple[RefreshRecord, ...]:
        """Newest first."""
        rows = self.ledger.rows(
            f"SELECT {_columns(RefreshRecord)} FROM refreshes ORDER BY id DESC LIMIT ?", (limit,)
        )
        return tuple(replace(RefreshRecord(*row), counts=json.loads(row[5])) for row in rows)

    def definition_versions(self, name: str | None = None) -> tuple[DefinitionVersion, ...]:
        """By name, then version."""
        sql = f"SELECT {_columns(DefinitionVersion)} FROM definition_versions WHERE ?1 IS NULL OR name = ?1 ORDER BY name, version"
        return tuple(DefinitionVersion(*row) for row in self.ledger.rows(sql, (name,)))

    def changes(
        self,
        *,
        after: int = 0,
        limit: int = _PAGE,
        definition: str | None = None,
        customer: str | None = None,
        refresh: int | None = None,
    ) -> tuple[Change, ...]:
        """The feed from `seq` > after on."""
        found: list[Change] = []
        while len(found) < limit:
            rows = self.ledger.rows(
                "SELECT first, last, refresh, data FROM change_pages WHERE last > ?1 "
                "AND (?2 IS NULL OR refresh = ?2) ORDER BY first LIMIT 1",
                (after, refresh),
            )
            if not rows:
                break
            first, last, of, data = rows[0]
            lines = read(data)
            lines = lines.append_column("seq", pa.array(np.arange(first, last + 1))).slice(
                max(0, after + 1 - first)
            )
            if definition is not None:
                lines = lines.filter(pc.equal(lines["definition"].cast(pa.string()), definition))
            if customer is not None:
                lines = lines.filter(pc.equal(lines["customer"], customer))
            lines = lines.slice(0, limit - len(found))
            lines = lines.append_column("refresh", pa.repeat(of, lines.num_rows))
            columns = (lines[field.name].to_pylist() for field in fields(Change))
            found += [Change(*row) for row in zip(*columns, strict=True)]
            after = last
        return tuple(found)

    def stays(self, *, definition: str | None = None, customers: pa.Array | None = None) -> pa.Table:
        """What is kept of a definition and of some customers, in columns (see `staylog.STAYS`), in no particular order."""
        pages = self.ledger.rows("SELECT data FROM stay_pages ORDER BY id")
        return settled([only(read(data), definition, customers) for (data,) in pages], is_whole=True)

    def intervals(
        self,
        *,
        definition: str | None = None,
        group: str | None = None,
        customer: str | None = None,
        at: Moment | None = None,
    ) -> tuple[Interval, ...]:
        """Stays, by definition, group, customer and time; with `at` only those that hold at that moment."""
        who = None if customer is None else pa.array([customer])
        table = self.stays(definition=definition, customers=who)
        columns = (table[field.name].to_pylist() for field in fields(Interval))
        found = [Interval(*row) for row in zip(*columns, strict=True)]
        if group is not None:
            found = [one for one in found if one.group == group]
        if at is not None:
            found = [
                one
                for one in found
                if (one.entered_at is None or one.entered_at <= at)
                and (one.left_at is None or one.left_at > at)
            ]
        return tuple(sorted(found, key=_place))

    def setting(self, key: str) -> str | None:
        found = self.ledger.rows("SELECT value FROM settings WHERE key = ?", (key,))
        return str(found[0][0]) if found else None


def _place(stay: Interval) -> tuple[str, str, str, bool, Moment]:
    return stay.definition, stay.group, stay.customer, stay.entered_at is not None, stay.entered_at or 0
