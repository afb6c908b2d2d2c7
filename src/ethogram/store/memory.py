"""Reading back what loads and refreshes recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from ethogram.model.event import Moment
from ethogram.store.ledger import Ledger
from ethogram.store.records import Change, DefinitionVersion, Interval, LoadRecord, RefreshRecord, RejectedRow

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
        sql = (
            f"SELECT {_columns(Change)} FROM changes WHERE seq > ?1 AND (?2 IS NULL OR definition = ?2) "
            "AND (?3 IS NULL OR customer = ?3) AND (?4 IS NULL OR refresh = ?4) ORDER BY seq LIMIT ?5"
        )
        return tuple(
            Change(*row) for row in self.ledger.rows(sql, (after, definition, customer, refresh, limit))
        )

    def intervals(
        self,
        *,
        definition: str | None = None,
        group: str | None = None,
        customer: str | None = None,
        at: Moment | None = None,
    ) -> tuple[Interval, ...]:
        """Stays, by definition, group, customer and time; with `at` only those that hold at that moment."""
        tests = ["1"]
        values: list[int | str | None] = []
        for column, value in (("definition", definition), ('"group"', group), ("customer", customer)):
            if value is not None:
                tests.append(f"{column} = ?")
                values.append(value)
        if at is not None:
            tests.append("coalesce(entered_at, ?) <= ? AND coalesce(left_at, ? + 1) > ?")
            values += [at] * 4
        sql = f"SELECT {_columns(Interval)} FROM intervals WHERE {' AND '.join(tests)} ORDER BY 1, 2, 3, entered_at"
        return tuple(Interval(*row) for row in self.ledger.rows(sql, values))

    def setting(self, key: str) -> str | None:
        found = self.ledger.rows("SELECT value FROM settings WHERE key = ?", (key,))
        return str(found[0][0]) if found else None
