"""Tapes: the encoded events of one bucket, by customer and time; derived from the lake and rebuilt at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.dictionary import Dictionary
from ethogram.engines.spec import ColumnKey, Needs, Seen
from ethogram.kernel.layout import NEVER, NULL
from ethogram.language.tree import Path
from ethogram.store.paths import join_path

Integers = NDArray[np.int64]
ACTIONS = ("track", "page", "screen")
LARGEST_CODE = 65_535
FEW_VALUES = 256


@dataclass(frozen=True, slots=True)
class Rows:
    """The tape's rows as rows of the lake table; `element` is the item's index in its list, -1 for an event itself."""

    source: Integers
    element: Integers
    list_of: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Ragged:
    """`values[offset[i] : offset[i + 1]]` are row i's."""

    offset: Integers
    values: Integers


@dataclass(frozen=True, slots=True)
class Encoded:
    """Lake rows as tape rows, by customer and time, before they are put on tapes.

    `offset`, `births`, `given_offset` are by customer. `name` numbers the event names (`TapeSet.names`); a column is flat
    (one value a row, NULL where missing) or ragged. `births` rows are (first known, first identified), `given` rows (time,
    trait number, value).
    """

    offset: Integers
    time: Integers
    name: NDArray[np.int32]
    flat: dict[ColumnKey, Integers]
    ragged: dict[ColumnKey, Ragged]
    births: Integers
    given_offset: Integers
    given: Integers


class Names:
    """Numbers of event names, and of items: an event name with the list they come from."""

    def __init__(self, known: Sequence[tuple[str, Path]] = ()) -> None:
        self.known: list[tuple[str, Path]] = list(known)
        self._numbers = {one: number for number, one in enumerate(self.known)}

    def number(self, name: str, each: Path = ()) -> int:
        number = self._numbers.setdefault((name, each), len(self.known))
        if number == len(self.known):
            self.known.append((name, each))
        return number

    @property
    def items(self) -> tuple[int, ...]:
        return tuple(number for number, (_, each) in enumerate(self.known) if each)


def encode(
    table: pa.Table,
    position: Integers,
    size: int,
    needs: Needs,
    known: Seen,
    names: Names,
    texts: Dictionary,
    traits: Sequence[ColumnKey],
) -> Encoded:
    """`position[i]` says which of `size` customers row i of the lake table is of."""
    time = pc.cast(table["time"], pa.int64()).to_numpy(zero_copy_only=False)
    order = _order(table, position, time)
    if order is not None:
        table, position, time = table.take(order), position[order], time[order]
    table = table.combine_chunks()
    rows, name = _rows(table, needs, names)
    offset = np.searchsorted(position[rows.source], np.arange(size + 1)).astype(np.int64)
    flat, ragged = _columns(table, rows, names, needs, known, texts)
    birth = np.full(size, NEVER, np.int64)
    np.minimum.at(birth, position, time)
    identified = np.full(size, NEVER, np.int64)
    has_id = table["identified"].to_numpy(zero_copy_only=False).astype(np.bool_)
    np.minimum.at(identified, position[has_id], time[has_id])
    given = _given(table, position, time, traits, texts, size)
    births = np.stack([birth, identified], axis=1)
    return Encoded(offset, np.ascontiguousarray(time[rows.source]), name, flat, ragged, births, *given)


def _order(table: pa.Table, position: Integers, time: Integers) -> Integers | None:
    """Rows by (position, time, message id, source); None where they are so already."""
    step = np.diff(position)
    ties = (step == 0) & (np.diff(time) == 0)
    sorted_already = bool(np.all((step > 0) | ((step == 0) & (np.diff(time) >= 0))))
    if sorted_already and (not ties.any() or _is_of_one_file(table, np.flatnonzero(ties))):
        return None
    order = np.lexsort((time, position))
    same = (np.diff(position[order]) == 0) & (np.diff(time[order]) == 0)
    if not same.any():
        return order
    tied = np.zeros(len(order), np.bool_)
    tied[1:] |= same
    tied[:-1] |= same
    places = np.flatnonzero(tied)
    some = table.select(["message_id", "source"]).take(order[places])
    keys = zip(
        position[order[places]].tolist(),
        time[order[places]].tolist(),
        some["message_id"].to_pylist(),
        some["source"].to_pylist(),
        order[places].tolist(),
        strict=True,
    )
    order[places] = [key[-1] for key in sorted(keys)]
    return order


def _is_of_one_file(table: pa.Table, ties: Integers) -> bool:
    """Whether these rows and those behind them lie as in a file, which is in order for every id that events come under."""
    column = table["id" if "id" in table.column_names else "customer"]
    if column.num_chunks > 1:
        return False
    return bool(pc.all(pc.equal(column.take(pa.array(ties)), column.take(pa.array(ties + 1)))).as_py())


