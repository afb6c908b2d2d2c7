"""Rosters: which position on a bucket's tape a customer has. They are only added to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Integers = NDArray[np.int64]
FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Keys:
    """Hashes of the customers, ascending, and the position of each."""

    hashes: NDArray[np.uint64]
    places: Integers


def hashes_of(customers: pa.StringArray) -> NDArray[np.uint64]:
    """A polynomial of the bytes modulo 2^64: good enough to find by, since what is found is compared.

    >>> hashes_of(pa.array(["ada", "bob", "ada"])).tolist()[0] == hashes_of(pa.array(["ada"])).tolist()[0]
    True
    """
    size = len(customers)
    if not size:
        return np.zeros(0, np.uint64)
    data = customers.buffers()[2]
    offsets = np.frombuffer(customers.buffers()[1], np.int32)[customers.offset : customers.offset + size + 1]
    begin = int(offsets[0])
    ends = offsets.astype(np.int64) - begin
    if data is None or not ends[-1]:
        return np.zeros(size, np.uint64)
    values = np.frombuffer(data, np.uint8)[begin : begin + int(ends[-1])].astype(np.uint64)
    lengths = np.diff(ends)
    place = np.arange(len(values)) - np.repeat(ends[:-1], lengths)
    powers = np.multiply.accumulate(np.full(int(lengths.max()), FACTOR, np.uint64))
    summed = np.concatenate([np.zeros(1, np.uint64), np.cumsum((values + np.uint64(1)) * powers[place])])
    found: NDArray[np.uint64] = summed[ends[1:]] - summed[ends[:-1]]
    return found


def keys_of(customers: pa.StringArray) -> Keys:
    hashes = hashes_of(customers)
    places = np.argsort(hashes, kind="stable")
    return Keys(hashes[places], places)


def added_to(keys: Keys, customers: pa.StringArray) -> Keys:
    """With further customers at the end of the roster."""
    hashes = hashes_of(customers)
    order = np.argsort(hashes, kind="stable")
    at = np.searchsorted(keys.hashes, hashes[order], side="right")
    places = np.insert(keys.places, at, len(keys.places) + order)
    return Keys(np.insert(keys.hashes, at, hashes[order]), places)


def positions_of(customers: pa.StringArray, roster: pa.StringArray, keys: Keys) -> Integers:
    """Of each customer, -1 for those who are not in the roster."""
    positions = np.full(len(customers), -1, np.int64)
    if not len(roster) or not len(customers):
        return positions
    hashes = hashes_of(customers)
    at = np.minimum(np.searchsorted(keys.hashes, hashes), len(keys.hashes) - 1)
    hit = np.flatnonzero(keys.hashes[at] == hashes)
    positions[hit] = keys.places[at[hit]]
    named = roster.take(pa.array(positions[hit]))
    if not pc.all(pc.equal(named, customers.take(pa.array(hit)))).as_py() and len(hit):
        found = pc.index_in(customers, value_set=roster)  # two customers have one hash
        positions = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return positions
