"""Events as flat columns and back: every property path and type is a column of its own (`paths.Leaf`).

A list of maps is a column of lists for each path below it, aligned by element, with a null where an element lacks the
path; a list of plain values has the list's own path. The column `pl:<path>` (`tl:` for traits) holds the list's length.
`leaves_of` (columns.py) does the same for tables that are columnar already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa

from ethogram.model.errors import DataError
from ethogram.model.event import Event, Value
from ethogram.store.numbers import NUMBER
from ethogram.store.paths import Leaf, Side, join_path, leaf_of, length_column, length_of, split_path
from ethogram.store.values import settle_map, settle_traits

Path: TypeAlias = tuple[str, ...]
Plain: TypeAlias = Decimal | str | bool | None

BASE_SCHEMA = pa.schema(
    [
        pa.field("customer", pa.string(), nullable=False),
        pa.field("identified", pa.bool_(), nullable=False),
        pa.field("anonymous", pa.string()),
        pa.field("account", pa.string()),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("time", pa.timestamp("us"), nullable=False),
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
    ]
)
"""The columns that every event has; property leaves, `REMOVED` and `CONTENT` follow."""

REMOVED = "t_removed"
"""Paths of given traits that the record removes."""

CONTENT = "content_hash"
"""uint64 of everything that the event says (content.py)."""

LEAF_TYPES = {"n": NUMBER, "t": pa.string(), "f": pa.bool_()}


def column_type(name: str) -> pa.DataType:
    """Of a column beside the base columns. Raises DataError E_EVENT_TABLE for a name that none can have."""
    leaf = leaf_of(name)
    if leaf:
        return pa.list_(LEAF_TYPES[leaf.type]) if leaf.is_list else LEAF_TYPES[leaf.type]
    if length_of(name):
        return pa.int32()
    if name == REMOVED:
        return pa.list_(pa.string())
    if name == CONTENT:
        return pa.uint64()
    raise DataError("E_EVENT_TABLE", f"{name!r} is no column of an event table", field=name)


@dataclass(frozen=True, slots=True)
class Record:
    """An event with whom it belongs to; `anonymous` and `account` as received."""

    customer: str
    event: Event
    anonymous: str | None = None
    account: str | None = None

    def settled(self) -> Record:
        """As the lake gives it back. Raises ValueError for a number that cannot be kept."""
        properties, traits = settle_map(self.event.properties), settle_traits(self.event.traits)
        event = replace(self.event, properties=properties, traits=traits)
        return replace(self, event=event)


# --- shredding ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Columns:
    """Columns under construction: row -> value, so that absent values cost nothing."""

    plain: dict[Leaf, dict[int, Plain]] = field(default_factory=dict)
    lists: dict[Leaf, dict[int, list[Plain]]] = field(default_factory=dict)
    lengths: dict[str, dict[int, int]] = field(default_factory=dict)

    def arrays(self, rows: int) -> dict[str, pa.Array]:
        made = {
            leaf.column: _column(cells, rows, LEAF_TYPES[leaf.type]) for leaf, cells in self.plain.items()
        }
        for leaf, elements in self.lists.items():
            made[leaf.column] = _column(elements, rows, pa.list_(LEAF_TYPES[leaf.type]))
        for name, lengths in self.lengths.items():
            made[name] = _column(lengths, rows, pa.int32())
        return made


def _column(cells: Mapping[int, object], rows: int, kind: pa.DataType) -> pa.Array:
    return pa.array([cells.get(row) for row in range(rows)], kind)


def shred(records: Iterable[Record]) -> pa.Table:
    """The event table of these records, in their order. Raises ValueError for a number that cannot be kept."""
    records = [record.settled() for record in records]
    columns, removed = _Columns(), {}
    for row, record in enumerate(records):
        _shred(columns, "p", (), record.event.properties, row)
        _shred(columns, "t", (), record.event.traits, row)
        gone = [join_path(path) for path in _nulls((), record.event.traits)]
        if gone:
            removed[row] = gone
    made = _base_columns(records) | columns.arrays(len(records))
    if removed:
        made[REMOVED] = _column(removed, len(records), pa.list_(pa.string()))
    return pa.table(made, schema=_schema_of(made))


def shred_values(values: Iterable[Value], side: Side, path: Path) -> dict[str, pa.Array]:
    """The leaf columns of one settled value a row, found at `path`."""
    columns, rows = _Columns(), 0
    for value in values:
        _shred(columns, side, path, value, rows)
        rows += 1
    return columns.arrays(rows)


def _schema_of(columns: Mapping[str, pa.Array]) -> pa.Schema:
    extra = [pa.field(name, array.type) for name, array in columns.items() if name not in BASE_SCHEMA.names]
    return pa.schema([*BASE_SCHEMA, *extra])


def _base_columns(records: list[Record]) -> dict[str, pa.Array]:
    rows: list[tuple[object, ...]] = []
    for record in records:
        event = record.event
        who = (record.customer, event.identified, record.anonymous, record.account)
        rows.append((*who, event.kind, event.name, event.time, event.message_id, event.source))
    values = zip(*rows, strict=True) if rows else [()] * len(BASE_SCHEMA)
    return {
        column.name: pa.array(cells, column.type) for column, cells in zip(BASE_SCHEMA, values, strict=True)
    }


def _shred(columns: _Columns, side: Side, path: Path, value: Value, row: int) -> None:
    match value:
        case None:
            pass
        case Mapping():
            for name, inner in value.items():
                _shred(columns, side, (*path, name), inner, row)
        case tuple():
            columns.lengths.setdefault(length_column(side, path), {})[row] = len(value)
            for index, element in enumerate(value):
                _shred_element(columns, side, path, element, row, (index, len(value)))
        case _:
            columns.plain.setdefault(_leaf(side, path, value), {})[row] = value


def _shred_element(
    columns: _Columns, side: Side, path: Path, value: Value, row: int, place: tuple[int, int]
) -> None:
    match value:
        case None | tuple():
            pass
        case Mapping():
            for name, inner in value.items():
                _shred_element(columns, side, (*path, name), inner, row, place)
        case _:
            leaf = replace(_leaf(side, path, value), is_list=True)
            index, length = place
            columns.lists.setdefault(leaf, {}).setdefault(row, [None] * length)[index] = value


def _leaf(side: Side, path: Path, value: Plain) -> Leaf:
    return Leaf(side, path, "f" if isinstance(value, bool) else "t" if isinstance(value, str) else "n")


def _nulls(path: Path, value: Value) -> list[Path]:
    """Paths that are null on purpose."""
    if value is None:
        return [path]
    if isinstance(value, Mapping):
        return [found for name, inner in value.items() for found in _nulls((*path, name), inner)]
    return []


# --- and back -------------------------------------------------------------------------------------------------------

_Bag: TypeAlias = dict[str, Value]
_Lists: TypeAlias = dict[tuple[Side, Path], dict[int, list[Value]]]


def unshred(table: pa.Table) -> list[Record]:
    """The records of an event table, in its order: the inverse of `shred` on settled records."""
    bags: dict[Side, list[_Bag]] = {side: [{} for _ in range(table.num_rows)] for side in ("p", "t")}
    lists = _empty_lists(table)
    for name in table.column_names:
        leaf = leaf_of(name)
        if leaf and leaf.is_list:
            for row, values in _known(table, name):
                _fill(_list_around(lists, leaf, row), leaf, values, lists, row)
        elif leaf:
            for row, value in _known(table, name):
                _put(bags[leaf.side][row], leaf.path, value)
        elif name == REMOVED:
            for row, paths in _known(table, name):
                for path in paths:
                    _put(bags["t"][row], split_path(path), None)
    for (side, path), found in lists.items():
        for row, elements in found.items():
            _put(bags[side][row], path, tuple(elements))
    return _records(table, bags["p"], bags["t"])


def _known(table: pa.Table, name: str) -> Iterable[tuple[int, Any]]:
    return ((row, value) for row, value in enumerate(table[name].to_pylist()) if value is not None)


def _empty_lists(table: pa.Table) -> _Lists:
    lists: _Lists = {}
    for name in table.column_names:
        place = length_of(name)
        if place:
            lists[place] = {row: [None] * length for row, length in _known(table, name)}
    return lists


def _list_around(lists: _Lists, leaf: Leaf, row: int) -> Path:
    """Which part of the leaf's path is this row's list: rows of one column may differ."""
    prefixes = (leaf.path[:end] for end in range(len(leaf.path), 0, -1))
    return next(prefix for prefix in prefixes if row in lists.get((leaf.side, prefix), ()))


def _fill(path: Path, leaf: Leaf, values: list[Plain], lists: _Lists, row: int) -> None:
    elements, inner = lists[leaf.side, path][row], leaf.path[len(path) :]
    for index, value in enumerate(values):
        if value is None:
            continue
        if inner:
            bag = elements[index]
            if not isinstance(bag, dict):
                elements[index] = bag = {}
            _put(bag, inner, value)
        else:
            elements[index] = value


def _put(bag: _Bag, path: Path, value: Value) -> None:
    for name in path[:-1]:
        inner = bag.setdefault(name, {})
        assert isinstance(inner, dict)
        bag = inner
    bag[path[-1]] = value


def _records(table: pa.Table, properties: list[_Bag], traits: list[_Bag]) -> list[Record]:
    base = table.select(BASE_SCHEMA.names)
    place = BASE_SCHEMA.names.index("time")
    columns = [
        column.to_pylist() for column in base.set_column(place, "time", base["time"].cast(pa.int64())).columns
    ]
    return [
        Record(
            customer, Event(time, name, message, source, kind, props, given, identified), anonymous, account
        )
        for (
            customer,
            identified,
            anonymous,
            account,
            kind,
            name,
            time,
            message,
            source,
        ), props, given in zip(zip(*columns, strict=True), properties, traits, strict=True)
    ]