def _rows(table: pa.Table, needs: Needs, names: Names) -> tuple[Rows, NDArray[np.int32]]:
    """Which lake rows become events, and the items made of their lists."""
    kind = pc.is_in(table["kind"], value_set=pa.array(ACTIONS)).to_numpy(zero_copy_only=False)
    encoded = table["event"].combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    event_names = encoded.dictionary.to_pylist()
    code = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    wanted = np.array([needs.names is None or name in needs.names for name in event_names] or [False])
    keep = kind & wanted[code] if len(code) else kind
    numbers = np.array([names.number(name) for name in event_names] or [0], np.int32)
    source = np.flatnonzero(keep)
    rows = Rows(source, np.full(len(source), -1, np.int64), np.full(len(source), -1, np.int32))
    name = numbers[code[source]] if len(code) else np.zeros(0, np.int32)
    for event, each in sorted(needs.each):
        rows, name = _with_items(table, rows, name, names, event, each, keep, code, event_names)
    order = np.lexsort((np.arange(len(rows.source)), rows.source)) if needs.each else None
    if order is not None:
        rows = Rows(rows.source[order], rows.element[order], rows.list_of[order])
        name = name[order]
    return rows, np.ascontiguousarray(name)


def _with_items(
    table: pa.Table,
    rows: Rows,
    name: NDArray[np.int32],
    names: Names,
    event: str,
    each: Path,
    keep: NDArray[np.bool_],
    code: NDArray[np.int32],
    event_names: list[str],
) -> tuple[Rows, NDArray[np.int32]]:
    column = f"pl:{join_path(each)}"
    if column not in table.column_names or event not in event_names:
        return rows, name
    lengths = pc.fill_null(pc.cast(table[column], pa.int64()), 0).to_numpy(zero_copy_only=False)
    holders = np.flatnonzero(keep & (code == event_names.index(event)) & (lengths > 0))
    counts = lengths[holders]
    source = np.repeat(holders, counts)
    element = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    number = names.number(event, each)
    return (
        Rows(
            np.concatenate([rows.source, source]),
            np.concatenate([rows.element, element]),
            np.concatenate([rows.list_of, np.full(len(source), number, np.int32)]),
        ),
        np.concatenate([name, np.full(len(source), number, np.int32)]).astype(np.int32),
    )


# --- columns ------------------------------------------------------------------------------------------------------------


def _columns(
    table: pa.Table, rows: Rows, names: Names, needs: Needs, known: Seen, texts: Dictionary
) -> tuple[dict[ColumnKey, Integers], dict[ColumnKey, Ragged]]:
    flat: dict[ColumnKey, Integers] = {}
    ragged: dict[ColumnKey, Ragged] = {}
    items = {number: names.known[number][1] for number in np.unique(rows.list_of).tolist() if number >= 0}
    for key in sorted(needs.columns):
        if key.type == "length":
            flat[key] = _lengths(table, key.path)[rows.source]
            continue
        values = _plain(table, key, texts)[rows.source]
        own = [number for number, each in items.items() if _element_column(table, each, key.path)]
        if known.is_list(key):
            ragged[key] = _spread(_lists(table, key, texts), rows.source, values)
        for number in own:
            _fill_items(table, rows, number, items[number], key, texts, values)
        if key in ragged and own:
            ragged[key] = _overlaid(ragged[key], rows, own, values)
        if key not in ragged:
            flat[key] = values
    return flat, ragged


def _lengths(table: pa.Table, path: Path) -> Integers:
    column = f"pl:{join_path(path)}"
    if column not in table.column_names:
        return np.zeros(table.num_rows, np.int64)
    lengths: Integers = pc.fill_null(pc.cast(table[column], pa.int64()), 0).to_numpy(zero_copy_only=False)
    return lengths


def _column_name(key: ColumnKey, path: Path | None = None) -> str:
    return f"p:{join_path(path if path is not None else key.path)}:{key.type}"


