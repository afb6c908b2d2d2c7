"""Rows whose columns have their meaning: who, what, when, and the rest as properties and given traits."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ethogram.ingest.config import IDS, PICKS, Config, Pick, Source
from ethogram.ingest.rows import Rows
from ethogram.model.errors import DataError
from ethogram.store.columns import BadValues, leaves_of
from ethogram.store.paths import Side

TRAITS = "traits."
ID_ROLES = tuple(f"ids.{name}" for name in IDS)
ROLES = (*PICKS, "kind")


@dataclass(frozen=True, slots=True)
class Mapped:
    """`roles` are the columns that say who, what and when, as they came; `leaves` makes the lake's property columns,
    `raw` gives rows as JSON text.

    `places` says for a role or property which column of the file it came from: its 1-based position and its name.
    """

    files: tuple[str, ...]
    file: npt.NDArray[np.int32]
    line: npt.NDArray[np.int64]
    roles: Mapping[str, pa.Array]
    places: Mapping[str, tuple[int, str]]
    leaves: Callable[[], tuple[pa.Table, Sequence[BadValues]]]
    raw: Callable[[Sequence[int]], list[str]]

    def place(self, name: str) -> tuple[int, str]:
        return self.places.get(name, (0, name))


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns of a source's rows mean what: role or property name to column, or a constant for a role."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    properties: Mapping[str, str]
    traits: Mapping[str, str]


def plan_of(config: Config, source: Source, names: Sequence[str]) -> Plan:
    """Raises DataError E_COLUMN_MISSING for a column that the rows do not have, naming those they have."""
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    for role in ROLES:
        pick = source.picks.get(role)
        if pick is None:
            if role in names:
                columns[role] = role
        elif _is_column(config, source, role, pick, names):
            columns[role] = pick.text
        else:
            constants[role] = pick.text
    traits = {
        name[len(TRAITS) :]: name for name in names if name.startswith(TRAITS) and len(name) > len(TRAITS)
    }
    columns |= {role: role for role in ID_ROLES if role in names}
    for name, column in source.ids.items():
        columns[f"ids.{name}"] = _existing(config, source, ("ids", name), column, names)
    for name, column in source.traits.items():
        traits[name] = _existing(config, source, ("traits", name), column, names)
    taken = {*columns.values(), *traits.values()}
    properties = (
        {name: name for name in names if name not in taken}
        if source.properties is None
        else {
            name: _existing(config, source, ("properties", name), column, names)
            for name, column in source.properties.items()
        }
    )
    _required(config, source, {*columns, *constants}, names)
    return Plan(columns, constants, properties, traits)


def _is_column(config: Config, source: Source, role: str, pick: Pick, names: Sequence[str]) -> bool:
    if pick.column is False:
        return False
    if pick.text in names:
        return True
    if pick.column or role not in ("event", "time"):
        _existing(config, source, (role,), pick.text, names)
    return False


def _existing(
    config: Config, source: Source, path: tuple[str, ...], column: str, names: Sequence[str]
) -> str:
    if column in names:
        return column
    close = difflib.get_close_matches(column, names, 1, 0.5)
    raise DataError(
        "E_COLUMN_MISSING",
        f"source {source.name}: there is no column {column}",
        span=config.place("sources", source.name, *path),
        field=".".join(path),
        hint=(f"did you mean {close[0]}? " if close else "") + f"columns: {', '.join(names)}",
    )


def _required(config: Config, source: Source, known: set[str], names: Sequence[str]) -> None:
    missing = [] if known & {"customer", "anonymous"} else ["customer"]
    missing += ["time"] if "time" not in known else []
    missing += (
        ["event"]
        if "event" not in known and source.kind in ("track", "page", "screen") and "kind" not in known
        else []
    )
    if missing:
        what = "its select returns" if source.select else "its files have"
        raise DataError(
            "E_COLUMN_MISSING",
            f"source {source.name} does not say {' and '.join(missing)}; {what}: {', '.join(names)}",
            span=config.place("sources", source.name),
            field=f"sources.{source.name}.{missing[0]}",
            hint=f'say which column it is, such as {missing[0]} = "{names[0] if names else "Name"}"',
        )


def mapped(rows: Rows, plan: Plan, message_ids: pa.Array | None) -> Mapped:
    """`message_ids` are the derived ones, for rows that say none."""
    size = rows.table.num_rows
    roles = {role: _one(rows.table[column]) for role, column in plan.columns.items()}
    roles |= {role: pa.array([text] * size, pa.string()) for role, text in plan.constants.items()}
    if message_ids is not None:
        roles["message_id"] = message_ids
    places = {role: (rows.position(column), column) for role, column in plan.columns.items()}
    for table in (plan.properties, plan.traits):
        places |= {
            name: (rows.position(column), column) for name, column in table.items() if name not in places
        }

    def leaves() -> tuple[pa.Table, Sequence[BadValues]]:
        sides: tuple[tuple[Side, Mapping[str, str]], ...] = (("p", plan.properties), ("t", plan.traits))
        found = [
            leaves_of(pa.table([rows.table[column] for column in names.values()], names=list(names)), side)
            for side, names in sides
            if names
        ]
        columns = {name: part.table[name] for part in found for name in part.table.column_names}
        return pa.table(columns), [bad for part in found for bad in part.bad]

    def raw(indices: Sequence[int]) -> list[str]:
        wanted = rows.raw.take(pa.array(indices, pa.int64()))
        return [json.dumps(row, default=str, ensure_ascii=False) for row in wanted.to_pylist()]

    return Mapped(rows.files, rows.file, rows.line, roles, places, leaves, raw)


def derived_ids(rows: Rows, source: Source) -> pa.Array:
    """hash(source, content, k), k counting identical rows within one file: the same row gets the same id in any order of rows or columns."""
    names = sorted(rows.raw.column_names)
    renamed = rows.raw.select(names).rename_columns([f"c{index}" for index in range(len(names))])
    listed = ", ".join(f"c{index}::VARCHAR" for index in range(len(names)))
    head = repr((source.name, names))
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "SET python_enable_replacements=false; SET enable_external_access=false"
        ).fetchall()
        connection.register("rows_of_files", renamed)
        query = f"SELECT left(sha256(? || to_json([{listed}])), 32) AS id FROM rows_of_files"
        ids = connection.sql(query, params=[head]).to_arrow_table()["id"].combine_chunks()
    return numbered(ids, rows.file)


def numbered(ids: pa.Array, file: npt.NDArray[np.int32]) -> pa.Array:
    """Identical ids of one file get their count: the first stays, the second ends in `-2`."""
    coded = ids.dictionary_encode()
    if len(coded.dictionary) == len(ids):
        return ids
    keys = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64) * (int(file.max()) + 1) + file
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    rank = np.arange(len(ordered)) - np.repeat(first, np.diff(np.append(first, len(ordered))))
    count = np.empty(len(ordered), np.int64)
    count[order] = rank + 1
    texts = ids.to_pylist()
    for index in np.flatnonzero(count > 1).tolist():
        texts[index] = f"{texts[index]}-{count[index]}"
    return pa.array(texts, pa.string())


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
