"""Flattening whole columns at once: structs and lists of structs to leaf columns (see leaves.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.model.errors import DataError
from ethogram.store.leaves import shred_values
from ethogram.store.numbers import Mask, numbers_of
from ethogram.store.paths import Leaf, Side, join_path, length_column
from ethogram.store.records import LeafType
from ethogram.store.values import Raw, json_text, settle

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadValues:
    """Rows (a mask) in which the value at `path` cannot be kept, and why. The stored value is null there."""

    path: tuple[str, ...]
    rows: Mask
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Leaves:
    """`table` has the leaf columns alone, row by row as the input."""

    table: pa.Table
    bad: tuple[BadValues, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """A leaf, or the length of a list, in the making; `bad` is by element where the leaf is a list's."""

    name: str
    array: pa.Array
    bad: BadValues | None = None


def leaves_of(table: pa.Table, side: Side = "p") -> Leaves:
    """Every column is a property (side "p") or given trait ("t") whose name is the column's name, taken literally.

    Structs and maps nest; lists of plain values and of structs stay lists; integers, floats and decimals become numbers;
    timestamps, dates and times ISO 8601 text; everything null is left out. Raises DataError E_COLUMN_TYPE, naming the
    column, for a type that has no such form.
    """
    flat = [
        column
        for name in table.column_names
        for column in _flatten(_one(table[name]), side, (name,), table.num_rows)
    ]
    kept = {column.name: column.array for column in flat if column.array.null_count < table.num_rows}
    arrays = pa.table(kept) if kept else pa.table({"": pa.nulls(table.num_rows)}).select([])
    return Leaves(arrays, tuple(column.bad for column in flat if column.bad))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _plain_type(array: pa.Array) -> pa.Array:
    """Without dictionary, extension and view layers."""
    if isinstance(array, pa.ChunkedArray):
        array = _one(array)
    if isinstance(array, pa.ExtensionArray):
        return _plain_type(array.storage)
    if pa.types.is_dictionary(array.type):
        return _plain_type(array.dictionary_decode())
    return array


def _flatten(array: pa.Array, side: Side, path: Path, rows: int) -> Iterator[_Column]:
    array = _plain_type(array)
    kind = array.type
    if pa.types.is_null(kind):
        return
    if pa.types.is_struct(kind):
        for field, child in zip(kind, array.flatten(), strict=True):
            yield from _flatten(child, side, (*path, field.name), rows)
    elif pa.types.is_map(kind):
        yield from _shredded(array, side, path)
    elif _is_list(kind):
        yield from _flatten_list(array, side, path, rows)
    else:
        leaf_type, values, bad = _leaf_values(array, path)
        faults = BadValues(path, bad, *_fault_of(leaf_type)) if bad is not None and bad.any() else None
        yield _Column(Leaf(side, path, leaf_type).column, values, faults)


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


# --- lists ----------------------------------------------------------------------------------------------------------


def _flatten_list(array: pa.Array, side: Side, path: Path, rows: int) -> Iterator[_Column]:
    known = array.is_valid()
    lengths = pc.list_value_length(array).cast(pa.int32())
    sizes = lengths.fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    yield _Column(length_column(side, path), lengths)
    # where an element is null as a whole, so are its leaves
    for leaf in _element_leaves(array.flatten(), side, path):
        lists = pa.ListArray.from_arrays(pa.array(offsets), leaf.array, mask=pc.invert(known))
        bad = leaf.bad and BadValues(
            leaf.bad.path, _any_element(leaf.bad.rows, sizes), leaf.bad.code, leaf.bad.reason
        )
        if leaf.array.null_count < len(leaf.array):
            yield _Column(leaf.name, lists, bad)
        elif bad:
            yield _Column(leaf.name, pa.nulls(rows), bad)