def integers_of(column: pa.ChunkedArray | pa.Array, type_: str, texts: Dictionary) -> Integers:
    """A leaf column as 64-bit integers: millionths, text numbers, flags; NULL where missing."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    if type_ == "t":
        return texts.encode(whole)
    missing = pc.is_null(whole).to_numpy(zero_copy_only=False)
    if type_ == "f":
        values = pc.fill_null(whole, False).to_numpy(zero_copy_only=False).astype(np.int64)
    else:
        words = np.frombuffer(whole.buffers()[1], np.int64) if len(whole) else np.zeros(0, np.int64)
        values = words[2 * whole.offset : 2 * (whole.offset + len(whole)) : 2].copy()
    values[missing] = NULL
    found: Integers = values
    return found


def _plain(table: pa.Table, key: ColumnKey, texts: Dictionary) -> Integers:
    column = _column_name(key)
    if column not in table.column_names:
        return np.full(table.num_rows, NULL, np.int64)
    return integers_of(table[column], key.type, texts)


def _lists(table: pa.Table, key: ColumnKey, texts: Dictionary, path: Path | None = None) -> Ragged:
    column = _column_name(key, path) + "[]"
    if column not in table.column_names:
        return Ragged(np.zeros(table.num_rows + 1, np.int64), np.zeros(0, np.int64))
    whole = table[column].combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    lengths = pc.fill_null(pc.cast(pc.list_value_length(whole), pa.int64()), 0).to_numpy(zero_copy_only=False)
    offset = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Ragged(offset, integers_of(whole.flatten(), key.type, texts))


def _spread(lists: Ragged, source: Integers, plain: Integers) -> Ragged:
    """The lists of the rows `source`; a row without a list but with a plain value has that."""
    lengths = np.diff(lists.offset)[source]
    alone = (lengths == 0) & (plain != NULL)
    counts = np.where(alone, 1, lengths)
    offset = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    within = np.arange(offset[-1]) - np.repeat(offset[:-1], counts)
    places = np.repeat(lists.offset[:-1][source], counts) + within
    from_list = np.repeat(~alone, counts)
    values = np.repeat(plain, counts)
    values[from_list] = lists.values[places[from_list]]
    return Ragged(offset, values)


def _element_column(table: pa.Table, each: Path, path: Path) -> bool:
    inner = each if path == ("value",) else each + path
    return any(f"p:{join_path(inner)}:{type_}[]" in table.column_names for type_ in "ntf")


def _fill_items(
    table: pa.Table, rows: Rows, number: int, each: Path, key: ColumnKey, texts: Dictionary, values: Integers
) -> None:
    """Puts the elements' own values into `values`; an element's value of another type hides the event's."""
    inner = each if key.path == ("value",) else each + key.path
    mine = np.flatnonzero(rows.list_of == number)
    source, element = rows.source[mine], rows.element[mine]
    for type_ in "ntf":
        column = f"p:{join_path(inner)}:{type_}[]"
        if column not in table.column_names:
            continue
        lists = _lists(table, ColumnKey(key.path, type_), texts, inner)
        has = element < np.diff(lists.offset)[source]
        found = np.full(len(mine), NULL, np.int64)
        found[has] = lists.values[(lists.offset[:-1][source] + element)[has]]
        known = found != NULL
        values[mine[known]] = found[known] if type_ == key.type else NULL


def _overlaid(lists: Ragged, rows: Rows, own: list[int], values: Integers) -> Ragged:
    """Items have their one value, other rows their lists."""
    is_item = np.isin(rows.list_of, own) & (values != NULL)
    lengths = np.diff(lists.offset)
    counts = np.where(is_item, 1, lengths)
    offset = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    result = np.repeat(values, counts)
    keep = np.repeat(~is_item, counts)
    result[keep] = lists.values[np.repeat(~is_item, lengths)]
    return Ragged(offset, result)


# --- given traits -------------------------------------------------------------------------------------------------------


def _given(
    table: pa.Table,
    position: Integers,
    time: Integers,
    traits: Sequence[ColumnKey],
    texts: Dictionary,
    size: int,
) -> tuple[Integers, Integers]:
    """Records of given traits by position and time. A value of one type, or a removal, ends those of other types."""
    found: list[tuple[Integers, Integers, int]] = []
    for path in sorted({key.path for key in traits}):
        own = {key.type: number for number, key in enumerate(traits) if key.path == path}
        values = {
            type_: integers_of(table[name], type_, texts)
            for type_ in own
            if (name := f"t:{join_path(path)}:{type_}") in table.column_names
        }
        carried = _removed(table, path)
        for known in values.values():
            carried |= known != NULL
        at = np.flatnonzero(carried)
        for type_, number in own.items():
            column = values.get(type_, np.full(len(position), NULL, np.int64))
            found.append((at, column[at], number))
    row = np.concatenate([at for at, _, _ in found]) if found else np.zeros(0, np.int64)
    value = np.concatenate([values for _, values, _ in found]) if found else np.zeros(0, np.int64)
    trait = np.concatenate([np.full(len(at), number) for at, _, number in found]) if found else np.zeros(0)
    order = np.argsort(row, kind="stable")
    row = row[order]
    offset = np.searchsorted(position[row], np.arange(size + 1)).astype(np.int64)
    return offset, np.stack([time[row], trait[order].astype(np.int64), value[order]], axis=1)


def _removed(table: pa.Table, path: Path) -> NDArray[np.bool_]:
    """Rows that remove the trait, or something it is part of."""
    carried = np.zeros(table.num_rows, np.bool_)
    if "t_removed" not in table.column_names:
        return carried
    whole = table["t_removed"].combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    parents = pc.list_parent_indices(whole).to_numpy(zero_copy_only=False)
    outer = pa.array([join_path(path[: depth + 1]) for depth in range(len(path))])
    hit = pc.is_in(whole.flatten(), value_set=outer).to_numpy(zero_copy_only=False)
    carried[parents[hit]] = True
    return carried
