"""A 64-bit hash of all that an event says, the same whatever other columns its table has and in whatever order.

Every known value is mixed with the hash of its column's name (in a list, also with its place), and the sum is mixed
again. Texts count by the second half of their md5. The numbers are part of the storage format: they never change.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ethogram.store.duck import connect
from ethogram.store.leaves import CONTENT
from ethogram.store.numbers import millionths_of

_Words: TypeAlias = npt.NDArray[np.uint64]

_LEFT_OUT = {"source", "message_id", CONTENT}
"""The key, by which events are matched before their contents are compared."""
_ROWS = 1 << 18


def content_hashes(table: pa.Table) -> pa.ChunkedArray:
    """uint64, one a row, of an event table's columns but the key."""
    parts = [table.slice(start, _ROWS) for start in range(0, table.num_rows, _ROWS)]
    return pa.chunked_array([pa.array(_hashes(part)) for part in parts], pa.uint64())


def with_content(table: pa.Table) -> pa.Table:
    if CONTENT in table.column_names:
        return table
    return table.append_column(CONTENT, content_hashes(table))


def _hashes(part: pa.Table) -> _Words:
    total = np.zeros(part.num_rows, np.uint64)
    for name in part.column_names:
        if name not in _LEFT_OUT:
            total += _of_column(name, part[name].combine_chunks())
    return _mixed(total)


def _of_column(name: str, array: pa.Array) -> _Words:
    digest = hashlib.md5(name.encode(), usedforsecurity=False).digest()
    seed = np.uint64(int.from_bytes(digest[:8], "big"))
    words = _of_lists(array) if pa.types.is_list(array.type) else _words(array)
    return _where_known(array, _mixed(words + seed))


def _of_lists(array: pa.Array) -> _Words:
    """Of each row's elements, by their places."""
    elements = array.flatten()
    sizes = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum(sizes)
    places = np.arange(len(elements)) - np.repeat(ends - sizes, sizes)
    mixed = _where_known(elements, _mixed(_words(elements) + _mixed(places.astype(np.uint64) + np.uint64(1))))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    found: _Words = sums[ends] - sums[ends - sizes]
    return found


def _words(array: pa.Array) -> _Words:
    kind = array.type
    if pa.types.is_string(kind):
        return _of_texts(array)
    if pa.types.is_decimal(kind):
        return millionths_of(array).astype(np.uint64)
    array = array.cast(pa.uint8() if pa.types.is_boolean(kind) else pa.int64())
    numbers: _Words = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint64)
    return numbers


def _of_texts(array: pa.Array) -> _Words:
    """Each distinct text is hashed once."""
    encoded = array.dictionary_encode()
    if not len(encoded.dictionary):
        return np.zeros(len(array), np.uint64)
    with connect() as duck:
        duck.register("texts", pa.table({"text": encoded.dictionary}))
        hashes = (
            duck.sql("SELECT md5_number_lower(text) AS hash FROM texts").to_arrow_table()["hash"].to_numpy()
        )
    found: _Words = hashes[encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)]
    return found


def _where_known(array: pa.Array, words: _Words) -> _Words:
    if array.null_count:
        words[~array.is_valid().to_numpy(zero_copy_only=False)] = 0
    return words


def _mixed(words: _Words) -> _Words:
    """The finalizer of splitmix64."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