def _any_element(bad: Mask, sizes: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Mask:
    rows = np.zeros(len(sizes), np.bool_)
    rows[np.repeat(np.arange(len(sizes)), sizes)[bad]] = True
    return rows


def _element_leaves(array: pa.Array, side: Side, path: Path) -> Iterator[_Column]:
    array = _plain_type(array)
    kind = array.type
    if pa.types.is_null(kind):
        return
    if pa.types.is_struct(kind):
        for field, child in zip(kind, array.flatten(), strict=True):
            yield from _element_leaves(child, side, (*path, field.name))
        return
    if _is_list(kind) or pa.types.is_map(kind):
        leaf_type, values, bad = _json_values(array, path)
    else:
        leaf_type, values, bad = _leaf_values(array, path)
    faults = BadValues(path, bad, *_fault_of("n")) if bad is not None and bad.any() else None
    yield _Column(Leaf(side, path, leaf_type, True).column, values, faults)


def _json_values(array: pa.Array, path: Path) -> tuple[LeafType, pa.Array, Mask | None]:
    texts: list[str | None] = []
    bad = np.zeros(len(array), np.bool_)
    for place, value in enumerate(_raw_values(array, path)):
        try:
            texts.append(None if value is None else json_text(value))
        except ValueError:
            texts.append(None)
            bad[place] = True
    return "t", pa.array(texts, pa.string()), bad


def _shredded(array: pa.Array, side: Side, path: Path) -> Iterator[_Column]:
    """A map's keys are data, so its leaves are found value by value."""
    bad = np.zeros(len(array), np.bool_)
    settled = []
    for place, value in enumerate(_raw_values(array, path)):
        try:
            settled.append(settle(value))
        except ValueError:
            settled.append(None)
            bad[place] = True
    for name, leaf in shred_values(settled, side, path).items():
        yield _Column(name, leaf)
    if bad.any():
        yield _Column("", pa.nulls(len(array)), BadValues(path, bad, *_fault_of("n")))


def _raw_values(array: pa.Array, path: Path) -> Iterator[Raw]:
    convert = _raw_converter(array.type, path)
    return (None if value is None else convert(value) for value in array.to_pylist())


def _raw_converter(kind: pa.DataType, path: Path) -> Callable[[object], Raw]:
    """From what Arrow gives for a nested value to plain Python values."""
    leaf = _leaf_type(kind, path) if not pa.types.is_nested(kind) else "t"

    def convert(value: object) -> Raw:
        match value:
            case None | bool() | str() | int() | float() | Decimal():
                return value
            case dict():
                return {str(name): convert(inner) for name, inner in value.items()}
            case list() if pa.types.is_map(kind):
                return {str(name): convert(inner) for name, inner in value}
            case list():
                return [convert(inner) for inner in value]
            case _ if leaf and hasattr(value, "isoformat"):
                return str(value.isoformat())
            case _:
                raise _unsupported(kind, path)

    return convert


# --- leaves ---------------------------------------------------------------------------------------------------------


def _leaf_type(kind: pa.DataType, path: Path) -> LeafType:
    types = pa.types
    if types.is_boolean(kind):
        return "f"
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "n"
    if (
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_temporal(kind)
    ):
        return "t"
    raise _unsupported(kind, path)


def _leaf_values(array: pa.Array, path: Path) -> tuple[LeafType, pa.Array, Mask | None]:
    leaf_type = _leaf_type(array.type, path)
    if leaf_type == "f":
        return leaf_type, array, None
    if leaf_type == "n":
        return leaf_type, *numbers_of(array)
    if pa.types.is_temporal(array.type):
        return leaf_type, _iso_text(array, path), None
    return leaf_type, array if pa.types.is_string(array.type) else array.cast(pa.string()), None


def _iso_text(array: pa.Array, path: Path) -> pa.Array:
    """
    >>> _iso_text(pa.array([1_500_000, 2_000_000], pa.timestamp("us", "UTC")), ()).to_pylist()
    ['1970-01-01T00:00:01.500000Z', '1970-01-01T00:00:02Z']
    """
    kind = array.type
    if pa.types.is_date(kind):
        return pc.strftime(array.cast(pa.date32()), "%Y-%m-%d")
    if pa.types.is_time(kind):
        return array.cast(pa.string())
    if not pa.types.is_timestamp(kind):
        raise _unsupported(kind, path)
    zone = "Z" if kind.tz else ""
    utc = array.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit)) if kind.tz else array
    fine = utc.cast(pa.timestamp("us"), safe=False)
    seconds = fine.cast(pa.timestamp("s"), safe=False)
    whole = pc.equal(seconds.cast(pa.timestamp("us")), fine)
    texts = [pc.strftime(each, f"%Y-%m-%dT%H:%M:%S{zone}") for each in (seconds, fine)]
    return pc.if_else(whole, *texts)


def _fault_of(leaf_type: LeafType) -> tuple[str, str]:
    assert leaf_type == "n", "only numbers can be bad"
    return "E_NUMBER", "not a finite number below 10^12"


def _unsupported(kind: pa.DataType, path: Path) -> DataError:
    return DataError(
        "E_COLUMN_TYPE",
        f"column {join_path(path)!r} has the type {kind}, which cannot be a property",
        hint="Numbers, texts, true/false, dates, times, structs and lists of these can. Cast the column or leave it out.",
        field=join_path(path),
    )
