"""Rows of several columns that are equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIX = np.uint64(0x9E3779B97F4A7C15)


def hashes(columns: Sequence[NDArray[Any]]) -> NDArray[np.uint64]:
    """One a row, of columns of 64-bit numbers."""
    found = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        found = (found ^ column.view(np.uint64)) * MIX
        found ^= found >> np.uint64(29)
    return found


def different(columns: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first of each kind of rows, and of which kind each row is.

    >>> first, kind = different([np.array([7, 7, 5, 7]), np.array([1, 1, 1, 2])])
    >>> [tuple(np.array([7, 7, 5, 7])[first][kind]), len(first)]
    [(7, 7, 5, 7), 3]
    """
    _, first, kind = np.unique(hashes(columns), return_index=True, return_inverse=True)
    if any((column != column[first][kind]).any() for column in columns):  # two have one hash
        _, first, kind = np.unique(np.stack(columns), axis=1, return_index=True, return_inverse=True)
    return first, kind.ravel()
