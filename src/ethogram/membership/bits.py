"""Answers as bits: one row a segment, one bit a customer."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bits: TypeAlias = NDArray[np.uint64]
"""Shape (segments, ceil(customers / 64)); bit i of a row is customer i, lowest bit first."""
Flags: TypeAlias = NDArray[np.bool_]
"""Shape (segments, customers)."""


def packed(flags: Flags) -> Bits:
    """One bit a flag.

    >>> packed(np.array([[True, False, True]]))
    array([[5]], dtype=uint64)
    """
    rows, count = flags.shape
    words = np.zeros((rows, (count + 63) // 64), dtype=np.uint64)
    words.view(np.uint8)[:, : (count + 7) // 8] = np.packbits(flags, axis=1, bitorder="little")
    return words


def unpacked(bits: Bits, count: int) -> Flags:
    """The first `count` customers of every row."""
    bytes_ = np.ascontiguousarray(bits).view(np.uint8)
    return np.unpackbits(bytes_, axis=1, bitorder="little", count=count).view(np.bool_)


def picked(bits: Bits, places: NDArray[np.int64]) -> Flags:
    """The customers at `places` of every row, without unpacking the others."""
    bytes_ = bits.view(np.uint8)
    masks = np.left_shift(1, places & 7).astype(np.uint8)
    return np.asarray(bytes_[:, places >> 3] & masks, dtype=np.bool_)
